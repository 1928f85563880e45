"""Which image series a structure set was drawn on, when what it says is not enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..image_series import ImageSeries, Matches, match
from ..model import Contour, StructureSet
from ..quality import Held
from ..references import References
from .model import NotRepairable

#: Modalities that people draw on, the likeliest first: decides between series that fit equally well.
_PREFERRED = ("CT", "MR", "PT")
#: At least this share of the contours has to lie on planes of the series.
_LEAST_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Choice:
    """The series, the image of each contour, and why this series."""

    series: ImageSeries
    matches: Matches
    reason: str


def choose(
    structure_set: StructureSet,
    references: References,
    held: Held,
    contours: Sequence[Contour],
    wanted: str | None = None,
) -> Choice:
    """The series that the set names, else the one of its frame of reference on whose planes most contours lie.

    Series of one frame of reference often share their planes (CT and PET of one scanner): geometry cannot tell them
    apart, so a series that is named wins whenever it fits.

    Parameters
    ----------
    contours
        All that can be read, in any order; the matches are theirs.
    wanted
        The series to use whatever the set says.

    Raises
    ------
    NotRepairable
        If no series fits.

    """
    if wanted is not None:
        series = held.find(wanted)
        if series is None:
            raise NotRepairable(f"The archive holds no image series {wanted}.", "Check the UID, or send the series.")
        return _fitting(Choice(series, match(contours, series), "asked for"), len(contours))
    for reference in references.series:
        if (named := held.find(reference.series_instance_uid)) and named.planes:
            found = match(contours, named)
            if found.within.mean() >= _LEAST_SHARE:
                return Choice(named, found, "named by the set")
    frames = {each.frame_of_reference_uid for each in structure_set.structures if each.frame_of_reference_uid}
    if structure_set.frame_of_reference_uid:
        frames.add(structure_set.frame_of_reference_uid)
    candidates = [series for series in held.series if series.planes and series.frame_of_reference_uid in frames]
    if not candidates:
        raise NotRepairable(
            "The archive holds no images in the frame of reference of this structure set's study.",
            "Send the images that it was drawn on.",
        )
    choices = [Choice(series, match(contours, series), "on whose planes most contours lie") for series in candidates]
    return _fitting(max(choices, key=_rank), len(contours))


def _fitting(choice: Choice, count: int) -> Choice:
    within = int(choice.matches.within.sum())
    if within < _LEAST_SHARE * count:
        raise NotRepairable(
            f"Only {within} of {count} contours lie on planes of series {choice.series.series_instance_uid}.",
            "Send the images that it was drawn on.",
        )
    return choice


def _rank(choice: Choice) -> tuple[int, int, float, int]:
    modality = choice.series.modality
    preferred = len(_PREFERRED) - _PREFERRED.index(modality) if modality in _PREFERRED else 0
    within = choice.matches.within
    # Of planes that all fit, those that the contours lie on exactly.
    offset = -round(float(choice.matches.offset_mm[within].mean()), 1) if within.any() else 0.0
    return int(within.sum()), preferred, offset, len(choice.series.planes)
