"""``dcm4chee-setup`` against a double of the archive's configuration service."""

from __future__ import annotations

from doubles.dcm4chee_devices import Dcm4cheeServer
from unit.services.conftest import Run, Serve


def test_the_archive_knows_orthanc_and_reads_its_configuration_again(serve: Serve, set_up: Run) -> None:
    archive = Dcm4cheeServer()
    serve(archive)

    done = set_up("dcm4chee", DCM4CHEE_URL=archive.url, PACS_DICOM_AET="HOSPITAL")

    assert done.returncode == 0, done.stderr
    device = archive.in_force["orthanc"]
    assert device["dicomNetworkAE"][0]["dicomAETitle"] == "HOSPITAL"
    assert device["dicomNetworkConnection"][0] == {"cn": "dicom", "dicomHostname": "orthanc", "dicomPort": 4242}
    # What ties the two together is a path into the device itself.
    assert device["dicomNetworkAE"][0]["dicomNetworkConnectionReference"] == ["/dicomNetworkConnection/0"]
    assert "dcm4chee-arc" in archive.in_force, "other devices stay"


def test_a_second_run_updates_it_and_another_ae_title_replaces_the_first(serve: Serve, set_up: Run) -> None:
    archive = Dcm4cheeServer()
    serve(archive)

    for title in ("ORTHANC", "ORTHANC", "HOSPITAL"):
        assert set_up("dcm4chee", DCM4CHEE_URL=archive.url, PACS_DICOM_AET=title).returncode == 0

    assert archive.changes == ["POST orthanc", "PUT orthanc", "PUT orthanc"]
    assert [ae["dicomAETitle"] for ae in archive.in_force["orthanc"]["dicomNetworkAE"]] == ["HOSPITAL"]


def test_an_archive_that_is_slow_to_start_is_waited_for(serve: Serve, set_up: Run) -> None:
    archive = Dcm4cheeServer(starting=2)
    serve(archive)

    assert set_up("dcm4chee", DCM4CHEE_URL=archive.url).returncode == 0
    assert "orthanc" in archive.in_force


def test_an_archive_that_does_not_start_is_named_with_the_remedy(serve: Serve, set_up: Run) -> None:
    archive = Dcm4cheeServer(starting=10_000)
    serve(archive)

    done = set_up("dcm4chee", DCM4CHEE_URL=archive.url, PATIENCE_S="1")

    assert done.returncode == 1
    assert "did not say STARTED within 1 s (last: 404 Not Found): see ./pacs logs dcm4chee" in done.stderr


def test_an_ae_title_of_another_device_is_refused_with_the_archives_words(serve: Serve, set_up: Run) -> None:
    archive = Dcm4cheeServer()
    serve(archive)

    done = set_up("dcm4chee", DCM4CHEE_URL=archive.url, PACS_DICOM_AET="DCM4CHEE")

    assert done.returncode == 1
    assert "409 Conflict" in done.stderr and "AE title DCM4CHEE already exists" in done.stderr
    assert "PACS_DICOM_AET" in done.stderr
