"""The TG-263 name that a structure could have; a suggestion, never written into anything."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from .nomenclature import Entry, Nomenclature, nomenclature
from .targets import TUMOURS, is_valid_target, target_of
from .words import Side, Words, key, unglued, words_of

#: Below this confidence nothing is suggested.
THRESHOLD = 0.6
#: TG-263: names of at most 16 characters, since some systems cut the rest.
LONGEST_NAME = 16

_PRV = re.compile(r"^(?P<base>.+)_PRV(\d{2})?$")
_MINUS_TARGET = re.compile(r"(-|–|minus|sub)[\s_]*(I?GTV|I?CTV|ITV|PTV)", re.IGNORECASE)
_TARGET_TYPES = ("GTV", "CTV", "PTV")
_ORGAN_TYPES = ("ORGAN", "AVOIDANCE")
_ALIKE = 0.86


@dataclass(frozen=True)
class Suggestion:
    """A name for a structure.

    Attributes
    ----------
    name
        The TG-263 name.
    confidence
        0…1: 1 the name is one already; 0.9 and more the same but for its spelling, or a synonym; 0.8 after words
        were passed over; less for what is similar or guessed.
    reason
        One sentence for people.

    """

    name: str
    confidence: float
    reason: str


def is_tg263(name: str, names: Nomenclature | None = None) -> bool:
    """Whether a name follows TG-263: one of the table (or of a site's file), a target, a PRV, or one with z or ~."""
    names = names or nomenclature()
    if len(name) > LONGEST_NAME:
        return False
    bare = name.lstrip("~z_") if name[:1] in ("~", "z") else name
    if bare in names.names or is_valid_target(bare, names.names):
        return True
    if match := _PRV.fullmatch(bare):
        return match["base"] in names.names
    organ, minus, target = bare.partition("-")
    return bool(minus) and organ in names.names and is_valid_target(target, names.names)


@lru_cache(maxsize=20_000)
def suggest(
    name: str,
    interpreted_type: str | None = None,
    *,
    names: Nomenclature | None = None,
    threshold: float = THRESHOLD,
) -> Suggestion | None:
    """The TG-263 name for what a structure is called.

    Parameters
    ----------
    name
        ROI Name, in any of English, French and German.
    interpreted_type
        RT ROI Interpreted Type: an organ suggested for a target, or a target for an organ, is believed less.
    names
        The table with a site's synonyms; the project's alone by default.
    threshold
        The least confidence worth suggesting.

    Returns
    -------
    Suggestion or None
        None when nothing is near enough. The structure keeps its name in any case.

    """
    names = names or nomenclature()
    found = _found(name.strip(), names)
    kind = (interpreted_type or "").upper()
    if found is None and kind == "EXTERNAL":
        found = Suggestion("External", 0.8, "Its type is EXTERNAL.")
    if found is None and kind in _TARGET_TYPES:
        found = Suggestion(kind, 0.6, f"Its type is {kind}; the name says nothing that TG-263 knows.")
    if found is None:
        return None
    if found.confidence < 1:
        found = _weighed(found, kind)
    return found if found.confidence >= threshold else None


def _weighed(found: Suggestion, kind: str) -> Suggestion:
    is_target = found.name.startswith(("GTV", "CTV", "PTV", "ITV", "IGTV", "ICTV"))
    if (is_target and kind in _ORGAN_TYPES) or (not is_target and kind in _TARGET_TYPES):
        found = replace(
            found, confidence=round(found.confidence * 0.7, 2), reason=f"{found.reason} Its type {kind} contradicts."
        )
    if len(found.name) > LONGEST_NAME:
        found = replace(
            found,
            confidence=round(found.confidence * 0.85, 2),
            reason=f"{found.reason} Longer than {LONGEST_NAME} characters: shorten it.",
        )
    return found


def _found(name: str, names: Nomenclature) -> Suggestion | None:
    if not key(name):
        return None
    if is_tg263(name, names) and key(name) not in names.own:
        return Suggestion(name, 1.0, "It is a TG-263 name.")
    words = words_of(name)
    if "prv" in words.all:
        return _planning_risk_volume(words, names)
    target = _target(words, names, minus=_MINUS_TARGET.search(name) is not None)
    if target:
        return target
    if set(words.core) & TUMOURS and not set(words.core) & {"bed", "lit"}:
        return Suggestion("GTV", 0.7, "It speaks of a tumour.")
    if set(words.core) & TUMOURS:
        return Suggestion("CTVsb", 0.6, "It speaks of a tumour bed.")
    return _organ(words, names)


def _planning_risk_volume(words: Words, names: Nomenclature) -> Suggestion | None:
    margin = next((int(word) for word in words.all if word.isdigit() and int(word) < 100), None)
    bare = tuple(word for word in words.core if word not in ("prv", "mm") and not word[0].isdigit())
    base = _organ(Words(bare, bare, words.side), names)
    if base is None:
        return None
    name = f"{base.name}_PRV" + ("" if margin is None else f"{margin:02}")
    return Suggestion(name, min(base.confidence, 0.9), f"A planning organ at risk volume of {base.name}.")


def _target(words: Words, names: Nomenclature, minus: bool) -> Suggestion | None:
    target = target_of(words.core)
    if target is None:
        return None
    telling = Words(target.rest, target.rest, words.side).telling
    telling = tuple(word for word in telling if word not in ("minus", "sub"))
    name, confidence, reason = target.stem, 0.95, "A target in the grammar of TG-263."
    organ = _organ(Words(telling, telling, words.side), names) if telling else None
    if organ and minus:
        return Suggestion(f"{organ.name}-{target.stem}", 0.7, f"{organ.name} without {target.stem}.")
    if organ and "-" not in organ.name:
        name += f"_{organ.name}"
        confidence, reason = min(0.85, organ.confidence), f"A target in {organ.name}."
    if target.dose:
        name += f"_{target.dose}"
    if target.guessed:
        confidence, reason = min(confidence, 0.75), f"{reason} The number is taken for a dose in Gy."
    if telling and not organ:
        name += "^" + "".join(word.capitalize() for word in telling)
        confidence, reason = 0.65, "A target with a note; TG-263 puts what it does not know behind ^."
    elif len(telling) != len(target.rest):
        confidence = min(confidence, 0.8)
    return Suggestion(name, confidence, reason)


def _organ(words: Words, names: Nomenclature) -> Suggestion | None:
    whole = "".join(words.all)
    for text, side, confidence, why in (
        (whole, words.side if words.all == words.core else None, 0.95, "written in another way"),
        ("".join(words.core), words.side, 0.95, "written in another way"),
        ("".join(words.telling), words.side, 0.8, "with words passed over"),
    ):
        if match := names.by_key.get(text):
            if text in names.own:
                return _sided(match, side, 0.99, "from this site's synonyms")
            return _sided(match, side, confidence, why)
    for core, confidence in ((words.core, 0.9), (words.telling, 0.8)):
        if core and (match := names.by_words.get(frozenset(core))):
            return _sided(match, words.side, confidence, "in another order of words")
    for rest, side in unglued(whole):
        match = names.by_key.get(rest)
        if match and match[0].sided and match[1] is None:
            return _sided(match, side, 0.9, "with its side written onto it")
    return _alike("".join(words.telling), words.side, names)


def _sided(match: tuple[Entry, Side | None], side: Side | None, confidence: float, why: str) -> Suggestion:
    entry, own_side = match
    name = entry.named(own_side or side)
    if entry.sided and own_side is None and side is None:
        return Suggestion(name, round(confidence * 0.8, 2), f"{name}, {why}; the side is not said.")
    return Suggestion(name, confidence, f"{name}, {why}.")


def _alike(text: str, side: Side | None, names: Nomenclature) -> Suggestion | None:
    """A misspelling: the same first letter, nearly the same length, nearly the same letters."""
    if len(text) < 5:
        return None
    near = [each for each in names.by_key if each[0] == text[0] and abs(len(each) - len(text)) <= 2 and len(each) > 4]
    best = difflib.get_close_matches(text, near, n=1, cutoff=_ALIKE)
    if not best:
        return None
    ratio = difflib.SequenceMatcher(None, text, best[0]).ratio()
    return _sided(names.by_key[best[0]], side, round(0.85 * ratio, 2), f"like {best[0]}")
