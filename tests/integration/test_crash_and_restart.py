"""kill -9, restarts and time without plugins lose nothing and double nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from benchmarks import synthetic
from integration import datasets
from integration.conftest import MakeOrthanc
from integration.containers import OrthancServer, configuration
from integration.modality import c_store, storescu
from integration.polling import eventually

#: After a crash nobody waits for minutes.
RECOVERY_S = 180.0
#: One for each extraction side by side, and one more for what is computed on request.
WORKERS = 3


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synthetic") / "large.dcm"
    path.write_bytes(synthetic.structure_set("large"))
    return path


def wait_for_results(server: OrthancServer, *structures: int) -> list[int]:
    """The attempts they took, once these extractions and no other have ended well; given by number of structures."""
    with server.http() as client:

        def done() -> list[dict[str, int]]:
            items: list[dict[str, int]] = client.get("/api/extractions").json()["items"]
            assert {item["state"] for item in items} == {"done"}, items
            return items

        rows = eventually(done, RECOVERY_S, "the extractions are done")
        assert sorted(row["structure_count"] for row in rows) == sorted(structures)
        assert client.get("/api/stats").json()["extractions"]["structures"] == sum(structures)
        return [row["attempts"] for row in rows]


def until_running(server: OrthancServer) -> None:
    with server.http() as client:
        running = lambda: client.get("/api/extractions?state=running").json()["total"] == 1  # noqa: E731
        # Storing a file of 76 MB alone takes Orthanc many seconds.
        eventually(running, RECOVERY_S, "the extraction runs", rest_s=0.05)


def hold_in_the_middle(server: OrthancServer, path: Path) -> None:
    """C-STORE a structure set, and stop the worker processes (SIGSTOP) while its extraction runs.

    It may be over before the sender has its answer: whoever only looked afterwards would find it done.
    """
    with ThreadPoolExecutor(1) as background:
        sending = background.submit(storescu, server.dicom_port, path)
        until_running(server)
        server.run("sh", "-c", "kill -STOP " + " ".join(map(str, server.worker_pids())))
        sending.result()
    with server.http() as client:
        assert client.get("/api/extractions?state=running").json()["total"] == 1


def test_kill_9_in_the_middle_of_an_extraction_and_right_after_a_store_costs_only_time(
    lone_orthanc: OrthancServer, large: Path
) -> None:
    lone_orthanc.create().wait_until_ready()
    hold_in_the_middle(lone_orthanc, large)
    assert c_store(lone_orthanc.dicom_port, datasets.STS_STRUCTURES.read_bytes()) == [0x0000]
    lone_orthanc.container.kill("SIGKILL")
    lone_orthanc.container.wait(timeout=60)
    lone_orthanc.start_again()

    wait_for_results(lone_orthanc, synthetic.SIZES["large"].structures, 1)
    assert len(lone_orthanc.worker_pids()) == WORKERS
    for path in (large, datasets.STS_STRUCTURES):
        uid = dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID
        with lone_orthanc.http() as client:
            assert client.get(f"/api/extract-rt/{uid}?contours=false").status_code == 200


def test_a_worker_killed_in_the_middle_is_replaced_and_the_extraction_tried_again(
    make_orthanc: MakeOrthanc, large: Path
) -> None:
    server = make_orthanc().create().wait_until_ready()
    hold_in_the_middle(server, large)
    server.run("sh", "-c", f"kill -9 {' '.join(str(pid) for pid in server.worker_pids())}")

    assert wait_for_results(server, synthetic.SIZES["large"].structures) == [2]


def test_what_arrived_while_the_plugins_were_off_is_extracted_and_listed_at_the_next_start(
    lone_orthanc: OrthancServer, tmp_path: Path
) -> None:
    lone_orthanc.create().wait_until_ready()
    without_plugins = lone_orthanc.replace(configuration(tmp_path, without_plugin="OrthancPython"))
    without_plugins.wait_until_ready("/system")
    storescu(without_plugins.dicom_port, datasets.DICOMPYLER_STRUCTURES, datasets.DICOMPYLER_CT)
    server = without_plugins.replace(None).wait_until_ready()

    wait_for_results(server, len(dcmread(datasets.DICOMPYLER_STRUCTURES).StructureSetROISequence))
    with server.http() as client:
        listed = eventually(lambda: client.get("/api/studies").json()["items"], 60, "the study is listed")
    assert [(study["study_instance_uid"], study["instance_count"]) for study in listed] == [
        (datasets.DICOMPYLER_STUDY, 2)
    ]


def test_what_was_deleted_while_the_plugins_were_off_is_forgotten_at_the_next_start(
    lone_orthanc: OrthancServer, tmp_path: Path
) -> None:
    lone_orthanc.create().wait_until_ready()
    storescu(lone_orthanc.dicom_port, datasets.STS_STRUCTURES)
    wait_for_results(lone_orthanc, 1)
    without_plugins = lone_orthanc.replace(configuration(tmp_path, without_plugin="OrthancPython"))
    without_plugins.wait_until_ready("/system")
    with without_plugins.http() as client:
        for study in client.get("/studies").json():
            assert client.delete(f"/studies/{study}").status_code == 200
    server = without_plugins.replace(None).wait_until_ready()

    with server.http() as client:
        for route in ("/api/extractions", "/api/studies"):
            eventually(lambda route=route: client.get(route).json()["total"] == 0, 60, f"{route} is empty")


def test_a_second_start_on_the_same_data_keeps_everything_and_extracts_nothing_again(
    lone_orthanc: OrthancServer,
) -> None:
    def held(server: OrthancServer) -> dict[str, object]:
        with server.http() as client:

            def listed_whole() -> dict[str, Any] | None:
                found: list[dict[str, Any]] = client.get("/api/studies").json()["items"]
                if not found:
                    return None
                truth = client.get(f"/studies/{found[0]['orthanc_id']}/statistics").json()
                return found[0] if found[0]["size_bytes"] == int(truth["DiskSize"]) else None

            study = eventually(listed_whole, 60, "the study is listed with what was attached to it")
            return {
                "extractions": client.get("/api/extractions").json(),
                "study": study | {"updated_at": None},
                "system": client.get("/system").json()["DatabaseBackendPlugin"],
            }

    lone_orthanc.create().wait_until_ready()
    storescu(lone_orthanc.dicom_port, datasets.STS_STRUCTURES)
    wait_for_results(lone_orthanc, 1)
    before = held(lone_orthanc)
    server = lone_orthanc.replace(None).wait_until_ready()

    wait_for_results(server, 1)
    assert held(server) == before
