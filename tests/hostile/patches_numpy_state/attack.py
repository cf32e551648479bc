"""Hostile: Hides NaN, overflow and warnings by global settings, and returns NaN."""

import warnings

np.seterr(all="ignore")
np.set_printoptions(threshold=0, formatter={"float": lambda value: "0.0"})
warnings.simplefilter("ignore")
warnings.showwarning = lambda *args, **kwargs: None


def act(x):
    return np.log(np.zeros((len(x), 3)) - 1) * 0
