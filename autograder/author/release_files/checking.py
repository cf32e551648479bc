"""What models are made with in a students' tree: the part of pydantic that the course uses.

Values get their types, and validators that change a value run; nothing is refused but a missing
key, since the files were checked when this tree was made.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

ConfigDict = dict
_NOTHING = object()


@dataclass(frozen=True)
class BeforeValidator:
    """`change` is applied to a value as it is written."""

    change: Callable[[Any], Any]


@dataclass(frozen=True)
class AfterValidator:
    """`change` is applied to a value that has its type."""

    change: Callable[[Any], Any]


@dataclass(frozen=True)
class Field:
    """The default of a field, or limits of its values, which are not looked at."""

    default: Any = _NOTHING
    default_factory: Callable[[], Any] | None = None
    strict: bool = True
    min_length: int = 0
    pattern: str = ""
    validation_alias: str = ""
    gt: float | None = None
    ge: float | None = None
    le: float | None = None
    allow_inf_nan: bool = True


class ValidationError(ValueError):
    """A key is missing, or a value can't be read."""

    def __init__(self, place: tuple[str | int, ...], kind: str, message: str, value: Any) -> None:
        super().__init__(f"{place}: {message}")
        self._error = {"loc": place, "type": kind, "msg": message, "input": value}

    def errors(self) -> list[dict[str, Any]]:
        """Return the fault, in a list."""
        return [self._error]


def field_validator(*names: str) -> Callable[[Any], Any]:
    """Leave out the check of a field."""
    return lambda method: method


def model_validator(*, mode: str) -> Callable[[Any], Any]:
    """Mark a method that changes a table before it is read."""

    def mark(method: Any) -> Any:
        method.__func__.changes_table = True
        return method

    return mark


class BaseModel:
    """An immutable object whose fields are the annotations of its class."""

    model_config: ClassVar[Any] = {}

    def __init__(self, **given: Any) -> None:
        own = type(self)
        for name in dir(own):
            method = getattr(own, name)
            if getattr(method, "changes_table", False):
                given = method(given)
        values = vars(self)
        for name, kind in _fields(own).items():
            default, key = getattr(own, name, _NOTHING), _key(name, kind)
            if key in given:
                values[name] = _typed(kind, given[key], key)
            elif isinstance(default, Field) and default.default_factory is not None:
                values[name] = default.default_factory()
            elif default is _NOTHING:
                raise ValidationError((key,), "missing", "Field required", given)
            else:
                values[name] = default
        known = {_key(name, kind) for name, kind in _fields(own).items()}
        more = {name: value for name, value in given.items() if name not in known}
        object.__setattr__(self, "model_extra", more)

    @classmethod
    def model_validate(cls, given: Any) -> Self:
        """Return the model of a table."""
        return given if isinstance(given, cls) else cls(**given)

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """Return a copy with other values."""
        copy = object.__new__(type(self))
        vars(copy).update(vars(self), **update)
        return copy

    def model_dump(self) -> dict[str, Any]:
        """Return all values as plain ones."""
        return {name: _plain(getattr(self, name)) for name in _fields(type(self))}

    def __setattr__(self, name: str, value: Any) -> None:
        raise TypeError(f"{type(self).__name__} can't be changed")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), repr(self)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model_dump()!r})"


_known: dict[type, dict[str, Any]] = {}


def _fields(model: type) -> dict[str, Any]:
    """Return a model's fields and their types."""
    if model not in _known:
        hints = get_type_hints(model, include_extras=True)
        _known[model] = {name: kind for name, kind in hints.items() if name != "model_config"}
    return _known[model]


def _key(name: str, kind: Any) -> str:
    """Return what a field is called in a table: by its own name, unless it says otherwise."""
    aliases = [one.validation_alias for one in get_args(kind)[1:] if isinstance(one, Field)]
    return next(filter(None, aliases), name)


def _typed(kind: Any, value: Any, *place: str | int) -> Any:
    """Return a value of the type `kind`, made of what is written at a place."""
    try:
        return _made(kind, value, place)
    except ValidationError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        raise ValidationError(place, "value_error", str(error), value) from error


def _made(kind: Any, value: Any, place: tuple[str | int, ...]) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        own, *more = parts
        for one in reversed(more):
            value = one.change(value) if isinstance(one, BeforeValidator) else value
        value = _typed(own, value, *place)
        for one in more:
            value = one.change(value) if isinstance(one, AfterValidator) else value
        return value
    if origin in (Union, types.UnionType):
        rest = [part for part in parts if part is not type(None)]
        return None if value is None else _typed(rest[0], value, *place)
    if origin is tuple:
        if parts[-1] is Ellipsis:
            return tuple(_typed(parts[0], one, *place, i) for i, one in enumerate(value))
        return tuple(_typed(part, one, *place) for part, one in zip(parts, value, strict=True))
    if origin is dict:
        return {
            _typed(parts[0], name, *place): _typed(parts[1], one, *place, name)
            for name, one in value.items()
        }
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_validate(value)
    return float(value) if kind is float else value


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value
