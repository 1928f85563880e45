"""Which structure of one set is which of another."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ..model import Structure
from ..names import Nomenclature, suggest

By = Literal["auto", "number", "name", "tg263"]
WAYS: tuple[By, ...] = get_args(By)

# Two structures are taken for one only where both names are all but certain.
_SURE = 0.8
# They tell PTV_50.4 from PTV_504, and GTV+ from GTV.
_SIGNS = frozenset(".+")


@dataclass(frozen=True, eq=False)
class Pair:
    """Two structures that stand for the same, and how that is known: explicit, number, name or tg263."""

    a: Structure
    b: Structure
    by: str


class UnknownStructure(LookupError):
    """A pair names a structure that the set does not have."""

    def __init__(self, asked: str, side: str, names: Sequence[str]) -> None:
        super().__init__(asked, side, names)
        self.asked = asked
        self.side = side
        self.names = tuple(names)

    def __str__(self) -> str:
        return f"set {self.side} has no structure {self.asked!r}"


def matched(
    a: Sequence[Structure], b: Sequence[Structure], by: By = "auto", names: Nomenclature | None = None
) -> list[Pair]:
    """The pairs, in the order of `a`; each structure is in one at most.

    Parameters
    ----------
    a, b
        The structures of two sets.
    by
        ``number``: ROI Number. ``name``: ROI Name without regard to case, blanks and punctuation. ``tg263``: the name
        that TG-263 would have, where the suggestion is sure enough. ``auto``: by name, the rest by TG-263.
    names
        The table of TG-263 with a site's synonyms; the project's alone by default.

    """
    ways: dict[str, list[tuple[str, Callable[[Structure], str | None]]]] = {
        "number": [("number", lambda structure: str(structure.number))],
        "name": [("name", _name)],
        "tg263": [("tg263", lambda structure: _tg263(structure, names))],
    }
    ways["auto"] = ways["name"] + ways["tg263"]
    found: dict[int, Pair] = {}
    left_a, left_b = list(a), list(b)
    for how, key in ways[by]:
        one, other = _alone(left_a, key), _alone(left_b, key)
        for name in one.keys() & other.keys():
            found[id(one[name])] = Pair(one[name], other[name], how)
        taken = {id(pair.b) for pair in found.values()}
        left_a = [structure for structure in left_a if id(structure) not in found]
        left_b = [structure for structure in left_b if id(structure) not in taken]
    return [found[id(structure)] for structure in a if id(structure) in found]


def explicit(a: Sequence[Structure], b: Sequence[Structure], pairs: Iterable[tuple[str, str]]) -> list[Pair]:
    """Pairs by ROI Number or ROI Name of each side.

    Raises
    ------
    UnknownStructure

    """
    return [Pair(structure_named(a, one, "a"), structure_named(b, other, "b"), "explicit") for one, other in pairs]


def structure_named(structures: Sequence[Structure], asked: str, side: str) -> Structure:
    """The structure with a ROI Number, or else the first with a ROI Name.

    Raises
    ------
    UnknownStructure

    """
    for matches in (lambda s: str(s.number) == asked, lambda s: s.name == asked, lambda s: _name(s) == _plain(asked)):
        found = next((structure for structure in structures if matches(structure)), None)
        if found is not None:
            return found
    raise UnknownStructure(asked, side, [structure.name for structure in structures])


def _alone(structures: Sequence[Structure], key: Callable[[Structure], str | None]) -> dict[str, Structure]:
    """By key, those that share it with no other: of two left lungs nobody knows which is meant."""
    found: dict[str, list[Structure]] = defaultdict(list)
    for structure in structures:
        name = key(structure)
        if name:
            found[name].append(structure)
    return {name: each[0] for name, each in found.items() if len(each) == 1}


def _name(structure: Structure) -> str:
    return _plain(structure.name)


def _plain(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum() or c in _SIGNS)


def _tg263(structure: Structure, names: Nomenclature | None) -> str | None:
    suggestion = suggest(structure.name, structure.interpreted_type, names=names, threshold=_SURE)
    return suggestion.name if suggestion else None
