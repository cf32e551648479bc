"""Hostile: Sleeps, using no processor time, with every signal ignored or blocked."""


def act(x):
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    for _ in until(60):
        time.sleep(1)
