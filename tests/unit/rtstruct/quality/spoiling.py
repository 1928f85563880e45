"""A sound structure set, spoiled in each way that the quality report tells of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydicom.dataset import Dataset

from rtstruct.quality import Held
from unit.rtstruct.phantom import (
    SERIES,
    STRUCTURES,
    add_structure,
    contour_item,
    contours_of,
    image_series,
    image_uid,
    number_of,
    z_of,
)
from unit.rtstruct.shapes import circle

Spoil = Callable[[Dataset], Held | None]
SPOILS: dict[str, list[Spoil]] = {}


def spoils(code: str) -> Callable[[Spoil], Spoil]:
    """The function below makes `code` appear; it may say what the archive holds instead."""

    def note(spoil: Spoil) -> Spoil:
        SPOILS.setdefault(code, []).append(spoil)
        return spoil

    return note


def frame(made: Dataset) -> Dataset:
    item: Dataset = made.ReferencedFrameOfReferenceSequence[0]
    return item


def series(made: Dataset) -> Dataset:
    item: Dataset = frame(made).RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    return item


def observation(made: Dataset, name: str) -> Dataset:
    item: Dataset = made.RTROIObservationsSequence[number_of(name) - 1]
    return item


def redraw(made: Dataset, name: str, place: int, points: np.ndarray, image: str | None = None) -> None:
    slices = STRUCTURES[name][4]
    contours_of(made, name)[place] = contour_item(points, image or image_uid(slices[place]))


@spoils("no_referenced_series")
def _(made: Dataset) -> None:
    del made.ReferencedFrameOfReferenceSequence


@spoils("referenced_series_absent")
def _(made: Dataset) -> Held:
    return Held(())


@spoils("referenced_series_absent")
def _(made: Dataset) -> None:
    series(made).SeriesInstanceUID = "1.2.3.77"


@spoils("referenced_series_is_no_image")
def _(made: Dataset) -> Held:
    return Held((), other_series_uids=frozenset({SERIES}))


@spoils("referenced_series_without_images")
def _(made: Dataset) -> None:
    del series(made).ContourImageSequence


@spoils("series_images_absent")
def _(made: Dataset) -> None:
    series(made).ContourImageSequence[3].ReferencedSOPInstanceUID = "1.2.3.77"


@spoils("stale_referenced_series")
def _(made: Dataset) -> None:
    stale = Dataset()
    stale.SeriesInstanceUID = "1.2.3.77"
    made.ReferencedSeriesSequence = [stale]


@spoils("several_referenced_series")
def _(made: Dataset) -> Held:
    other = Dataset()
    other.SeriesInstanceUID = "1.2.3.8"
    other.ContourImageSequence = series(made).ContourImageSequence
    frame(made).RTReferencedStudySequence[0].RTReferencedSeriesSequence.append(other)
    return Held((image_series(), image_series(uid="1.2.3.8")))


@spoils("referenced_images_absent")
def _(made: Dataset) -> None:
    contours_of(made, "GTV")[1].ContourImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.77"


@spoils("references_other_plane")
def _(made: Dataset) -> None:
    contours_of(made, "GTV")[1].ContourImageSequence[0].ReferencedSOPInstanceUID = image_uid(2)


@spoils("no_image_references")
def _(made: Dataset) -> None:
    for name in STRUCTURES:
        for contour in contours_of(made, name):
            del contour.ContourImageSequence


@spoils("foreign_frame_of_reference")
def _(made: Dataset) -> Held:
    return Held((image_series(frame="1.2.3.88"),))


@spoils("several_frames_of_reference")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[2].ReferencedFrameOfReferenceUID = "1.2.3.88"


@spoils("several_instances_in_series")
def _(made: Dataset) -> Held:
    return Held((image_series(),), own_series_instances=2)


@spoils("single_slice_series")
def _(made: Dataset) -> Held:
    return Held((image_series(range(9, 10)),))


@spoils("no_structure_set_roi_sequence")
def _(made: Dataset) -> None:
    del made.StructureSetROISequence


@spoils("no_structures")
def _(made: Dataset) -> None:
    del made.StructureSetROISequence, made.ROIContourSequence, made.RTROIObservationsSequence


@spoils("no_contours_at_all")
def _(made: Dataset) -> None:
    made.ROIContourSequence = []


@spoils("contour_without_data")
def _(made: Dataset) -> None:
    del contours_of(made, "CTV")[2].ContourData


@spoils("unreadable_contours")
def _(made: Dataset) -> None:
    contours_of(made, "CTV")[2].ContourData = ["1", "2", "3", "4"]


@spoils("empty_structure")
def _(made: Dataset) -> None:
    del made.ROIContourSequence[4].ContourSequence


@spoils("reading")
def _(made: Dataset) -> None:
    contours_of(made, "CTV")[2].NumberOfContourPoints = 3


@spoils("geometry")
def _(made: Dataset) -> None:
    tilted = circle(14, z_of(8), points=40, centre=(0, -40))
    tilted[::2, 2] += 1
    redraw(made, "CTV", 2, tilted)


@spoils("contours_off_image_planes")
def _(made: Dataset) -> None:
    for place, contour in enumerate(contours_of(made, "PTV")):
        points = circle(20, z_of(5 + place) + 1.0, points=40, centre=(0, -40))
        contour.ContourData = [f"{value:.3f}" for value in points.ravel()]


@spoils("contours_beyond_image")
def _(made: Dataset) -> Held:
    return Held((image_series(half_mm=90),))


@spoils("contours_beyond_image")
def _(made: Dataset) -> Held:
    return Held((image_series(range(5, 15)),))


@spoils("missing_slices")
def _(made: Dataset) -> None:
    del contours_of(made, "Lung_L")[4:6]


@spoils("stray_contours")
def _(made: Dataset) -> None:
    contours_of(made, "Lung_L").append(contour_item(circle(3, z_of(4), 20, centre=(0, 40)), image_uid(4)))


@spoils("tiny_islands")
def _(made: Dataset) -> None:
    contours_of(made, "Lung_L").append(contour_item(circle(0.5, z_of(9), 20, centre=(55, 35)), image_uid(9)))


@spoils("duplicate_contours")
def _(made: Dataset) -> None:
    contours_of(made, "Lung_L").append(contours_of(made, "Lung_L")[2])


@spoils("duplicate_points")
def _(made: Dataset) -> None:
    points = circle(14, z_of(8), points=40, centre=(0, -40))
    redraw(made, "CTV", 2, np.insert(points, 5, points[5], axis=0))


@spoils("self_intersection")
def _(made: Dataset) -> None:
    points = circle(14, z_of(8), points=40, centre=(0, -40))
    points[[10, 30]] = points[[30, 10]]
    redraw(made, "CTV", 2, points)


@spoils("overlapping_contours")
def _(made: Dataset) -> None:
    contours_of(made, "Lung_L").append(contour_item(circle(20, z_of(9), 60, centre=(70, 0)), image_uid(9)))


@spoils("duplicate_names")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[5].ROIName = "ptv"


@spoils("no_name")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[5].ROIName = ""


@spoils("name_not_tg263")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[3].ROIName = "Rückenmark"


@spoils("laterality_contradicts_position")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[1].ROIName, made.StructureSetROISequence[2].ROIName = "Lung_R", "Lung_L"


@spoils("laterality_contradicts_position")
def _(made: Dataset) -> None:
    made.StructureSetROISequence[1].ROIName, made.StructureSetROISequence[2].ROIName = "Kidney_R", "Heart"


@spoils("identical_colors")
def _(made: Dataset) -> None:
    made.ROIContourSequence[2].ROIDisplayColor = made.ROIContourSequence[1].ROIDisplayColor


@spoils("unapproved")
def _(made: Dataset) -> None:
    made.ApprovalStatus = "UNAPPROVED"


@spoils("structures_overlap")
def _(made: Dataset) -> None:
    contours = [contour_item(circle(20, z_of(nth), 60, centre=(80, 0)), image_uid(nth)) for nth in range(5, 12)]
    add_structure(made, 20, "Heart", "ORGAN", (1, 2, 3), contours)


@spoils("target_not_inside")
def _(made: Dataset) -> None:
    for place in range(4):
        redraw(made, "GTV", place, circle(8, z_of(8 + place), 60, centre=(0, -58)))


@spoils("outside_body")
def _(made: Dataset) -> None:
    for place in range(14):
        redraw(made, "Lung_L", place, circle(25, z_of(3 + place), 60, centre=(80, 0)))
