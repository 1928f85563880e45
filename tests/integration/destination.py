"""An archive to forward to, by pynetdicom: it keeps a digest of each image, and lets a test act in the middle."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from typing import Self

from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, build_context, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind, Verification
from pynetdicom.transport import ThreadedAssociationServer

_PENDING, _SUCCESS = 0xFF00, 0x0000


class DestinationArchive:
    """A storage and query SCP.

    Attributes
    ----------
    arrivals
        The digests of the pixel data of each arrival, by SOP Instance UID.
    on_store, on_find
        Called before an image is kept, and before a question is answered.
    """

    def __init__(self, aet: str) -> None:
        self.aet = aet
        self.arrivals: dict[str, list[str]] = {}
        self.on_store: Callable[[], None] = _nothing
        self.on_find: Callable[[], None] = _nothing
        self._series: dict[str, str] = {}
        self._lock = threading.Lock()
        self._port = 0
        self._server: ThreadedAssociationServer | None = None
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return self._port

    def start(self) -> None:
        """Listen, after a stop at the same port as before."""
        ae = AE(ae_title=self.aet)
        ae.supported_contexts = [build_context(Verification), *AllStoragePresentationContexts]
        ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        handlers = [(evt.EVT_C_STORE, self._store), (evt.EVT_C_FIND, self._find)]
        self._server = ae.start_server(("0.0.0.0", self._port), block=False, evt_handlers=handlers)
        self._port = int(self._server.socket.getsockname()[1])

    def stop(self) -> None:
        """Be gone: connections end, and no other comes to be."""
        if self._server is not None:
            self._server.shutdown()
        self._server = None

    def _store(self, event: evt.Event) -> int:
        self.on_store()
        uid, dataset = str(event.request.AffectedSOPInstanceUID), event.dataset
        with self._lock:
            self._series[uid] = str(dataset.SeriesInstanceUID)
            self.arrivals.setdefault(uid, []).append(digest_of(dataset))
        return _SUCCESS

    def _find(self, event: evt.Event) -> Iterator[tuple[int, Dataset]]:
        self.on_find()
        asked = event.identifier
        with self._lock:
            held = [uid for uid, series in self._series.items() if series == asked.get("SeriesInstanceUID")]
        for uid in held if asked.QueryRetrieveLevel == "IMAGE" else ():
            answer = Dataset()
            answer.QueryRetrieveLevel = "IMAGE"
            answer.StudyInstanceUID, answer.SeriesInstanceUID = asked.StudyInstanceUID, asked.SeriesInstanceUID
            answer.SOPInstanceUID = uid
            yield _PENDING, answer


def digest_of(dataset: Dataset) -> str:
    """Of what must arrive as it left."""
    content = hashlib.sha256(dataset.PixelData)
    content.update(f"{dataset.PatientID}|{dataset.PatientName}|{dataset.SOPInstanceUID}".encode())
    return content.hexdigest()


def _nothing() -> None:
    """Nothing happens."""
