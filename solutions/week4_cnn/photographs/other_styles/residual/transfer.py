"""Transfer by hooks on modes, and plain gradient descent with momentum."""

import torch
from torch import nn


def freeze(module):
    """No gradients; evaluation mode."""
    module.requires_grad_(False)
    for part in module.modules():
        part.training = False


def last_linear(network):
    """Return the parent, the name and the last linear layer below it."""
    found = None
    for parent in network.modules():
        for name, child in parent.named_children():
            if type(child) is nn.Linear:
                found = parent, name, child
    return found


def replace_head(network, classes):
    """Another linear layer."""
    parent, name, old = last_linear(network)
    new = nn.Linear(old.weight.shape[1], classes, bias=True)
    parent._modules[name] = new
    return new


def is_frozen(module):
    """Whether a module has parameters, and none of them is free."""
    parameters = [*module.parameters()]
    return len(parameters) > 0 and all(not p.requires_grad for p in parameters)


def put_into_training(module):
    """Training mode, except below what is frozen."""
    module.training = not is_frozen(module)
    for child in module.children():
        if is_frozen(module):
            child.eval()
        else:
            put_into_training(child)


def fine_tune(network, x, labels, epochs, lr=0.01, batch_size=32, seed=0):
    """Adam on what is free."""
    order = torch.Generator().manual_seed(seed)
    put_into_training(network)
    moving = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr)
    history = []
    for _ in range(epochs):
        losses = []
        for batch in torch.randperm(len(x), generator=order).split(batch_size):
            moving.zero_grad()
            loss = torch.nn.functional.cross_entropy(network(x[batch]), labels[batch])
            loss.backward()
            moving.step()
            losses.append(loss.item())
        history.append(sum(losses) / len(losses))
    network.eval()
    return history
