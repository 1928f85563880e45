"""Dose-volume histograms: of any structure in any dose, and beside those that the planning system stored."""

from ..sections import Combine
from .asked import DoseAsked, NotAsked, VolumeAsked, doses_asked, volumes_asked
from .computing import Outside, dvh_of
from .curve import Curve, Dvh, PointDose
from .sampling import EndSlabs
from .stored import Beside, beside, curve_of, stored_for

__all__ = [
    "Beside",
    "Combine",
    "Curve",
    "DoseAsked",
    "Dvh",
    "EndSlabs",
    "NotAsked",
    "Outside",
    "PointDose",
    "VolumeAsked",
    "beside",
    "curve_of",
    "doses_asked",
    "dvh_of",
    "stored_for",
    "volumes_asked",
]
