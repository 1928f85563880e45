"""A series of CT, MR or PET slices as one volume: bytes of DICOM files in, a grid and its values out.

What does not belong to the volume (another orientation, a second image at one position) is left out with a finding; a
missing slice stays empty, with a finding. Sizes are checked against the bytes that are there before anything is
allocated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .grids import Floats, Grid
from .model import Finding, StructureSet
from .slices import ImageSlice, UnusableImage, read_slice

__all__ = ["Image", "UnusableImage", "read_image"]

#: Distances along the normal that differ by less than this share of the spacing are the same.
_EVEN = 0.05
#: Images closer than this share one position.
_SAME_POSITION_MM = 0.01
#: Direction cosines that differ by less than this are one orientation: headers round.
_SAME_DIRECTION = 1e-3


@dataclass(frozen=True, eq=False)
class Image:
    """A volume of slices, in ascending order along the normal.

    Attributes
    ----------
    stored
        Shape (slices, rows, columns): the values as stored; nought on missing slices.
    slope, intercept
        Shape (slices,): Rescale Slope and Intercept of each slice (PET scales each slice by itself).
    units
        Of the values: ``HU`` for CT, the Units (0054,1001) of PET such as ``BQML``, else the Rescale Type or nothing.
    sop_instance_uids
        One a slice, empty for a missing one.

    """

    grid: Grid
    stored: npt.NDArray[np.generic]
    slope: Floats
    intercept: Floats
    modality: str
    units: str
    sop_class_uid: str
    sop_instance_uids: tuple[str, ...]
    series_instance_uid: str
    study_instance_uid: str
    frame_of_reference_uid: str | None
    findings: tuple[Finding, ...] = ()

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Shape (slices,): False for a missing slice."""
        return np.array([bool(uid) for uid in self.sop_instance_uids])

    def values(self, box: tuple[slice, slice, slice] = (slice(None),) * 3) -> npt.NDArray[np.float32]:
        """Rescaled values of a box of the volume, in `units`, shape as the box has."""
        slope = self.slope[box[0]].astype(np.float32)[:, None, None]
        intercept = self.intercept[box[0]].astype(np.float32)[:, None, None]
        return self.stored[box].astype(np.float32) * slope + intercept

    def value_at(self, inside: npt.NDArray[np.bool_], box: tuple[slice, slice, slice]) -> Floats:
        """Rescaled values, shape (N,), of the voxels of a box that are inside, without those of missing slices."""
        inside = inside & self.present[box[0]][:, None, None]
        stored = self.stored[box][inside].astype(np.float64)
        if (self.slope == self.slope[0]).all() and (self.intercept == self.intercept[0]).all():
            stored *= self.slope[0]
            stored += self.intercept[0]
            return stored
        counts = inside.sum(axis=(1, 2))
        stored *= np.repeat(self.slope[box[0]], counts)
        stored += np.repeat(self.intercept[box[0]], counts)
        return stored


def read_image(slices: Iterable[bytes], pixels: bool = True) -> Image:
    """Read a series.

    Parameters
    ----------
    slices
        DICOM files of one series, in any order.
    pixels
        Whether values are wanted; without them `stored` is empty, and files may end before their pixels.

    Raises
    ------
    UnusableImage
        If no volume can be made of them; the message says why.

    """
    findings: list[Finding] = []
    read = [read_slice(data, pixels) for data in slices]
    if not read:
        raise UnusableImage("the series has no images")
    kept = _majority(read, lambda each: each.series_instance_uid, "of another series", findings)
    kept = _majority(kept, _layout, "of another orientation, size or pixel spacing", findings)
    first = kept[0]
    columns_to, rows_to = (np.array(part) for part in (first.orientation[:3], first.orientation[3:]))
    normal = np.cross(columns_to, rows_to)
    kept = _one_a_position(kept, normal, findings)
    index, step_mm = _places(kept, normal, findings)
    count = int(index[-1]) + 1
    length = float(np.linalg.norm(step_mm))
    grid = Grid(
        origin_mm=np.array(kept[0].position_mm),
        directions=np.stack((columns_to, rows_to, step_mm / length)),
        spacing_mm=np.array([first.pixel_spacing_mm[1], first.pixel_spacing_mm[0], length]),
        shape=(count, first.rows, first.columns),
    )
    stored, slope, intercept, uids = _filled(kept, index, grid.shape, pixels)
    return Image(
        grid=grid,
        stored=stored,
        slope=slope,
        intercept=intercept,
        modality=first.modality,
        units=first.units,
        sop_class_uid=first.sop_class_uid,
        sop_instance_uids=tuple(uids),
        series_instance_uid=first.series_instance_uid,
        study_instance_uid=first.study_instance_uid,
        frame_of_reference_uid=first.frame_of_reference_uid,
        findings=tuple(findings),
    )


def _layout(each: ImageSlice) -> tuple[object, ...]:
    orientation = tuple(round(cosine / _SAME_DIRECTION) + 0 for cosine in each.orientation)
    spacing = tuple(round(spacing, 3) for spacing in each.pixel_spacing_mm)
    return orientation, spacing, each.rows, each.columns


def _majority(
    slices: Sequence[ImageSlice], key: Callable[[ImageSlice], object], what: str, findings: list[Finding]
) -> list[ImageSlice]:
    keys = [key(each) for each in slices]
    winner, _ = Counter(keys).most_common(1)[0]
    kept = [each for each, own in zip(slices, keys, strict=True) if own == winner]
    if len(kept) < len(slices):
        left_out = len(slices) - len(kept)
        findings.append(
            Finding("images_left_out", f"{left_out} of {len(slices)} images are left out: they are {what}.")
        )
    return kept


def _one_a_position(slices: Sequence[ImageSlice], normal: Floats, findings: list[Finding]) -> list[ImageSlice]:
    at = sorted(slices, key=lambda each: (float(np.dot(each.position_mm, normal)), each.instance_number))
    kept = [at[0]]
    for each in at[1:]:
        if np.dot(each.position_mm, normal) - np.dot(kept[-1].position_mm, normal) > _SAME_POSITION_MM:
            kept.append(each)
    if len(kept) < len(at):
        message = f"{len(at) - len(kept)} images lie where another one does; the one of the lower number counts."
        findings.append(Finding("several_images_at_a_position", message))
    return kept


def _places(
    slices: Sequence[ImageSlice], normal: Floats, findings: list[Finding]
) -> tuple[npt.NDArray[np.int64], Floats]:
    """For each slice its index in the volume, and the vector from one slice to the next in mm."""
    if len(slices) == 1:
        thickness_mm = slices[0].thickness_mm
        if thickness_mm is None:
            findings.append(Finding("no_slice_thickness", "The one image has no Slice Thickness; 1 mm is assumed."))
        return np.zeros(1, dtype=np.int64), normal * (thickness_mm or 1.0)
    corners = np.array([each.position_mm for each in slices])
    distances = np.diff(corners @ normal)
    # The smallest is that of neighbours, even where every second slice is missing.
    usual = float(np.median(distances[distances < distances.min() * (1 + _EVEN)]))
    steps = distances / usual
    whole = np.rint(steps)
    worst = int(np.argmax(np.abs(steps - whole)))
    if abs(steps[worst] - whole[worst]) > _EVEN * whole[worst]:
        raise UnusableImage(
            f"the images are unevenly spaced: most are {np.median(distances):.3f} mm apart, two are "
            f"{distances[worst]:.3f} mm apart; no regular volume can be made of them"
        )
    index = np.concatenate(([0], np.cumsum(whole))).astype(np.int64)
    missing = int(index[-1]) + 1 - len(slices)
    if missing:
        if missing > len(slices):
            raise UnusableImage(f"{missing} images are missing between the {len(slices)} that are there")
        gap = int(np.flatnonzero(whole > 1)[0])
        findings.append(
            Finding(
                "missing_images",
                f"{missing} images are missing, the first after position {corners[gap] @ normal:.2f} mm; "
                "nothing is filled in.",
            )
        )
    step = (corners[-1] - corners[0]) / index[-1]
    return index, _straight(step, normal)


def _straight(step_mm: Floats, normal: Floats) -> Floats:
    """The step along the normal, unless it leans by more than rounding of headers does (a tilted gantry)."""
    along = float(step_mm @ normal)
    lean = float(np.linalg.norm(step_mm - along * normal))
    return normal * along if lean < 1e-3 * along else step_mm


def _filled(
    slices: Sequence[ImageSlice], index: npt.NDArray[np.int64], shape: tuple[int, int, int], pixels: bool
) -> tuple[npt.NDArray[np.generic], Floats, Floats, list[str]]:
    kinds = {each.dtype for each in slices}
    dtype = kinds.pop() if len(kinds) == 1 else np.result_type(*kinds)
    # Only what is missing is written twice.
    make = np.zeros if shape[0] > len(slices) else np.empty
    stored: npt.NDArray[np.generic] = make(shape if pixels else (shape[0], 0, 0), dtype)
    slope, intercept, uids = np.ones(shape[0]), np.zeros(shape[0]), [""] * shape[0]
    for place, each in zip(index.tolist(), slices, strict=True):
        if pixels:
            stored[place] = each.pixels()
        slope[place], intercept[place], uids[place] = each.slope, each.intercept, each.sop_instance_uid
    return stored, slope, intercept, uids


def findings_for(image: Image, structure_set: StructureSet) -> list[Finding]:
    """What to know before structures are measured on this image: its own findings, and whether the two fit."""
    findings = list(image.findings)
    frame = structure_set.frame_of_reference_uid
    if frame and image.frame_of_reference_uid and frame != image.frame_of_reference_uid:
        message = "The images are in another frame of reference than the structures; their places may not agree."
        findings.append(Finding("other_frame_of_reference", message))
    return findings
