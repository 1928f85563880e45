"""The DVHs that a planning system stored in its RT Dose, read the same way as ours and set beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..doses import StoredDvh
from .asked import DoseAsked
from .curve import Curve, Dvh

# What is set beside each other: near maximum, median and near minimum dose as in ICRU 83, and D95 %.
COMPARED = (DoseAsked(2, "%"), DoseAsked(50, "%"), DoseAsked(95, "%"), DoseAsked(98, "%"))


@dataclass(frozen=True)
class Beside:
    """One quantity, stored and ours.

    Attributes
    ----------
    bin_width
        Of the stored curve, for doses: the planning system may mean the beginning, the middle or the end of a bin.

    """

    name: str
    stored: float | None
    ours: float | None
    bin_width: float | None = None

    @property
    def difference(self) -> float | None:
        """Ours less the stored value."""
        return None if self.stored is None or self.ours is None else self.ours - self.stored

    @property
    def difference_percent(self) -> float | None:
        """The difference in percent of the stored value."""
        difference = self.difference
        return None if difference is None or not self.stored else 100 * difference / self.stored

    @property
    def within_bin(self) -> bool:
        """The difference is no more than a bin of the stored curve."""
        difference = self.difference
        return difference is not None and self.bin_width is not None and abs(difference) <= self.bin_width


def stored_for(stored: Iterable[StoredDvh], number: int) -> StoredDvh | None:
    """The stored DVH of one structure alone."""
    return next((each for each in stored if each.roi_numbers == (number,) and not each.excluded_roi_numbers), None)


def curve_of(stored: StoredDvh) -> Curve | None:
    """The stored curve as a cumulative one; None when it is empty or of a type that has no volume."""
    volume = stored.volume
    if not len(volume) or stored.dvh_type not in ("CUMULATIVE", "DIFFERENTIAL"):
        return None
    if stored.dvh_type == "DIFFERENTIAL":
        at_least = np.concatenate((np.cumsum(volume[::-1])[::-1], [0.0]))
        return Curve(stored.dose, at_least) if at_least[0] > 0 else None
    at_least = np.minimum.accumulate(np.append(volume, 0.0))
    return Curve(stored.dose, at_least) if at_least[0] > 0 else None


def beside(stored: StoredDvh, ours: Dvh) -> tuple[Beside, ...]:
    """Volume, minimum, mean, maximum and some D_x of both.

    The stored ones are read off the stored curve: DVH Minimum, Maximum and Mean Dose come in percent from some systems
    whatever Dose Units says. A curve in other units than ours is not compared.
    """
    curve = curve_of(stored)
    if curve is None or stored.dose_units not in ("", ours.units):
        return ()
    whole = float(curve.dose[int(np.searchsorted(-curve.volume, -curve.total * (1 - 1e-6), side="right")) - 1])
    last = float(curve.dose[int(np.flatnonzero(curve.volume > curve.total * 1e-9)[-1])])
    doses = [("minimum", whole, ours.minimum), ("mean", curve.mean(), ours.mean), ("maximum", last, ours.maximum)]
    for asked in COMPARED:
        doses.append((asked.name, curve.dose_to(curve.total * asked.amount / 100), ours.dose_to(asked)))
    width = float(np.diff(curve.dose).max())
    return (
        Beside("volume_cm3", curve.total if stored.volume_units in ("", "CM3") else None, ours.volume_cm3),
        *(Beside(name, theirs, our, width) for name, theirs, our in doses),
    )
