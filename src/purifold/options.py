"""Options of a named thing, `name:option=value,option=value`: their types, defaults, and how text is read."""

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field
from typing import Any, Literal, TypeAlias, final, get_args, get_origin

from purifold.errors import InputError, unknown

Value: TypeAlias = bool | int | float | str
TRUTH = {"true": True, "false": False}
LATER = "later"


@final
@dataclass(frozen=True)
class Option:
    """Something that can be set.

    Args:
        name: As in `name=value`.
        kind: bool, int, float, str, or a `Literal` of values of one of them.
        default: Where nothing is set; None where the data set decides.
    """

    name: str
    kind: Any
    default: Value | None

    @property
    def choices(self) -> tuple[Value, ...]:
        """The values of a `Literal`; empty for other kinds."""
        return get_args(self.kind) if get_origin(self.kind) is Literal else ()

    def __str__(self) -> str:
        wanted = "|".join(str(choice) for choice in self.choices) or self.kind.__name__
        return f"{self.name}=<{wanted}>" + ("" if self.default is None else f" [{self.default}]")

    def read(self, value: Value) -> Value:
        """The value in the option's own type, out of text or of a value; refuses what is not one."""
        kind = type(self.choices[0]) if self.choices else self.kind
        try:
            found = _convert(value, kind)
        except (KeyError, ValueError):
            raise InputError(f"option {self.name} must be {kind.__name__}, got {value!r}") from None
        if self.choices and found not in self.choices:
            raise unknown(f"value of option {self.name}:", str(value), map(str, self.choices))
        return found


def settings(text: str) -> tuple[str, dict[str, str]]:
    """The name in `text`, and the options behind its colon, each given once."""
    name, _, listed = text.partition(":")
    values: dict[str, str] = {}
    for setting in listed.split(",") if listed else ():
        option, equals, value = setting.partition("=")
        if not equals or option in values:
            raise InputError(f"options must be name=value, each once, got {setting!r} in {text!r}")
        values[option] = value
    return name, values


def chosen(owner: str, given: Mapping[str, Value], known: Mapping[str, Option]) -> dict[str, Any]:
    """The values given, each in its option's type; an error names `owner`.

    Raises `InputError` for an option that there is not and for a value of another type.
    """
    for name in given:
        if name not in known:
            raise unknown(f"option of {owner}:", name, known)
    try:
        return {name: known[name].read(value) for name, value in given.items()}
    except InputError as error:
        raise InputError(f"{owner}: {error}") from error


def supported(kind: Any) -> bool:
    """Whether an option can be of this type."""
    return kind in (bool, int, float, str) or get_origin(kind) is Literal


def later(default: Any) -> Any:
    """A field that a description has got since things that it describes lie in stores.

    With its default they are what they were before, so that the field does not count then.
    """
    return field(default=default, metadata={LATER: True})


def counts(entry: Field[Any], described: object) -> bool:
    """Whether a field belongs in a description's hash."""
    return LATER not in entry.metadata or getattr(described, entry.name) != entry.default


def as_json(value: Value | None) -> Value | None:
    """The value, or its text where JSON has no such number."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _convert(value: Value, kind: type) -> Value:
    """Only what loses nothing: 3 is a float, but 3.5 and True are no integers."""
    if isinstance(value, str):
        return TRUTH[value.lower()] if kind is bool else _number(kind(value))
    if type(value) is kind or (kind is float and type(value) is int):
        return _number(kind(value))
    raise ValueError


def _number(value: Value) -> Value:
    if value != value:  # noqa: PLR0124
        raise ValueError
    return value
