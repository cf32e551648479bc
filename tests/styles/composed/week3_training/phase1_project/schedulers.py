"""Schedules as functions of the epoch that the schedulers hold."""

import math


class _Schedule:
    """Sets what its rule says."""

    def __init__(self, optimizer):
        self.optimizer, self.base = optimizer, optimizer.lr

    def step(self, epoch):
        """Set the learning rate."""
        self.optimizer.lr = self.rule(epoch)


class CosineAnnealingLR(_Schedule):
    """Down along a cosine."""

    def __init__(self, optimizer, T_max, eta_min=0):
        super().__init__(optimizer)
        if T_max < 1 or eta_min < 0:
            raise ValueError(f"T_max {T_max} or eta_min {eta_min} is out of its range")

        def rule(epoch):
            part = math.cos(math.pi / 2 * min(epoch, T_max) / T_max) ** 2
            return self.base * part + eta_min * (1 - part)

        self.rule = rule


class WarmupLR(_Schedule):
    """Up from 0, then another one, which counts all epochs."""

    def __init__(self, optimizer, warmup_epochs, base_scheduler=None):
        super().__init__(optimizer)
        if warmup_epochs < 0:
            raise ValueError(f"warmup_epochs is {warmup_epochs}")
        self.warmup_epochs, self.base_scheduler = warmup_epochs, base_scheduler

    def rule(self, epoch):
        """Return the share of the base."""
        return self.base * (epoch / self.warmup_epochs if epoch < self.warmup_epochs else 1)

    def step(self, epoch):
        """Set the rate, or let the other one do it."""
        if self.base_scheduler is not None and epoch >= self.warmup_epochs:
            self.base_scheduler.step(epoch)
        else:
            super().step(epoch)
