"""The names of TG-263 and their synonyms: the project's table, and what a site adds to it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from .words import Side, key, words_of

_TABLE = Path(__file__).parent / "tg263.toml"


class SynonymsError(ValueError):
    """A synonyms file that cannot be used; the message names the file, the entry and the remedy."""


@dataclass(frozen=True)
class Entry:
    """One structure of the nomenclature.

    Attributes
    ----------
    name
        Without its side.
    sided
        There is one on each side: the full names end in _L and _R.
    both
        The name of the two together.

    """

    name: str
    sided: bool = False
    both: str | None = None

    def named(self, side: Side | None) -> str:
        """The full name on a side; a paired structure without one keeps the name that is right on both sides."""
        if not self.sided or side is None:
            return self.name
        if side == "both":
            return self.both or self.name
        return f"{self.name}_{side}"


Named = tuple[Entry, Side | None]


@dataclass(frozen=True, eq=False)
class Nomenclature:
    """Names by every way to write them.

    Attributes
    ----------
    by_key
        `words.key` of each way → the entry; for what names both of a pair also the side "both".
    by_words
        The same for the words of each way, in whatever order.
    names
        Every full name, sides included.
    own
        The keys that came from a site's file.

    """

    by_key: Mapping[str, Named]
    by_words: Mapping[frozenset[str], Named]
    names: frozenset[str]
    own: frozenset[str] = field(default_factory=frozenset)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SynonymsError(f"{path} cannot be read as text ({error}); check its place and rights.") from error
    except tomllib.TOMLDecodeError as error:
        raise SynonymsError(f"{path} is not TOML: {error}.") from error


def _entry(path: Path, name: str, value: Any, known: Mapping[str, Entry]) -> tuple[Entry, list[str], list[str]]:
    pair: Any = []
    match value:
        case list(ways):
            entry = known.get(name, Entry(name))
        case {"sided": list(ways), **rest} if set(rest) <= {"both", "pair"} and isinstance(rest.get("both", ""), str):
            both = rest.get("both")
            entry, pair = Entry(name, sided=True, both=str(both) if both else None), rest.get("pair", [])
        case _:
            raise SynonymsError(
                f'{path}: {name} must be a list of texts, or {{sided = [texts], both = "Name"}} for a paired structure.'
            )
    if not isinstance(pair, list) or not all(isinstance(way, str) and key(way) for way in (*ways, *pair)):
        raise SynonymsError(f"{path}: {name} lists something that is not a text with letters in it.")
    return entry, ways, [*pair, *([entry.both] if entry.both else [])]


def _full_names(entry: Entry) -> set[str]:
    if not entry.sided:
        return {entry.name}
    return {entry.name, f"{entry.name}_L", f"{entry.name}_R", *([entry.both] if entry.both else [])}


@cache
def nomenclature(synonyms: Path | None = None) -> Nomenclature:
    """The table, with the ways to write names that a site's file adds; its ways win over the table's.

    Parameters
    ----------
    synonyms
        A TOML file in the form of `tg263.toml`: ``Name = ["way", …]``, or ``Name = {sided = ["way", …],
        both = "Name", pair = ["way", …]}``.
        A name with a side (``Lung_L``) may stand alone as well.

    Raises
    ------
    SynonymsError
        If the file cannot be read, or an entry is not of that form.

    """
    entries: dict[str, Entry] = {}
    by_key: dict[str, Named] = {}
    by_words: dict[frozenset[str], Named] = {}
    own: frozenset[str] = frozenset()
    names: set[str] = set()
    for path in (_TABLE, synonyms) if synonyms else (_TABLE,):
        added: dict[str, Named] = {}
        for name, value in _read(path).items():
            entry, ways, pair = _entry(path, name, value, entries)
            entries[name] = entry
            names |= _full_names(entry)
            written: list[tuple[str, Side | None]] = [(way, None) for way in (name, *ways)]
            for way, side in [*written, *((way, "both") for way in pair)]:
                added.setdefault(key(way), (entry, side))
                by_words[frozenset(words_of(way).core)] = (entry, side)
        by_key |= added
        own = frozenset(added)
    return Nomenclature(by_key, by_words, frozenset(names), own if synonyms else frozenset())
