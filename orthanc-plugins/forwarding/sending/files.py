"""The files of a consignment as they leave: as they are stored, or de-identified by the worker processes.

De-identified files are kept nowhere but in memory and in temporary files without a name, which the kernel removes with
the process, however it ends.
"""

from __future__ import annotations

import errno
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from pydicom.uid import UID, JPEGLosslessSV1

import deidentification
from deidentification import Deidentifier
from forwarding.model import Consignment, HeldBack, Instance, Refused, Unreachable
from host.archive import Archive, ArchiveError, UnknownResource
from host.workers import ServerStopping, WorkerDied, WorkerPool

#: Files that are read and de-identified while the one before them is written or sent.
_AHEAD = 2


@dataclass(frozen=True, slots=True)
class File:
    """One file that is ready to leave; it is read when its turn comes."""

    size_bytes: int
    read: Callable[[], bytes]


class Files:
    """Reads the files of consignments.

    Parameters
    ----------
    folder
        Where temporary files may be as large as a study: on disk, not in memory.
    deidentifier
        None: files leave as they are stored.
    compress
        Whether images that are stored uncompressed leave in JPEG Lossless, where Orthanc can.
    """

    def __init__(
        self,
        archive: Archive,
        workers: WorkerPool,
        folder: Path,
        deidentifier: Deidentifier | None = None,
        compress: bool = False,
    ) -> None:
        self._archive = archive
        self._workers = workers
        self._folder = folder
        self.deidentifier = deidentifier
        self._compress = compress

    def uid(self, original: str) -> str:
        """The UID, Study to SOP Instance, that leaves in place of this one."""
        return self.deidentifier.uid(original) if self.deidentifier else original

    def uids(self, consignment: Consignment) -> frozenset[str]:
        """The SOP Instance UIDs that leave."""
        return frozenset(self.uid(instance.sop_instance_uid) for instance in consignment.instances)

    def each(self, consignment: Consignment, stopping: threading.Event) -> Iterator[bytes]:
        """The files, few in memory at a time. Raises HeldBack, Refused, or Unreachable when ``stopping`` is set."""
        ahead: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(_AHEAD, "forwarding-files") as threads:
            for instance in consignment.instances:
                give_up_when(stopping)
                ahead.append(threads.submit(self._file, instance))
                if len(ahead) > _AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    @contextmanager
    def ready(self, consignment: Consignment, stopping: threading.Event) -> Iterator[list[File]]:
        """The files with their sizes; nothing is yielded before it is known that none of them is held back."""
        if self.deidentifier is None and not self._compress:
            yield [File(each.size_bytes, partial(self._file, each)) for each in consignment.instances]
            return
        with self.temporary_file() as spool:
            sizes = [spool.write(file) for file in self.each(consignment, stopping)]
            spool.seek(0)
            # They are read in this order, each once.
            yield [File(size, partial(spool.read, size)) for size in sizes]

    @contextmanager
    def temporary_file(self) -> Iterator[IO[bytes]]:
        """A file without a name. Raises Refused when it does not fit on the disk."""
        try:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                yield file
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise Refused(
                f"The study does not fit once more on this server's disk ({self._folder}): make room."
            ) from error

    def _file(self, instance: Instance) -> bytes:
        try:
            file = self._compressed(instance.orthanc_id) if self._compress else None
            if file is None:
                file = self._archive.read_instance(instance.orthanc_id)
            if self.deidentifier is None:
                return file
            return bytes(self._workers.call(deidentify, self.deidentifier, file))
        except UnknownResource as error:
            raise Refused(f"Instance {instance.orthanc_id} was deleted while its study was being sent.") from error
        except ArchiveError as error:
            raise Refused(f"Instance {instance.orthanc_id} cannot be read now: {error}.") from error
        except deidentification.HeldBack as error:
            raise HeldBack(f"Instance {instance.orthanc_id} is held back: {error}") from error
        except WorkerDied as error:
            raise Refused(f"De-identifying instance {instance.orthanc_id} has ended its worker: {error}.") from error
        except ServerStopping as error:
            raise Unreachable("This server is stopping.") from error

    def _compressed(self, orthanc_id: str) -> bytes | None:
        """The file in JPEG Lossless; None when it is compressed, has no pixels, or more bits than JPEG takes."""
        told = self._archive.get(f"/instances/{orthanc_id}/metadata?expand")
        if "PixelDataOffset" not in told or UID(told["TransferSyntax"]).is_compressed:
            return None
        try:
            return self._archive.read_transcoded(orthanc_id, JPEGLosslessSV1)
        except UnknownResource:
            raise
        except ArchiveError:
            return None


def deidentify(deidentifier: Deidentifier, dicom: bytes) -> bytes:
    """Within a worker process."""
    return deidentifier.deidentify(dicom)


def give_up_when(stopping: threading.Event) -> None:
    """Raise Unreachable when the sending is to end."""
    if stopping.is_set():
        raise Unreachable("The sending was given up: it was cancelled, or this server stops.")
