"""Hostile: Stops every clock of the process, then takes its time."""

begun = time.monotonic
for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
    setattr(time, name, lambda: 0.0)
time.sleep, really_sleep = (lambda seconds: None), time.sleep


def act(x):
    really_sleep(60)
