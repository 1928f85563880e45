"""Findings about what the set refers to, and whether that is there. Much of it decides whether OHIF draws anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..image_series import ImageSeries, match
from ..model import Structure, StructureSet
from ..references import References
from .findings import Place, QualityFinding, finding


@dataclass(frozen=True)
class Held:
    """What the archive holds around a structure set.

    Attributes
    ----------
    series
        The image series that the set refers to, and those that could be meant: in its study, in its frames.
    other_series_uids
        Series of the study that are no images (plans, doses, other structure sets).
    own_series_instances
        How many instances the series of the structure set has.

    """

    series: tuple[ImageSeries, ...] = ()
    other_series_uids: frozenset[str] = frozenset()
    own_series_instances: int = 1

    def find(self, series_instance_uid: str) -> ImageSeries | None:
        """A series by its UID."""
        return next((each for each in self.series if each.series_instance_uid == series_instance_uid), None)


def place_of(structure: Structure) -> Place:
    """The structure as a place."""
    return Place(structure.number, structure.name)


def of_references(structure_set: StructureSet, references: References, held: Held | None) -> Iterator[QualityFinding]:
    """Findings from the references alone, and with `held` from what is there."""
    named = tuple(dict.fromkeys(each.series_instance_uid for each in references.series if each.series_instance_uid))
    if not named:
        yield finding("no_referenced_series", "The set names no image series.")
    if len(named) > 1:
        yield finding("several_referenced_series", f"The set names {len(named)} image series.")
    for series in references.series:
        if series.series_instance_uid and series.sop_instance_uids is None:
            yield finding(
                "referenced_series_without_images",
                f"The reference to series {series.series_instance_uid} lists no images (Contour Image Sequence).",
            )
    stale = [uid for uid in references.top_level_series_uids if uid not in named]
    if stale:
        yield finding(
            "stale_referenced_series",
            f"Referenced Series Sequence names series {stale[0]}, which the frames of reference do not; "
            "viewers that look there first miss the images.",
        )
    yield from _of_frames(structure_set)
    contours = [contour for each in structure_set.structures for contour in each.contours]
    if contours and not any(contour.image_sop_instance_uids for contour in contours):
        yield finding("no_image_references", "No contour says on which image it was drawn.")
    if held is not None:
        yield from _of_held(structure_set, references, named, held)


def _of_frames(structure_set: StructureSet) -> Iterator[QualityFinding]:
    frames = {each.frame_of_reference_uid for each in structure_set.structures if each.contours}
    frames |= set(structure_set.referenced_frame_of_reference_uids)
    frames.discard(None)
    if len(frames) > 1:
        yield finding("several_frames_of_reference", f"The set speaks of {len(frames)} frames of reference.")


def _of_held(
    structure_set: StructureSet, references: References, named: Sequence[str], held: Held
) -> Iterator[QualityFinding]:
    if held.own_series_instances > 1:
        yield finding(
            "several_instances_in_series",
            f"The series of this set holds {held.own_series_instances} instances; viewers show the last one only.",
        )
    for uid in named:
        if held.find(uid) is None:
            if uid in held.other_series_uids:
                yield finding("referenced_series_is_no_image", f"The referenced series {uid} holds no images.")
            else:
                yield finding("referenced_series_absent", f"The referenced series {uid} is not in this archive.")
    present = [series for uid in named if (series := held.find(uid))]
    for series in present:
        yield from _of_series(structure_set, references, series)
    if present:
        yield from _of_contour_images(structure_set, present)


def _of_series(structure_set: StructureSet, references: References, series: ImageSeries) -> Iterator[QualityFinding]:
    images = {plane.sop_instance_uid for plane in series.planes}
    for reference in references.series:
        if reference.series_instance_uid != series.series_instance_uid or not reference.sop_instance_uids:
            continue
        absent = sum(uid not in images for uid in reference.sop_instance_uids)
        if absent:
            yield finding(
                "series_images_absent",
                f"{absent} of {len(reference.sop_instance_uids)} images listed for series "
                f"{series.series_instance_uid} are not in it.",
            )
    frames = {each.frame_of_reference_uid for each in structure_set.structures if each.contours}
    frames = {frame for frame in frames if frame} or {structure_set.frame_of_reference_uid}
    if series.frame_of_reference_uid and None not in frames and series.frame_of_reference_uid not in frames:
        yield finding(
            "foreign_frame_of_reference",
            f"The images of series {series.series_instance_uid} lie in another frame of reference than the structures.",
        )
    contours = [contour for each in structure_set.structures for contour in each.contours]
    planes = {round(float(contour.points_mm[:, 2].mean()), 2) for contour in contours}
    if len(series.planes) == 1 and len(planes) > 1:
        yield finding(
            "single_slice_series",
            f"Series {series.series_instance_uid} has a single image; viewers draw the contours of all planes on it.",
        )


def _of_contour_images(structure_set: StructureSet, present: Sequence[ImageSeries]) -> Iterator[QualityFinding]:
    """Whether the images that contours name exist, and lie where the contours lie."""
    places = {
        plane.sop_instance_uid: (series, index) for series in present for index, plane in enumerate(series.planes)
    }
    matches = {}
    for structure in structure_set.structures:
        title = structure.name or f"ROI {structure.number}"
        claims = [(index, contour.image_sop_instance_uids) for index, contour in enumerate(structure.contours)]
        claims = [(index, uids) for index, uids in claims if uids]
        absent = [index for index, uids in claims if not any(uid in places for uid in uids)]
        if absent:
            first = structure.contours[absent[0]].image_sop_instance_uids[0]
            yield finding(
                "referenced_images_absent",
                f"{title}: {len(absent)} of {len(structure.contours)} contours name images that are not in the "
                f"referenced series, the first is {first}.",
                Place(structure.number, structure.name, contour=absent[0]),
            )
        matches = {series.series_instance_uid: match(structure.contours, series) for series in present}
        elsewhere = []
        for index, uids in claims:
            if uids[0] in places:
                series, plane = places[uids[0]]
                found = matches[series.series_instance_uid]
                if found.within[index] and not _same_plane(series, int(found.plane[index]), plane):
                    elsewhere.append(index)
        if elsewhere:
            yield finding(
                "references_other_plane",
                f"{title}: {len(elsewhere)} contours name an image of another plane than the one they lie on.",
                Place(structure.number, structure.name, contour=elsewhere[0]),
            )


def _same_plane(series: ImageSeries, one: int, other: int) -> bool:
    first, second = series.planes[one], series.planes[other]
    normal = np.cross(first.row, first.column)
    apart = abs(float(np.dot(np.subtract(first.position_mm, second.position_mm), normal)))
    return apart < max(stack.spacing_mm for stack in series.stacks) / 2
