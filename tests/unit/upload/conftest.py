"""The upload route on the archive double, and archives to send to it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import upload

MEGABYTE = 1024 * 1024


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    """Accepts bodies of 2 MB, 50 files, and 32 MB of unpacked files."""
    return serve([upload.create], upload_max_bytes=2 * MEGABYTE, upload_max_files=50)


@pytest.fixture(scope="session")
def slice_of_ct(data_folder: Path) -> bytes:
    """A real CT slice."""
    return (data_folder / "sts" / "STS_001" / "CT" / "image" / "000000.dcm").read_bytes()


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive of these (name, content)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return buffer.getvalue()
