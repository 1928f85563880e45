"""Several deliveries to one destination at once: who sends, who waits for a proof, and that each goes once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from forwarding.delivering import Delivering
from forwarding.model import Refused, Unreachable
from forwarding.service import Forwarding
from host.events import StudyStable
from host.plugin import Host
from store.delivery_lists import DeliverySearch
from unit.archive_double import ArchiveDouble
from unit.forwarding.conftest import ARCHIVE
from unit.forwarding.memory_sender import MemorySender
from unit.host.dicom_files import instance_file, study_id


def test_the_next_study_is_sent_while_the_first_one_is_being_proven(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any
) -> None:
    first, second = queue("1"), queue("2")
    asked, answer = threading.Event(), threading.Event()

    def ask() -> None:
        asked.set()
        assert answer.wait(30)

    sender.asked = ask
    other = threading.Thread(target=delivering.deliver_next)
    other.start()
    assert asked.wait(30)
    sender.asked = lambda: None
    delivering.deliver_next()
    assert (row(first).state, row(second).state) == ("verifying", "delivered")
    answer.set()
    other.join()
    assert row(first).state == "delivered"


def test_no_more_studies_are_sent_side_by_side_than_the_destination_takes(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any
) -> None:
    assert ARCHIVE.concurrency == 1
    numbers = [queue(str(study)) for study in range(1, 4)]
    sending = threading.Lock()
    overlaps: list[bool] = []

    def half_way(_stopping: threading.Event) -> None:
        alone = sending.acquire(blocking=False)
        overlaps.append(not alone)
        # Long enough for the others to come.
        threading.Event().wait(0.1)
        if alone:
            sending.release()

    sender.half_way = half_way
    threads = [threading.Thread(target=delivering.deliver_next) for _ in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [False, False, False]
    assert {row(number).state for number in numbers} == {"delivered"}


def test_a_study_that_waits_for_its_turn_is_not_taken_and_may_miss_its_window(
    queue: Any, delivering: Delivering, sender: MemorySender, row: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = queue("1"), queue("2")
    sending, go_on = threading.Event(), threading.Event()

    def half_way(_stopping: threading.Event) -> None:
        sending.set()
        assert go_on.wait(30)

    sender.half_way = half_way
    threads = [threading.Thread(target=delivering.deliver_next) for _ in range(2)]
    threads[0].start()
    assert sending.wait(30)
    threads[1].start()
    threads[1].join(timeout=0.2)
    assert threads[1].is_alive()
    assert (row(second).state, row(second).attempts) == ("waiting", 0)
    monkeypatch.setattr(Delivering, "in_window", False)
    go_on.set()
    for thread in threads:
        thread.join()
    assert (row(first).state, row(second).state, row(second).attempts) == ("delivered", "waiting", 0)


def test_all_threads_together_deliver_everything_once(
    archive: ArchiveDouble, host: Host, sender: MemorySender, eventually: Callable[..., None]
) -> None:
    forwarding = Forwarding(host, (replace(ARCHIVE, concurrency=4),), lambda _destination: sender)
    forwarding.subscribe()
    # Some are refused once, one breaks the connection once.
    sender.faults = [None, Refused("busy"), None, Unreachable("aborted"), *[None] * 3, Refused("busy")]
    for study in range(20):
        for sop in range(3):
            archive.store_instance(instance_file(sop=str(sop), study=str(study)))
    for part in forwarding.background:
        part.start()
    try:
        for study in range(20):
            host.events.study_stable.publish(StudyStable(study_id(str(study))))
        delivered = DeliverySearch(state="delivered")
        eventually(lambda: forwarding.page(delivered, 1, 0)[1] == 20, what="twenty studies delivered")
    finally:
        for part in forwarding.background:
            part.stop()
        for part in forwarding.background:
            part.join()
    assert len(sender.held) == len(set(sender.held)) == 60
