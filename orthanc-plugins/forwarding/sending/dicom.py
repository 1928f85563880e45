"""Sending by C-STORE, through Orthanc's own engine; proof by storage commitment and C-FIND."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from weakref import WeakKeyDictionary

from forwarding.configuration import Destination, Dicom
from forwarding.model import Consignment, Instance, Progress, Proof, Refused, Unreachable
from forwarding.reading import read_series
from forwarding.sending.files import give_up_when
from host.archive import Archive, ArchiveError, Json, UnknownResource

_SHORTEST_POLL_S, _LONGEST_POLL_S = 0.02, 0.1
_UNFINISHED = {"Pending", "Running", "Paused", "Retry"}
#: What Orthanc says of a service that the peer does not offer.
_NOT_OFFERED = "presentation context"


class DicomSender:
    """Implements ``forwarding.model.Sender``."""

    def __init__(self, archive: Archive, destination: Destination, endpoint: Dicom) -> None:
        self._archive = archive
        self._name = destination.name
        self._timeout_s = int(destination.timeout_s)
        self._path = f"/modalities/{endpoint.modality}"
        self._commitment = endpoint.storage_commitment
        self._lock = threading.Lock()
        #: What Orthanc was sending to this peer when the first of our own was about to be sent.
        self._resumed: dict[frozenset[str], str] | None = None
        #: What the peer held, by series, of studies before they were sent.
        self._before: WeakKeyDictionary[Consignment, dict[str, int]] = WeakKeyDictionary()

    def probe(self) -> None:
        """C-ECHO."""
        try:
            self._archive.post(f"{self._path}/echo", {"Timeout": min(self._timeout_s, 10)})
        except ArchiveError as error:
            raise self._unreachable("does not answer C-ECHO", error) from error

    def send(self, consignment: Consignment, progress: Progress, stopping: threading.Event) -> None:
        give_up_when(stopping)
        if consignment.whole:
            # Orthanc takes half as long to look at the study as at each of its instances.
            resources = [consignment.study_orthanc_id]
        else:
            resources = [each for instances in consignment.series.values() for each in instances]
        with suppress(Refused, Unreachable):
            self._before[consignment] = self._counts(consignment.study_instance_uid)
        job = self._resumed_job(resources) or self._start_job(resources)
        try:
            told = self._follow(job, consignment, progress, stopping)
        except BaseException:
            # A job that nobody follows would go on, and after a restart of the server once more.
            self._cancel(job)
            raise
        if told["State"] != "Success":
            raise self._failure(told)
        progress(len(consignment), consignment.size_bytes)

    def prove(self, consignment: Consignment, stopping: threading.Event) -> Proof:
        """By storage commitment where configured. C-FIND must agree, where the peer offers it: it tells who lies."""
        give_up_when(stopping)
        if not self._commitment:
            return Proof("c_find", self._not_found(consignment))
        missing = self._not_committed(consignment, stopping)
        with suppress(Refused, Unreachable):
            missing |= self._not_found(consignment)
        return Proof("storage_commitment", missing)

    # C-STORE

    def _resumed_job(self, resources: list[str]) -> str | None:
        """The same sending, begun before this server was killed: Orthanc resumes its jobs by itself."""
        with self._lock:
            if self._resumed is None:
                self._resumed = dict(self._unfinished_jobs())
            return self._resumed.pop(frozenset(resources), None)

    def _unfinished_jobs(self) -> Iterator[tuple[frozenset[str], str]]:
        aet = self._archive.get(f"{self._path}/configuration")["AET"]
        for job in self._archive.get("/jobs?expand"):
            content = job["Content"]
            ours = job["Type"] == "DicomModalityStore" and content["RemoteAet"] == aet
            if ours and job["State"] in _UNFINISHED:
                yield frozenset(each["ID"] for each in content.get("Resources", ())), job["ID"]

    def _start_job(self, resources: list[str]) -> str:
        body = {"Resources": resources, "Asynchronous": True, "Timeout": self._timeout_s}
        try:
            return str(self._archive.post(f"{self._path}/store", body)["ID"])
        except UnknownResource as error:
            raise Refused(f"The study was changed while it was to be sent to {self._name}: {error}.") from error
        except ArchiveError as error:
            raise self._unreachable("could not be sent to", error) from error

    def _follow(self, job: str, consignment: Consignment, progress: Progress, stopping: threading.Event) -> Json:
        pause_s = _SHORTEST_POLL_S
        while True:
            try:
                told = self._archive.get(f"/jobs/{job}")
            except ArchiveError as error:
                raise Refused(f"Orthanc's job {job} to {self._name} has vanished; it is sent anew.") from error
            if told["State"] not in _UNFINISHED:
                return told
            share = told["Progress"] / 100
            progress(int(share * len(consignment)), int(share * consignment.size_bytes))
            stopping.wait(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_POLL_S)
            give_up_when(stopping)

    def _cancel(self, job: str) -> None:
        # It may have ended this moment.
        with suppress(ArchiveError):
            self._archive.post(f"/jobs/{job}/cancel", {})

    def _failure(self, job: Json) -> Unreachable | Refused:
        """An association that is broken off may be the study's fault: whoever catches Unreachable probes."""
        details = job.get("ErrorDetails") or job.get("ErrorDescription") or "no reason given"
        if "connecting to AET" in details:
            return self._unreachable("takes no association", details)
        if "DIMSE status 0xA7" in details:
            return Unreachable(f"{self._name} is out of resources ({details}): make room on its disk.")
        if _NOT_OFFERED in details:
            remedy = "have it accept these SOP classes and transfer syntaxes"
            return Refused(f"{self._name} does not take this kind of object ({details}): {remedy}.")
        if "DIMSE status" in details or job.get("State") != "Failure":
            return Refused(f"{self._name} did not take the study ({details}): its log says why.")
        return self._unreachable("broke the association off half way", details)

    # Proof

    def _not_committed(self, consignment: Consignment, stopping: threading.Event) -> frozenset[str]:
        """Storage commitment, push model (PS3.4, annex J)."""
        asked = [
            {"SOPClassUID": instance.sop_class_uid, "SOPInstanceUID": instance.sop_instance_uid}
            for instance in consignment.instances
        ]
        body = {"DicomInstances": asked, "Timeout": self._timeout_s}
        try:
            path = self._archive.post(f"{self._path}/storage-commitment", body)["Path"]
        except ArchiveError as error:
            if _NOT_OFFERED in str(error):
                remedy = "set StorageCommitment to false, C-FIND is asked then"
                raise Refused(f"{self._name} offers no storage commitment: {remedy}.") from error
            raise self._unreachable("does not answer storage commitment", error) from error
        deadline = time.monotonic() + self._timeout_s
        while (report := self._archive.get(path))["Status"] == "Pending":
            if time.monotonic() > deadline:
                raise Refused(
                    f"{self._name} sent no storage commitment report within {self._timeout_s} s: tell it this server's "
                    "AE title, host and port."
                )
            stopping.wait(_LONGEST_POLL_S)
            give_up_when(stopping)
        committed = {each["SOPInstanceUID"] for each in report["Success"]}
        return frozenset(instance.sop_instance_uid for instance in consignment.instances) - committed

    def _not_found(self, consignment: Consignment) -> frozenset[str]:
        open_ = consignment.series.keys() - self._proven_by_number(consignment)
        if not open_:
            return frozenset()
        by_series: dict[str, list[Instance]] = defaultdict(list)
        for instance in consignment.instances:
            by_series[instance.series_instance_uid].append(instance)
        missing: set[str] = set()
        for series in open_:
            missing |= self._not_found_in(consignment.study_instance_uid, series, by_series[series])
        return frozenset(missing)

    def _proven_by_number(self, consignment: Consignment) -> set[str]:
        """Series of which the peer held nothing before, was sent all that is here, and holds as many instances now.

        Of the others it is asked by name, which takes an archive thirty times as long.
        """
        before = self._before.pop(consignment, None)
        if before is None:
            return set()
        now = self._counts(consignment.study_instance_uid)
        ours = read_series(self._archive, consignment.study_orthanc_id)
        return {
            series
            for series, instances in consignment.series.items()
            if series not in before
            and now.get(series) == len(instances)
            and set(instances) == set(ours.get(series, ()))
        }

    def _counts(self, study: str) -> dict[str, int]:
        """How many instances the peer holds of each series of a study."""
        keys = {"StudyInstanceUID": study, "SeriesInstanceUID": "", "NumberOfSeriesRelatedInstances": ""}
        return {
            each.get("SeriesInstanceUID", ""): _number(each.get("NumberOfSeriesRelatedInstances"))
            for each in self._find("Series", keys)
        }

    def _not_found_in(self, study: str, series: str, instances: list[Instance]) -> set[str]:
        """By their SOP Instance UIDs; of a peer that does not go down to images, by their number."""
        keys = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
        wanted = {instance.sop_instance_uid for instance in instances}
        try:
            found = {each.get("SOPInstanceUID", "") for each in self._find("Instance", {**keys, "SOPInstanceUID": ""})}
            if found:
                return wanted - found
        except (Unreachable, Refused):
            pass  # Whether it is the level or the peer, the next query tells.
        return set() if self._counts(study).get(series, 0) >= len(wanted) else wanted

    def _find(self, level: str, query: dict[str, str]) -> list[dict[str, str]]:
        body = {"Level": level, "Query": query, "Timeout": self._timeout_s}
        try:
            path = self._archive.post(f"{self._path}/query", body)["Path"]
            found: list[dict[str, str]] = self._archive.get(f"{path}/answers?expand&simplify")
        except ArchiveError as error:
            if _NOT_OFFERED in str(error):
                remedy = "let it answer C-FIND to this server, else nothing proves what it holds"
                raise Refused(f"{self._name} offers no C-FIND: {remedy}.") from error
            raise self._unreachable("does not answer C-FIND", error) from error
        return found

    def _unreachable(self, what: str, reason: object) -> Unreachable:
        remedy = "check that it runs, and its AE title, host and port in modalities.json"
        return Unreachable(f"{self._name} {what} ({reason}): {remedy}.")


def _number(text: str | None) -> int:
    return int(text) if text and text.strip().isdecimal() else 0
