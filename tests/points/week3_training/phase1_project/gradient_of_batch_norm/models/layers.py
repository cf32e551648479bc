"""BatchNorm2d out of a ready-made part."""

import torch
from torch import nn


class Ready(torch.autograd.Function):
    """The formula forward; somebody else's gradient backward."""

    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        """Return the output in training mode."""
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        root = torch.rsqrt(var + eps)
        ctx.save_for_backward(x, weight, mean, root)
        ctx.eps = eps
        four = [one.view(1, -1, 1, 1) for one in (mean, root * weight, bias)]
        return (x - four[0]) * four[1] + four[2]

    @staticmethod
    def backward(ctx, grad):
        """Call what is ready made."""
        x, weight, mean, root = ctx.saved_tensors
        given = (grad, x, weight, None, None, mean, root, True, ctx.eps, [True, True, True])
        return (*torch.ops.aten.native_batch_norm_backward(*given), None)


class BatchNorm2d(nn.Module):
    """Batch normalisation by somebody else."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x):
        """Return x, normalised."""
        given = (x, self.weight, self.bias, self.running_mean, self.running_var)
        return self.ready_made(*given)

    def ready_made(self, x, weight, bias, mean, var):
        """Call it."""
        if not self.training:
            scale = (weight / torch.sqrt(var + self.eps)).view(1, -1, 1, 1)
            return (x - mean.view(1, -1, 1, 1)) * scale + bias.view(1, -1, 1, 1)
        with torch.no_grad():
            mean.lerp_(x.mean((0, 2, 3)), self.momentum)
            var.lerp_(x.var((0, 2, 3)), self.momentum)
        return Ready.apply(x, weight, bias, self.eps)
