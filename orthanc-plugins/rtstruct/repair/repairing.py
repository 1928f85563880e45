"""Writes a copy of a structure set whose references hold; contours and everything else stay as they are.

The copy has a series and UIDs of its own, drawn from the original and from what it refers to now: repairing twice gives
the same copy. It names the original as its Predecessor Structure Set (PS3.3 C.8.8.5).
"""

from __future__ import annotations

import hashlib
from io import BytesIO

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from ..dataset import raw_value
from ..decimal_strings import floats_of
from ..errors import StructureSetError
from ..image_series import ImageSeries
from ..model import Contour, StructureSet
from ..quality import Held
from ..reader import read
from ..references import REPAIRED_BY, References, read_references
from ..silence import pydicom_silent
from .choice import Choice, choose
from .model import Change, NothingToRepair, NotRepairable, RepairedCopy

#: Raised when copies come out differently: the UIDs change with it.
REPAIR_VERSION = 1

# Detached Study Management (retired): what PS3.3 C.8.8.5 has always had in RT Referenced Study Sequence.
_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
_CONTOUR_DATA = 0x30060050
_LONGEST_DESCRIPTION = 1024


def repair(dicom: bytes, held: Held, wanted: str | None = None) -> RepairedCopy:
    """Write a repaired copy.

    Parameters
    ----------
    dicom
        The original, a DICOM file.
    held
        The image series that could be meant, and how many instances the original's series has.
    wanted
        Series Instance UID of the images to refer to, whatever the original says.

    Raises
    ------
    NothingToRepair
        If every reference holds.
    NotRepairable
        If no series fits, or the file cannot be taken apart.
    StructureSetError
        If it is no structure set, or damaged.

    """
    structure_set, references = read(dicom), read_references(dicom)
    try:
        with pydicom_silent():
            dataset = dcmread(BytesIO(dicom), force=True)
            return _repaired(dataset, structure_set, references, held, wanted)
    except (NothingToRepair, NotRepairable, StructureSetError):
        raise
    # On broken files pydicom raises whatever its parts raise, and may quote the patient's data.
    except Exception as error:
        raise NotRepairable(
            f"The file cannot be taken apart ({type(error).__name__}).", "Export it again from where it was made."
        ) from None


def _repaired(
    dataset: Dataset, structure_set: StructureSet, references: References, held: Held, wanted: str | None
) -> RepairedCopy:
    changes: list[Change] = []
    if held.own_series_instances > 1:
        changes.append(Change("own_series", "A series of its own: viewers show the last instance of a series only."))
    _drop_contours_without_data(dataset, changes)
    items, contours = _drawn(dataset)
    if not contours:
        raise NotRepairable("No structure has a contour that can be read.", "Export it again from where it was made.")
    choice = choose(structure_set, references, held, contours, wanted)
    _name_rois(dataset, changes)
    _refer_to_series(dataset, choice, references, changes)
    _refer_to_images(items, choice, changes)
    _forget_stale(dataset, references, changes)
    if not changes:
        raise NothingToRepair
    _tell_unmatched(choice, changes)
    return _finished(dataset, structure_set, choice, changes)


def _drop_contours_without_data(dataset: Dataset, changes: list[Change]) -> None:
    dropped = 0
    for roi in dataset.get("ROIContourSequence") or ():
        contours = roi.get("ContourSequence")
        if not contours:
            continue
        kept = [each for each in contours if _CONTOUR_DATA in each and raw_value(each, _CONTOUR_DATA).strip(b" \0")]
        dropped += len(contours) - len(kept)
        if len(kept) < len(contours):
            roi.ContourSequence = Sequence(kept)
    if dropped:
        message = f"{dropped} contours without Contour Data left out; one is enough for OHIF to lose the whole set."
        changes.append(Change("contours_without_data_dropped", message, dropped))


def _drawn(dataset: Dataset) -> tuple[list[Dataset], list[Contour]]:
    """The contour items whose points can be read, and these; what cannot be read stays in the file untouched."""
    every = [contour for roi in dataset.get("ROIContourSequence") or () for contour in roi.get("ContourSequence") or ()]
    parsed = floats_of([raw_value(item, _CONTOUR_DATA) for item in every])
    good = [
        (item, Contour("", points.reshape(-1, 3)))
        for item, points in zip(every, parsed, strict=True)
        if points is not None and len(points) % 3 == 0
    ]
    return [item for item, _ in good], [contour for _, contour in good]


def _name_rois(dataset: Dataset, changes: list[Change]) -> None:
    if dataset.get("StructureSetROISequence"):
        return
    named = []
    for roi in dataset.ROIContourSequence:
        number = int(roi.ReferencedROINumber)
        item = Dataset()
        item.ROINumber, item.ROIName, item.ROIGenerationAlgorithm = number, f"ROI {number}", ""
        named.append(item)
    dataset.StructureSetROISequence = Sequence(named)
    changes.append(
        Change("names_made_up", "Structure Set ROI Sequence made up: the original has no names.", len(named))
    )


def _refer_to_series(dataset: Dataset, choice: Choice, references: References, changes: list[Change]) -> None:
    series = choice.series
    images = {plane.sop_instance_uid for plane in series.planes}
    named = [each for each in references.series if each.series_instance_uid == series.series_instance_uid]
    if (
        len(references.series) == len(named) == 1
        and named[0].sop_instance_uids
        and images.issuperset(named[0].sop_instance_uids)
    ):
        return
    frame_uid = series.frame_of_reference_uid
    frames = [each for each in dataset.get("ReferencedFrameOfReferenceSequence") or ()]
    own = next((each for each in frames if frame_uid and each.get("FrameOfReferenceUID") == frame_uid), None)
    if own is None and len(frames) == 1:
        own = frames[0]
    if own is None:
        own = Dataset()
        frames = [*frames, own]
    if frame_uid:
        own.FrameOfReferenceUID = frame_uid
    else:
        own.FrameOfReferenceUID = own.get("FrameOfReferenceUID") or dataset.get("FrameOfReferenceUID") or ""
    own.RTReferencedStudySequence = Sequence([_study_item(series)])
    dataset.ReferencedFrameOfReferenceSequence = Sequence(frames)
    for roi in dataset.StructureSetROISequence:
        if not roi.get("ReferencedFrameOfReferenceUID"):
            roi.ReferencedFrameOfReferenceUID = own.FrameOfReferenceUID
    what = f"{series.modality}, {len(series.planes)} images"
    message = f"Refers to series {series.series_instance_uid} ({what}), {choice.reason}."
    changes.append(Change("series_referenced", message, len(series.planes)))


def _study_item(series: ImageSeries) -> Dataset:
    listed = Dataset()
    listed.SeriesInstanceUID = series.series_instance_uid
    order = np.concatenate([stack.members for stack in series.stacks]) if series.stacks else range(len(series.planes))
    listed.ContourImageSequence = Sequence([_image_item(series, int(index)) for index in order])
    study = Dataset()
    study.ReferencedSOPClassUID = _STUDY_CLASS
    study.ReferencedSOPInstanceUID = series.study_instance_uid
    study.RTReferencedSeriesSequence = Sequence([listed])
    return study


def _image_item(series: ImageSeries, index: int) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID = series.planes[index].sop_class_uid
    image.ReferencedSOPInstanceUID = series.planes[index].sop_instance_uid
    return image


def _refer_to_images(items: list[Dataset], choice: Choice, changes: list[Change]) -> None:
    """Each contour names the image of its plane; one that already does is left alone."""
    planes = choice.series.planes
    by_uid = {plane.sop_instance_uid: index for index, plane in enumerate(planes)}
    position = np.array([plane.position_mm for plane in planes])
    named = wrong = 0
    for item, plane, within in zip(items, choice.matches.plane.tolist(), choice.matches.within.tolist(), strict=True):
        before = [str(image.get("ReferencedSOPInstanceUID", "")) for image in item.get("ContourImageSequence") or ()]
        if not within:
            if any(uid not in by_uid for uid in before):
                del item.ContourImageSequence
                wrong += 1
            continue
        # Several images may share a plane: any of them is right.
        right = [
            uid for uid in before if uid in by_uid and np.allclose(position[by_uid[uid]], position[plane], atol=1e-3)
        ]
        if before and len(right) == len(before):
            continue
        item.ContourImageSequence = Sequence([_image_item(choice.series, plane)])
        if before:
            wrong += 1
        else:
            named += 1
    if wrong:
        message = (
            f"{wrong} contours named images that are not there or not on their plane; they name that of their plane."
        )
        changes.append(Change("images_referenced", message, wrong))
    if named and changes:
        # By itself no fault: viewers find the images by their positions.
        changes.append(Change("images_added", f"{named} contours that named no image name that of their plane.", named))


def _forget_stale(dataset: Dataset, references: References, changes: list[Change]) -> None:
    named = {
        str(series.get("SeriesInstanceUID", ""))
        for frame in dataset.get("ReferencedFrameOfReferenceSequence") or ()
        for study in frame.get("RTReferencedStudySequence") or ()
        for series in study.get("RTReferencedSeriesSequence") or ()
    }
    stale = [uid for uid in references.top_level_series_uids if uid not in named]
    if stale:
        del dataset.ReferencedSeriesSequence
        message = f"Referenced Series Sequence taken out: it named series {stale[0]}, which the contours do not lie in."
        changes.append(Change("stale_series_dropped", message, len(stale)))


def _tell_unmatched(choice: Choice, changes: list[Change]) -> None:
    beyond = int((~choice.matches.within).sum())
    if beyond:
        message = f"{beyond} contours lie on no plane of the series; they name no image."
        changes.append(Change("contours_without_image", message, beyond))


def _finished(dataset: Dataset, structure_set: StructureSet, choice: Choice, changes: list[Change]) -> RepairedCopy:
    original = structure_set.sop_instance_uid
    if not original:
        raise NotRepairable("It has no SOP Instance UID.", "Export it again from where it was made.")
    _disown(dataset, changes)
    said = "; ".join(change.message for change in changes)
    sop_instance_uid = _uid("instance", original, choice, said)
    series_instance_uid = _uid("series", original, choice, said)
    predecessor = Dataset()
    predecessor.ReferencedSOPClassUID, predecessor.ReferencedSOPInstanceUID = dataset.SOPClassUID, original
    dataset.PredecessorStructureSetSequence = Sequence([predecessor])
    dataset.SOPInstanceUID = sop_instance_uid
    dataset.SeriesInstanceUID = series_instance_uid
    dataset.SeriesDescription = _with(str(dataset.get("SeriesDescription") or ""), "repaired", 64)
    note = f"Repaired copy of {original}. {said}"
    dataset.StructureSetDescription = _with(
        str(dataset.get("StructureSetDescription") or ""), note, _LONGEST_DESCRIPTION
    )
    dataset.ContributingEquipmentSequence = Sequence(
        [*(dataset.get("ContributingEquipmentSequence") or ()), _equipment(said)]
    )
    if hasattr(dataset, "file_meta"):
        dataset.file_meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return RepairedCopy(
        dicom=buffer.getvalue(),
        sop_instance_uid=sop_instance_uid,
        series_instance_uid=series_instance_uid,
        original_sop_instance_uid=original,
        image_series_uid=choice.series.series_instance_uid,
        changes=tuple(changes),
    )


def _disown(dataset: Dataset, changes: list[Change]) -> None:
    """Take out what people or programs have vouched for: it was for the original."""
    if str(dataset.get("ApprovalStatus") or "UNAPPROVED") != "UNAPPROVED":
        message = f"Approval Status was {dataset.ApprovalStatus}, for the original: the copy is UNAPPROVED."
        dataset.ApprovalStatus = "UNAPPROVED"
        for keyword in ("ReviewDate", "ReviewTime", "ReviewerName"):
            if keyword in dataset:
                del dataset[keyword]
        changes.append(Change("approval_withdrawn", message))
    if "DigitalSignaturesSequence" in dataset:
        del dataset.DigitalSignaturesSequence
        if "MACParametersSequence" in dataset:
            del dataset.MACParametersSequence
        changes.append(Change("signature_dropped", "Digital signatures taken out: they were for the original."))


def _equipment(said: str) -> Dataset:
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = "109103", "DCM", "Modifying Equipment"
    item = Dataset()
    item.Manufacturer = "PACS"
    item.ManufacturerModelName = REPAIRED_BY
    item.SoftwareVersions = str(REPAIR_VERSION)
    item.ContributionDescription = said[:_LONGEST_DESCRIPTION]
    item.PurposeOfReferenceCodeSequence = Sequence([purpose])
    return item


def _uid(kind: str, original: str, choice: Choice, said: str) -> str:
    """A UID under 2.25 (PS3.5 B.2), the same for the same repair."""
    images = [choice.series.planes[plane].sop_instance_uid for plane in choice.matches.plane if plane >= 0]
    what = "\n".join([kind, str(REPAIR_VERSION), original, choice.series.series_instance_uid, said, *images])
    return f"2.25.{int.from_bytes(hashlib.sha256(what.encode()).digest()[:16])}"


def _with(text: str, note: str, longest: int) -> str:
    joined = f"{text} {note}".strip()
    if len(joined) <= longest:
        return joined
    room = longest - len(note) - 1
    return f"{text[:room].rstrip()} {note}" if room > 0 else note[:longest]
