"""Hostile: Stops to read requests after it has answered one."""


def act(x):
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "serve":
            frame.f_locals["channel"].receive = lambda *args: time.sleep(60)
        frame = frame.f_back
