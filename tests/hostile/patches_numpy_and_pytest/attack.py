"""Hostile: Makes every comparison that it can reach say yes."""

import builtins
import types


def yes(*args, **kwargs):
    """Agree with everything."""
    return True


for name in ("allclose", "array_equal", "isclose", "all", "any", "isfinite", "abs"):
    setattr(np, name, yes)
for name in ("assert_allclose", "assert_array_equal", "assert_almost_equal", "assert_equal"):
    setattr(np.testing, name, yes)
sys.modules["pytest"] = types.SimpleNamespace(main=yes, raises=yes, approx=yes, fail=yes)
sys.settrace(None)
sys.excepthook = yes
builtins.all = builtins.any = builtins.isinstance = yes
