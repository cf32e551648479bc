"""Schedulers in another correct style: recursions, bisection, NumPy's floats, a periodic cosine."""

from bisect import bisect_right

import numpy as np


class Scheduler:
    """Keeps the base learning rate and sets the present one."""

    def __init__(self, optimizer, base_lr=None):
        """Start at epoch 0."""
        self.optimizer = optimizer
        self.base_lr = base_lr or optimizer.lr
        self.epoch = -1
        self.step()

    def step(self):
        """Go on."""
        self.epoch += 1
        self.optimizer.lr = self.lr_at(self.epoch)

    def lr_at(self, epoch):
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

    def lr_at(self, epoch):
        """Recurse."""
        if epoch == 0:
            return self.base_lr
        return self.lr_at(epoch - 1) * (self.gamma if epoch % self.step_size == 0 else 1)


class MultiStepLR(Scheduler):
    """Bisection in a sorted copy."""

    def __init__(self, optimizer, milestones, gamma=0.1):
        """Keep the settings."""
        self.milestones = sorted(milestones)
        check(min(milestones) >= 1 and gamma > 0 and len(set(milestones)) == len(milestones))
        self.gamma = gamma
        super().__init__(optimizer)

    def lr_at(self, epoch):
        """Count by bisection."""
        return self.base_lr * np.power(self.gamma, float(bisect_right(self.milestones, epoch)))


class ExponentialLR(Scheduler):
    """A recursion."""

    def __init__(self, optimizer, gamma):
        """Keep gamma."""
        check(gamma > 0)
        self.gamma = gamma
        super().__init__(optimizer)

    def lr_at(self, epoch):
        """Recurse."""
        return self.gamma * self.lr_at(epoch - 1) if epoch else self.base_lr


class CosineAnnealingLR(Scheduler):
    """Goes on along the cosine."""

    def __init__(self, optimizer, T_max, eta_min=0.0):
        """Keep the settings."""
        check(T_max >= 1 and 0 <= eta_min <= optimizer.lr)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def lr_at(self, epoch):
        """Return middle + half the height times the cosine."""
        middle, half = (self.base_lr + self.eta_min) / 2, (self.base_lr - self.eta_min) / 2
        return middle + half * np.cos(np.pi * epoch / self.T_max)


class WarmupLR(Scheduler):
    """A recursion up to the end of the warm-up."""

    def __init__(self, warmup_epochs, base_scheduler):
        """Keep the settings."""
        check(warmup_epochs >= 1 and warmup_epochs == int(warmup_epochs))
        self.warmup_epochs, self.base_scheduler = warmup_epochs, base_scheduler
        super().__init__(base_scheduler.optimizer, base_scheduler.base_lr)

    def lr_at(self, epoch):
        """Rise by equal steps."""
        if epoch >= self.warmup_epochs:
            return self.base_scheduler.lr_at(epoch - self.warmup_epochs)
        rise = self.base_lr / self.warmup_epochs
        return rise + (self.lr_at(epoch - 1) if epoch else 0)
