"""Finds the images of a segmentation, has the structure set written, and stores it."""

from __future__ import annotations

from dataclasses import dataclass

from host.answer import Refusal
from host.archive import ArchiveError, InvalidDicom, StoredInstance
from host.jobs import Call
from host.plugin import Host
from host.problems import Problem
from host.workers import ServerStopping, WorkerDied
from rtstruct.writing import Naming, WrittenSet
from rtstruct.writing.segmentations import referenced_series
from writing.engine import write
from writing.models import CreateRequest


@dataclass(frozen=True, slots=True)
class Created:
    """A structure set and where it is."""

    written: WrittenSet
    stored: StoredInstance


class Writing:
    """Makes structure sets."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def create(self, asked: CreateRequest, segmentation: bytes | None, call: Call) -> Created:
        """Let a worker make a structure set of a segmentation, by ``call``, and store it.

        Raises
        ------
        Problem
            400 without a segmentation, 404 without its images, 422 when it cannot be used, 503.
        """
        sources = self._host.sources
        if segmentation is None:
            if asked.instance is None:
                remedy = "Send a file, or name a stored Segmentation as `instance`."
                raise Problem(400, "There is no segmentation in the request.", remedy)
            segmentation = sources.read(sources.instance(asked.instance))
        series = asked.series
        if series is None and segmentation[128:132] == b"DICM":
            series = referenced_series(segmentation)
        if series is None:
            remedy = "Name the image series as `series`: a label map does not say what it was made on."
            raise Problem(422, "It is not known which images the segmentation belongs to.", remedy)
        files = sources.read_all(sources.series(series))
        naming = {
            number: Naming(said.name, said.color, said.interpreted_type) for number, said in asked.structures.items()
        }
        try:
            written: WrittenSet = call(write, segmentation, files, naming, asked.label)
            return Created(written, self._host.archive.store_instance(written.dicom))
        except Refusal as refusal:
            raise Problem(refusal.status, refusal.detail, refusal.remedy) from refusal
        except InvalidDicom as error:
            raise Problem(
                422, f"The archive refuses the structure set: {error}.", "Check the images' header."
            ) from error
        except MemoryError as error:
            raise Problem(422, "It needs more memory than a worker has.", "Crop or split it.") from error
        except (ArchiveError, WorkerDied, ServerStopping) as error:
            raise Problem(503, f"The structure set could not be made now: {error}.", "Try again.") from error
