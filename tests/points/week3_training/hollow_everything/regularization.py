"""Nothing."""


class Dropout:
    def __init__(self, p=0.5, *a, **k):
        pass

    def forward(self, x, training=True):
        return x

    def backward(self, g):
        return g


class L2:
    def __init__(self, strength):
        pass

    def penalty(self, w):
        return 0.0

    def gradients(self, w):
        return [x * 0 for x in w]


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience, self.n, self.best_epoch, self.best_loss = patience, -1, 0, 1.0

    def step(self, loss):
        self.n += 1
        return self.n >= self.patience


def random_crop(images, padding, rng=None):
    return images


def horizontal_flip(images, rng=None, p=0.5):
    return images
