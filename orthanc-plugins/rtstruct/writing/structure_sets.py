"""Writes regions of an image series as an RT Structure Set (PS3.3 A.19).

rt-utils makes the data set and its references; contours are our own, since its own rounding changes volumes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ..images import Image, read_image
from ..masks import mask_of
from ..reader import read
from ..silence import pydicom_silent
from .borders import Floats, outlines_by_slice
from .label_maps import is_nifti, regions_of_label_map
from .model import Naming, Region, UnusableSegmentation
from .segmentations import regions_of_segmentation

_CONTOUR_DATA = 0x30060050
# Of coordinates: a ten-thousandth of a millimetre, far less than half a pixel.
_DECIMALS = 4


@dataclass(frozen=True)
class WrittenStructure:
    """One structure of a written set, and what reading it back gives.

    Attributes
    ----------
    voxels_different
        Between the region and the mask that is read back from its contours.

    """

    number: int
    name: str
    voxel_count: int
    volume_cm3: float
    contour_count: int
    voxels_different: int


@dataclass(frozen=True)
class WrittenSet:
    """A structure set made of a segmentation; `empty` are names of regions without a voxel, which are left out."""

    dicom: bytes
    sop_instance_uid: str
    series_instance_uid: str
    image_series_uid: str
    structures: tuple[WrittenStructure, ...]
    empty: tuple[str, ...]


def structure_set_of(
    segmentation: bytes, files: Iterable[bytes], naming: Mapping[int, Naming], label: str = ""
) -> WrittenSet:
    """Write a NIfTI label map or a DICOM Segmentation as a structure set.

    Parameters
    ----------
    files
        The DICOM files of the image series.
    naming
        Names, colours and types by label or segment number, where they differ from the file's.
    label
        Structure Set Label, 16 characters at most.

    Raises
    ------
    UnusableSegmentation
        If nothing can be made of it.
    rtstruct.images.UnusableImage
        If the series is no volume.

    """
    files = list(files)
    image = read_image(files, pixels=False)
    if segmentation[128:132] == b"DICM":
        regions = regions_of_segmentation(segmentation, image.grid, naming)
    elif is_nifti(segmentation):
        regions = regions_of_label_map(segmentation, image.grid, naming)
    else:
        raise UnusableSegmentation(
            "It is neither NIfTI nor DICOM.", "Send a .nii.gz label map or a DICOM Segmentation."
        )
    with pydicom_silent():
        dataset = _skeleton(image, dcmread(BytesIO(files[0]), stop_before_pixels=True), label)
        kept, empty = [], []
        for region in regions:
            if region.inside.any():
                _add(dataset, region, image)
                kept.append(region)
            else:
                empty.append(region.name)
        if not kept:
            raise UnusableSegmentation("It is empty: no voxel has a label.", "Check what was exported.")
        buffer = BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
    dicom = buffer.getvalue()
    return WrittenSet(
        dicom=dicom,
        sop_instance_uid=str(dataset.SOPInstanceUID),
        series_instance_uid=str(dataset.SeriesInstanceUID),
        image_series_uid=image.series_instance_uid,
        structures=tuple(_read_back(dicom, kept, image)),
        empty=tuple(empty),
    )


def _skeleton(image: Image, first: Dataset, label: str) -> Dataset:
    """A structure set without structures that refers to the images."""
    from rt_utils.ds_helper import create_rtstruct_dataset

    for keyword in ("StudyDate", "StudyTime", "StudyID"):
        if keyword not in first:
            setattr(first, keyword, "")
    series = [
        first,
        *(_reference(image, uid) for uid in image.sop_instance_uids if uid and uid != first.SOPInstanceUID),
    ]
    dataset: Dataset = create_rtstruct_dataset(series)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = str(first.get("PatientName", ""))
    dataset.Manufacturer, dataset.ManufacturerModelName, dataset.SoftwareVersions = "PACS", "rtstruct.writing", "1"
    for keyword in ("InstitutionName", "AccessionNumber", "ReferringPhysicianName"):
        setattr(dataset, keyword, str(first.get(keyword, "")))
    for keyword in ("PatientAge", "PatientSize", "PatientWeight"):
        if not dataset.get(keyword):
            del dataset[keyword]
    dataset.OperatorsName = ""
    # Of the images' series, not of this one.
    del dataset.SeriesDate, dataset.SeriesTime
    if image.frame_of_reference_uid:
        dataset.FrameOfReferenceUID = image.frame_of_reference_uid
        dataset.PositionReferenceIndicator = ""
    dataset.StructureSetLabel = label[:16] or "Segmentation"
    dataset.SeriesDescription = label[:64] or "Segmentation"
    return dataset


def _reference(image: Image, uid: str) -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = image.sop_class_uid, uid
    return made


def _add(dataset: Dataset, region: Region, image: Image) -> None:
    number = region.number
    roi = Dataset()
    roi.ROINumber = number
    roi.ReferencedFrameOfReferenceUID = dataset.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID
    roi.ROIName = region.name[:64]
    roi.ROIGenerationAlgorithm = ""
    dataset.StructureSetROISequence.append(roi)
    contours = []
    slices, rows, columns = (part.start for part in region.box)
    for index, loops in outlines_by_slice(region.inside):
        for corners in loops:
            at = np.column_stack((corners + np.array([columns, rows]), np.full(len(corners), float(slices + index))))
            contours.append(_contour(image.grid.to_patient(at), image, slices + index))
    item = Dataset()
    item.ROIDisplayColor = list(region.color)
    item.ContourSequence = Sequence(contours)
    item.ReferencedROINumber = number
    dataset.ROIContourSequence.append(item)
    observation = Dataset()
    observation.ObservationNumber = observation.ReferencedROINumber = number
    observation.RTROIInterpretedType, observation.ROIInterpreter = region.interpreted_type, ""
    dataset.RTROIObservationsSequence.append(observation)


def _contour(points_mm: Floats, image: Image, index: int) -> Dataset:
    contour = Dataset()
    uid = image.sop_instance_uids[index]
    if uid:
        named = Dataset()
        named.ReferencedSOPClassUID, named.ReferencedSOPInstanceUID = image.sop_class_uid, uid
        contour.ContourImageSequence = Sequence([named])
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.NumberOfContourPoints = len(points_mm)
    text = "\\".join(_decimal(value) for value in points_mm.ravel().tolist()).encode()
    # As bytes, which Implicit VR writes as they are: pydicom would make an object of each number.
    contour.add_new(_CONTOUR_DATA, "OB", text + b" " * (len(text) % 2))
    return contour


def _decimal(value: float) -> str:
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _read_back(dicom: bytes, regions: list[Region], image: Image) -> Iterable[WrittenStructure]:
    """What a reader finds in the set, voxel by voxel."""
    for structure, region in zip(read(dicom).structures, regions, strict=True):
        mask = mask_of(structure, image.grid)
        meant = np.zeros(image.grid.shape, dtype=np.bool_)
        meant[region.box] = region.inside
        count = int(np.count_nonzero(meant))
        yield WrittenStructure(
            number=region.number,
            name=region.name,
            voxel_count=count,
            volume_cm3=count * image.grid.voxel_volume_mm3 / 1000,
            contour_count=len(structure.contours),
            voxels_different=int(np.count_nonzero(mask.values != meant)),
        )
