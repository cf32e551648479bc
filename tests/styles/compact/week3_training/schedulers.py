"""Schedulers in another correct style: recursions, bisection, NumPy's floats, a periodic cosine."""

from bisect import bisect_right

import numpy as np


class Scheduler:
    """Keeps the base learning rate and sets the present one."""

    def __init__(self, optimizer):
        """Keep both."""
        self.optimizer = optimizer
        self.base_lr = optimizer.lr

    def step(self, epoch):
        """Set the learning rate of an epoch."""
        self.optimizer.lr = self.lr_of(epoch)

    def lr_of(self, epoch):
        """Return the learning rate of an epoch."""
        raise NotImplementedError


def check(right):
    """Raise a ValueError unless `right`."""
    if not right:
        raise ValueError("a setting is out of its range")


class StepLR(Scheduler):
    """A recursion: what an epoch has is what the one before had, times gamma now and then."""

    def __init__(self, optimizer, step_size, gamma=0.1):
        """Keep the settings."""
        check(step_size >= 1 and gamma > 0)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def lr_of(self, epoch):
        """Recurse."""
        if epoch == 0:
            return self.base_lr
        return self.lr_of(epoch - 1) * (self.gamma if epoch % self.step_size == 0 else 1)


class MultiStepLR(Scheduler):
    """Bisection in a sorted copy."""

    def __init__(self, optimizer, milestones, gamma=0.1):
        """Keep the settings."""
        self.milestones = sorted(milestones)
        check(min(milestones) >= 1 and gamma > 0 and len(set(milestones)) == len(milestones))
        self.gamma = gamma
        super().__init__(optimizer)

    def lr_of(self, epoch):
        """Count by bisection."""
        return self.base_lr * np.power(self.gamma, float(bisect_right(self.milestones, epoch)))


class ExponentialLR(Scheduler):
    """A recursion."""

    def __init__(self, optimizer, gamma):
        """Keep gamma."""
        check(gamma > 0)
        self.gamma = gamma
        super().__init__(optimizer)

    def lr_of(self, epoch):
        """Recurse."""
        return self.gamma * self.lr_of(epoch - 1) if epoch else self.base_lr


class CosineAnnealingLR(Scheduler):
    """Goes on along the cosine."""

    def __init__(self, optimizer, T_max, eta_min=0.0):
        """Keep the settings."""
        check(T_max >= 1 and 0 <= eta_min <= optimizer.lr)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def lr_of(self, epoch):
        """Return middle + half the height times the cosine."""
        middle, half = (self.base_lr + self.eta_min) / 2, (self.base_lr - self.eta_min) / 2
        return middle + half * np.cos(np.pi * epoch / self.T_max)


class WarmupLR(Scheduler):
    """A table of the warm-up's learning rates."""

    def __init__(self, optimizer, warmup_epochs, base_scheduler=None):
        """Fill the table."""
        check(warmup_epochs >= 1 and warmup_epochs == int(warmup_epochs))
        super().__init__(optimizer)
        self.table = np.linspace(0, self.base_lr, warmup_epochs + 1)[1:].tolist()
        self.base_scheduler = base_scheduler

    def step(self, epoch):
        """Look the learning rate up, or ask the base scheduler."""
        late = epoch - len(self.table)
        if late >= 0 and self.base_scheduler is not None:
            self.base_scheduler.step(late)
        else:
            self.optimizer.lr = self.table[min(late, -1)]
