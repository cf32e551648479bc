"""Nothing."""


class S:
    def __init__(self, optimizer, *a, **k):
        self.optimizer = optimizer
        self.base_lr = optimizer.lr

    def step(self, epoch):
        pass

    def lr_at(self, epoch):
        return self.base_lr


class StepLR(S):
    pass


class MultiStepLR(S):
    pass


class ExponentialLR(S):
    pass


class CosineAnnealingLR(S):
    pass


class WarmupLR(S):
    pass
