"""The global settings of numpy, warnings and torch, put back before each request.

A submission may change them for its own calls (`with np.errstate(...)`); what it leaves behind, at
import or after a call, holds no longer than to the next request. Otherwise one line,
`np.seterr(all="ignore")`, would hide what tests look for. Random states are left alone within a
test: each test seeds them, and draws of one test must differ from each other.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any

import numpy as np

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
ALWAYS = ("always", None, Warning, None, 0)
"""The one filter of warnings: each warning is told."""

PROMOTION = "_get_promotion_state", "_set_promotion_state"
STRING_FUNCTION = "set_string_function"
"""Functions that only some versions of numpy have."""


class NumericState:
    """The settings at the time when this object is made, before any code of a submission runs."""

    def __init__(self) -> None:
        self._variable = _variable_of_errors()
        self._seen = self._variable.get() if self._variable else None
        self._errors, self._buffer = np.geterr(), np.getbufsize()
        self._printing = np.get_printoptions()
        random: Any = np.random  # mypy: it does not export them
        self._generator = random.get_bit_generator()
        self._threads = [(name, value) for name in THREADS if (value := os.environ.get(name))]
        self._encoded = [tuple(map(os.fsencode, pair)) for pair in self._threads]
        self._string_function = getattr(np, STRING_FUNCTION, None)
        self._showing = warnings.showwarning, getattr(warnings, "_showwarnmsg", None)
        self._filters: list[Any] = warnings.filters  # type: ignore[assignment]
        self._default = warnings.defaultaction  # type: ignore[attr-defined]
        get, put = (getattr(np, name, None) for name in PROMOTION)
        self._promotion = (put, get()) if get and put else None
        # Held here, since a submission may replace them in numpy.
        self._numpy: tuple[Callable[..., Any], ...] = (
            np.seterr, np.seterrcall, np.setbufsize, np.geterr, np.geterrcall, np.getbufsize,
            np.get_printoptions, np.set_printoptions,
            random.get_bit_generator, random.set_bit_generator,
        )  # fmt: skip
        self._torch = _torch_settings()

    def restored(self, dispatcher: Any) -> Callable[[str, list[Any]], tuple[bool, Any]]:
        """Return the dispatcher's `handle`, before which the settings are put back each time."""
        handle, show = dispatcher.handle, dispatcher._catch_warning

        def handle_afresh(operation: str, arguments: list[Any]) -> tuple[bool, Any]:
            self.restore(show)
            return handle(operation, arguments)

        return handle_afresh

    def restore(self, show: Callable[..., None]) -> None:
        """Put all settings back; warnings are shown by `show`."""
        seterr, seterrcall, setbufsize, geterr, geterrcall, getbufsize, *more = self._numpy
        printing, set_printing, generator, set_generator = more
        if self._variable is None or self._variable.get() is not self._seen:
            if geterr() != self._errors:
                seterr(**self._errors)
            if geterrcall() is not None:
                seterrcall(None)
            if getbufsize() != self._buffer:
                setbufsize(self._buffer)
            self._seen = self._variable.get() if self._variable else None
        if printing() != self._printing:
            set_printing(**self._printing)
        if self._string_function is not None:
            for of_repr in (True, False):
                self._string_function(None, repr=of_repr)
        if generator() is not self._generator:
            set_generator(self._generator)
        if self._promotion is not None:
            self._promotion[0](self._promotion[1])
        held = getattr(os.environ, "_data", {})  # it looks names up in a tenth of the time
        if any(held.get(name) != value for name, value in self._encoded):
            os.environ.update(self._threads)
        self._restore_warnings(show)
        for put, value in self._torch:
            put(value)

    def _restore_warnings(self, show: Callable[..., None]) -> None:
        module: Any = warnings
        module.showwarning, module._showwarnmsg = show, self._showing[1]
        module.defaultaction = self._default
        if module.filters is not self._filters or self._filters != [ALWAYS]:
            module.filters = self._filters
            self._filters[:] = [ALWAYS]
            module._filters_mutated() if hasattr(module, "_filters_mutated") else None


def _variable_of_errors() -> ContextVar[Any] | None:
    """Return the variable with numpy's handling of errors and its buffer; None before numpy 2.

    One look at it tells that none of them was set, in a hundredth of the time of asking for each.
    """
    elsewhere, here = copy_context(), copy_context()
    elsewhere.run(lambda: np.seterr(**np.geterr()))
    found = [name for name, value in elsewhere.items() if here.get(name) is not value]
    return found[0] if len(found) == 1 else None


def _torch_settings() -> list[tuple[Callable[[Any], Any], Any]]:
    """Return what sets torch's settings, with the values that they have; nothing without torch."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return []
    cudnn, cuda = torch.backends.cudnn, torch.backends.cuda
    settings: list[tuple[Callable[[Any], Any], Any]] = [
        (torch.set_default_dtype, torch.get_default_dtype()),
        (torch.set_default_device, None),
        (torch.set_num_threads, torch.get_num_threads()),
        (torch._C._set_grad_enabled, True),
        # torch.use_deterministic_algorithms loads torch's compiler as well, which takes a second.
        (torch._C._set_deterministic_algorithms, torch.are_deterministic_algorithms_enabled()),
        (torch.autograd.set_detect_anomaly, False),
        (torch.set_float32_matmul_precision, torch.get_float32_matmul_precision()),
        (torch.set_flush_denormal, False),
    ]
    flags = [(cudnn, "enabled"), (cudnn, "benchmark"), (cudnn, "deterministic")]
    flags += [
        (cudnn, "allow_tf32"),
        (cuda.matmul, "allow_tf32"),
        (torch.backends.mkldnn, "enabled"),
    ]
    for holder, name in flags:
        settings.append((_setter(holder, name), getattr(holder, name)))
    return settings


def _setter(holder: Any, name: str) -> Callable[[Any], None]:
    return lambda value: setattr(holder, name, value)
