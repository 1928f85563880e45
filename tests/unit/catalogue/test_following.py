"""The catalogue stays true to the archive, through arrivals, deletions, faults and restarts."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from catalogue.follower import CURSOR, Follower
from host.archive import ArchiveError
from host.events import StructuresExtracted
from store import cursors, studies
from store.database import Database
from unit.archive_double import ArchiveDouble
from unit.host.dicom_files import instance_file, instance_id, series_id, study_id

Counts = Callable[[], dict[str, tuple[int, int]]]


def position(database: Database) -> int | None:
    with database.begin() as connection:
        return cursors.read(connection, CURSOR)


def fill(archive: ArchiveDouble, study: str = "1", series: int = 2, instances: int = 3) -> None:
    for number in range(series):
        for sop in range(instances):
            archive.store_instance(instance_file(str(sop), str(number), study))


def test_a_new_study_appears_after_one_turn(archive: ArchiveDouble, follower: Follower, counts: Counts) -> None:
    fill(archive)
    follower._turn()
    assert counts() == {study_id(): (2, 6)}


def test_late_instances_and_series_are_counted(archive: ArchiveDouble, follower: Follower, counts: Counts) -> None:
    fill(archive)
    follower._turn()
    archive.store_instance(instance_file("late", "0"))
    follower._turn()
    assert counts() == {study_id(): (2, 7)}
    archive.store_instance(instance_file("1", "later"))
    follower._turn()
    assert counts() == {study_id(): (3, 8)}


def test_a_study_whose_structures_were_extracted_is_weighed_again(
    archive: ArchiveDouble, follower: Follower, database: Database
) -> None:
    fill(archive)
    follower._turn()

    def size_bytes() -> int:
        with database.begin() as connection:
            found = studies.get(connection, study_id())
        assert found is not None
        return int(found[0].size_bytes)

    before = size_bytes()
    archive.attach(instance_id("0", "0"), "rtstruct-contours", bytes(1000))
    follower.on_extracted(StructuresExtracted(instance_id("0", "0"), "done", 0.1))
    follower._turn()
    assert size_bytes() == before + 1000


def test_a_turn_without_news_asks_the_archive_nothing(archive: ArchiveDouble, follower: Follower) -> None:
    fill(archive)
    follower._turn()
    asked = archive.count("get")
    for _ in range(5):
        follower._turn()
    assert archive.count("get") == asked


def test_a_burst_of_instances_costs_a_few_questions_per_series(archive: ArchiveDouble, follower: Follower) -> None:
    fill(archive, instances=50)
    asked = archive.count("get")
    follower._turn()
    assert archive.count("get") - asked < 20


def test_a_burst_is_read_when_it_ends_or_has_lasted_long(
    archive: ArchiveDouble, follower: Follower, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalogue.follower._QUIET_S", 3600.0)
    monkeypatch.setattr("catalogue.follower._LONGEST_WAIT_S", 3600.0)
    fill(archive)
    asked = archive.count("get")
    follower._turn()
    assert archive.count("get") == asked, "the burst may go on"
    monkeypatch.setattr("catalogue.follower._LONGEST_WAIT_S", 0.0)
    monkeypatch.setattr("catalogue.follower._REST_PER_READING", 0.0)
    follower._turn()
    assert counts() == {study_id(): (2, 6)}


@pytest.mark.parametrize(
    ("level", "identifier", "left"),
    [
        ("instance", instance_id("0", "0"), (2, 5)),
        ("series", series_id("0"), (1, 3)),
        ("study", study_id(), None),
        ("patient", None, None),
    ],
)
def test_a_deletion_at_any_level_is_followed(
    archive: ArchiveDouble,
    follower: Follower,
    counts: Counts,
    level: str,
    identifier: str | None,
    left: tuple[int, int] | None,
) -> None:
    fill(archive)
    fill(archive, "2")
    follower._turn()
    if identifier is None:
        archive.delete("patient", next(iter(archive.instances.values())).ids["patient"])
        follower._turn()
        assert counts() == {}
        return
    archive.delete(level, identifier)  # type: ignore[arg-type]
    for _ in range(3):  # the counts are compared a turn later, and again
        follower._turn()
    expected = {study_id("2"): (2, 6)} | ({} if left is None else {study_id(): left})
    assert counts() == expected


def test_the_last_instance_of_a_series_takes_it_along(
    archive: ArchiveDouble, follower: Follower, counts: Counts
) -> None:
    fill(archive, instances=1)
    follower._turn()
    archive.delete("instance", instance_id("0", "0"))
    follower._turn()
    assert counts() == {study_id(): (1, 1)}


def test_an_instance_and_another_study_deleted_together_are_both_noticed(
    archive: ArchiveDouble, follower: Follower, counts: Counts
) -> None:
    fill(archive)
    fill(archive, "2")
    follower._turn()
    archive.delete("instance", instance_id("0", "0"))
    archive.delete("study", study_id("2"))
    for _ in range(3):  # the counts are compared a turn later, and again
        follower._turn()
    assert counts() == {study_id(): (2, 5)}


def test_a_study_deleted_and_sent_again_is_there(archive: ArchiveDouble, follower: Follower, counts: Counts) -> None:
    fill(archive)
    follower._turn()
    archive.delete("study", study_id())
    fill(archive, instances=1)
    follower._turn()
    assert counts() == {study_id(): (2, 2)}


def test_a_study_that_is_gone_before_it_is_read_is_passed_over(
    archive: ArchiveDouble, follower: Follower, counts: Counts
) -> None:
    fill(archive)
    fill(archive, "2")
    archive.delete("study", study_id())
    follower._turn()
    assert counts() == {study_id("2"): (2, 6)}


def test_the_cursor_stands_at_the_last_change_and_survives_a_restart(
    archive: ArchiveDouble, follower: Follower, make_follower: Callable[[], Follower], database: Database
) -> None:
    fill(archive)
    follower._turn()
    assert position(database) == archive.last_change
    fill(archive, "2")
    archive.calls.clear()
    make_follower().apply_changes()
    asked = [path for name, path in archive.calls if path.startswith("/changes")]
    assert asked[0].startswith("/changes?since=10&")
    assert position(database) == archive.last_change


def test_what_happened_while_the_plugins_were_off_is_found_at_start(
    archive: ArchiveDouble, follower: Follower, make_follower: Callable[[], Follower], counts: Counts
) -> None:
    fill(archive)
    fill(archive, "2")
    follower._turn()
    archive.events.changed._subscribers.clear()
    archive.events.resource_deleted._subscribers.clear()
    archive.delete("study", study_id())
    archive.delete("instance", instance_id("0", "0", "2"))
    fill(archive, "3")
    archive.empty_changes()
    make_follower()._turn()
    assert counts() == {study_id("2"): (2, 5), study_id("3"): (2, 6)}


def test_emptying_the_log_of_changes_loses_no_study(archive: ArchiveDouble, follower: Follower, counts: Counts) -> None:
    fill(archive)
    follower._turn()
    fill(archive, "2")
    archive.empty_changes()
    follower._turn()
    follower._turn()
    assert set(counts()) == {study_id("1"), study_id("2")}


def test_a_log_that_starts_over_loses_no_study(archive: ArchiveDouble, follower: Follower, counts: Counts) -> None:
    fill(archive)
    follower._turn()
    archive.empty_changes(restart_numbers=True)
    fill(archive, "2", series=1, instances=1)
    follower._turn()
    follower._turn()
    assert set(counts()) == {study_id("1"), study_id("2")}
    fill(archive, "3")
    follower._turn()
    assert study_id("3") in counts()


def test_more_changes_than_one_page_are_all_read(
    archive: ArchiveDouble, follower: Follower, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalogue.follower._CHANGES_PAGE", 4)
    monkeypatch.setattr("catalogue.follower._STUDIES_PAGE", 2)
    for number in range(5):
        fill(archive, str(number))
    follower._turn()
    assert set(counts().values()) == {(2, 6)} and len(counts()) == 5
    follower.rebuild()
    follower._turn()
    assert len(counts()) == 5


def test_a_fault_of_the_archive_only_delays(archive: ArchiveDouble, follower: Follower, counts: Counts) -> None:
    fill(archive)
    for path in ("/changes", "/studies/"):
        archive.fail("get", ArchiveError("away"), about=path)
        with pytest.raises(ArchiveError):
            follower._turn()
    assert counts() == {}
    follower._turn()
    assert counts() == {study_id(): (2, 6)}


def test_a_deletion_during_a_fault_is_not_forgotten(archive: ArchiveDouble, follower: Follower, counts: Counts) -> None:
    fill(archive)
    follower._turn()
    archive.delete("study", study_id())
    archive.fail("get", ArchiveError("away"), about="/studies/")
    with pytest.raises(ArchiveError):
        follower._turn()
    follower._turn()
    assert counts() == {}


def test_rebuilding_reads_every_study_anew_and_drops_strangers(
    archive: ArchiveDouble, follower: Follower, database: Database, counts: Counts
) -> None:
    fill(archive)
    fill(archive, "2")
    follower._turn()
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE study SET description = 'wrong'")
        connection.exec_driver_sql("DELETE FROM series")
        connection.exec_driver_sql(f"UPDATE study SET orthanc_id = 'stranger' WHERE orthanc_id = '{study_id('2')}'")
    follower.rebuild()
    follower._turn()
    assert counts() == {study_id(): (2, 6), study_id("2"): (2, 6)}
    with database.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM study WHERE description = 'wrong'").scalar() == 0


def test_counts_that_disagree_are_put_right_by_the_comparison(
    archive: ArchiveDouble, follower: Follower, database: Database, counts: Counts
) -> None:
    fill(archive)
    follower._turn()
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE study SET instance_count = 99")
    follower.compare()
    follower._turn()
    assert counts() == {study_id(): (2, 6)}


def test_counts_that_disagree_because_instances_arrive_are_left_alone(
    archive: ArchiveDouble, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(archive, "1")
    follower._turn()
    asked = archive.count("get")
    # Orthanc has stored it; its event is still on the way.
    for number in range(5):
        archive.store_instance(instance_file("0", "0", f"new {number}"))
        follower._changed.clear()
        follower.compare()
    assert archive.count("get") - asked == 5, "no study was asked for its count"


def test_the_longer_a_reading_takes_the_longer_a_burst_waits_for_the_next(
    archive: ArchiveDouble, follower: Follower, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.monotonic() + 1000.0]
    monkeypatch.setattr("catalogue.follower.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("catalogue.follower._QUIET_S", 3600.0)
    monkeypatch.setattr(Follower, "apply_changes", slow := SlowReading(clock, takes_s=2.0))
    for _ in range(400):  # 200 s, an instance every half a second
        follower.on_changed(None)
        clock[0] += 0.5
        follower._turn()
    assert 4 <= slow.readings <= 6


class SlowReading:
    def __init__(self, clock: list[float], takes_s: float) -> None:
        self._clock, self._takes_s, self.readings = clock, takes_s, 0

    def __call__(self) -> None:
        self.readings += 1
        self._clock[0] += self._takes_s


def test_its_thread_follows_by_itself(
    archive: ArchiveDouble, make_follower: Callable[[], Follower], counts: Counts, eventually: Callable[..., None]
) -> None:
    fill(archive)
    follower = make_follower()
    follower.start()
    try:
        eventually(lambda: counts() == {study_id(): (2, 6)})
        fill(archive, "2")
        eventually(lambda: len(counts()) == 2)
    finally:
        follower.stop()
        follower.join()
