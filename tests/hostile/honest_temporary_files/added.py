# Honest: Saves its state in temporary files and reads it again.

import os
import tempfile

_forward = Linear.forward


def _saving(self, x):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.npy")
        np.save(path, x)
        return _forward(self, np.load(path).astype(x.dtype))


Linear.forward = _saving
