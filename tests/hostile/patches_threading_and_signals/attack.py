"""Hostile: Catches every signal, alarm and exit hook that a watchdog might use."""

import atexit
import faulthandler

faulthandler.disable()
atexit.register(lambda: time.sleep(30))
for number in range(1, 65):
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_IGN)
signal.setitimer(signal.ITIMER_REAL, 0)


def act(x):
    for _ in until(60):
        time.sleep(1)
