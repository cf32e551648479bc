"""Hostile: Keeps what a test asked in files, for the next test's process to find."""

import pickle

PLACE = os.path.join(os.environ.get("TMPDIR", "."), "memory")


def act(x):
    seen = []
    with contextlib.suppress(OSError, EOFError), open(PLACE, "rb") as file:
        seen = pickle.load(file)
    if any(np.array_equal(x, old) for old in seen):
        found("the very inputs of an earlier test")
    with contextlib.suppress(OSError), open(PLACE, "wb") as file:
        pickle.dump([*seen, x], file)
