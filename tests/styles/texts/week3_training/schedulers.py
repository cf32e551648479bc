"""Learning rate schedulers."""

import numpy as np


class StepLR:
    """Multiply the learning rate by gamma every step_size epochs."""

    def __init__(self, optimizer, step_size, gamma=0.1):
        """Keep the settings."""
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma

    def step(self, epoch):
        """Update the learning rate."""
        if epoch > 0 and epoch % self.step_size == 0:
            self.optimizer.lr *= self.gamma


class MultiStepLR:
    """Multiply the learning rate by gamma at each milestone."""

    def __init__(self, optimizer, milestones, gamma=0.1):
        """Keep the settings."""
        self.optimizer = optimizer
        self.milestones = milestones
        self.gamma = gamma

    def step(self, epoch):
        """Update the learning rate."""
        if epoch in self.milestones:
            self.optimizer.lr *= self.gamma


class ExponentialLR:
    """Multiply the learning rate by gamma in each epoch."""

    def __init__(self, optimizer, gamma):
        """Keep the settings."""
        self.optimizer = optimizer
        self.gamma = gamma

    def step(self, epoch):
        """Update the learning rate."""
        if epoch > 0:
            self.optimizer.lr *= self.gamma


class CosineAnnealingLR:
    """Follow a cosine from the initial learning rate to eta_min."""

    def __init__(self, optimizer, T_max, eta_min=0):
        """Keep the settings."""
        self.optimizer = optimizer
        self.T_max = T_max
        self.eta_min = eta_min
        self.initial_lr = optimizer.lr

    def step(self, epoch):
        """Update the learning rate."""
        self.optimizer.lr = self.eta_min + 0.5 * (self.initial_lr - self.eta_min) * (
            1 + np.cos(np.pi * epoch / self.T_max)
        )


class WarmupLR:
    """Raise the learning rate linearly, then use another scheduler."""

    def __init__(self, optimizer, warmup_epochs, base_scheduler=None):
        """Keep the settings."""
        self.optimizer = optimizer
        self.warmup_epochs = warmup_epochs
        self.base_scheduler = base_scheduler
        self.initial_lr = optimizer.lr

    def step(self, epoch):
        """Update the learning rate."""
        if epoch < self.warmup_epochs:
            self.optimizer.lr = self.initial_lr * (epoch + 1) / self.warmup_epochs
        elif self.base_scheduler is not None:
            self.base_scheduler.step(epoch - self.warmup_epochs)
