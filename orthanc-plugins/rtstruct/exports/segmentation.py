"""DICOM Segmentation objects (PS3.3 A.51): one binary segment a structure, on the images it was drawn on.

highdicom writes them; it takes two seconds to import, so that only whoever asks for a SEG should import this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from math import gcd
from uuid import NAMESPACE_OID, uuid5

import highdicom as hd
import numpy as np
from highdicom.sr.coding import CodedConcept
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from ..images import Image
from ..labels import Segment
from ..model import Structure, StructureSet
from ..silence import pydicom_silent
from .nrrd import COLORS

#: Voxels times structures that highdicom is given at once; it takes two and a half times as much.
MOST_BYTES = 3 << 28

#: The bits of all frames together fill a multiple of these. Otherwise PixelData ends with a byte of padding (PS3.5
#: 8.2); the reader of OHIF 3.13 takes it for pixels, and rejects the whole object.
_WORD_BITS = 16

type Flags = np.ndarray[tuple[int, int], np.dtype[np.bool_]]

_ALGORITHMS = {"AUTOMATIC": hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC}
_TARGETS = frozenset({"GTV", "CTV", "PTV", "TREATED_VOLUME", "IRRAD_VOLUME"})


class TooManySegments(ValueError):
    """The segments would not fit into memory together."""


def segmentation(
    segments: Sequence[Segment], image: Image, files: Sequence[bytes], structure_set: StructureSet, version: str
) -> bytes:
    """A SEG that refers to the images of a series.

    Parameters
    ----------
    segments
        Masks on the grid of `image`.
    files
        The DICOM files of the series, in any order; pixels are not needed.
    structure_set
        Where the segments come from.
    version
        Of this software.

    Raises
    ------
    TooManySegments
        If there are too many voxels.

    """
    images = _sources(image, files)
    segments = [segment for segment in segments if segment.mask.voxel_count]
    slices_of = _slices_of(segments, image)
    _, rows, columns = image.grid.shape
    blank = _blank_frames(slices_of, image, rows * columns)
    shown = np.flatnonzero((slices_of | blank).any(axis=1))
    if len(shown) * rows * columns * len(segments) > MOST_BYTES:
        raise TooManySegments(f"{len(segments)} segments on {len(shown)} images of {rows} × {columns} are too many")
    label = _text(structure_set.label) or "RT Structure Set"
    origin = _Origin(structure_set.sop_instance_uid, image.series_instance_uid)
    place = np.full(image.grid.shape[0], -1)
    place[shown] = np.arange(len(shown))
    pixels = np.zeros((len(shown), rows, columns, len(segments)), dtype=np.uint8)
    for number, segment in enumerate(segments):
        slices = np.arange(segment.mask.box[0].start, segment.mask.box[0].stop)
        kept = place[slices] >= 0
        pixels[place[slices[kept]], *segment.mask.box[1:], number] = segment.mask.inside[kept]
    # A frame without a voxel would be left out; _empty takes this one away again.
    pixels[:, 0, 0][blank[shown]] = 1
    with pydicom_silent():
        made = hd.seg.Segmentation(
            source_images=[images[image.sop_instance_uids[index]] for index in shown],
            pixel_array=pixels,
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=[_description(each, nth, origin) for nth, each in enumerate(segments, start=1)],
            series_instance_uid=origin.uid("series", segments),
            series_number=1,
            sop_instance_uid=origin.uid("instance", segments),
            instance_number=1,
            manufacturer="PACS",
            manufacturer_model_name="rtstruct",
            software_versions=version,
            device_serial_number="1",
            content_label="RTSTRUCT",
            content_description=label,
            series_description=_text(f"Segments of {label}"),
            omit_empty_frames=True,
        )
        _empty(made, {(image.sop_instance_uids[index], number + 1) for index, number in np.argwhere(blank)})
        # Names of structures are in any script, whatever the images are written in.
        made.SpecificCharacterSet = "ISO_IR 192"
        buffer = BytesIO()
        made.save_as(buffer)
    return buffer.getvalue()


def _sources(image: Image, files: Sequence[bytes]) -> dict[str, Dataset]:
    wanted = set(image.sop_instance_uids)
    found: dict[str, Dataset] = {}
    with pydicom_silent():
        for data in files:
            dataset = dcmread(BytesIO(data), stop_before_pixels=True, force=True)
            if str(dataset.get("SOPInstanceUID", "")) in wanted:
                # Type 2 of the patient and the study: the images may leave out what a SEG must have, if empty.
                for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"):
                    if name not in dataset:
                        setattr(dataset, name, "")
                for name in ("AccessionNumber", "StudyID", "ReferringPhysicianName"):
                    if name not in dataset:
                        setattr(dataset, name, "")
                found[str(dataset.SOPInstanceUID)] = dataset
    return found


def _slices_of(segments: Sequence[Segment], image: Image) -> Flags:
    """On which slices (rows) each segment (columns) has voxels, where there is an image."""
    found = np.zeros((image.grid.shape[0], len(segments)), dtype=np.bool_)
    for number, segment in enumerate(segments):
        found[segment.mask.box[0], number] = segment.mask.inside.any(axis=(1, 2))
    return found & image.present[:, None]


def _blank_frames(slices_of: Flags, image: Image, pixels: int) -> Flags:
    """Which frames without voxels join the others, for bits in whole words: as a rule none, fifteen at the most."""
    wanted = -np.count_nonzero(slices_of) % (_WORD_BITS // gcd(_WORD_BITS, pixels))
    free = np.argwhere(image.present[:, None] & ~slices_of)
    blank = np.zeros_like(slices_of)
    # Where every segment is on every image there is no frame to add, and OHIF stays as it is.
    if len(free) >= wanted:
        # Images that are shown anyway come first.
        nearest = np.argsort(~slices_of.any(axis=1)[free[:, 0]], kind="stable")[:wanted]
        blank[tuple(free[nearest].T)] = True
    return blank


def _empty(made: hd.seg.Segmentation, frames: set[tuple[str, int]]) -> None:
    """Clear the first pixel of frames, each given by its source image and Segment Number."""
    if not frames:
        return
    packed = bytearray(made.PixelData)
    (shared,) = made.SharedFunctionalGroupsSequence
    for index, groups in enumerate(made.PerFrameFunctionalGroupsSequence):
        source = groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        # Of a single segment it is shared.
        named = groups if "SegmentIdentificationSequence" in groups else shared
        if (source, named.SegmentIdentificationSequence[0].ReferencedSegmentNumber) in frames:
            byte, bit = divmod(index * made.Rows * made.Columns, 8)
            packed[byte] &= ~(1 << bit)
    made.PixelData = bytes(packed)


def _description(segment: Segment, number: int, origin: _Origin) -> hd.seg.SegmentDescription:
    structure = segment.structure
    algorithm = _ALGORITHMS.get(structure.generation_algorithm or "", hd.seg.SegmentAlgorithmTypeValues.MANUAL)
    automatic = algorithm is hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC
    category, kind = _property(structure)
    red, green, blue = structure.color or COLORS[number % len(COLORS)]
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=_text(structure.name) or f"ROI {structure.number}",
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type=algorithm,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name="not stated in the RT Structure Set", version="not stated", family=codes.DCM.ArtificialIntelligence
        )
        if automatic
        else None,
        tracking_uid=origin.uid(f"roi {structure.number}", []),
        tracking_id=f"ROI {structure.number}",
        display_color=hd.color.CIELabColor.from_rgb(red, green, blue),
    )


def _text(value: str) -> str:
    """As a Long String may be (PS3.5 6.2): 64 characters, no backslash, no control characters."""
    return "".join("/" if each == "\\" else each for each in value if each.isprintable())[:64].strip()


def _property(structure: Structure) -> tuple[CodedConcept, CodedConcept]:
    """Category and type (PS3.16 CID 7150, 7151): targets are abnormal, the rest is anatomy; names are in the label."""
    if structure.interpreted_type in _TARGETS:
        return (
            CodedConcept("49755003", "SCT", "Morphologically Altered Structure"),
            CodedConcept("52988006", "SCT", "Lesion"),
        )
    return (
        CodedConcept("123037004", "SCT", "Anatomical Structure"),
        CodedConcept("113343008", "SCT", "Organ"),
    )


@dataclass(frozen=True)
class _Origin:
    """UIDs (PS3.5 B.2) that are the same for the same masks of the same structure set on the same series."""

    structure_set_uid: str
    series_uid: str

    def uid(self, what: str, segments: Sequence[Segment]) -> str:
        digest = sha256()
        for segment in segments:
            digest.update(f"{segment.structure.number} {segment.structure.name} {segment.mask.box}".encode())
            digest.update(np.packbits(segment.mask.inside).tobytes())
        parts = (what, self.structure_set_uid, self.series_uid, digest.hexdigest())
        return f"2.25.{uuid5(NAMESPACE_OID, '/'.join(parts)).int}"
