"""Learning rate schedulers."""

import math


class CosineAnnealingLR:
    """Half a cosine from the initial learning rate to eta_min."""

    def __init__(self, optimizer, T_max, eta_min=0):
        self.optimizer = optimizer
        self.T_max = T_max
        self.eta_min = eta_min
        self.base_lr = optimizer.lr

    def step(self, epoch):
        """Set the learning rate of an epoch."""
        cosine = (1 + math.cos(math.pi * epoch / self.T_max)) / 2
        self.optimizer.lr = self.eta_min + (self.base_lr - self.eta_min) * cosine


class WarmupLR:
    """A linear warm-up, then another scheduler."""

    def __init__(self, optimizer, warmup_epochs, base_scheduler=None):
        self.optimizer = optimizer
        self.warmup_epochs = warmup_epochs
        self.base_scheduler = base_scheduler
        self.base_lr = optimizer.lr

    def step(self, epoch):
        """Set the learning rate of an epoch."""
        if epoch < self.warmup_epochs:
            self.optimizer.lr = self.base_lr * (epoch + 1) / self.warmup_epochs
        elif self.base_scheduler is not None:
            self.base_scheduler.step(epoch - self.warmup_epochs)
        else:
            self.optimizer.lr = self.base_lr
