"""Hostile: Finds the worker's own dispatcher and codec in memory and makes them say yes."""

import types


def yes(*args, **kwargs):
    """Answer every request with success."""
    return True, True


for thing in gc.get_objects():
    if isinstance(thing, type) and thing.__name__ in ("Dispatcher", "Wire", "ModuleSpace"):
        with contextlib.suppress(AttributeError, TypeError):
            thing.handle = yes
    if type(thing) is types.FunctionType and thing.__name__ in ("encode", "as_values", "operate"):
        thing.__code__ = (lambda *args, **kwargs: [b""]).__code__
