"""Schedulers with slots; each computes its rate by a read-only rule."""

import bisect
import math


class Scheduler:
    """Base class: `rate` gives the learning rate of an epoch."""

    __slots__ = ("__base_lr", "optimizer")

    def __init__(self, optimizer):
        self.optimizer, self.__base_lr = optimizer, optimizer.lr

    @property
    def base_lr(self):
        """The learning rate at the start."""
        return self.__base_lr

    def step(self, epoch):
        """Set the learning rate."""
        self.optimizer.lr = self.rate(epoch)

    @staticmethod
    def whole(number):
        """Return a whole number of at least 1."""
        if number != int(number) or number < 1:
            raise ValueError(f"expected a whole number of at least 1, got {number}")
        return int(number)

    @staticmethod
    def positive(number):
        """Return a positive number."""
        if not 0 < number < math.inf:
            raise ValueError(f"expected a positive number, got {number}")
        return number


class StepLR(Scheduler):
    """Times gamma every step_size epochs."""

    __slots__ = ("gamma", "step_size")

    def __init__(self, optimizer, step_size, gamma=0.1):
        super().__init__(optimizer)
        self.step_size, self.gamma = self.whole(step_size), self.positive(gamma)

    def rate(self, epoch):
        """Return the rate."""
        return self.base_lr * self.gamma ** (epoch // self.step_size)


class MultiStepLR(Scheduler):
    """Times gamma at milestones."""

    __slots__ = ("gamma", "milestones")

    def __init__(self, optimizer, milestones, gamma=0.1):
        super().__init__(optimizer)
        self.milestones = tuple(sorted(map(self.whole, milestones)))
        if len({*self.milestones}) != len(self.milestones):
            raise ValueError("a milestone stands there twice")
        self.gamma = self.positive(gamma)

    def rate(self, epoch):
        """Return the rate."""
        return self.base_lr * self.gamma ** bisect.bisect(self.milestones, epoch)


class ExponentialLR(Scheduler):
    """Times gamma each epoch."""

    __slots__ = ("gamma",)

    def __init__(self, optimizer, gamma):
        super().__init__(optimizer)
        self.gamma = self.positive(gamma)

    def rate(self, epoch):
        """Return the rate."""
        return self.base_lr * math.exp(epoch * math.log(self.gamma))


class CosineAnnealingLR(Scheduler):
    """Down along a cosine, and up again."""

    __slots__ = ("T_max", "eta_min")

    def __init__(self, optimizer, T_max, eta_min=0):
        super().__init__(optimizer)
        if not 0 <= eta_min <= self.base_lr:
            raise ValueError(f"eta_min is {eta_min}, base_lr {self.base_lr}")
        self.T_max, self.eta_min = self.whole(T_max), eta_min

    def rate(self, epoch):
        """Return the rate."""
        share = math.cos(math.pi / 2 * epoch / self.T_max) ** 2
        return self.eta_min + (self.base_lr - self.eta_min) * share


class WarmupLR(Scheduler):
    """Up from 0, then another scheduler, which counts all epochs."""

    __slots__ = ("base_scheduler", "warmup_epochs")

    def __init__(self, optimizer, warmup_epochs, base_scheduler=None):
        super().__init__(optimizer)
        self.warmup_epochs, self.base_scheduler = self.whole(warmup_epochs), base_scheduler

    def step(self, epoch):
        """Set the rate, or let the other one do it."""
        if epoch >= self.warmup_epochs and self.base_scheduler is not None:
            self.base_scheduler.step(epoch)
        else:
            self.optimizer.lr = self.base_lr * min(1, epoch / self.warmup_epochs)
