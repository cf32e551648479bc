"""Schedulers out of one: a product of factors, each a function of the epoch."""

import math


class Scheduler:
    """Sets base_lr times a factor."""

    def __init__(self, optimizer, *wholes, gamma=1.0):
        self.optimizer, self.base_lr = optimizer, optimizer.lr
        if not (gamma > 0 and math.isfinite(gamma)):
            raise ValueError(f"gamma must be positive, got {gamma}")
        for whole in wholes:
            if whole != math.floor(whole) or whole <= 0:
                raise ValueError(f"whole numbers of at least 1 are needed, got {whole}")

    def step(self, epoch):
        """Set the learning rate."""
        self.optimizer.lr = self.base_lr * self.factor(epoch)


class MultiStepLR(Scheduler):
    """A factor for each milestone that was reached."""

    def __init__(self, optimizer, milestones, gamma=0.1):
        milestones = sorted(milestones)
        super().__init__(optimizer, *milestones, gamma=gamma)
        if len(set(milestones)) != len(milestones):
            raise ValueError("a milestone is named twice")
        self.milestones, self.gamma = milestones, gamma

    def factor(self, epoch):
        """Return the product."""
        return math.prod(self.gamma for milestone in self.milestones if milestone <= epoch)


class StepLR(Scheduler):
    """Milestones at all multiples of step_size."""

    def __init__(self, optimizer, step_size, gamma=0.1):
        super().__init__(optimizer, step_size, gamma=gamma)
        self.step_size, self.gamma = step_size, gamma

    def factor(self, epoch):
        """Return the product."""
        return math.prod(self.gamma for _ in range(self.step_size, epoch + 1, self.step_size))


class ExponentialLR(StepLR):
    """A milestone in every epoch."""

    def __init__(self, optimizer, gamma):
        super().__init__(optimizer, 1, gamma)


class CosineAnnealingLR(Scheduler):
    """From base_lr to eta_min, by half the versine of the angle that is left."""

    def __init__(self, optimizer, T_max, eta_min=0.0):
        super().__init__(optimizer, T_max)
        if eta_min < 0 or eta_min > self.base_lr:
            raise ValueError(f"eta_min is {eta_min}, the learning rate {self.base_lr}")
        self.T_max, self.eta_min = T_max, eta_min

    def step(self, epoch):
        """Set the learning rate."""
        angle = math.pi * max(self.T_max - epoch, 0) / self.T_max
        rise = (self.base_lr - self.eta_min) * (1 - math.cos(angle)) / 2
        self.optimizer.lr = self.eta_min + rise


class WarmupLR(Scheduler):
    """From 0 in equal steps; then the other one, which begins with its epoch 0."""

    def __init__(self, optimizer, warmup_epochs, base_scheduler=None):
        super().__init__(optimizer, warmup_epochs)
        self.warmup_epochs, self.base_scheduler = warmup_epochs, base_scheduler

    def factor(self, epoch):
        """Return the share of the way."""
        return min(epoch / self.warmup_epochs, 1.0)

    def step(self, epoch):
        """Set the rate, or let the other one do it."""
        after = epoch - self.warmup_epochs
        if after < 0 or self.base_scheduler is None:
            super().step(epoch)
        else:
            self.base_scheduler.step(after)
