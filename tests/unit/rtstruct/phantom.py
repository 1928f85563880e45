"""A structure set without a fault, the image series it was drawn on, and ways to spoil it."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage

from rtstruct.image_series import ImagePlane, ImageSeries
from unit.rtstruct.image_files import image_file
from unit.rtstruct.shapes import Points, circle

STUDY, SERIES, OWN_SERIES, FRAME = "1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.3.4"
SPACING_MM = 3.0
SLICES = 20
#: name: (type, colour, radius, centre, first and last slice)
STRUCTURES: dict[str, tuple[str, tuple[int, int, int], float, tuple[float, float], range]] = {
    "External": ("EXTERNAL", (0, 255, 0), 100, (0, 0), range(0, 20)),
    "Lung_L": ("ORGAN", (0, 0, 255), 25, (55, 0), range(3, 17)),
    "Lung_R": ("ORGAN", (0, 128, 255), 25, (-55, 0), range(3, 17)),
    "SpinalCord": ("ORGAN", (255, 255, 0), 6, (0, 70), range(0, 20)),
    "GTV": ("GTV", (255, 0, 0), 8, (0, -40), range(8, 12)),
    "CTV": ("CTV", (255, 0, 128), 14, (0, -40), range(6, 14)),
    "PTV": ("PTV", (255, 128, 0), 20, (0, -40), range(5, 15)),
}


def z_of(slice_number: int) -> float:
    return -30.0 + SPACING_MM * slice_number


def image_uid(slice_number: int) -> str:
    return f"1.2.3.9.{slice_number + 1}"


def image_series(
    slices: range = range(SLICES), uid: str = SERIES, frame: str = FRAME, half_mm: float = 128
) -> ImageSeries:
    """CT images on the planes of the structures."""
    planes = tuple(
        ImagePlane(
            image_uid(nth) if uid == SERIES else f"{uid}.{nth + 1}",
            CTImageStorage,
            (-half_mm, -half_mm, z_of(nth)),
            (1.0, 0.0, 0.0),
            (0.0, 1.0, 0.0),
        )
        for nth in slices
    )
    size = round(half_mm)
    return ImageSeries(uid, STUDY, "CT", frame, planes, rows=size, columns=size, pixel_spacing_mm=(2.0, 2.0))


def contour_item(points: Points, image: str | None) -> Dataset:
    """An item of the Contour Sequence."""
    item = Dataset()
    if image:
        item.ContourImageSequence = [_image(image)]
    item.ContourGeometricType = "CLOSED_PLANAR"
    item.NumberOfContourPoints = len(points)
    item.ContourData = [f"{value:.3f}" for value in points.ravel()]
    return item


def _image(uid: str) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID = CTImageStorage
    image.ReferencedSOPInstanceUID = uid
    return image


def structure_set() -> Dataset:
    """The whole set, to be spoiled."""
    return dcmread(BytesIO(_whole()))


@cache
def _whole() -> bytes:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = RTStructureSetStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = "1.2.3.5"
    made.StudyInstanceUID, made.SeriesInstanceUID, made.FrameOfReferenceUID = STUDY, OWN_SERIES, FRAME
    made.StudyDate, made.StudyTime, made.AccessionNumber, made.StudyID = "20260101", "120000", "", "1"
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = "Phantom", "P1", "", "O"
    made.ReferringPhysicianName = made.OperatorsName = ""
    made.Manufacturer, made.Modality, made.SeriesNumber = "None", "RTSTRUCT", "1"
    made.StructureSetLabel, made.StructureSetDate, made.StructureSetTime = "Plan", "20260101", "120000"
    made.ApprovalStatus, made.ReviewDate, made.ReviewTime, made.ReviewerName = "APPROVED", "20260101", "120000", "X"
    series = Dataset()
    series.SeriesInstanceUID = SERIES
    series.ContourImageSequence = [_image(image_uid(nth)) for nth in range(SLICES)]
    study = Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", STUDY
    study.RTReferencedSeriesSequence = [series]
    frame = Dataset()
    frame.FrameOfReferenceUID = FRAME
    frame.RTReferencedStudySequence = [study]
    made.ReferencedFrameOfReferenceSequence = [frame]
    made.StructureSetROISequence, made.ROIContourSequence, made.RTROIObservationsSequence = [], [], []
    for number, (name, (kind, color, radius, centre, slices)) in enumerate(STRUCTURES.items(), start=1):
        contours = [contour_item(circle(radius, z_of(nth), points=40, centre=centre), image_uid(nth)) for nth in slices]
        add_structure(made, number, name, kind, color, contours)
    return file_of(made)


def add_structure(
    made: Dataset, number: int, name: str, kind: str, color: tuple[int, int, int], contours: list[Dataset]
) -> None:
    """One more structure."""
    roi = Dataset()
    roi.ROINumber, roi.ReferencedFrameOfReferenceUID, roi.ROIName = number, FRAME, name
    roi.ROIGenerationAlgorithm = "MANUAL"
    made.StructureSetROISequence.append(roi)
    item = Dataset()
    item.ROIDisplayColor = list(color)
    item.ContourSequence = contours
    item.ReferencedROINumber = number
    made.ROIContourSequence.append(item)
    observation = Dataset()
    observation.ObservationNumber = observation.ReferencedROINumber = number
    observation.RTROIInterpretedType, observation.ROIInterpreter = kind, ""
    made.RTROIObservationsSequence.append(observation)


def number_of(name: str) -> int:
    """The ROI Number of one of STRUCTURES."""
    return list(STRUCTURES).index(name) + 1


def contours_of(made: Dataset, name: str) -> list[Dataset]:
    """The Contour Sequence of one of STRUCTURES."""
    contours: list[Dataset] = made.ROIContourSequence[number_of(name) - 1].ContourSequence
    return contours


def file_of(made: Dataset) -> bytes:
    """The set as a DICOM file."""
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def image_files() -> list[bytes]:
    """The images of `image_series` as DICOM files."""
    pixels = np.zeros((128, 128), "<i2")
    return [
        image_file(
            z_of(nth),
            pixels,
            SOPInstanceUID=image_uid(nth),
            StudyInstanceUID=STUDY,
            SeriesInstanceUID=SERIES,
            FrameOfReferenceUID=FRAME,
            PatientID="P1",
            ImagePositionPatient=[-128, -128, z_of(nth)],
            PixelSpacing=[2, 2],
        )
        for nth in range(SLICES)
    ]
