"""Recurrent layers around PyTorch's."""

import numpy as np
import torch


class _Around:
    """A layer whose work PyTorch does."""

    blocks = (0,)
    starts = ("h0",)
    kind = torch.nn.RNN

    def __init__(self, input_size, hidden_size, forget_bias=1.0, *, rng=None, dtype=np.float64):
        rng = rng or np.random.default_rng()
        wide = len(self.blocks) * hidden_size
        self.Wx = (rng.normal(size=(input_size, wide)) / np.sqrt(input_size)).astype(dtype)
        self.Wh = (rng.normal(size=(hidden_size, wide)) / np.sqrt(hidden_size)).astype(dtype)
        self.b = np.zeros(wide, dtype)
        if wide > hidden_size:
            self.b[hidden_size : 2 * hidden_size] = forget_bias

    def forward(self, x_sequence, *starts):
        """Return PyTorch's states."""
        x = torch.tensor(np.stack(list(x_sequence)), requires_grad=True)
        size = len(self.Wh)
        order = np.concatenate([np.arange(size) + block * size for block in self.blocks])
        layer = self.kind(x.shape[2], size).to(x.dtype)
        with torch.no_grad():
            layer.weight_ih_l0.copy_(torch.from_numpy(self.Wx.T[order]))
            layer.weight_hh_l0.copy_(torch.from_numpy(self.Wh.T[order]))
            layer.bias_ih_l0.copy_(torch.from_numpy(self.b[order]))
            layer.bias_hh_l0.zero_()
        given = [torch.tensor(one[None], requires_grad=True) for one in starts if one is not None]
        given = given or [
            torch.zeros(1, x.shape[1], size, dtype=x.dtype, requires_grad=True) for _ in self.starts
        ]
        states, last = layer(x, given[0] if len(given) == 1 else tuple(given))
        self.saved = x, given, layer, states, order
        self.c_last = last[-1][0].detach().numpy()
        return list(states.detach().numpy())

    def backward(self, grad_sequence):
        """Return PyTorch's gradients."""
        x, given, layer, states, order = self.saved
        wanted = [
            np.zeros(states.shape[1:]) if one is None else np.asarray(one) for one in grad_sequence
        ]
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
        arrays = [x, *given, *(getattr(layer, name) for name in names)]
        upstream = torch.tensor(np.stack(wanted)).to(x.dtype)
        found = torch.autograd.grad(states, arrays, upstream, retain_graph=True)
        back = np.argsort(order)
        for name, one in zip(("Wx", "Wh", "b"), found[-3:], strict=True):
            setattr(self, f"dL_d{name}", one.numpy()[back].T)
        for name, one in zip(self.starts, found[1:-3], strict=True):
            setattr(self, f"dL_d{name}", one[0].numpy())
        return list(found[0].numpy())


class RNN(_Around):
    """PyTorch's RNN."""

    def __init__(self, input_size, hidden_size, *, rng=None, dtype=np.float64):
        super().__init__(input_size, hidden_size, rng=rng, dtype=dtype)


class LSTM(_Around):
    """PyTorch's LSTM."""

    blocks = (0, 1, 3, 2)
    starts = ("h0", "c0")
    kind = torch.nn.LSTM
