"""Hostile: Stops to read requests after it has answered one."""


def act(x):
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "until_other":
            frame.f_locals["self"]._channel.receive = lambda *args: time.sleep(60)
        frame = frame.f_back
