"""A whole DICOM file in, the same file without the patient out."""

from __future__ import annotations

import io
from datetime import timedelta

import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID

from rtstruct.silence import pydicom_silent

from .actions import actions
from .elements import Treatment
from .holding import HeldBack, Hold, hold_back
from .identity import Identity
from .profile import BASIC_PROFILE, CODES, Option, Profile
from .pseudonyms import Pseudonyms

_METHOD = "DICOM PS3.15 Basic Application Level Confidentiality Profile"
#: The 128 bytes in front of a DICOM file, which may hold anything.
_EMPTY_PREAMBLE = b"\0" * 128


class Deidentifier:
    """De-identifies files by DICOM PS3.15, Annex E: the same file gives the same file, whenever and wherever.

    It holds no state: files of one patient need not pass through the same one, only one with the same secret. Meant
    for worker processes: while it works it switches off pydicom's own checks of values in the whole process.

    Parameters
    ----------
    secret
        The site's secret, of at least 16 bytes.
    profile
        What is retained besides the basic profile, and what is let through.
    """

    def __init__(self, secret: bytes, profile: Profile) -> None:
        self.profile = profile
        self._pseudonyms = Pseudonyms(secret)

    def uid(self, original: str) -> str:
        """The UID that stands in de-identified files where this one stood."""
        return original if Option.RETAIN_UIDS in self.profile.options else self._pseudonyms.uid(original)

    def patient_pseudonym(self, patient_id: str) -> str:
        """The Patient ID and Patient's Name in de-identified files of this patient."""
        return self._pseudonyms.patient(patient_id)

    def date_shift(self, patient_id: str) -> timedelta:
        """By how much the dates of this patient move; nothing if the profile does not shift dates."""
        shifted = Option.RETAIN_MODIFIED_DATES in self.profile.options
        return self._pseudonyms.shift(patient_id) if shifted else timedelta(0)

    def deidentify(self, dicom: bytes) -> bytes:
        """The file without the patient, in the same transfer syntax, its pixel data byte for byte as they were.

        Parameters
        ----------
        dicom
            A file as in PS3.10.

        Raises
        ------
        HeldBack
            If removing attributes would not take the patient out of it, or if it cannot be read.
        """
        with pydicom_silent(), disable_value_validation():
            try:
                dataset = pydicom.dcmread(io.BytesIO(dicom))
                hold_back(dataset, self.profile)
                self._treat(dataset)
                return _written(dataset)
            except HeldBack:
                raise
            except Exception as error:
                # The message of pydicom may quote a value, and the value may be a name.
                raise HeldBack(
                    Hold.UNREADABLE, f"pydicom fails with {type(error).__name__}; repair or leave out the file."
                ) from None

    def _treat(self, dataset: Dataset) -> None:
        # A backslash parts values for pydicom; for Orthanc it is a character of the one Patient ID.
        patient_id = "\\".join(dataset.PatientID) if dataset["PatientID"].VM > 1 else str(dataset.PatientID)
        identity = Identity.of(dataset, Option.RETAIN_INSTITUTION_IDENTITY in self.profile.options)
        shift = self._pseudonyms.shift(patient_id)
        Treatment(self.profile, actions(self.profile), self._pseudonyms, identity, shift).treat(dataset)
        dataset.PatientID = dataset.PatientName = self._pseudonyms.patient(patient_id)
        self._say_what_was_done(dataset)

    def _say_what_was_done(self, dataset: Dataset) -> None:
        """PS3.15, E.1.1, and PS3.3, C.7.1.1 and C.12.1."""
        options = sorted(self.profile.options)
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = [_METHOD, *(option.value for option in options)]
        items = []
        for code in (BASIC_PROFILE, *(CODES[option] for option in options if option in CODES)):
            item = Dataset()
            item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = (
                code.value,
                code.scheme_designator,
                code.meaning,
            )
            items.append(item)
        dataset.DeidentificationMethodCodeSequence = items
        dataset.LongitudinalTemporalInformationModified = (
            "UNMODIFIED" if Option.RETAIN_FULL_DATES in options
            else "MODIFIED" if Option.RETAIN_MODIFIED_DATES in options
            else "REMOVED"
        )  # fmt: skip


def _written(dataset: pydicom.FileDataset) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    dataset.file_meta = meta
    dataset.preamble = _EMPTY_PREAMBLE
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()
