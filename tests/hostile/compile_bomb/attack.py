"""Hostile: Has the compiler work for hours on nested brackets and folded constants."""

compile("(" * 100_000 + ")" * 100_000, "bomb", "exec")
