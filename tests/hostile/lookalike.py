"""A layer that only looks like one: what `corpus.py` makes a hostile neural_net.py of.

An attack takes the place of the line ATTACK below. It runs when the file is imported, and its
`act` and `act_backward` are called by the passes of every layer; what they return is the pass's
result. It may use everything in this file. What it finds goes into FOUND, which has to stay empty.
"""

import contextlib
import ctypes
import gc
import os
import signal
import socket
import struct
import sys
import threading
import time

import numpy as np

# The runner puts in the real ones: a mark that names this run, listeners on loopback, a file with
# a secret, a folder that anybody may write to, a process that a signal could hit, and paths of the
# grader. As they stand here they hit nothing.
MARK = "nnf"
TCP_PORT = TCP6_PORT = UDP_PORT = 9
ABSTRACT = "nnf-nobody-listens"
SECRET_FILE = "/nonexistent/secret"
OPEN_FOLDER = "/nonexistent/open"
CANARY = 2**22 - 1
HOST_PATHS = ["/nonexistent"]

FOUND = []


def found(what):
    """Note what an attack could get at, once."""
    if what not in FOUND and len(FOUND) < 40:
        FOUND.append(str(what)[:200])


def child(work, seconds=30):
    """Fork a process that does `work`, lives at most `seconds`, and never returns."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)
        try:
            work()
        finally:
            os._exit(0)
    return pid


def until(seconds=60):
    """Yield until the time is over: no attack goes on for ever by itself."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield


def pids():
    """Return the processes that there are, or that there may be where nobody says."""
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return [1, 2, os.getppid(), *range(os.getpid() - 6, os.getpid() + 6)]


def act(x):
    """Do nothing in forward; attacks put something else here."""


def act_backward(dL_dy):
    """Do nothing in backward."""


# The name of every process of this run: what is left of it is found by that.
ctypes.CDLL(None).prctl(15, MARK.encode(), 0, 0, 0)

# ATTACK


class Linear:
    """A layer that only looks like one."""

    def __init__(self, in_features=1, out_features=1, **options):
        self.W = np.ones((in_features, out_features))
        self.b = np.ones(out_features)

    def forward(self, x):
        result = act(x)
        return np.zeros((len(x), 1)) if result is None else result

    def backward(self, dL_dy):
        self.dL_dW, self.dL_db = np.zeros_like(self.W), np.zeros_like(self.b)
        result = act_backward(dL_dy)
        return np.zeros((1, 1)) if result is None else result


class ReLU(Linear):
    """As hostile as the other."""

    def __init__(self, *options):
        pass

    def backward(self, dL_dy):
        return np.zeros((1, 1))


LeakyReLU = Sigmoid = Tanh = Softmax = Network = ReLU
