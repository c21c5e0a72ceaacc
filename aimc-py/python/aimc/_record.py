"""Configurations as Python objects: what all records have in common.

A record holds values; the only gate is that of the Rust crates, through which it passes when a tile is built and in `validate`.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

from . import _native

R = TypeVar("R", bound="Record")


class Record:
    """Base of all records, which are generated into `aimc.config` from the schema of the TOML files."""

    __slots__ = ()

    #: What the gate calls such a record; empty for parts of others.
    KIND: ClassVar[str] = ""
    #: Field and value by which a table names this variant; empty where there is no choice.
    TAG: ClassVar[tuple[str, str] | None] = None

    def to_dict(self) -> dict[str, Any]:
        """The record as the tables of a TOML file."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        table = {} if self.TAG is None else {self.TAG[0]: self.TAG[1]}
        return {**table, **{f.name: _plain(getattr(self, f.name)) for f in fields}}

    def to_json(self) -> str:
        """The same as text."""
        try:
            return json.dumps(self.to_dict(), allow_nan=False)
        except ValueError:
            raise ValueError(f"{_not_finite(self.to_dict(), '')}: must be a finite number") from None
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None

    def validate(self) -> None:
        """Raises `ValueError` with the path of the field that is refused."""
        if self.KIND:
            _native.resolve(self.KIND, self.to_json())

    def replace(self: R, **changes: Any) -> R:
        """The same record with other values."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    @classmethod
    def from_dict(cls: type[R], table: Mapping[str, Any]) -> R:
        """The record of tables as in a TOML file, with presets put in; what is left out has its default."""
        return cls._from_text(json.dumps(_plain(table)), toml=False)

    @classmethod
    def from_toml(cls: type[R], text: str) -> R:
        """The record of a TOML file."""
        return cls._from_text(text, toml=True)

    @classmethod
    def _from_text(cls: type[R], text: str, toml: bool) -> R:
        if not cls.KIND or cls.KIND == "cell":
            raise TypeError(f"{cls.__name__} is part of a record: read the whole one")
        return decode(cls, json.loads(_native.resolve(cls.KIND, text, toml)))


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value


def _not_finite(value: Any, path: str) -> str:
    """Path and value of the first number that is not finite; empty if all are."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f"{path} = {value}"
    if isinstance(value, dict):
        found = (_not_finite(entry, f"{path}.{key}" if path else key) for key, entry in value.items())
    elif isinstance(value, list):
        found = (_not_finite(entry, f"{path}[{i}]") for i, entry in enumerate(value))
    else:
        return ""
    return next((text for text in found if text), "")


@lru_cache(maxsize=None)
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _fits(kind: Any, value: Any) -> bool:
    """Whether a plain value can become this type."""
    if isinstance(kind, type) and issubclass(kind, Record):
        if not isinstance(value, Mapping):
            return False
        names = {f.name for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
        if kind.TAG is not None:
            return value.get(kind.TAG[0]) == kind.TAG[1]
        return set(value) <= names
    if typing.get_origin(kind) is typing.Literal:
        return value in typing.get_args(kind)
    if kind is type(None):
        return value is None
    return value is not None and not isinstance(value, Mapping)


def decode(kind: Any, value: Any) -> Any:
    """A complete plain value as an object of this type."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        for choice in typing.get_args(kind):
            if typing.get_origin(choice) in (typing.Union, types.UnionType) or _fits(choice, value):
                return decode(choice, value)
        raise TypeError(f"{value!r} is none of {kind}")
    if origin is list and isinstance(value, list):
        (entry,) = typing.get_args(kind)
        return [decode(entry, item) for item in value]
    if isinstance(kind, type) and issubclass(kind, Record):
        hints = _hints(kind)
        names = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
        return kind(**{name: decode(hints[name], value[name]) for name in names if name in value})
    if kind is float and isinstance(value, int):
        return float(value)
    return value


def preset(kind: type[R] | Any, name: str, changes: Mapping[str, Any]) -> Any:
    """The record of a preset, with `changes` put over it, table by table."""
    kinds = typing.get_args(kind) or (kind,)
    gate = next(choice.KIND for choice in _leaves(kinds) if choice.KIND)
    return decode(kind, json.loads(_native.resolve(gate, json.dumps({"preset": name, **_plain(changes)}))))


def _leaves(kinds: Any) -> Any:
    for kind in kinds:
        yield from _leaves(typing.get_args(kind)) if typing.get_args(kind) else (kind,)
