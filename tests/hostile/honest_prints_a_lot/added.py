# Honest: Prints each result and a progress bar, up to what is allowed.

_forward = Linear.forward


def _talking(self, x):
    for step in range(200):
        print(f"\rstep {step} of 200 " + "#" * 100, end="", flush=True)
    print("output:", _forward(self, x))
    return _forward(self, x)


Linear.forward = _talking
