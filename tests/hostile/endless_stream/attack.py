"""Hostile: Sends 64 MiB that nobody asked for, before and after the answer."""


def act(x):
    block = b"\0" * (1 << 20)

    def write():
        for _ in range(64):
            send(block)

    threading.Thread(target=write, daemon=True).start()
    time.sleep(0.1)


def act_backward(dL_dy):
    send(answer(None) + b"\0" * (64 << 20))
