"""Which points of a dose-volume histogram are asked for: D95%, D0.1cc, V20Gy, V50%."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

_NUMBER = r"(\d{1,6}(?:\.\d{1,6})?)"
_VOLUME = re.compile(rf"D?{_NUMBER}\s*(%|cc|cm3|cm³)?", re.IGNORECASE)
_DOSE = re.compile(rf"V?{_NUMBER}\s*(Gy|cGy|%)?", re.IGNORECASE)

MOST_ASKED = 100


class NotAsked(ValueError):
    """What is asked for cannot be read; the message names it and says what can be."""


@dataclass(frozen=True)
class DoseAsked:
    """D_x: the least dose to the hottest `amount` of the volume."""

    amount: float
    unit: Literal["%", "cc"]

    @property
    def name(self) -> str:
        return f"D{self.amount:g}{self.unit}"


@dataclass(frozen=True)
class VolumeAsked:
    """V_x: the volume that gets at least `amount`."""

    amount: float
    unit: Literal["Gy", "%"]

    @property
    def name(self) -> str:
        return f"V{self.amount:g}{self.unit}"


def doses_asked(text: str) -> tuple[DoseAsked, ...]:
    """Read ``95,2,0.1cc``: percent of the volume unless a unit says cc (or cm3)."""
    return tuple(dict.fromkeys(_dose_asked(part) for part in _parts(text)))


def volumes_asked(text: str) -> tuple[VolumeAsked, ...]:
    """Read ``20Gy,3000cGy,50%``: Gy unless a unit says otherwise, percent of the reference dose."""
    return tuple(dict.fromkeys(_volume_asked(part) for part in _parts(text)))


def _dose_asked(part: str) -> DoseAsked:
    found = _VOLUME.fullmatch(part)
    amount = float(found[1]) if found else math.nan
    percent = found is not None and found[2] in (None, "%")
    if not found or amount <= 0 or (percent and amount > 100):
        raise NotAsked(f"{part!r} is not a volume; ask for percent (95, 2%) or cubic centimetres (0.1cc).")
    return DoseAsked(amount, "%" if percent else "cc")


def _volume_asked(part: str) -> VolumeAsked:
    found = _DOSE.fullmatch(part)
    if not found:
        raise NotAsked(f"{part!r} is not a dose; ask for Gy (20Gy), cGy (2000cGy) or percent (50%).")
    amount, unit = float(found[1]), (found[2] or "Gy").lower()
    if unit == "%":
        return VolumeAsked(amount, "%")
    return VolumeAsked(amount / 100 if unit == "cgy" else amount, "Gy")


def _parts(text: str) -> Iterator[str]:
    parts: Iterable[str] = [part.strip() for part in text.split(",") if part.strip()]
    for count, part in enumerate(parts):
        if count >= MOST_ASKED:
            raise NotAsked(f"More than {MOST_ASKED} values are asked for at once.")
        yield part[:40]
