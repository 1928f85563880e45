"""Masks and statistics: everything at once in a process of its own, and a label map over HTTP, beside peers."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "orthanc-plugins"), str(ROOT / "tests")]

from benchmarks.rows import Row, Runs, quartiles, timed  # noqa: E402

STS = ROOT / "tests" / "data" / "sts" / "STS_001" / "CT"
_WHAT = "60 ROIs on 150 images of 512²"


@dataclass(frozen=True)
class Measured:
    """Seconds of each part, and the greatest size of the whole process in MB, files and imports included."""

    parts: dict[str, float]
    peak_mb: float

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())


def _everything(folder: Path) -> dict[str, float]:
    import rtstruct
    from host.workers import keep_freed_memory
    from rtstruct.images import read_image
    from rtstruct.intensities import intensities_of
    from rtstruct.masks import mask_of

    # As every worker of the product does.
    keep_freed_memory()
    dicom = (folder / "rtstruct.dcm").read_bytes()
    files = [path.read_bytes() for path in sorted(folder.glob("ct_*.dcm"))]
    moments = [time.perf_counter()]
    structures = rtstruct.read(dicom).structures
    moments.append(time.perf_counter())
    image = read_image(files)
    moments.append(time.perf_counter())
    analyses = [rtstruct.analyse(structure) for structure in structures]
    moments.append(time.perf_counter())
    masks = [mask_of(structure, image.grid) for structure in structures]
    moments.append(time.perf_counter())
    found = [intensities_of(image, mask) for mask in masks]
    moments.append(time.perf_counter())
    assert len(analyses) == len(masks) == len(found)
    names = ("parse", "CT", "analytics", "masks", "statistics")
    return dict(zip(names, (after - before for before, after in pairwise(moments)), strict=True))


def _rt_utils(folder: Path) -> dict[str, float]:
    from rt_utils import RTStructBuilder

    def masks(images: str) -> None:
        found = RTStructBuilder.create_from(images, str(folder / "rtstruct.dcm"))
        for name in found.get_roi_names():
            found.get_roi_mask_by_name(name)

    # It takes a folder of images alone.
    with TemporaryDirectory() as images:
        for path in folder.glob("ct_*.dcm"):
            (Path(images) / path.name).symlink_to(path)
        return {"masks": timed(lambda: masks(images))}


def _plastimatch(folder: Path) -> dict[str, float]:
    command = ["plastimatch", "convert", "--input", str(folder / "rtstruct.dcm"), "--referenced-ct", str(folder)]
    command += ["--output-ss-img", str(folder / "plastimatch.nrrd")]
    return {"masks": timed(lambda: subprocess.run(command, check=True, capture_output=True))}


WAYS: dict[str, Callable[[Path], dict[str, float]]] = {
    "everything": _everything,
    "rt-utils": _rt_utils,
    "plastimatch": _plastimatch,
}


def _measure(way: str, folder: Path, runs: int) -> Measured:
    command = [sys.executable, __file__, "--one", way, str(folder)]
    found = []
    for _ in range(runs):
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        found.append(Measured(**told))
    parts = {name: median(each.parts[name] for each in found) for name in found[0].parts}
    return Measured(parts, max(each.peak_mb for each in found))


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def rows(runs: Runs) -> Iterator[Row]:
    """The large set in one process, then a label map of a study that has just arrived."""
    from benchmarks.synthetic import ct_series, structure_set

    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rtstruct.dcm").write_bytes(structure_set("large"))
        for index, image in enumerate(ct_series(150)):
            (folder / f"ct_{index + 1:03}.dcm").write_bytes(image)
        ours = _measure("everything", folder, runs.of(5))
        parts = " + ".join(f"{part} {seconds:.2f}" for part, seconds in ours.parts.items())
        yield Row(
            "75.7 MB: parse, CT, analytics, all masks, statistics",
            f"{ours.seconds:.2f} s, {ours.peak_mb:.0f} MB",
            "≤ 1.6 s, ≤ 800 MB",
            f"{_WHAT}; {parts}; files and imports in the MB",
        )
        for peer, factor in (("plastimatch", 12), ("rt-utils", 40)):
            if runs.skip_slow or (peer == "plastimatch" and not shutil.which(peer)):
                continue
            theirs = _measure(peer, folder, runs.of(3, 1))
            drawn = sum(ours.parts[part] for part in ("parse", "CT", "masks"))
            yield Row(
                f"The same masks by {peer}",
                f"{theirs.seconds:.1f} s, {theirs.seconds / ours.seconds:.0f} × ours",
                f"≥ {factor} ×",
                f"peer, which parses and draws alone: {theirs.seconds / drawn:.0f} × these parts of ours; "
                f"median of {runs.of(3, 1)}",
            )
    yield from _over_http(runs)


def _over_http(runs: Runs) -> Iterator[Row]:
    from benchmarks.servers import orthanc

    with orthanc() as server:
        first, again = [], []
        # Once for nothing: workers that have not begun are not what is measured.
        for run in range(runs.of(10) + 1):
            instance = ""
            for file in _study(run):
                instance = server.post("/instances", file).json()["ID"]
            path = f"/api/extract-rt/{instance}/labelmap.nii.gz"
            if run:
                first.append(timed(lambda path=path: server.get(path)))  # type: ignore[misc]
                again.append(timed(lambda path=path: server.get(path)))  # type: ignore[misc]
            else:
                server.get(path)
    low, middle, high = quartiles(first)
    yield Row(
        "Label map of STS_001 CT over HTTP, instance just stored",
        f"{middle:.2f} s ({low:.2f}–{high:.2f})",
        "≤ 0.5 s",
        f"59 images, {len(first)} studies; the second time {1000 * median(again):.0f} ms",
    )


def _study(run: int) -> Iterator[bytes]:
    """STS_001's CT and, last, its structure set, as a study of its own."""
    from pydicom import dcmread
    from pydicom.uid import generate_uid

    study, series = generate_uid(), generate_uid()
    for path in (*sorted((STS / "image").glob("*.dcm")), STS / "mask" / "RS.dcm"):
        dataset = dcmread(path)
        dataset.PatientID, dataset.StudyInstanceUID = f"BENCH-{run}", study
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        if dataset.Modality == "RTSTRUCT":
            dataset.SeriesInstanceUID = generate_uid()
            frame = dataset.ReferencedFrameOfReferenceSequence[0]
            frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0].SeriesInstanceUID = series
        else:
            dataset.SeriesInstanceUID = series
        buffer = BytesIO()
        dataset.save_as(buffer)
        yield buffer.getvalue()


def main() -> None:
    """Print the rows; ``--one`` is what a process of its own does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        parts = WAYS[options.one[0]](Path(options.one[1]))
        print(json.dumps({"parts": parts, "peak_mb": _peak_mb()}))
        return
    for row in rows(Runs(quick=options.quick, skip_slow=options.quick)):
        print(f"| {row.what} | {row.result} | {row.target} | {row.note} |")


if __name__ == "__main__":
    main()
