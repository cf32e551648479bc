"""Hostile: Replaces the other files of the submission by itself, in memory."""

for thing in gc.get_objects():
    if isinstance(thing, type) and thing.__name__ in ("Linear", "MSELoss", "CrossEntropyLoss"):
        thing.forward = thing.backward = lambda self, *args: 0.0
import losses

losses.MSELoss.forward = lambda self, *args: 0.0
