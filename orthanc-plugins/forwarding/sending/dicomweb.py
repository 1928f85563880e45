"""Sending by STOW-RS (PS3.18, 10.5), proof by QIDO-RS (10.6)."""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import requests

from forwarding.configuration import Destination, Dicomweb
from forwarding.model import Consignment, Progress, Proof, Refused, Unreachable
from forwarding.sending.files import File, Files, give_up_when
from forwarding.sending.web import Pace, Web

#: One request carries about this much: a server may hold it in memory, and a cut connection costs no more.
BATCH_BYTES = 64 * 1024**2
_PAGE = 500
_SOP_INSTANCE_UID = "00080018"
_FAILED_SOP_SEQUENCE, _FAILURE_REASON = "00081198", "00081197"
#: All stored; some stored; none stored, as far as the service knows.
_STORED, _PARTLY, _CONFLICT = 200, 202, 409


class DicomwebSender:
    """Implements ``forwarding.model.Sender``."""

    def __init__(self, files: Files, destination: Destination, endpoint: Dicomweb) -> None:
        self._files = files
        self._web = Web(destination, endpoint)
        self._bandwidth = destination.bandwidth_bytes_per_s

    def probe(self) -> None:
        """A search for no study in particular."""
        with self._web.session() as session:
            self._found(self._web.ask(session, "GET", "/studies?limit=1", self._web.probe_timeout_s), "a probe")

    def send(self, consignment: Consignment, progress: Progress, stopping: threading.Event) -> None:
        pace = Pace(self._bandwidth, stopping)
        sent = sent_bytes = 0
        give_up_when(stopping)
        with self._files.ready(consignment, stopping) as files, self._web.session() as session:
            for batch in _batches(files):
                answer = self._store(session, _Multipart(batch, pace))
                if answer.status_code != _STORED or _failures(answer):
                    self._check_partial(session, consignment, sent, batch, answer)
                sent += len(batch)
                sent_bytes += sum(file.size_bytes for file in batch)
                progress(sent, sent_bytes)

    def prove(self, consignment: Consignment, stopping: threading.Event) -> Proof:
        give_up_when(stopping)
        with self._web.session() as session:
            return Proof("qido", self._missing(session, consignment))

    def _store(self, session: requests.Session, body: _Multipart) -> requests.Response:
        headers = {"Content-Type": body.content_type, "Accept": "application/dicom+json"}
        timeout_s = self._web.patience_s(len(body))
        return self._web.ask(session, "POST", "/studies", timeout_s, data=body, headers=headers)

    def _check_partial(
        self,
        session: requests.Session,
        consignment: Consignment,
        before: int,
        batch: Sequence[File],
        answer: requests.Response,
    ) -> None:
        """Of an archive that says it failed, ask what it holds: some say 409 of what they have stored."""
        if answer.status_code not in (_STORED, _PARTLY, _CONFLICT, 204):
            raise self._web.strange(answer, "STOW-RS")
        instances = consignment.instances[before : before + len(batch)]
        missing = self._missing(session, consignment.part(instances))
        if missing:
            reasons = ", ".join(sorted({f"{reason:#06x}" for reason in _failures(answer)})) or "it gives no reason"
            raise Refused(
                f"{self._web.name} answers {answer.status_code} and holds {len(instances) - len(missing)} of "
                f"{len(instances)} instances (failure reasons of PS3.18, table I.2-2: {reasons}): its log says why."
            )

    def _missing(self, session: requests.Session, consignment: Consignment) -> frozenset[str]:
        by_series: dict[str, set[str]] = defaultdict(set)
        for instance in consignment.instances:
            by_series[self._files.uid(instance.series_instance_uid)].add(self._files.uid(instance.sop_instance_uid))
        study = self._files.uid(consignment.study_instance_uid)
        missing: set[str] = set()
        for series, wanted in by_series.items():
            missing |= wanted - self._held(session, f"/studies/{study}/series/{series}/instances")
        return frozenset(missing)

    def _held(self, session: requests.Session, path: str) -> set[str]:
        held: set[str] = set()
        for page in count():
            query = f"?includefield={_SOP_INSTANCE_UID}&limit={_PAGE}&offset={page * _PAGE}"
            found = self._found(self._web.ask(session, "GET", path + query), "QIDO-RS")
            new = {str(each[_SOP_INSTANCE_UID]["Value"][0]) for each in found} - held
            held |= new
            # A service that does not page answers the same once more.
            if len(found) < _PAGE or not new:
                break
        return held

    def _found(self, answer: requests.Response, doing: str) -> list[dict[str, Any]]:
        if answer.status_code in (204, 404):
            return []
        if answer.status_code != 200:
            raise self._web.strange(answer, doing)
        try:
            found: list[dict[str, Any]] = answer.json()
        except ValueError as error:
            raise Unreachable(
                f"{self._web.name} answers {doing} with no JSON: check Url in forwarding.json."
            ) from error
        return found


class _Multipart:
    """A body of multipart/related (PS3.18, 8.6.1.2) of known size, in pieces; never more than one file in memory."""

    def __init__(self, files: Sequence[File], pace: Pace) -> None:
        self._files = files
        self._pace = pace
        boundary = secrets.token_hex(16)
        self.content_type = f'multipart/related; type="application/dicom"; boundary={boundary}'
        self._head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        self._tail = f"--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        return sum(len(self._head) + file.size_bytes + 2 for file in self._files) + len(self._tail)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for file in self._files:
            content = file.read()
            if len(content) != file.size_bytes:
                raise Refused(f"A file of {file.size_bytes} bytes has {len(content)} now; it is sent anew.")
            yield self._head
            yield from self._pace.pieces(content)
            yield b"\r\n"
        yield self._tail


def _batches(files: Sequence[File]) -> Iterator[list[File]]:
    batch: list[File] = []
    size = 0
    for file in files:
        if batch and size + file.size_bytes > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size_bytes
    yield batch


def _failures(answer: requests.Response) -> list[int]:
    """The failure reasons in the answer to a STOW-RS (PS3.18, I.2)."""
    try:
        failed = answer.json().get(_FAILED_SOP_SEQUENCE, {}).get("Value", [])
    except (ValueError, AttributeError):
        return []
    return [int(each.get(_FAILURE_REASON, {}).get("Value", [0])[0]) for each in failed]
