"""Hostile: Starts 500 threads."""


def act(x):
    for _ in range(500):
        threading.Thread(target=time.sleep, args=[30], daemon=True).start()
