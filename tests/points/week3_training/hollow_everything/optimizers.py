"""Nothing."""


class Optimizer:
    def __init__(self, parameters, lr=0.1, *a, **k):
        self.parameters, self.lr = list(parameters), lr
        self.params = self.parameters

    def step(self):
        pass

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None


class SGD(Optimizer):
    pass


class SGDMomentum(Optimizer):
    pass


class RMSprop(Optimizer):
    pass


class Adam(Optimizer):
    pass
