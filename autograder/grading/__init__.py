"""Examining submissions: the plan, the pool of examiners, diagnosis, quality, flags."""
