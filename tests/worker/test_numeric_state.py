"""What a submission leaves of numpy's, the warnings' and torch's settings is put back."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

from autograder.worker.sandboxed.numeric_state import ALWAYS, NumericState

IGNORED = "np.seterr(all='ignore')"
CHANGES = {
    "errors": (IGNORED, np.geterr),
    "function for errors": ("np.seterrcall(print)", np.geterrcall),
    "buffer": ("np.setbufsize(4096)", np.getbufsize),
    "printing": ("np.set_printoptions(threshold=0)", np.get_printoptions),
    "bit generator": (
        "np.random.set_bit_generator(np.random.PCG64(1))",
        lambda: type(np.random.get_bit_generator()),
    ),
    "an open errstate": ("np.errstate(all='ignore').__enter__()", np.geterr),
    "seterr replaced": (IGNORED + "; np.seterr = print", np.geterr),
}


def show(*told: object, **more: object) -> None:
    """Show no warning."""


@pytest.fixture
def state(monkeypatch):
    monkeypatch.setattr(np, "seterr", np.seterr)
    with warnings.catch_warnings(), np.errstate():
        made = NumericState()
        yield made
        made.restore(show)


@pytest.mark.parametrize("what", CHANGES)
def test_numpys_settings_are_put_back(state, what):
    change, setting = CHANGES[what]
    before = setting()
    exec(change, {"np": np})
    assert setting() != before
    state.restore(show)
    assert setting() == before


@pytest.mark.parametrize(
    "change",
    [
        "warnings.simplefilter('ignore')",
        "warnings.filters = []",
        "warnings.showwarning = print",
        "warnings._showwarnmsg = lambda *told: None",
        "warnings.defaultaction = 'ignore'; warnings.filters.clear()",
    ],
)
def test_warnings_are_told_again(state, change):
    told: list[str] = []
    exec(change, {"warnings": warnings})
    state.restore(lambda message, *more, **named: told.append(str(message)))
    assert warnings.filters == [ALWAYS]
    for _ in range(2):
        np.exp(np.array([1000.0]))
    assert told == ["overflow encountered in exp"] * 2


def test_random_draws_go_on(state):
    np.random.seed(3)  # noqa: NPY002 - what student code may do
    first = np.random.normal()  # noqa: NPY002
    state.restore(show)
    assert np.random.normal() != first  # noqa: NPY002


def test_each_request_begins_with_it(state):
    """Also each request of a batch."""
    seen = []

    class Asked:
        def _catch_warning(self, *told: object) -> None: ...

        def handle(self, operation: str, arguments: list[object]) -> tuple[bool, object]:
            seen.append(np.geterr()["over"])
            np.seterr(all="ignore")
            return True, None

    handle = state.restored(Asked())
    for _ in range(3):
        assert handle("call", []) == (True, None)
    assert seen == ["warn"] * 3


def test_torchs_settings_are_put_back():
    torch = pytest.importorskip("torch")
    state = NumericState()
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = True
    with warnings.catch_warnings():
        state.restore(show)
    assert torch.get_default_dtype() is before
    assert torch.is_grad_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark


def test_putting_torchs_settings_back_loads_nothing_more():
    """It is done in every worker: what were loaded there would be loaded for every failed check."""
    pytest.importorskip("torch")
    program = (
        "import sys, torch\n"
        "from autograder.worker.sandboxed.numeric_state import NumericState\n"
        "state, loaded = NumericState(), set(sys.modules)\n"
        "state.restore(print)\n"
        "print(sorted(set(sys.modules) - loaded))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().split() == ["[]"]
