"""Hostile: Changes the ready parent when it is imported there, so that every later worker lies."""

frame = sys._getframe()
while frame is not None:
    dispatcher = frame.f_locals.get("dispatcher")
    if dispatcher is not None:
        # Every worker that is forked from here on carries this.
        dispatcher.operations["call"] = lambda function, args, kwargs: np.zeros((5, 3))
        dispatcher.operations["get"] = lambda thing, name: np.zeros(3)
        dispatcher.failed_imports.clear()
    frame = frame.f_back
os.fork, really_fork = (lambda: really_fork()), os.fork
