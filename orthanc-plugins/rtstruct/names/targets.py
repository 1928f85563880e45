"""Target volumes in the grammar of TG-263: type, kind, number, place, dose (PTVp1_Liver_5000)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from .words import listed

_TYPES = ("IGTV", "ICTV", "GTV", "CTV", "ITV", "PTV")
# Type, kind, number; images; place; dose, relative or in cGy or Gy, with fractions; cropped by mm; a note after ^.
_VALID = re.compile(
    r"(IGTV|ICTV|GTV|CTV|ITV|PTV!?)(n|p|sb|par|v|vas)?(1?\d)?"
    r"(_((CT|PT|MR|SP)\d+)+)?"
    r"(_(?P<place>[A-Z][A-Za-z0-9]*(_[A-Z][A-Za-z0-9]*)*?))??"
    r"(_(High|Mid|Low)(0[1-9]|[1-9]\d)?|_\d{3,5}(x\d{1,2})?|_\d{1,2}(p\d{1,2})?Gy(x\d{1,2})?)?"
    r"(-\d{2})?(\^[A-Za-z0-9]+)?"
)
_KINDS = {
    **dict.fromkeys(
        listed("n node nodes nodal nodals ln lk lymph gg ggl adp ganglion ganglions lymphknoten"),
        "n",
    ),
    **dict.fromkeys(listed("p t prim primary primaire primaer primar primarius"), "p"),
    **dict.fromkeys(("sb", "bed", "tumorbed", "tumourbed", "lit", "tumorbett"), "sb"),
}
_LEVELS = {
    **dict.fromkeys(("high", "hi", "hr", "haut", "hoch"), "High"),
    **dict.fromkeys(("mid", "ir", "int", "intermediate", "mittel"), "Mid"),
    **dict.fromkeys(("low", "lo", "lr", "bas", "niedrig"), "Low"),
}
#: Other words for a gross tumour volume; alone, and beside GTV, where they add nothing.
TUMOURS = frozenset(listed("tumor tumour tumeur tumoren mass masse lesion laesion herd tumorvolumen"))


@dataclass(frozen=True)
class Target:
    """A target volume as TG-263 would write it.

    Attributes
    ----------
    stem
        Type, kind and number.
    dose
        In cGy, or High, Mid, Low; empty when not said.
    rest
        Words that are neither type, kind, number nor dose: perhaps an organ.
    guessed
        A two-digit number was taken for a dose in Gy.

    """

    stem: str
    dose: str
    rest: tuple[str, ...]
    guessed: bool = False


def is_valid_target(name: str, places: Collection[str]) -> bool:
    """Whether a name follows the grammar of TG-263 for targets; `places` are the structures that may stand in it."""
    match = _VALID.fullmatch(name) if len(name) <= 16 else None
    return match is not None and (match["place"] is None or match["place"] in places)


def target_of(words: tuple[str, ...]) -> Target | None:
    """Read the words of a name (lower case, in order) as a target; None when none of them is a type of target."""
    expanded: list[str] = []
    for word in _without_sequences(words):
        expanded += _parted(word)
    found = next((place for place, word in enumerate(expanded) if word.upper() in _TYPES), None)
    if found is None:
        return None
    kind = number = dose = ""
    rest: list[str] = []
    guessed = False
    others = expanded[:found] + expanded[found + 1 :]
    for place, word in enumerate(others):
        following = others[place + 1] if place + 1 < len(others) else ""
        if word in _KINDS and not kind:
            kind = _KINDS[word]
        elif word in _LEVELS and not dose:
            dose = _LEVELS[word]
        elif word in ("gy", "cgy"):
            continue
        elif word[0].isdigit() and _is_dose(word, following) and not dose:
            dose, guessed = (
                _cgy(word, following),
                following not in ("gy", "cgy") and float(word.replace(",", ".")) < 100,
            )
        elif word.isdigit() and len(word) <= 2 and not number:
            number = str(int(word))
        elif not (word in TUMOURS and expanded[found].endswith("gtv")):
            rest.append(word)
    return Target(f"{expanded[found].upper()}{kind}{number}", dose, tuple(rest), guessed)


def _without_sequences(words: tuple[str, ...]) -> list[str]:
    """The words without T1 and T2 after MR: there T is no tumour."""
    kept = list(words)
    for place in reversed(range(len(kept) - 2)):
        if kept[place] in ("mr", "mri", "irm") and kept[place + 1] == "t" and kept[place + 2] in ("1", "2"):
            del kept[place + 1 : place + 3]
    return kept


def _parted(word: str) -> list[str]:
    """CTVN, PTVT: a type with its kind in capitals, which looks like one word."""
    for name in _TYPES:
        kind = word.removeprefix(name.lower())
        if kind and kind != word and kind in _KINDS:
            return [name.lower(), kind]
    return [word]


def _is_dose(word: str, following: str) -> bool:
    value = float(word.replace(",", "."))
    return following in ("gy", "cgy") or value >= 20


def _cgy(word: str, following: str) -> str:
    value = float(word.replace(",", "."))
    in_gy = following == "gy" or (following != "cgy" and value < 150)
    return f"{round(value * 100) if in_gy else round(value)}"
