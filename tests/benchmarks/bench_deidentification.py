"""De-identifying one file on one core, beside pydicom that reads and writes it unchanged."""

from __future__ import annotations

import io
import statistics
from collections.abc import Iterator
from pathlib import Path

import pydicom

from benchmarks.rows import Row, Runs, repeat
from deidentification import RESEARCH, Deidentifier

DATA = Path(__file__).parents[1] / "data" / "dicompyler"
FILES = {"ct.0.dcm": "CT slice of 512²", "rtdose.dcm": "RTDOSE", "rtss.dcm": "RTSTRUCT", "rtplan.dcm": "RTPLAN"}


def rows(runs: Runs) -> Iterator[Row]:
    """The files that a plan consists of."""
    deidentifier = Deidentifier(b"a secret of a benchmark", RESEARCH)
    for name, what in FILES.items():
        dicom = (DATA / name).read_bytes()
        ours = statistics.median(repeat(lambda dicom=dicom: deidentifier.deidentify(dicom), runs.of(30)))
        pydicoms = statistics.median(repeat(lambda dicom=dicom: _unchanged(dicom), runs.of(30)))
        megabytes = len(dicom) / 1e6
        result = f"{1000 * ours:.1f} ms, {megabytes / ours:.0f} MB/s"
        note = f"{megabytes:.1f} MB; pydicom alone, read and written: {1000 * pydicoms:.1f} ms"
        yield Row(f"De-identify: {what}", result, "reported", note)


def _unchanged(dicom: bytes) -> bytes:
    file = io.BytesIO()
    pydicom.dcmwrite(file, pydicom.dcmread(io.BytesIO(dicom)))
    return file.getvalue()
