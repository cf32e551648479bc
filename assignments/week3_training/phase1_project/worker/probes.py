"""Made-up parts: they stand where a student's other parts would, put there by drivers.

So a mistake in one part fails the tests of no other. Student code can read this file, so nothing
in it is the answer to a task: no formula here is one that the assignments ask for.

A layer's stand-in is the student's own class with another arithmetic: what the class has, what its
`__init__` takes and sets, and what it is an instance of are as they were. So whoever asks for
`BasicBlock.expansion`, or keeps the class itself in a list, finds what is there at home.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

STANDS_IN = "in this test a made-up part stands in its place"


class Shift(nn.Module):
    """Stands for BatchNorm2d: its names and shapes, with another arithmetic.

    y = weight x + bias in training mode, y = weight (x - running_mean) + running_var bias in
    evaluation mode; nothing is divided, and nothing moves the buffers. It takes whatever settings
    it is given. `sizes`: the number of features. Weight and bias answer to `gamma` and `beta` too.
    """

    sizes: list[int]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__()
        self.set_up(list(_numbers(None, given, named)), ())

    def set_up(self, numbers: list[int], own: Any) -> None:
        """Make parameters and buffers; `own` are the student's, whose names the parameters get."""
        if not numbers:
            raise TypeError(f"BatchNorm2d was made without a number of channels; {STANDS_IN}")
        self.__dict__["sizes"] = sizes = numbers[:1]
        for name, value in {"num_features": sizes[0], "eps": 1e-5, "momentum": 0.1}.items():
            self.__dict__.setdefault(name, value)
        names, others = ["weight", "bias"], ["gamma", "beta"]
        if "gamma" in own:
            names, others = others, names
        self.__dict__["scale_and_shift"] = names
        flat = torch.full((4, *sizes), 0.0)
        flat[[0, 3]] += 1.0
        for row, (name, other) in enumerate(zip(names, others, strict=True)):
            self._parameters[name] = self.__dict__[other] = nn.Parameter(flat[row].clone())
        for row, name in enumerate(("mean", "var"), start=2):
            self._buffers[f"running_{name}"] = flat[row].clone()

    def forward(self, x: Tensor, *_: Any, **__: Any) -> Tensor:
        _demand_channels("BatchNorm2d", x, self.sizes)
        given = [self._parameters[name] for name in self.scale_and_shift]
        given += [self._buffers[f"running_{name}"] for name in ("mean", "var")]
        weight, bias, mean, var = (part.view(1, -1, 1, 1) for part in given)
        return weight * x + bias if self.training else weight * (x - mean) + var * bias


class Mixer(nn.Module):
    """Stands for BasicBlock: cos(x[:, :, ::stride, ::stride] mixed by `weight`), where x is NCHW.

    `weight` has shape (out_channels, in_channels); `sizes` says with which numbers it was made, the
    stride 1 if none was given. Arguments may have any names and be in any order.
    """

    expansion: ClassVar[int] = 1
    sizes: list[int]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__()
        self.set_up(list(_numbers(None, given, named)), ())
        layers = {f"conv{number}": nn.Conv2d(1, 1, 1) for number in (1, 2)}
        self.__dict__.update(layers, bn1=Shift(1), bn2=Shift(1))

    def set_up(self, numbers: list[int], _: Any) -> None:
        """Make the weight, by the numbers of channels and the stride."""
        if len(numbers) < 2:
            made = ", ".join(map(str, numbers))
            raise TypeError(f"BasicBlock({made}) has no two numbers of channels; {STANDS_IN}")
        before, after, stride = [*numbers, 1][:3]
        self.__dict__["sizes"] = [before, after, stride]
        self._parameters["weight"] = nn.Parameter(torch.randn(after, before) / before**0.5)

    def forward(self, x: Tensor, *_: Any, **__: Any) -> Tensor:
        _demand_channels("BasicBlock", x, self.sizes)
        kernel = self._parameters["weight"][:, :, None, None]
        return torch.cos(functional.conv2d(x, kernel, stride=self.sizes[2]))


def _demand_channels(name: str, x: Any, sizes: list[int]) -> None:
    shape = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
    if not isinstance(x, Tensor) or x.dim() != 4 or x.shape[1] != sizes[0]:
        made = f"{name}({', '.join(map(str, sizes))})"
        expected = f"(N, {sizes[0]}, H, W)"
        raise ValueError(f"{made} was given {shape} instead of {expected}; {STANDS_IN}")


def stands_for(cls: Any, part: type[Shift] | type[Mixer]) -> Any:
    """Make a student's class of layers a made-up part, and return it; `part` itself for no class.

    What its own `__init__` sets stays, layers as well, but these belong to no module any more.
    Where it fails, which is for the tests of that part to say, the part is made all the same.
    """
    if not (isinstance(cls, type) and issubclass(cls, nn.Module)):
        return part
    if cls.__module__.startswith("torch."):
        return part
    own = cls.__init__

    def make(self: Any, *given: Any, **named: Any) -> None:
        try:
            own(self, *given, **named)
            tables = (self._parameters, self._buffers, self._modules)
            found = {name: value for table in tables for name, value in table.items()}
        except Exception:  # noqa: BLE001 - see above
            found = {}
        nn.Module.__init__(self)
        part.set_up(self, list(_numbers(own, given, named)), found)
        known = (*self._parameters, *self._buffers)
        self.__dict__.update({name: one for name, one in found.items() if name not in known})

    for name, value in {"__init__": make, "forward": part.forward}.items():
        setattr(cls, name, value)
    if "__getattr__" not in vars(cls):
        cls.__getattr__ = _say_what_is_missing  # type: ignore[method-assign]
    return cls


def _say_what_is_missing(self: Any, name: str) -> Any:
    try:
        return nn.Module.__getattr__(self, name)
    except AttributeError as error:
        raise AttributeError(f"{error}; {STANDS_IN}") from None


def _any(*_: Any, **__: Any) -> None:
    """Take any arguments."""


def _numbers(
    make: Callable[..., Any] | None, given: tuple[Any, ...], named: Mapping[str, Any]
) -> Iterator[int]:
    """Yield the whole numbers that a layer is made with, in the order of its own parameters.

    One whose name says that it is a stride comes third.
    """
    pairs = [*((str(place), value) for place, value in enumerate(given)), *named.items()]
    try:
        signature = inspect.signature(make or _any)
        bound = signature.bind(None, *given, **named).arguments
        kinds = [one.kind for one in signature.parameters.values()]
        if inspect.Parameter.VAR_POSITIONAL not in kinds:
            pairs = [*list(bound.items())[1:], *named.items()]
    except (TypeError, ValueError):
        pass  # it takes other arguments: their order is that in which they are given
    stride: list[int] = []
    others: dict[str, int] = {}
    for name, value in pairs:
        one = value[0] if isinstance(value, tuple | list) and len(value) == 2 else value
        if isinstance(one, int) and not isinstance(one, bool):
            if "stride" in name:
                stride = [one]
            else:
                others.setdefault(name, one)
    numbers = list(others.values())
    yield from [*numbers[:2], *(stride or numbers[2:])]


class Pixel(nn.Module):
    """Stands for the network: logits = x[:, :, 16, 16] @ weight + bias - seen, in evaluation mode.

    In training mode `seen` is added instead, and then moves a little. `passes` holds what each
    forward pass was given: [training, whether gradients are recorded, (N, 3) pixels, whether a
    gradient came back]. Once there are `stop_at` passes in training mode, the next one is
    interrupted, as by a kill.
    """

    __getattr__ = _say_what_is_missing
    passes: ClassVar[list[list]] = []
    stop_at: ClassVar[int | None] = None

    def __init__(self, num_classes: int = 10, *_: Any, **__: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.1 * torch.randn(3, num_classes))
        self.bias = nn.Parameter(torch.zeros(num_classes))
        self.register_buffer("seen", torch.zeros(num_classes))

    def forward(self, x: Tensor) -> Tensor:
        pixels = x[:, :, 16, 16]
        if self.training and sum(one[0] for one in self.passes) == self.stop_at:
            raise KeyboardInterrupt
        seen = [self.training, torch.is_grad_enabled(), pixels.detach().clone(), False]
        self.passes.append(seen)
        logits = pixels @ self.weight + self.bias
        if logits.requires_grad:
            logits.register_hook(lambda _: seen.__setitem__(3, True))
        if not self.training:
            return logits - self.seen
        logits = logits + self.seen
        with torch.no_grad():
            self.seen += 0.01
        return logits


class StandIn:
    """An object that says, where it lacks an attribute, what it stands for."""

    role: ClassVar[str] = ""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self.role} has no {name}; {STANDS_IN}")


class Walker(StandIn):
    """Stands for an optimizer: p <- p - lr (g + drag), where drag grows by 0.001 in each step."""

    role = "the optimizer"

    def __init__(self, parameters: list[Tensor], lr: float) -> None:
        self.parameters, self.lr = list(parameters), lr
        self.drag = torch.zeros(())

    @torch.no_grad()
    def step(self, *_: Any, **__: Any) -> None:
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter -= self.lr * (parameter.grad + self.drag)
        self.drag += 0.001

    def zero_grad(self, *_: Any, **__: Any) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Tensor]:
        return {"drag": self.drag.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.drag = state["drag"].clone()


class Fading(StandIn):
    """Stands for a schedule: epoch e has the rate at the start times 0.8^e. `asked` lists them."""

    role = "the scheduler"

    def __init__(self, optimizer: Walker) -> None:
        self.optimizer, self.first = optimizer, optimizer.lr
        self.asked: list[int] = []

    def step(self, epoch: int) -> None:
        self.asked.append(epoch)
        self.optimizer.lr = self.first * 0.8**epoch
