# cell 1 of derivations.ipynb
import numpy as np


# cell 2 of derivations.ipynb
def batch_norm_parameters(dL_dy, x_hat):
    return [np.einsum("nd,nd->d", dL_dy, x_hat), np.add.reduce(dL_dy, axis=0)]


def batch_norm_dv(g, x_hat, s):
    return np.sum(g * x_hat * s * (-0.5) * s**-3.0, axis=0)


def batch_norm_dmu(g, s):
    return np.sum(-g / s, axis=0)


def batch_norm_dx(g, x_hat, s):
    n = g.shape[0]
    direct = g / s
    through_v = batch_norm_dv(g, x_hat, s) * 2.0 * (x_hat * s) / n
    return direct + through_v + batch_norm_dmu(g, s) / n
