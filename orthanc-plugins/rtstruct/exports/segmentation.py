"""DICOM Segmentation objects (PS3.3 A.51): one binary segment a structure, on the images it was drawn on.

highdicom writes them; it takes two seconds to import, so that only whoever asks for a SEG should import this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
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
    shown = np.flatnonzero(image.present & _any(segments, image.grid.shape[0]))
    _, rows, columns = image.grid.shape
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


def _any(segments: Sequence[Segment], slices: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    shown = np.zeros(slices, dtype=np.bool_)
    for segment in segments:
        shown[segment.mask.box[0]] |= segment.mask.inside.any(axis=(1, 2))
    return shown


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
