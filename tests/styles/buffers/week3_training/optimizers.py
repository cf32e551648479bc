"""Optimizers that work in place, in buffers of their own, by `out=`."""

import numpy as np


class Optimizer:
    """Base class: two buffers for work, and as many for memory as a class wants."""

    memories = 0

    def __init__(self, parameters, lr, **settings):
        self.parameters, self.lr = [*parameters], lr
        if not self.parameters or not 0 < lr < float("inf"):
            raise ValueError(f"{len(self.parameters)} parameters, lr {lr}")
        for name, value in settings.items():
            low = value > 0 if name == "epsilon" else value >= 0
            high = value < (float("inf") if name in ("epsilon", "weight_decay") else 1)
            if not (low and high):
                raise ValueError(f"{name} is out of its range: {value}")
        self.__dict__.update(settings)
        self._rows = [self._buffers(p) for p in self.parameters]
        self._counts = [0 for _ in self.parameters]

    def _buffers(self, p):
        return [np.zeros_like(p.data, order="F") for _ in range(2 + self.memories)]

    def zero_grad(self):
        """Set all gradients to zeros, in arrays of their own."""
        for p in self.parameters:
            p.grad = np.zeros_like(p.data)

    def step(self):
        """Move every parameter in place."""
        for i, p in enumerate(self.parameters):
            if p.grad is None:
                continue
            self._counts[i] += 1
            work, spare, *memory = self._rows[i]
            self._write(work, spare, p, self._counts[i], *memory)
            p.data -= work

    @staticmethod
    def _blend(memory, beta, new):
        """memory <- beta memory + (1 - beta) new; `new` is written over."""
        memory *= beta
        new *= 1 - beta
        memory += new


class SGD(Optimizer):
    """Gradient descent."""

    def __init__(self, parameters, lr, weight_decay=0.0):
        super().__init__(parameters, lr, weight_decay=weight_decay)

    def _write(self, work, spare, p, t):
        np.multiply(p.data, self.weight_decay, out=work)
        work += p.grad
        work *= self.lr


class SGDMomentum(Optimizer):
    """The heavy ball; lr inside the velocity."""

    memories = 1

    def __init__(self, parameters, lr, momentum=0.9):
        super().__init__(parameters, lr, momentum=momentum)

    def _write(self, work, spare, p, t, v):
        v *= self.momentum
        np.multiply(p.grad, self.lr, out=work)
        v += work
        work[...] = v


class RMSprop(Optimizer):
    """A step size for each entry."""

    memories = 1

    def __init__(self, parameters, lr, beta=0.999, epsilon=1e-8):
        super().__init__(parameters, lr, beta=beta, epsilon=epsilon)

    def _write(self, work, spare, p, t, s):
        self._blend(s, self.beta, np.multiply(p.grad, p.grad, out=spare))
        np.sqrt(np.add(s, self.epsilon, out=spare), out=spare)
        np.divide(p.grad, spare, out=work)
        work *= self.lr


class Adam(Optimizer):
    """Both, corrected."""

    memories = 2

    def __init__(self, parameters, lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
        super().__init__(parameters, lr, beta1=beta1, beta2=beta2, epsilon=epsilon)

    def _write(self, work, spare, p, t, m, v):
        spare[...] = p.grad
        self._blend(m, self.beta1, spare)
        self._blend(v, self.beta2, np.square(p.grad, out=spare))
        np.divide(v, 1 - self.beta2**t, out=spare)
        np.sqrt(spare, out=spare)
        spare += self.epsilon
        np.divide(m, spare, out=work)
        work *= self.lr / (1 - self.beta1**t)
