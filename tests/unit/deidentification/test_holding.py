"""What removing attributes does not help is held back with its reason, and goes only where a profile says so."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from pydicom import uid

from deidentification import HeldBack, Hold
from deidentification.holding import RELEASES
from unit.deidentification.files import deidentifier, file_of, read, somebody, treated

KINDS = [
    (uid.SecondaryCaptureImageStorage, Hold.SECONDARY_CAPTURE),
    (uid.MultiFrameTrueColorSecondaryCaptureImageStorage, Hold.SECONDARY_CAPTURE),
    (uid.UltrasoundImageStorage, Hold.ULTRASOUND),
    (uid.UltrasoundMultiFrameImageStorage, Hold.ULTRASOUND),
    (uid.EnhancedUSVolumeStorage, Hold.ULTRASOUND),
    (uid.VLPhotographicImageStorage, Hold.VISIBLE_LIGHT),
    (uid.VideoEndoscopicImageStorage, Hold.VISIBLE_LIGHT),
    (uid.EncapsulatedPDFStorage, Hold.DOCUMENT),
    (uid.EncapsulatedSTLStorage, Hold.DOCUMENT),
    (uid.BasicTextSRStorage, Hold.STRUCTURED_REPORT),
    (uid.XRayRadiationDoseSRStorage, Hold.STRUCTURED_REPORT),
    (uid.KeyObjectSelectionDocumentStorage, Hold.STRUCTURED_REPORT),
    (uid.BasicVoiceAudioWaveformStorage, Hold.VOICE),
    (uid.RawDataStorage, Hold.UNKNOWN_KIND),
    (uid.MediaStorageDirectoryStorage, Hold.UNKNOWN_KIND),
    ("1.3.12.2.1107.5.9.1", Hold.UNKNOWN_KIND),
]
GOES = [
    uid.CTImageStorage, uid.EnhancedCTImageStorage, uid.MRImageStorage, uid.PositronEmissionTomographyImageStorage,
    uid.RTStructureSetStorage, uid.RTPlanStorage, uid.RTDoseStorage, uid.RTImageStorage, uid.SpatialRegistrationStorage,
    uid.DeformableSpatialRegistrationStorage, uid.SegmentationStorage, uid.SurfaceSegmentationStorage,
    uid.DigitalXRayImageStorageForPresentation, uid.General32bitECGWaveformStorage,
]  # fmt: skip


@pytest.mark.parametrize(("sop_class", "reason"), KINDS)
def test_kinds_that_show_or_tell_the_patient_are_held_back(sop_class: str, reason: Hold) -> None:
    dicom = file_of(somebody(sop_class))
    with pytest.raises(HeldBack) as held:
        deidentifier().deidentify(dicom)
    assert held.value.reason is reason
    if reason in RELEASES:
        assert RELEASES[reason].value in str(held.value)
        assert read(deidentifier(RELEASES[reason]).deidentify(dicom)).PatientIdentityRemoved == "YES"
    else:
        with pytest.raises(HeldBack):
            deidentifier(*RELEASES.values()).deidentify(dicom)


@pytest.mark.parametrize("sop_class", GOES)
def test_what_radiotherapy_lives_on_goes(sop_class: str) -> None:
    assert treated(somebody(sop_class)).SOPClassUID == sop_class


@pytest.mark.parametrize(
    ("keyword", "value", "reason"),
    [
        ("BurnedInAnnotation", "YES", Hold.BURNED_IN),
        ("RecognizableVisualFeatures", "YES", Hold.RECOGNIZABLE),
        ("ImageType", ["DERIVED", "SECONDARY", "SCREEN SAVE"], Hold.SECONDARY_CAPTURE),
        ("ImageType", ["ORIGINAL", "PRIMARY", "DOSE_INFO"], Hold.SECONDARY_CAPTURE),
        ("PatientID", "", Hold.NO_PATIENT_ID),
    ],
)
def test_what_a_file_says_of_itself_counts(keyword: str, value: object, reason: Hold) -> None:
    dataset = somebody()
    setattr(dataset, keyword, value)
    with pytest.raises(HeldBack) as held:
        treated(dataset)
    assert held.value.reason is reason


def test_every_reason_has_to_be_released() -> None:
    dataset = somebody(uid.SecondaryCaptureImageStorage)
    dataset.BurnedInAnnotation = "YES"
    for one in (Hold.BURNED_IN, Hold.SECONDARY_CAPTURE):
        with pytest.raises(HeldBack):
            treated(dataset, RELEASES[one])
    assert treated(dataset, RELEASES[Hold.BURNED_IN], RELEASES[Hold.SECONDARY_CAPTURE]).PatientIdentityRemoved == "YES"


def test_the_reason_comes_home_from_a_worker() -> None:
    home = pickle.loads(pickle.dumps(HeldBack(Hold.ULTRASOUND, "Look at it.")))
    assert (home.reason, str(home)) == (Hold.ULTRASOUND, f"{Hold.ULTRASOUND.value}. Look at it.")


def test_every_reason_is_known_to_the_french_dashboard() -> None:
    french = json.loads((Path(__file__).parents[3] / "dashboard" / "src" / "i18n" / "server.fr.json").read_text())
    assert {hold.value for hold in Hold} <= french.keys()
