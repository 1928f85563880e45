"""Sections of Orthanc's configuration that are ours: read with types; a mistake names its key and what to write."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any


class ConfigurationError(ValueError):
    """The configuration cannot be used; the message names the key, its value and what to write instead."""


class Section:
    """A JSON object of the configuration. Keys that nobody has asked for are mistakes: see ``finish``.

    Parameters
    ----------
    values
        The object as parsed.
    path
        Where it stands, such as ``Forwarding.Destinations.xnat``, for messages.
    """

    def __init__(self, values: Any, path: str) -> None:
        self.path = path
        self._asked: set[str] = set()
        if not isinstance(values, Mapping):
            raise ConfigurationError(f"{path} is {_shown(values)}; write an object in braces: {{ … }}.")
        self._values: Mapping[str, Any] = values

    def has(self, key: str) -> bool:
        """Whether the key is written down."""
        self._asked.add(key)
        return key in self._values

    def text(self, key: str, default: str | None = None, choices: tuple[str, ...] = ()) -> str:
        """A text; without ``default`` it must be there, and may then not be empty."""
        value = self._value(key, default)
        if not isinstance(value, str):
            raise self.mistake(key, "write a text in double quotes")
        value = value.strip()
        if default is None and not value:
            raise self.mistake(key, "write what it should be")
        if choices and value not in choices:
            raise self.mistake(key, f"write {' or '.join(choices)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts; empty when it is not there."""
        value = self._value(key, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(each, str) and each.strip() for each in values):
            raise self.mistake(key, 'write a text or a list of texts, such as ["CT", "MR"]')
        return tuple(each.strip() for each in values)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.mistake(key, "write true or false, without quotes")
        return value

    def number(self, key: str, default: float, lowest: float, highest: float) -> float:
        """A number within bounds."""
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not lowest <= value <= highest:
            raise self.mistake(key, f"write a number from {lowest:g} to {highest:g}, such as {default:g}")
        return float(value)

    def objects(self, key: str) -> Iterator[tuple[str, Section]]:
        """The named objects within an object."""
        within = Section(self._value(key, {}), f"{self.path}.{key}")
        for name, value in within._values.items():
            yield name, Section(value, f"{within.path}.{name}")

    def list_of_objects(self, key: str) -> list[Section]:
        """The objects of a list."""
        value = self._value(key, [])
        if not isinstance(value, list):
            raise self.mistake(key, "write a list in brackets: [ … ]")
        return [Section(each, f"{self.path}.{key}[{number}]") for number, each in enumerate(value)]

    def finish(self) -> None:
        """Refuse keys that nobody asked for: a misspelt key would silently do nothing."""
        for key in self._values:
            if key not in self._asked:
                close = difflib.get_close_matches(key, self._asked, n=1, cutoff=0.5)
                hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(self._asked))}."
                raise ConfigurationError(f"{self.path}.{key} is not a key that is known; {hint}")

    def mistake(self, key: str, remedy: str) -> ConfigurationError:
        """The error to raise for the value of a key."""
        value = _shown(self._values[key]) if key in self._values else "missing"
        return ConfigurationError(f"{self.path}.{key} is {value}; {remedy}.")

    def _value(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        if key not in self._values and default is None:
            raise self.mistake(key, "write what it should be")
        return self._values.get(key, default)


def _shown(value: Any) -> str:
    return f"{value!r}"[:80]
