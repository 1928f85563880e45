"""A process that holds de-identified files; apart from the tests, so that it can be imported by name."""

from __future__ import annotations

import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from deidentification import RESEARCH, Deidentifier
from forwarding.sending.files import Files
from unit.archive_double import ArchiveDouble
from unit.conftest import InlineWorkers
from unit.forwarding.consignments import consign


def hold_files(image: Path, folder: Path, are_held: Event) -> None:
    """De-identify a study and hold it, as while it is being sent."""
    archive = ArchiveDouble()
    files = Files(archive, InlineWorkers(), folder, Deidentifier(bytes(32), RESEARCH))
    with files.ready(consign(archive, image), threading.Event()):
        are_held.set()
        time.sleep(600)
