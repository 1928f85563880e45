"""De-identified files that wait to leave have no name on disk: a killed server leaves none of them."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from unit.forwarding.holding import hold_files


def test_a_killed_server_leaves_no_deidentified_file(tmp_path: Path, data_folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    are_held = context.Event()
    image = data_folder / "sts" / "STS_001" / "CT" / "image" / "000000.dcm"
    process = context.Process(target=hold_files, args=(image, tmp_path, are_held), daemon=True)
    process.start()
    assert are_held.wait(120)
    opened = [each for each in Path(f"/proc/{process.pid}/fd").iterdir() if str(tmp_path) in str(each.readlink())]
    assert [each.stat().st_size > 50_000 for each in opened] == [True]
    process.kill()
    process.join()
    assert list(tmp_path.iterdir()) == []
