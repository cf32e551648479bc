"""Hostile: Prints without end from a process of its own, while the test goes on."""


def act(x):
    def write():
        for _ in until(10):
            os.write(1, b"x" * 4096)

    child(write, 10)
    time.sleep(0.3)
