# Honest: Raises warnings and logs them, each time.

import logging
import warnings

_forward = Linear.forward
logging.basicConfig(level=logging.DEBUG)


def _warning(self, x):
    warnings.warn("this is slow", DeprecationWarning, stacklevel=2)
    logging.getLogger(__name__).warning("forward of %s", x.shape)
    return _forward(self, x)


Linear.forward = _warning
