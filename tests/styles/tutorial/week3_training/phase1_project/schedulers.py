"""Schedulers: the warm-up begins at 0, and what is behind it counts all epochs."""

import numpy as np


class CosineAnnealingLR:
    """Cosine annealing."""

    def __init__(self, optimizer, T_max, eta_min=0):
        self.optimizer, self.T_max, self.eta_min = optimizer, T_max, eta_min
        self.initial_lr = optimizer.lr

    def step(self, epoch):
        """Set the rate of an epoch."""
        amplitude = 0.5 * (self.initial_lr - self.eta_min)
        self.optimizer.lr = self.eta_min + amplitude * (1 + np.cos(np.pi * epoch / self.T_max))


class WarmupLR:
    """Linear warm-up."""

    def __init__(self, optimizer, warmup_epochs, base_scheduler=None):
        self.optimizer, self.warmup_epochs = optimizer, warmup_epochs
        self.base_scheduler = base_scheduler
        self.target_lr = optimizer.lr

    def step(self, epoch):
        """Set the rate of an epoch."""
        if epoch < self.warmup_epochs:
            self.optimizer.lr = self.target_lr * epoch / self.warmup_epochs
            return
        self.optimizer.lr = self.target_lr
        if self.base_scheduler:
            self.base_scheduler.step(epoch)
