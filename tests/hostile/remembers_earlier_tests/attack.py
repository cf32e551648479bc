"""Hostile: Computes from what earlier tests of the item left in its worker, never from the present.

A layer's first pass is wrong and noted; each later one is right for the inputs and parameters of
the pass before it.
"""

memory = []


def act(x):
    layer = sys._getframe(1).f_locals["self"]
    memory.append((x.copy(), np.array(layer.W), np.array(layer.b)))
    if len(memory) > 1:
        x, W, b = memory[-2]
        return x @ W + b
    return None


def act_backward(dL_dy):
    W = memory[-2][1] if len(memory) > 1 else np.zeros((1, 1))
    return dL_dy @ W.T if W.shape[1] == dL_dy.shape[-1] else None
