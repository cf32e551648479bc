"""Optimizers and learning rate schedulers of a small library."""

import math

import numpy as np


class Optimizer:
    """Goes through the parameters and asks the subclass for an update of each."""

    def __init__(self, parameters, lr):
        """Keep parameters and learning rate; memory is made when it is first needed."""
        self.parameters = list(parameters)
        self.lr = lr
        self.state = {}

    def zero_grad(self):
        """Clear the gradients."""
        for p in self.parameters:
            p.grad = None

    def memory(self, p, name):
        """Return what is remembered of a parameter under a name; zeros at first."""
        key = (id(p), name)
        if key not in self.state:
            self.state[key] = np.zeros(p.data.shape)
        return self.state[key]

    def remember(self, p, name, value):
        """Replace it."""
        self.state[(id(p), name)] = value
        return value

    def step(self):
        """Add the update to every parameter."""
        for p in self.parameters:
            p.data = p.data + self.update(p)

    def update(self, p):
        """Return what is added to the parameter."""
        raise NotImplementedError


class SGD(Optimizer):
    """W <- W - lr dL/dW."""

    def update(self, p):
        """Return the step downhill."""
        return -self.lr * p.grad


class SGDMomentum(Optimizer):
    """v <- beta v - lr grad, W <- W + v."""

    def __init__(self, parameters, lr, momentum=0.9):
        """Keep the settings."""
        super().__init__(parameters, lr)
        self.momentum = momentum

    def update(self, p):
        """Return the velocity."""
        velocity = self.momentum * self.memory(p, "velocity") - self.lr * p.grad
        return self.remember(p, "velocity", velocity)


class RMSprop(Optimizer):
    """Gradients divided by their root mean square; epsilon outside the root."""

    def __init__(self, parameters, lr, beta=0.999, epsilon=1e-8):
        """Keep the settings."""
        super().__init__(parameters, lr)
        self.decay = beta
        self.tiny = epsilon

    def update(self, p):
        """Return the step."""
        mean = self.decay * self.memory(p, "square") + (1.0 - self.decay) * np.square(p.grad)
        self.remember(p, "square", mean)
        return -self.lr * p.grad / (np.sqrt(mean) + self.tiny)


class Adam(Optimizer):
    """Adam with a count of steps for each parameter and epsilon inside the root."""

    def __init__(self, parameters, lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
        """Keep the settings."""
        super().__init__(parameters, lr)
        self.betas = (beta1, beta2)
        self.tiny = epsilon

    def average(self, p, name, beta, value, count):
        """Update a running mean and return it without its bias."""
        mean = self.remember(p, name, beta * self.memory(p, name) + (1.0 - beta) * value)
        return mean / (1.0 - beta**count)

    def update(self, p):
        """Return the step."""
        count = self.remember(p, "count", int(np.max(self.memory(p, "count"))) + 1)
        first = self.average(p, "first", self.betas[0], p.grad, count)
        second = self.average(p, "second", self.betas[1], p.grad**2, count)
        return -self.lr * first / np.sqrt(second + self.tiny)


class Scheduler:
    """Asks the subclass for the rate of an epoch and gives it to the optimizer."""

    def __init__(self, optimizer):
        """Remember the rate at the start."""
        self.optimizer = optimizer
        self.start = optimizer.lr

    def step(self, epoch):
        """Set the rate of this epoch."""
        self.optimizer.lr = self.rate(epoch)

    def rate(self, epoch):
        """Return the rate of this epoch."""
        raise NotImplementedError


class StepLR(Scheduler):
    """Falls by gamma every step_size epochs."""

    def __init__(self, optimizer, step_size, gamma=0.1):
        """Keep the settings."""
        super().__init__(optimizer)
        self.step_size = step_size
        self.gamma = gamma

    def rate(self, epoch):
        """Return start gamma^k."""
        return self.start * np.power(self.gamma, np.floor(epoch / self.step_size))


class MultiStepLR(Scheduler):
    """Falls by gamma at milestones."""

    def __init__(self, optimizer, milestones, gamma=0.1):
        """Keep the settings."""
        super().__init__(optimizer)
        self.milestones = milestones
        self.gamma = gamma

    def rate(self, epoch):
        """Go through the milestones until one is still to come."""
        rate = self.start
        for milestone in self.milestones:
            if epoch < milestone:
                break
            rate *= self.gamma
        return rate


class ExponentialLR(Scheduler):
    """Falls by gamma in each epoch."""

    def __init__(self, optimizer, gamma):
        """Keep the settings."""
        super().__init__(optimizer)
        self.gamma = gamma

    def rate(self, epoch):
        """Return start gamma^epoch."""
        return self.start * math.exp(epoch * math.log(self.gamma))


class CosineAnnealingLR(Scheduler):
    """Falls along a cosine and stays down."""

    def __init__(self, optimizer, T_max, eta_min=0):
        """Keep the settings."""
        super().__init__(optimizer)
        self.T_max = T_max
        self.eta_min = eta_min

    def rate(self, epoch):
        """Return a point of the cosine."""
        if epoch >= self.T_max:
            return self.eta_min
        share = (1 + math.cos(math.pi * epoch / self.T_max)) / 2
        return share * self.start + (1 - share) * self.eta_min


class WarmupLR(Scheduler):
    """Rises from zero for some epochs; the base scheduler counts all epochs."""

    def __init__(self, optimizer, warmup_epochs, base_scheduler=None):
        """Keep the settings."""
        super().__init__(optimizer)
        self.warmup_epochs = warmup_epochs
        self.base_scheduler = base_scheduler

    def step(self, epoch):
        """Rise, or leave it to the base scheduler."""
        if epoch >= self.warmup_epochs and self.base_scheduler:
            self.base_scheduler.step(epoch)
        else:
            self.optimizer.lr = self.start * min(epoch / self.warmup_epochs, 1.0)
