"""DICOM Segmentation objects (PS3.3 A.51): one binary segment a structure, on the images it was drawn on.

highdicom writes them; it takes two seconds to import, so that only whoever asks for a SEG should import this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from itertools import batched
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

#: Voxels of all frames: half a gigabyte of bits, which is held three times while it is written.
MOST_VOXELS = 1 << 32

#: The bits of all frames together fill a multiple of these. Otherwise PixelData ends with a byte of padding (PS3.5
#: 8.2); the reader of OHIF 3.13 takes it for pixels, and rejects the whole object.
_WORD_BITS = 16

type Flags = np.ndarray[tuple[int, int], np.dtype[np.bool_]]

_ALGORITHMS = {"AUTOMATIC": hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC}
_TARGETS = frozenset({"GTV", "CTV", "PTV", "TREATED_VOLUME", "IRRAD_VOLUME"})


class TooManySegments(ValueError):
    """The object would not fit into memory."""


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
        If it would have more than `MOST_VOXELS`.

    """
    segments = [segment for segment in segments if segment.mask.voxel_count]
    slices_of = _slices_of(segments, image)
    _, rows, columns = image.grid.shape
    frames = slices_of | _blank_frames(slices_of, image, rows * columns)
    if np.count_nonzero(frames) * rows * columns > MOST_VOXELS:
        raise TooManySegments(
            f"{len(segments)} segments on images of {rows} × {columns} have {np.count_nonzero(frames)} frames, which "
            "are too many"
        )
    shown = np.flatnonzero(frames.any(axis=1))
    images = _sources(image, files)
    label = _text(structure_set.label) or "RT Structure Set"
    origin = _Origin(structure_set.sop_instance_uid, image.series_instance_uid)
    with pydicom_silent():
        made = hd.seg.Segmentation(
            source_images=[images[image.sop_instance_uids[index]] for index in shown],
            # One pixel a frame, which says that it is there.
            pixel_array=frames[shown, None, None].astype(np.uint8),
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
        made.Rows, made.Columns = rows, columns
        made.PixelData = _pixel_data(made, segments, image)
        made.SegmentsOverlap = "YES" if _overlap(segments, image) else "NO"
        # Names of structures are in any script, whatever the images are written in.
        made.SpecificCharacterSet = "ISO_IR 192"
        buffer = BytesIO()
        made.save_as(buffer)
    return buffer.getvalue()


def _sources(image: Image, files: Sequence[bytes]) -> dict[str, Dataset]:
    """The headers of the images, as if they had one pixel: highdicom would hold all pixels of all segments at once."""
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
                dataset.Rows = dataset.Columns = 1
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


def _pixel_data(made: hd.seg.Segmentation, segments: Sequence[Segment], image: Image) -> bytes:
    """The bits of all frames without a gap (PS3.5 8.1.1), in the order in which the object names them."""
    slice_of = {uid: index for index, uid in enumerate(image.sop_instance_uids)}
    (shared,) = made.SharedFunctionalGroupsSequence
    packed = bytearray()
    # Eight frames of any size fill whole bytes.
    for group in batched(made.PerFrameFunctionalGroupsSequence, 8, strict=False):
        bits = np.zeros((len(group), *image.grid.shape[1:]), dtype=np.bool_)
        for frame, groups in zip(bits, group, strict=True):
            source = groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
            # Of a single segment it is shared.
            named = groups if "SegmentIdentificationSequence" in groups else shared
            mask = segments[named.SegmentIdentificationSequence[0].ReferencedSegmentNumber - 1].mask
            within = slice_of[source] - mask.box[0].start
            if 0 <= within < len(mask.inside):
                frame[mask.box[1:]] = mask.inside[within]
        packed += np.packbits(bits, bitorder="little").tobytes()
    return bytes(packed) + b"\0" * (len(packed) % 2)


def _overlap(segments: Sequence[Segment], image: Image) -> bool:
    """Whether a voxel belongs to two segments (PS3.3 C.8.20.2, Segments Overlap)."""
    taken = np.zeros(image.grid.shape, dtype=np.bool_)
    for segment in segments:
        inside = segment.mask.inside & image.present[segment.mask.box[0], None, None]
        if (taken[segment.mask.box] & inside).any():
            return True
        taken[segment.mask.box] |= inside
    return False


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
