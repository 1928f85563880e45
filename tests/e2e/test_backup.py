"""./pacs backup and restore: what was held comes back whole, and nothing is replaced by accident."""

import time
from pathlib import Path

import httpx

from e2e.stack import Stack

ROOT = Path(__file__).resolve().parents[2]


def instances(stack: Stack) -> int:
    with stack.orthanc() as client:
        return int(client.get("/statistics").raise_for_status().json()["CountInstances"])


def test_what_was_backed_up_comes_back_after_it_was_lost(stack: Stack, tmp_path: Path) -> None:
    stack.pacs("send", str(ROOT / "tests/data/dicompyler"))
    before = instances(stack)
    folder = tmp_path / "backup"
    stack.pacs("backup", str(folder))
    assert {path.name for path in folder.iterdir()} == {"postgres-data.tgz", "orthanc-data.tgz", "env"}
    assert folder.stat().st_mode & 0o777 == 0o700
    stack.pacs("up")

    with stack.orthanc() as client:
        assert "pacs_last_backup_timestamp_seconds" in client.get("/api/metrics").text
        for study in client.get("/studies").json():
            client.delete(f"/studies/{study}").raise_for_status()
    assert instances(stack) == 0

    refused = stack.pacs("restore", str(folder), check=False)
    assert refused.returncode != 0 and "--yes" in refused.stdout
    stack.pacs("restore", str(folder), "--yes")
    stack.pacs("up")

    assert instances(stack) == before
    with stack.orthanc() as client:
        deadline = time.monotonic() + 120
        while client.get("/api/extractions", params={"state": "done"}).json()["total"] < 1:
            assert time.monotonic() < deadline
            time.sleep(1)
        for instance in client.get("/instances").json()[:3]:
            assert client.get(f"/instances/{instance}/file").status_code == httpx.codes.OK


def test_a_backup_never_replaces_another(stack: Stack, tmp_path: Path) -> None:
    refused = stack.pacs("backup", str(tmp_path), check=False)
    assert refused.returncode != 0
    assert "exists" in refused.stdout
