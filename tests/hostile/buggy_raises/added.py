# Buggy: Divides by a name that isn't there.

Linear.forward = lambda self, x: x @ self.W.T / batch_size  # noqa: F821
