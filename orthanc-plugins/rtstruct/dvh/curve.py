"""Dose-volume histograms as values: the curve, and what is read off it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..model import Finding
from ..planes import Floats
from .asked import DoseAsked, VolumeAsked


@dataclass(frozen=True, eq=False)
class Curve:
    """How much of a volume gets how much dose.

    Attributes
    ----------
    dose
        Shape (bins + 1,): the edges of the bins, ascending.
    volume
        Shape (bins + 1,): the volume that gets at least as much as each edge, in cm³ (or shares of one when no
        volume is known); the first value is the whole.

    """

    dose: Floats
    volume: Floats

    @property
    def total(self) -> float:
        """The whole volume."""
        return float(self.volume[0])

    def dose_to(self, volume: float) -> float:
        """The least dose to the hottest `volume`, linear within a bin."""
        # The last edge that still has as much.
        at = int(np.searchsorted(-self.volume, -volume, side="right")) - 1
        if at < 0:
            return float(self.dose[0])
        if at + 1 >= len(self.dose):
            return float(self.dose[-1])
        share = (self.volume[at] - volume) / (self.volume[at] - self.volume[at + 1])
        return float(self.dose[at] + share * (self.dose[at + 1] - self.dose[at]))

    def volume_at(self, dose: float) -> float:
        """The volume that gets at least `dose`, linear within a bin."""
        return float(np.interp(dose, self.dose, self.volume, right=0.0))

    def mean(self) -> float:
        """The mean dose, as exact as the bins are narrow."""
        middle = (self.dose[:-1] + self.dose[1:]) / 2
        return float((middle * -np.diff(self.volume)).sum() / (self.volume[0] - self.volume[-1]))

    def resampled(self, width: float) -> Curve:
        """The same curve at multiples of `width`, from nought to just beyond its end."""
        count = int(np.ceil(self.dose[-1] / width - 1e-9)) + 1
        dose: Floats = np.arange(count + 1, dtype=np.float64) * width
        return Curve(dose, np.interp(dose, self.dose, self.volume, right=0.0))


@dataclass(frozen=True)
class PointDose:
    """The dose at a point of a POINT structure; None outside the dose grid."""

    position_mm: tuple[float, float, float]
    dose: float | None


@dataclass(frozen=True, eq=False)
class Dvh:
    """The dose to one structure, in the units of the dose.

    Attributes
    ----------
    volume_cm3
        Of the whole structure; None when its thickness is not known, and for points.
    outside_cm3, outside_share
        What of it lies outside the dose grid.
    minimum, maximum
        Of all points sampled, the contours' vertices included.
    curve
        None where there is no dose or no volume.
    points
        For POINT structures.

    """

    number: int
    name: str
    units: str
    volume_cm3: float | None = None
    outside_cm3: float | None = None
    outside_share: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    curve: Curve | None = field(default=None, repr=False)
    points: tuple[PointDose, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def median(self) -> float | None:
        """D50%."""
        return self.dose_to_percent(50)

    def dose_to_percent(self, percent: float) -> float | None:
        """D_x %."""
        return self.dose_to(DoseAsked(percent, "%"))

    def dose_to(self, asked: DoseAsked) -> float | None:
        """D_x: the least dose to the hottest part of the volume that the curve covers; None when it is not as large."""
        if self.curve is None or self.minimum is None or self.maximum is None:
            return None
        volume = asked.amount if asked.unit == "cc" else self.curve.total * asked.amount / 100
        if asked.unit == "cc" and (self.volume_cm3 is None or volume > self.curve.total):
            return None
        return float(np.clip(self.curve.dose_to(volume), self.minimum, self.maximum))

    def volume_at(self, asked: VolumeAsked, reference_dose: float | None) -> tuple[float | None, float] | None:
        """V_x in cm³ (None when the volume is not known) and in percent of the volume that the curve covers."""
        percent_of = reference_dose if asked.unit == "%" else 1.0
        if self.curve is None or percent_of is None:
            return None
        dose = asked.amount * (percent_of / 100 if asked.unit == "%" else 1.0)
        volume = self.curve.volume_at(dose)
        return volume if self.volume_cm3 is not None else None, 100 * volume / self.curve.total
