"""Where the real files are, and the sentences' common subjects."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The copies of real data that come with the project."""
    return DATA


@pytest.fixture(scope="session")
def dicompyler(data_folder: Path) -> bytes:
    """A breast plan's structure set: 10 ROIs, one of them empty."""
    return (data_folder / "dicompyler" / "rtss.dcm").read_bytes()


@pytest.fixture(scope="session")
def sarcoma(data_folder: Path) -> bytes:
    """One GTV on CT slices."""
    return (data_folder / "sts" / "STS_001" / "CT" / "mask" / "RS.dcm").read_bytes()


def _real_files() -> list[Path]:
    found = [*sorted(DATA.glob("sts/*/*/mask/RS.dcm")), DATA / "dicompyler" / "rtss.dcm"]
    return [*found, Path(str(get_testdata_file("rtstruct.dcm")))]


@pytest.fixture(params=_real_files(), ids=lambda path: "-".join(path.parts[-4:]), scope="session")
def real_file(request: pytest.FixtureRequest) -> bytes:
    """Every real structure set in turn, pydicom's own without preamble included."""
    path: Path = request.param
    return path.read_bytes()
