"""What a delivery takes of a study, and when it is read."""

from __future__ import annotations

import pytest

from forwarding.model import Refused
from forwarding.reading import read_consignment, read_whole
from host.archive import UnknownResource
from store.deliveries import Claim
from unit.archive_double import ArchiveDouble
from unit.host.dicom_files import UID_ROOT, instance_file, study_id


@pytest.fixture
def stored(archive: ArchiveDouble) -> list[str]:
    """The instances of a study of two series."""
    files = [instance_file(sop=str(sop), series=str(1 + sop // 2)) for sop in range(4)]
    return [archive.store_instance(file).orthanc_id for file in files]


def claimed(*instances: str, size_bytes: int = 1000) -> Claim:
    return Claim(1, "archive", study_id(), instances, size_bytes, attempts=1, begun=False, by_hand=False, owner="me")


def test_a_whole_study_is_known_by_its_series(archive: ArchiveDouble, stored: list[str]) -> None:
    consignment = read_consignment(archive, claimed(*stored))
    assert sorted(map(sorted, consignment.series.values())) == sorted(map(sorted, (stored[:2], stored[2:])))
    assert (len(consignment), consignment.whole, consignment.size_bytes) == (4, True, 1000)
    assert consignment.study_instance_uid == f"{UID_ROOT}.1"
    assert {each.orthanc_id for each in consignment.instances} == set(stored)


def test_of_what_a_delivery_takes_only_what_is_still_there_is_sent(archive: ArchiveDouble, stored: list[str]) -> None:
    archive.delete("instance", stored[3])
    consignment = read_consignment(archive, claimed(*stored[2:]))
    assert (list(consignment.series.values()), consignment.size_bytes) == ([[stored[2]]], 500)
    assert not consignment.whole
    assert [each.orthanc_id for each in consignment.instances] == [stored[2]]


def test_what_is_deleted_while_it_is_being_sent_is_not_passed_over(archive: ArchiveDouble, stored: list[str]) -> None:
    consignment = read_whole(archive, study_id())
    archive.delete("instance", stored[0])
    with pytest.raises(Refused, match="Part of the study was deleted"):
        _ = consignment.instances
    archive.delete("study", study_id())
    with pytest.raises(UnknownResource):
        _ = consignment.instances
