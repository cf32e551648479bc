"""Weights in names."""

from tests.points.stored_networks import letters, submission


def files() -> dict[str, bytes]:
    """Return the network."""
    text = letters().encode().hex()
    names = [
        f"n{n:03}_{text[start : start + 60]}" for n, start in enumerate(range(0, len(text), 60))
    ]
    lines = "".join(f"    {name} = 0\n" for name in names)
    join = '"".join(name[5:] for name in sorted(vars(Names)) if name[0] == "n" and name[4] == "_")'
    code = f"\n\nclass Names:\n{lines}\n\nSTORED = bytes.fromhex({join}).decode()\n"
    return submission(code)
