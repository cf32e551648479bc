"""Nothing."""


class Dropout:
    def __init__(self, p=0.5, *a, **k):
        pass

    def forward(self, x, training=True):
        return x

    def backward(self, g):
        return g
