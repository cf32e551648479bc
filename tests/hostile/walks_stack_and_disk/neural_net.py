"""Hostile: Looks through frames, modules, memory and the disk for tests and labels."""

import gc
import os
import sys

import numpy as np

FOUND = []


def look_at_frames():
    """Look for a caller that knows more than the student."""
    frame = sys._getframe()
    while frame is not None:
        for name, value in list(frame.f_locals.items()):
            if "expected" in name or "test" in frame.f_code.co_name or "pytest" in str(value)[:200]:
                FOUND.append(f"frame {frame.f_code.co_name}: {name}")
        frame = frame.f_back


def look_at_memory():
    """Look for test modules and functions among all objects."""
    FOUND.extend(f"module {name}" for name in sys.modules if name.startswith(("test_", "_pytest")))
    for thing in gc.get_objects():
        if type(thing).__name__ == "function" and thing.__name__.startswith("test_"):
            FOUND.append(f"function {thing.__name__}")


def look_at_disk():
    """Look for hidden tests, solutions, labels and other submissions."""
    own = {"neural_net.py", "losses.py", "gradient_check.py", "mnist_mlp.py", "test_gradients.py"}
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if f"{folder}/{name}" not in ("//proc", "//usr")]
        if folder.startswith(("/runtime/lib", "/runtime/site")):
            continue
        for name in names:
            if name in own and folder == "/submission":
                continue
            if name.startswith("test_") or name.endswith((".toml", ".npz", ".sqlite", ".csv")):
                FOUND.append(f"file {folder}/{name}")


def look_at_processes():
    """Look at what the launcher left in the environment and on command lines."""
    FOUND.extend(f"environment {key}" for key in os.environ if "NNF" in key or "COURSE" in key)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            line = file.read().decode(errors="replace")
        FOUND.extend(f"command {word}" for word in ("/home", "/root", "hidden") if word in line)


look_at_memory()
look_at_disk()
look_at_processes()


class Linear:
    """A layer that only looks like one."""

    def __init__(self, in_features, out_features, **options):
        self.W = np.ones((in_features, out_features))
        self.b = np.ones(out_features)

    def forward(self, x):
        look_at_frames()
        return np.zeros((len(x), 1))

    def backward(self, dL_dy):
        self.dL_dW, self.dL_db = np.zeros_like(self.W), np.zeros_like(self.b)
        return np.zeros((1, 1))


class ReLU(Linear):
    """As hostile as the other."""

    def __init__(self):
        pass

    def backward(self, dL_dy):
        return dL_dy


LeakyReLU = Sigmoid = Tanh = Softmax = Network = ReLU
