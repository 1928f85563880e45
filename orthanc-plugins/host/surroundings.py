"""What lies around a structure set in the archive: where the images of its study are, without reading their pixels."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from host.archive import Archive, UnknownResource
from host.sources import IMAGE_MODALITIES
from rtstruct.image_series import ImagePlane, ImageSeries
from rtstruct.quality import Held

logger = logging.getLogger("pacs.surroundings")

#: Of an image; Orthanc keeps all of them in its index (``ExtraMainDicomTags`` of its configuration).
_TAGS = (
    "SOPInstanceUID",
    "SOPClassUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "FrameOfReferenceUID",
)


@dataclass(frozen=True)
class Neighbours:
    """The series around a structure set, as Orthanc lists them.

    Attributes
    ----------
    images
        Series that may be images the set was drawn on: Orthanc's answers.
    other_series_uids
        The other series of the study.
    own_instances
        How many instances the set's own series has.
    study
        Orthanc's identifier of the set's study.

    """

    images: tuple[Mapping[str, Any], ...]
    other_series_uids: frozenset[str]
    own_instances: int
    study: str

    @property
    def key(self) -> list[Any]:
        """Changes when series or images come or go."""
        return [self.own_instances, sorted((each["ID"], len(each["Instances"])) for each in self.images)]


class Surroundings:
    """Reads what `rtstruct.quality` and `rtstruct.repair` want to know of the archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def neighbours(self, orthanc_id: str, named_series: Iterable[str]) -> Neighbours:
        """The series of the study, and those named that are elsewhere. Raises UnknownResource or ArchiveError."""
        own = self._archive.get(f"/series/{self._archive.get(f'/instances/{orthanc_id}')['ParentSeries']}")
        study: list[dict[str, Any]] = self._archive.get(f"/studies/{own['ParentStudy']}/series")
        images = [each for each in study if each["MainDicomTags"].get("Modality") in IMAGE_MODALITIES]
        known = {_uid(each) for each in study}
        for uid in named_series:
            if uid not in known:
                query = {"Level": "Series", "Query": {"SeriesInstanceUID": uid}, "Expand": True}
                images += self._archive.post("/tools/find", query)
        return Neighbours(
            images=tuple(images),
            other_series_uids=frozenset(known - {_uid(each) for each in images}),
            own_instances=len(own["Instances"]),
            study=own["ParentStudy"],
        )

    def held(self, neighbours: Neighbours) -> Held:
        """The same with the place of each image. Raises ArchiveError."""
        series = (self.image_series(each) for each in neighbours.images)
        return Held(tuple(each for each in series if each), neighbours.other_series_uids, neighbours.own_instances)

    def find(self, series_instance_uid: str) -> ImageSeries | None:
        """An image series by its UID; None when it is not here. Raises ArchiveError."""
        query = {"Level": "Series", "Query": {"SeriesInstanceUID": series_instance_uid}, "Expand": True}
        found = self._archive.post("/tools/find", query)
        return self.image_series(max(found, key=lambda each: len(each["Instances"]))) if found else None

    def image_series(self, told: Mapping[str, Any]) -> ImageSeries | None:
        """A series with the places of its images; None when it has just been deleted. Raises ArchiveError."""
        try:
            images = self._archive.get(f"/series/{told['ID']}/instances?expand&requested-tags={';'.join(_TAGS)}")
            study = self._archive.get(f"/studies/{told['ParentStudy']}")
        except UnknownResource:
            return None
        tags = [each["RequestedTags"] for each in images]
        planes = [plane for each in tags if (plane := _plane(each))]
        first = tags[0] if tags else {}
        return ImageSeries(
            series_instance_uid=_uid(told),
            study_instance_uid=study["MainDicomTags"].get("StudyInstanceUID", ""),
            modality=told["MainDicomTags"].get("Modality", ""),
            frame_of_reference_uid=first.get("FrameOfReferenceUID") or None,
            planes=tuple(sorted(planes, key=lambda plane: plane.sop_instance_uid)),
            rows=int(first.get("Rows") or 0),
            columns=int(first.get("Columns") or 0),
            pixel_spacing_mm=_pair(first.get("PixelSpacing", "")),
        )


def _uid(told: Mapping[str, Any]) -> str:
    return str(told["MainDicomTags"].get("SeriesInstanceUID", ""))


def _plane(tags: Mapping[str, str]) -> ImagePlane | None:
    """Where an image lies; None for one that does not say (a secondary capture, a multi-frame image)."""
    try:
        x, y, z = (float(value) for value in tags.get("ImagePositionPatient", "").split("\\"))
        a, b, c, d, e, f = (float(value) for value in tags.get("ImageOrientationPatient", "").split("\\"))
    except ValueError:
        return None
    if not all(map(math.isfinite, (x, y, z, a, b, c, d, e, f))):
        return None
    return ImagePlane(tags.get("SOPInstanceUID", ""), tags.get("SOPClassUID", ""), (x, y, z), (a, b, c), (d, e, f))


def _pair(text: str) -> tuple[float, float] | None:
    try:
        rows, columns = (float(value) for value in text.split("\\"))
    except ValueError:
        return None
    return rows, columns
