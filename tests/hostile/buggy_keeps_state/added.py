# Buggy: Adds up gradients from call to call.

_backward = Linear.backward


def _adding(self, dL_dy):
    before = self.dL_dW
    result = _backward(self, dL_dy)
    self.dL_dW = before + self.dL_dW
    return result


Linear.backward = _adding
