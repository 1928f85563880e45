"""The section Forwarding: what it says is what is done, and a mistake in it is named with its key and its remedy."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from deidentification import Option
from forwarding.configuration import Destination, Dicom, Dicomweb, Selection, Xnat, read
from host.configuration import ConfigurationError

MODALITIES = {"dcm4chee": ["DCM4CHEE", "dcm4chee", 11112]}
SECRETS = {"PASSWORD": "s3cret"}
XNAT = {"Kind": "xnat", "Url": "http://xnat:8080/", "User": "forwarder", "PasswordFrom": "PASSWORD", "Project": "P"}


def destinations(entries: dict[str, Any], **more: Any) -> tuple[Destination, ...]:
    forwarding = {"Destinations": entries, **more}
    return read({"Forwarding": forwarding, "DicomModalities": MODALITIES}, lambda name: SECRETS.get(name, ""))


def one(**entry: Any) -> Destination:
    (destination,) = destinations({"archive": {"Kind": "dicom", "Modality": "dcm4chee", **entry}})
    return destination


def test_without_the_section_there_is_no_destination() -> None:
    assert read({}, lambda _name: "") == ()


def test_a_destination_has_defaults() -> None:
    destination = one()
    assert destination == Destination("archive", Dicom("dcm4chee"))
    assert (destination.kind, destination.address, destination.selections) == ("dicom", "dcm4chee", ())


def test_every_key_is_understood() -> None:
    (destination,) = destinations(
        {
            "research": {
                **XNAT,
                "Subject": "{patient}",
                "Session": "{patient}-{date}",
                "Studies": [
                    {"Label": "research", "Modality": ["CT", "MR"], "WithStructures": True},
                    {"Station": "CT*"},
                ],
                "Between": ["20:00", "06:00"],
                "Deidentify": "research",
                "BandwidthMBps": 10,
                "Compress": True,
                "Concurrency": 1,
                "Attempts": 5,
                "FirstRetrySeconds": 30,
                "TimeoutSeconds": 300,
            }
        },
        Profiles={"research": {"Options": ["clean_structure_names"], "StructureNames": "Gap*"}},
    )
    assert destination.endpoint == Xnat("http://xnat:8080", "forwarder", "s3cret", "P", "{patient}", "{patient}-{date}")
    research = Selection(labels=("research",), modalities=("CT", "MR"), with_structures=True)
    assert destination.selections == (research, Selection(stations=("CT*",)))
    assert destination.profile is not None
    assert destination.profile.profile.options == {Option.CLEAN_STRUCTURE_NAMES}
    assert destination.profile.profile.structure_names == {"Gap*"}
    assert (destination.concurrency, destination.attempts, destination.bandwidth_bytes_per_s) == (1, 5, 10_000_000)
    assert destination.compress
    assert "s3cret" not in repr(destination)


@pytest.mark.parametrize("key", ["Modality", "Url"])
def test_an_empty_address_turns_a_destination_off(key: str) -> None:
    entry = {"Kind": "dicom", "Modality": ""} if key == "Modality" else {**XNAT, "Url": "", "PasswordFrom": "UNSET"}
    assert destinations({"off": entry}) == ()


def test_a_window_may_span_midnight() -> None:
    night, day = one(Between=["20:00", "06:00"]).window, one(Between=["08:00", "17:30"]).window
    assert night is not None
    assert day is not None
    assert [night.holds(time(hour)) for hour in (5, 6, 12, 20, 23)] == [True, False, False, True, True]
    assert [day.holds(time(hour)) for hour in (7, 8, 17, 18)] == [False, True, True, False]


def test_a_dicomweb_service_needs_no_account() -> None:
    (destination,) = destinations({"web": {"Kind": "dicomweb", "Url": "https://pacs.example/dicom-web"}})
    assert destination.endpoint == Dicomweb("https://pacs.example/dicom-web")


PROFILES = {"research": {"Options": []}}
ARCHIVE = {"Kind": "dicom", "Modality": "dcm4chee"}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], r"Forwarding.Destinations is \[\]; write an object in braces"),
        ({"a": {}}, "Forwarding.Destinations.a.Kind is missing"),
        ({"a": {"Kind": "ftp"}}, "a.Kind is 'ftp'; write dicom or dicomweb or xnat"),
        ({"Archive 1": ARCHIVE}, "Forwarding.Destinations.Archive 1: a destination's name has"),
        ({"a": {**ARCHIVE, "Modality": "pacs2"}}, "a.Modality is 'pacs2'; name one of DicomModalities .*dcm4chee"),
        ({"a": {**ARCHIVE, "Modalty": "x"}}, "a.Modalty is not a key that is known; did you mean Modality?"),
        ({"a": {**ARCHIVE, "Studies": "all"}}, r"a.Studies is 'all'; write a list in brackets"),
        ({"a": {**ARCHIVE, "Studies": [{"Modality": 3}]}}, r"a.Studies\[0\].Modality is 3; write a text or a list"),
        ({"a": {**ARCHIVE, "Studies": [{}, {"Lable": "x"}]}}, r"a.Studies\[1\].Lable is not .* did you mean Label?"),
        ({"a": {**ARCHIVE, "Between": ["20:00"]}}, "a.Between is .* write two times of day"),
        ({"a": {**ARCHIVE, "Between": ["8", "30:00"]}}, "a.Between is .* write two times of day"),
        ({"a": {**ARCHIVE, "Concurrency": 0}}, "a.Concurrency is 0; write a number from 1 to 16"),
        ({"a": {**ARCHIVE, "Attempts": "3"}}, "a.Attempts is '3'; write a number from 1"),
        ({"a": {**ARCHIVE, "StorageCommitment": "yes"}}, "a.StorageCommitment is 'yes'; write true or false"),
        ({"a": {**ARCHIVE, "Deidentify": "research"}}, "a.Deidentify is 'research'; Orthanc's C-STORE sends what is"),
        ({"a": {**ARCHIVE, "Deidentify": "other"}}, r"a.Deidentify is 'other'; name one of Forwarding.Profiles \(res"),
        ({"a": {**ARCHIVE, "BandwidthMBps": 1}}, "a.BandwidthMBps is 1; Orthanc's C-STORE knows no limit"),
        ({"a": {**ARCHIVE, "Compress": True}}, "a.Compress is True; by C-STORE Orthanc sends what is stored"),
        ({"a": {**XNAT, "Url": "xnat:8080"}}, "a.Url is 'xnat:8080'; write one such as https://"),
        ({"a": {**XNAT, "Url": "http://u:p@xnat"}}, "a.Url is .* without user and password"),
        ({"a": {**XNAT, "PasswordFrom": "UNSET"}}, "a.PasswordFrom is 'UNSET'; set the environment variable UNSET"),
        ({"a": {**XNAT, "Project": "{name}"}}, "a.Project is '{name}'; use {patient}, {study}"),
        ({"a": {key: value for key, value in XNAT.items() if key != "Project"}}, "a.Project is missing"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_what_to_write(entries: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        destinations(entries, Profiles=PROFILES)


def test_an_unknown_option_of_a_profile_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"Profiles.p.Options is .*no option 'keep_all'"):
        destinations({}, Profiles={"p": {"Options": ["keep_all"]}})
