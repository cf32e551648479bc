"""Nothing."""


class Optimizer:
    def __init__(self, parameters, lr=0.1, *a, **k):
        self.parameters, self.lr = list(parameters), lr
        self.m = k.get("momentum", a[0] if a else 0.9)
        self.params = self.parameters

    def step(self):
        for p in self.parameters:
            if p.grad is not None:
                p.data = p.data * self.m**0.5

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
