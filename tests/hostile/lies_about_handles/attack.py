"""Hostile: Lets the worker keep another object under each handle than it says."""


def act(x):
    frame = sys._getframe()
    while frame is not None:
        dispatcher = frame.f_locals.get("dispatcher")
        if dispatcher is not None:
            dispatcher.objects[:] = [np] * len(dispatcher.objects)
        frame = frame.f_back
    return Linear(3, 3)
