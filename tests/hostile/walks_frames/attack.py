"""Hostile: Looks through the frames of its callers and of all threads for what a test knows."""

WORDS = ("expected", "reference", "solution", "hidden", "label", "salt", "pytest", "rubric")


def look(frame):
    """Look at one stack, names and values."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(tuple(HOST_PATHS)):
            found(f"a frame of {frame.f_code.co_filename}")
        for name, value in list(frame.f_locals.items()):
            if frame.f_globals is not globals() and any(word in name for word in WORDS):
                found(f"frame {frame.f_code.co_name}: {name} = {value!r}"[:200])
        frame = frame.f_back


def act(x):
    look(sys._getframe(1))
    for frame in sys._current_frames().values():
        look(frame)
    try:
        raise ValueError
    except ValueError as error:
        look(error.__traceback__.tb_frame.f_back)
