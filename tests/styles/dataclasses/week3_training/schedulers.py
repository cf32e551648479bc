"""Schedulers as dataclasses; rates are kept in a dict once they were computed."""

import math
from dataclasses import InitVar, dataclass, field
from typing import Any


@dataclass
class Scheduler:
    """Base class."""

    optimizer: Any

    def __post_init__(self):
        self.base_lr = float(self.optimizer.lr)
        self.rates = {}
        for name in ("step_size", "T_max", "warmup_epochs"):
            self.check_whole(name, getattr(self, name, 1))
        if not 0 < getattr(self, "gamma", 1) < math.inf:
            raise ValueError(f"gamma must be positive, got {self.gamma}")

    @staticmethod
    def check_whole(name, number):
        """Refuse what is no whole number of at least 1."""
        if number < 1 or number % 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {number}")

    def step(self, epoch):
        """Set the rate, from the dict where it is known."""
        if epoch not in self.rates:
            self.rates[epoch] = self.base_lr * self.factor(epoch)
        self.optimizer.lr = self.rates[epoch]


@dataclass
class ExponentialLR(Scheduler):
    """Times gamma each epoch."""

    gamma: float

    def factor(self, epoch):
        """Return the factor."""
        return self.gamma**epoch


@dataclass
class StepLR(Scheduler):
    """Times gamma every step_size epochs."""

    step_size: int
    gamma: float = 0.1

    def factor(self, epoch):
        """Return the factor."""
        return math.prod([self.gamma] * (epoch // self.step_size))


@dataclass
class MultiStepLR(Scheduler):
    """Times gamma at milestones."""

    milestones: InitVar[Any]
    gamma: float = 0.1
    places: frozenset = field(init=False)

    def __post_init__(self, milestones):
        super().__post_init__()
        milestones = list(milestones)
        self.places = frozenset(milestones)
        if len(self.places) < len(milestones):
            raise ValueError(f"milestones repeat: {milestones}")
        for milestone in milestones:
            self.check_whole("milestone", milestone)

    def factor(self, epoch):
        """Return the factor."""
        return self.gamma ** sum(epoch >= place for place in self.places)


@dataclass
class CosineAnnealingLR(Scheduler):
    """Down along a cosine."""

    T_max: int
    eta_min: float = 0

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.eta_min <= self.base_lr:
            raise ValueError(f"eta_min must be from 0 to {self.base_lr}, got {self.eta_min}")

    def factor(self, epoch):
        """Return the factor."""
        low = self.eta_min / self.base_lr
        return low + (1 - low) * (1 + math.cos(math.pi * min(epoch / self.T_max, 1))) / 2


@dataclass
class WarmupLR(Scheduler):
    """Up, then another scheduler."""

    warmup_epochs: int
    base_scheduler: Any = None

    def factor(self, epoch):
        """Return the factor."""
        return min(epoch + 1, self.warmup_epochs) / self.warmup_epochs

    def step(self, epoch):
        """Set the rate, or let the other one do it."""
        if self.base_scheduler and epoch >= self.warmup_epochs:
            return self.base_scheduler.step(epoch - self.warmup_epochs)
        return super().step(epoch)
