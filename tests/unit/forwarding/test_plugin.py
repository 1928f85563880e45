"""The plugin as Orthanc loads it: with the project's own configuration, and with mistakes in it."""

from __future__ import annotations

import json
import os
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import forwarding
from deidentification import RESEARCH, Deidentifier
from forwarding.identities import RecordingSender
from forwarding.model import Consignment
from host.configuration import ConfigurationError
from host.plugin import Host
from store.crosswalk import Crosswalk, Search
from unit.archive_double import ArchiveDouble
from unit.forwarding.memory_sender import MemorySender
from unit.host.dicom_files import UID_ROOT, instance_file, study_id

CONFIGURATION = Path(__file__).parents[3] / "config" / "orthanc"
SECRET, KEY = "a secret of the tests", "a-key-of-the-tests-long-enough"


def configured(**environment: str) -> dict[str, Any]:
    """The project's files as Orthanc reads them: without comments, variables put in."""
    merged: dict[str, Any] = {}
    for name in ("forwarding.json", "modalities.json"):
        text = re.sub(r"^\s*//.*$", "", (CONFIGURATION / name).read_text(), flags=re.MULTILINE)
        text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: environment.get(found[1], found[2]), text)
        merged |= json.loads(text)
    return merged


def test_as_delivered_nothing_is_forwarded_and_nothing_runs(host: Host) -> None:
    plugin = forwarding.create(replace(host, configuration=configured()))
    assert (plugin.background, plugin.explorer_script) == ((), "")


def test_with_both_profiles_of_the_stack_there_are_two_destinations(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "PACS_XNAT_FORWARDER_PASSWORD", "pw")
    settings = replace(host.settings, deidentification_secret=SECRET, crosswalk_key=KEY)
    sections = configured(PACS_DCM4CHEE_MODALITY="dcm4chee", PACS_XNAT_URL="http://xnat:8080")
    plugin = forwarding.create(replace(host, settings=settings, configuration=sections))
    assert plugin.background
    assert "pagebeforeshow" in plugin.explorer_script


@pytest.mark.parametrize(
    ("secret", "key", "message"),
    [(SECRET, "", "PACS_CROSSWALK_KEY is not set"), ("", KEY, "PACS_DEIDENTIFICATION_SECRET")],
)
def test_without_its_secrets_a_destination_that_deidentifies_stops_the_start(
    host: Host, monkeypatch: pytest.MonkeyPatch, secret: str, key: str, message: str
) -> None:
    monkeypatch.setitem(os.environ, "PACS_XNAT_FORWARDER_PASSWORD", "pw")
    settings = replace(host.settings, deidentification_secret=secret, crosswalk_key=key)
    with pytest.raises(ValueError, match=message):
        forwarding.create(replace(host, settings=settings, configuration=configured(PACS_XNAT_URL="http://xnat:8080")))


def test_a_modality_that_is_not_registered_stops_the_start(host: Host) -> None:
    with pytest.raises(ConfigurationError, match=r"Forwarding\.Destinations\.dcm4chee\.Modality is 'dcm4che'"):
        forwarding.create(replace(host, configuration=configured(PACS_DCM4CHEE_MODALITY="dcm4che")))


def test_who_a_study_is_stands_in_the_crosswalk_before_it_leaves(host: Host, archive: ArchiveDouble) -> None:
    archive.store_instance(instance_file(PatientBirthDate="19700102"))
    deidentifier, crosswalk = Deidentifier(SECRET.encode(), RESEARCH), Crosswalk(KEY)

    class Sender(MemorySender):
        def send(self, *_arguments: Any) -> None:
            with host.database.begin() as connection:
                (entry,), _ = crosswalk.page(connection, Search(patient_id="P1"), 10, 0)
            assert entry.original is not None
            self.held.append(entry.original.patient_name)
            assert entry.original.patient_birth_date == "19700102"
            assert entry.pseudonym == deidentifier.patient_pseudonym("P1")
            assert entry.study_instance_uid == deidentifier.uid(f"{UID_ROOT}.1")

    sender = Sender()
    recording = RecordingSender(sender, "xnat", deidentifier, crosswalk, archive, host.database)
    consignment = Consignment.of(study_id(), f"{UID_ROOT}.1", "P1", ())
    recording.send(consignment, lambda *_: None, threading.Event())
    assert sender.held == ["Dupont^Renée"]
