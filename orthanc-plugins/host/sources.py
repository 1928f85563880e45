"""What computations are about, found in the archive: a structure set, its images, its doses.

Whatever is not there is raised as a `Problem`, ready to be answered.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import orjson
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian

from host.archive import Archive, ArchiveError, UnknownResource
from host.problems import Problem
from host.structure_sets import describe
from host.workers import ServerStopping, WorkerDied, WorkerPool
from rtstruct import DamagedStructureSet, NotAStructureSet
from rtstruct.slices import has_plain_pixels

#: The attachment in which the extraction leaves what a structure set says of itself.
SUMMARY = "rtstruct-summary"
#: Modalities whose series structures are drawn on, in the order in which they are preferred.
IMAGE_MODALITIES = ("CT", "MR", "PT")


@dataclass(frozen=True)
class StructureEntry:
    """One structure (ROI) of a set, as the set names it."""

    number: int
    name: str
    color: tuple[int, int, int] | None
    interpreted_type: str | None


@dataclass(frozen=True)
class StructureSetSource:
    """A structure set in the archive."""

    orthanc_id: str
    sop_instance_uid: str
    study_instance_uid: str
    frame_of_reference_uid: str | None
    referenced_series_uids: tuple[str, ...]
    label: str
    structures: tuple[StructureEntry, ...]

    def structure(self, number: int) -> StructureEntry:
        """The structure of a ROI Number. Raises `Problem` 404."""
        found = next((each for each in self.structures if each.number == number), None)
        if found is None:
            raise self._unknown(str(number))
        return found

    def chosen(self, wanted: str | None) -> tuple[StructureEntry, ...]:
        """Those of a list of numbers and names, in the order of the set; all without a list. Raises `Problem` 404."""
        asked = [part.strip() for part in (wanted or "").split(",") if part.strip()]
        for each in asked:
            if not any(_is(structure, each) for structure in self.structures):
                raise self._unknown(each)
        return tuple(each for each in self.structures if not asked or any(_is(each, one) for one in asked))

    def filename(self, *parts: str, ending: str) -> str:
        """A name for a download: the set's label, the parts, and the end of its UID, which tells namesakes apart."""
        words = [self.label or "structures", *parts, self.sop_instance_uid.rpartition(".")[2][-8:]]
        return "_".join(filter(None, (re.sub(r"[^A-Za-z0-9.+-]+", "-", word).strip("-.") for word in words))) + ending

    def _unknown(self, asked: str) -> Problem:
        known = ", ".join(f"{each.number} ({each.name})" for each in self.structures)
        return Problem(404, f"The structure set has no structure {asked!r}.", f"It has: {known or 'none'}.")


@dataclass(frozen=True)
class ImageSeries:
    """A series of images in the archive; `key` changes when images come or go."""

    orthanc_id: str
    series_instance_uid: str
    modality: str
    instances: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.series_instance_uid, hashlib.sha256("".join(self.instances).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class DoseSource:
    """An RTDOSE in the archive (PS3.3 C.8.8.3)."""

    orthanc_id: str
    sop_instance_uid: str
    frame_of_reference_uid: str | None
    summation_type: str
    dose_units: str
    dose_type: str
    structure_set_uids: tuple[str, ...] = ()


class Sources:
    """Finds what computations need."""

    def __init__(self, archive: Archive, workers: WorkerPool) -> None:
        self._archive = archive
        self._workers = workers

    def instance(self, identifier: str) -> str:
        """Orthanc's identifier of an instance, given that or a SOP Instance UID. Raises `Problem` 404 or 503."""
        try:
            found = self._archive.find_instance(identifier)
        except ArchiveError as error:
            raise _passing(error) from error
        if found is None:
            raise _no_instance(identifier)
        return found

    def read(self, orthanc_id: str) -> bytes:
        """The DICOM file of an instance. Raises `Problem` 404 or 503."""
        try:
            return self._archive.read_instance(orthanc_id)
        except UnknownResource as error:
            raise _no_instance(orthanc_id) from error
        except ArchiveError as error:
            raise _passing(error) from error

    def read_all(self, series: ImageSeries) -> list[bytes]:
        """The DICOM files of a series, uncompressed where the archive can. Raises `Problem` 404 or 503."""
        return [self.read_pixels(instance) for instance in series.instances]

    def read_pixels(self, orthanc_id: str) -> bytes:
        """The DICOM file of an instance, its pixels uncompressed where the archive can. Raises `Problem` 404 or 503."""
        data = self.read(orthanc_id)
        if has_plain_pixels(data):
            return data
        try:
            # Orthanc decodes every JPEG of old, which pydicom cannot here; the rest is left to pydicom.
            return self._archive.read_transcoded(orthanc_id, ExplicitVRLittleEndian)
        except ArchiveError:
            return data

    def structure_set(self, identifier: str) -> StructureSetSource:
        """A structure set: from what its extraction left, else read now. Raises `Problem` 404, 422 or 503."""
        orthanc_id = self.instance(identifier)
        try:
            summary = self._archive.read_attachment(orthanc_id, SUMMARY)
            if summary is None:
                summary = self._workers.call(describe, self.read(orthanc_id))
        except NotAStructureSet as error:
            remedy = "Ask for an instance of modality RTSTRUCT; GET /api/extractions lists those held."
            raise Problem(422, f"{error}.", remedy, modality=error.modality or "unknown") from error
        except DamagedStructureSet as error:
            remedy = "Export it again from where it was made."
            raise Problem(422, f"The structure set is damaged: {error}.", remedy) from error
        except (ArchiveError, WorkerDied, ServerStopping) as error:
            raise _passing(error) from error
        told = orjson.loads(summary)
        return StructureSetSource(
            orthanc_id=orthanc_id,
            sop_instance_uid=told["sop_instance_uid"],
            study_instance_uid=told["study_instance_uid"],
            frame_of_reference_uid=told["frame_of_reference_uid"],
            referenced_series_uids=tuple(told["referenced_series_uids"]),
            label=told["label"],
            structures=tuple(
                StructureEntry(
                    number=each["number"],
                    name=each["name"],
                    color=None if each["color"] is None else tuple(each["color"]),
                    interpreted_type=each["interpreted_type"],
                )
                for each in told["structures"]
            ),
        )

    def series(self, identifier: str) -> ImageSeries:
        """A series, by its UID or Orthanc's identifier. Raises `Problem` 404 or 503."""
        try:
            found = self._series(identifier)
        except ArchiveError as error:
            raise _passing(error) from error
        if found is None:
            raise Problem(404, f"There is no image series {identifier}.", "Check its UID, or send it first.")
        return found

    def images(self, structure_set: StructureSetSource, series: str | None = None) -> ImageSeries:
        """The images that a structure set was drawn on.

        The series asked for; else the referenced one; else, in the same study, the one with the same frame of
        reference: CT before MR before PET, the one with most images.

        Raises
        ------
        Problem
            404 when there is none, 503.
        """
        try:
            if series is not None:
                found = self._series(series)
                if found is None:
                    raise Problem(404, f"There is no image series {series}.", "Check its UID, or send it first.")
                return found
            for uid in structure_set.referenced_series_uids:
                found = self._series(uid)
                if found is not None and found.modality in IMAGE_MODALITIES:
                    return found
            return self._by_frame(structure_set)
        except UnknownResource as error:
            raise Problem(404, "The images have just been deleted.", "Send them again.") from error
        except ArchiveError as error:
            raise _passing(error) from error

    def doses(self, structure_set: StructureSetSource) -> list[DoseSource]:
        """The doses of the same study and frame of reference, whole plans first. Raises `Problem` 503."""
        try:
            found = [
                self._dose(instance)
                for series in self._study_series(structure_set.orthanc_id)
                if series["MainDicomTags"].get("Modality") == "RTDOSE"
                for instance in series["Instances"]
            ]
        except ArchiveError as error:
            raise _passing(error) from error
        frame = structure_set.frame_of_reference_uid
        fitting = [dose for dose in found if frame is None or dose.frame_of_reference_uid in (None, frame)]
        return sorted(fitting, key=lambda dose: (dose.summation_type != "PLAN", dose.sop_instance_uid))

    def dose(self, identifier: str) -> DoseSource:
        """The dose of an identifier. Raises `Problem` 404 or 503."""
        return self._dose(self.instance(identifier))

    def _series(self, identifier: str) -> ImageSeries | None:
        if "-" in identifier:
            try:
                return _image_series(self._archive.get(f"/series/{identifier}"))
            except UnknownResource:
                return None
        query = {"Level": "Series", "Query": {"SeriesInstanceUID": identifier}, "Expand": True}
        found = self._archive.post("/tools/find", query)
        # One UID may be held for two patients, as copies and phantoms are: the fuller one.
        return _image_series(max(found, key=lambda each: len(each["Instances"]))) if found else None

    def _study_series(self, orthanc_id: str) -> list[dict[str, Any]]:
        series = self._archive.get(f"/instances/{orthanc_id}")["ParentSeries"]
        study = self._archive.get(f"/series/{series}")["ParentStudy"]
        found: list[dict[str, Any]] = self._archive.get(f"/studies/{study}/series")
        return found

    def _by_frame(self, structure_set: StructureSetSource) -> ImageSeries:
        candidates = [_image_series(each) for each in self._study_series(structure_set.orthanc_id)]
        candidates = [each for each in candidates if each.modality in IMAGE_MODALITIES]
        candidates.sort(key=lambda each: (IMAGE_MODALITIES.index(each.modality), -len(each.instances)))
        frame = structure_set.frame_of_reference_uid
        for series in candidates:
            if frame is None or self._frame_of(series.instances[0]) == frame:
                return series
        missing = ", ".join(structure_set.referenced_series_uids) or "no series"
        remedy = "Send the images it was drawn on, or name others with ?series=; ?spacing_mm= needs none."
        raise Problem(
            404,
            f"The structure set refers to {missing}, which is not here, and its study has no images in its frame of "
            "reference.",
            remedy,
        )

    def _frame_of(self, instance: str) -> str | None:
        # Orthanc keeps it in its index where the configuration says so.
        told = self._archive.get(f"/instances/{instance}")["MainDicomTags"].get("FrameOfReferenceUID")
        return told or self._header(instance, "FrameOfReferenceUID").get("FrameOfReferenceUID")

    def _dose(self, instance: str) -> DoseSource:
        dataset = self._read_tags(instance, *_DOSE_TAGS, "ReferencedStructureSetSequence")
        header = _texts(dataset, *_DOSE_TAGS)
        if header.get("Modality") != "RTDOSE":
            remedy = "Name an instance of modality RTDOSE with ?dose=."
            raise Problem(422, f"Instance {instance} is not a dose: {header.get('Modality', 'unknown')}.", remedy)
        referenced = dataset.get("ReferencedStructureSetSequence") or ()
        return DoseSource(
            orthanc_id=instance,
            sop_instance_uid=header.get("SOPInstanceUID", ""),
            frame_of_reference_uid=header.get("FrameOfReferenceUID"),
            summation_type=header.get("DoseSummationType", ""),
            dose_units=header.get("DoseUnits", ""),
            dose_type=header.get("DoseType", ""),
            structure_set_uids=tuple(str(each.get("ReferencedSOPInstanceUID", "")) for each in referenced),
        )

    def _header(self, instance: str, *names: str) -> dict[str, str]:
        return _texts(self._read_tags(instance, *names), *names)

    def _read_tags(self, instance: str, *names: str) -> Dataset:
        data = BytesIO(self._archive.read_instance(instance))
        return dcmread(data, stop_before_pixels=True, specific_tags=[*names], force=True)


_DOSE_TAGS = ("Modality", "SOPInstanceUID", "FrameOfReferenceUID", "DoseSummationType", "DoseUnits", "DoseType")


def _texts(dataset: Dataset, *names: str) -> dict[str, str]:
    return {name: str(dataset[name].value) for name in names if name in dataset and dataset[name].value}


def _image_series(told: dict[str, Any]) -> ImageSeries:
    tags = told["MainDicomTags"]
    return ImageSeries(
        told["ID"], tags.get("SeriesInstanceUID", ""), tags.get("Modality", ""), tuple(sorted(told["Instances"]))
    )


def _is(structure: StructureEntry, asked: str) -> bool:
    return asked == str(structure.number) or asked.casefold() == structure.name.casefold()


def _no_instance(identifier: str) -> Problem:
    remedy = "Check the identifier, or send the instance first; GET /api/extractions lists what is there."
    return Problem(404, f"There is no instance {identifier}.", remedy)


def _passing(error: Exception) -> Problem:
    return Problem(503, f"The archive could not be read now: {error}.", "Try again in some seconds.")
