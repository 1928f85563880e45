"""Names taken apart: words without case and accents, the side, and what planners add that names no organ."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Side = Literal["L", "R", "both"]


def listed(words: str) -> list[str]:
    """The words of a text; a long list reads better that way."""
    return words.split()


_SIDES: dict[str, Side] = {
    **dict.fromkeys(
        listed("l lt left li lk links linke linker linkes lft gauche gche gch g sin sinister"),
        "L",
    ),
    **dict.fromkeys(
        listed("r rt right re rechts rechte rechter rechtes rgt droit droite drt dte d dx dex dexter"),
        "R",
    ),
    **dict.fromkeys(
        listed("both bilat bilateral bilaterale beide beider beids beidseits bds total combined"),
        "both",
    ),
}
# Written together with the organ, as in LLung, LungL, LungLt, LtLung: only what cannot be the end of a word by chance.
_GLUED = {"l": "L", "r": "R", "lt": "L", "rt": "R", "li": "L", "re": "R", "left": "L", "right": "R"}

#: Words that say how or when a structure was drawn, not what it is.
_NOISE = frozenset(
    listed(
        "new old auto manual man final copy copie kopie edit edited corr corrected ok approved draft test "
        "temp tmp rev contour contours kontur roi organ organe oar structure struct vol volume volumen ct mr "
        "mri irm mrt pet pt the le la les l' de du des der die das of et and und ai dl mbs atlas qa v"
    )
)

_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+(?:[.,]\d+)?")


@dataclass(frozen=True)
class Words:
    """A name in words.

    Attributes
    ----------
    all
        Every word, in order: lower case, without accents.
    core
        Without the words that say the side.
    side
        None when no word says one, or when words say both left and right.

    """

    all: tuple[str, ...]
    core: tuple[str, ...]
    side: Side | None

    @property
    def telling(self) -> tuple[str, ...]:
        """The core without numbers and words that name no organ."""
        return tuple(word for word in self.core if word not in _NOISE and not word[0].isdigit())


def plain(text: str) -> str:
    """Text without accents and ligatures; case stays."""
    for letters, written in (("ß", "ss"), ("œ", "oe"), ("Œ", "Oe"), ("æ", "ae")):
        text = text.replace(letters, written)
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def key(text: str) -> str:
    """What is the same for every spelling of a name: letters and digits, lower case, without accents."""
    return "".join(letter for letter in plain(text).lower() if letter.isascii() and letter.isalnum())


def words_of(name: str) -> Words:
    """Take a name apart at blanks, punctuation, changes from small to capital letters, and numbers."""
    every = tuple(match.group().lower() for match in _SPLIT.finditer(plain(name).replace("cGy", "cgy")))
    sides = {_SIDES[word] for word in every if word in _SIDES}
    if sides == {"L", "R"}:
        sides = {"both"}
    side = sides.pop() if len(sides) == 1 else None
    return Words(every, tuple(word for word in every if word not in _SIDES), side)


def unglued(text: str) -> list[tuple[str, Side]]:
    """A key without a side written onto its start or end, for every way to read it."""
    found: list[tuple[str, Side]] = []
    for letters, side in _GLUED.items():
        if text.startswith(letters):
            found.append((text.removeprefix(letters), "L" if side == "L" else "R"))
        if text.endswith(letters):
            found.append((text.removesuffix(letters), "L" if side == "L" else "R"))
    return found
