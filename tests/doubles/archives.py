"""DICOM archives as one hopes never to meet them, by pynetdicom."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from types import TracebackType
from typing import Self

from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, build_context, build_role, evt
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

_PENDING, _SUCCESS, _NOT_SUPPORTED = 0xFF00, 0x0000, 0xC000
_OUT_OF_RESOURCES, _CANNOT_UNDERSTAND = 0xA700, 0xC001


class Habit(StrEnum):
    """What is wrong with an archive."""

    HONEST = "stores what it is sent, and tells what it holds"
    REFUSES = "takes no association under its title"
    ABORTS = "breaks the association off with the second image"
    LOSES = "accepts every image and keeps none"
    LOSES_ONE = "accepts every image and does not keep the second"
    SLOW = "takes a second for each image"
    FULL = "has no room after the first image"
    CANNOT_READ = "understands no image"
    TAKES_NOTHING = "takes no storage SOP class"
    COMMITS_FALSELY = "keeps nothing, and commits all of it"
    KNOWS_SERIES_ONLY = "answers no C-FIND at the level of images"
    ANSWERS_NO_FIND = "offers no C-FIND"


class Archive:
    """A storage SCP with one habit.

    Parameters
    ----------
    reports_to
        Host and port of the ORTHANC that asks for storage commitment; reports come on an association of their own.
    """

    def __init__(self, aet: str, habit: Habit = Habit.HONEST, reports_to: tuple[str, int] | None = None) -> None:
        self.aet = aet
        self.habit = habit
        self.reports_to = reports_to
        self.arrived = 0
        #: The levels of C-FIND at which it was asked.
        self.asked: list[str] = []
        #: Of each image kept: its series, by its SOP Instance UID.
        self.kept: dict[str, str] = {}
        self._reporters: list[threading.Thread] = []
        ae = AE(ae_title=f"NOT {aet}" if habit is Habit.REFUSES else aet)
        ae.require_called_aet = True
        ae.supported_contexts = [build_context(Verification), build_context(StorageCommitmentPushModel)]
        if habit is not Habit.TAKES_NOTHING:
            ae.supported_contexts += AllStoragePresentationContexts
        if habit is not Habit.ANSWERS_NO_FIND:
            ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        handlers = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_N_ACTION, self._commit),
        ]
        self._server = ae.start_server(("0.0.0.0", 0), block=False, evt_handlers=handlers)
        self.port: int = self._server.socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        for reporter in self._reporters:
            reporter.join()

    def _store(self, event: evt.Event) -> int:
        self.arrived += 1
        match self.habit:
            case Habit.ABORTS if self.arrived == 2:
                event.assoc.abort()
                return _SUCCESS
            case Habit.SLOW:
                time.sleep(1)
            case Habit.FULL if self.arrived > 1:
                return _OUT_OF_RESOURCES
            case Habit.CANNOT_READ:
                return _CANNOT_UNDERSTAND
            case Habit.LOSES | Habit.COMMITS_FALSELY:
                return _SUCCESS
            case Habit.LOSES_ONE if self.arrived == 2:
                return _SUCCESS
        self.kept[str(event.request.AffectedSOPInstanceUID)] = str(event.dataset.SeriesInstanceUID)
        return _SUCCESS

    def _find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        self.asked.append(asked.QueryRetrieveLevel)
        if asked.QueryRetrieveLevel == "SERIES":
            for series, number in Counter(self.kept.values()).items():
                answer = _answer(asked, series)
                answer.NumberOfSeriesRelatedInstances = number
                yield _PENDING, answer
        elif self.habit is Habit.KNOWS_SERIES_ONLY:
            yield _NOT_SUPPORTED, None
        else:
            for uid, series in self.kept.items():
                if series == asked.SeriesInstanceUID:
                    answer = _answer(asked, series)
                    answer.SOPInstanceUID = uid
                    yield _PENDING, answer

    def _commit(self, event: evt.Event) -> tuple[int, Dataset]:
        reporter = threading.Thread(target=self._report, args=(event.action_information,))
        self._reporters.append(reporter)
        reporter.start()
        return _SUCCESS, Dataset()

    def _report(self, asked: Dataset) -> None:
        """Storage commitment result (PS3.4, J.3.3): event 1 all is safe, event 2 some is not."""
        assert self.reports_to is not None
        report, kept, lost = Dataset(), [], []
        for item in asked.ReferencedSOPSequence:
            if self.habit is Habit.COMMITS_FALSELY or str(item.ReferencedSOPInstanceUID) in self.kept:
                kept.append(item)
            else:
                item.FailureReason = 0x0112
                lost.append(item)
        report.TransactionUID = asked.TransactionUID
        if kept:
            report.ReferencedSOPSequence = kept
        if lost:
            report.FailedSOPSequence = lost
        ae = AE(ae_title=self.aet)
        ae.add_requested_context(StorageCommitmentPushModel)
        role = build_role(StorageCommitmentPushModel, scp_role=True)
        association = ae.associate(*self.reports_to, ae_title="ORTHANC", ext_neg=[role])
        if association.is_established:
            association.send_n_event_report(
                report, 2 if lost else 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
            )
            association.release()


def _answer(asked: Dataset, series: str) -> Dataset:
    answer = Dataset()
    answer.QueryRetrieveLevel = asked.QueryRetrieveLevel
    answer.StudyInstanceUID = asked.StudyInstanceUID
    answer.SeriesInstanceUID = series
    return answer
