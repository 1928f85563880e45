"""Image series of the real data, as the archive describes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydicom import dcmread

from rtstruct.image_series import ImagePlane, ImageSeries

DATA = Path(__file__).parents[2] / "data"


@cache
def sarcoma_series(modality: str) -> ImageSeries:
    """CT, MR_T1 or PET of STS_001: all on the same planes, in one frame of reference."""
    tags = ("ImagePositionPatient", "ImageOrientationPatient", "SOPInstanceUID", "SOPClassUID", "PixelSpacing", "Rows")
    tags += ("Columns", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "Modality")
    folder = DATA / "sts" / "STS_001" / modality / "image"
    files = [dcmread(path, stop_before_pixels=True, specific_tags=list(tags)) for path in sorted(folder.glob("*.dcm"))]
    first = files[0]
    planes = []
    for file in files:
        x, y, z = (float(value) for value in file.ImagePositionPatient)
        a, b, c, d, e, f = (float(value) for value in file.ImageOrientationPatient)
        planes.append(ImagePlane(file.SOPInstanceUID, file.SOPClassUID, (x, y, z), (a, b, c), (d, e, f)))
    between_rows, between_columns = (float(value) for value in first.PixelSpacing)
    return ImageSeries(
        series_instance_uid=first.SeriesInstanceUID,
        study_instance_uid=first.StudyInstanceUID,
        modality=first.Modality,
        frame_of_reference_uid=first.FrameOfReferenceUID,
        planes=tuple(planes),
        rows=first.Rows,
        columns=first.Columns,
        pixel_spacing_mm=(between_rows, between_columns),
    )
