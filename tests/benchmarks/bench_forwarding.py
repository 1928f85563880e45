"""Forwarding: against Orthanc's own sending by hand, with a long queue, and its cost on arrival."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psutil

from benchmarks import synthetic
from benchmarks.rows import Row, Runs, in_turn, ms, quartiles, ratio_of, timed
from benchmarks.servers import Orthanc, folder_of, introduce, orthanc, postgres
from store import deliveries
from store.database import Database
from store.deliveries import StudyToDeliver

_SLICES = 300
#: As many studies side by side as a destination takes by default.
_SIDE_BY_SIDE = 2
_WAITING = 10_000
_LEASE = timedelta(seconds=20)
_MODALITIES = {"DicomModalitiesInDatabase": False, "DicomModalities": {"peer": ["ORTHANC", "peer", 4242]}}
_LONGEST_S = 3600.0


def _forwarding(*studies: dict[str, str]) -> dict[str, object]:
    entry = {"Kind": "dicom", "Modality": "peer", "Studies": list(studies)}
    return {"modalities.json": _MODALITIES, "forwarding.json": {"Forwarding": {"Destinations": {"peer": entry}}}}


def rows(runs: Runs) -> Iterator[Row]:
    """By C-STORE to a peer, then the queue alone, then what arrivals pay for it."""
    slices = synthetic.ct_series(_SLICES)
    yield from _against_by_hand(slices, runs.of(20, 4), runs.of(3))
    yield _long_queue()
    yield _on_arrival(slices, runs.of(8))


def _against_by_hand(slices: list[bytes], studies: int, rounds: int) -> Iterator[Row]:
    # The peer answers C-FIND, which is the proof, to modalities that it knows.
    known = {"modalities.json": {"DicomModalities": {"ours": ["ORTHANC", "orthanc", 4242]}}}
    with orthanc(sections=_forwarding()) as ours, orthanc(plugins=False, sections=known) as peer:
        introduce(ours, peer, "peer")
        for number in range(studies):
            with folder_of([_of_study(file, number) for file in slices]) as folder:
                ours.store(Path(folder))
        stored = ours.get("/studies").json()
        ways: list[Callable[[Orthanc, list[str]], None]] = [_through_us, _two_by_hand, _one_by_hand]
        times = []
        for number in range(rounds):
            seconds = {}
            # Each is the first one once.
            for way in ways[number % 3 :] + ways[: number % 3]:
                peer.empty()
                seconds[way] = timed(lambda way=way: way(ours, stored))
                assert peer.get("/statistics").json()["CountInstances"] == studies * len(slices)
            times.append(seconds)
    what = f"{studies} studies × {_SLICES} CT slices by C-STORE, through us and proven : /modalities/x/store by hand"
    for way, how in ((_one_by_hand, "one after the other"), (_two_by_hand, "two side by side")):
        pairs = [(seconds[_through_us], seconds[way]) for seconds in times]
        note = f"median (quartiles) of {rounds} rounds; by hand nothing is proven"
        yield Row(f"{what}, {how}", ratio_of(pairs), "≤ 1.10", note)


def _of_study(file: bytes, number: int) -> bytes:
    """The same slice in a study of its own: the last digits of all its UIDs are others."""
    root = synthetic.UID_ROOT.encode()
    return file.replace(root, root[:-2] + b"%02d" % (10 + number))


def _one_by_hand(server: Orthanc, studies: list[str]) -> None:
    for study in studies:
        body = b'{"Resources": ["%s"], "Synchronous": true}' % study.encode()
        server.post("/modalities/peer/store", body, "application/json")


def _two_by_hand(server: Orthanc, studies: list[str]) -> None:
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
        list(threads.map(lambda study: _one_by_hand(server.another_client(), [study]), studies))


def _through_us(server: Orthanc, studies: list[str]) -> None:
    before = _delivered(server)
    for study in studies:
        server.post("/api/deliveries", b'{"study": "%s", "destination": "peer"}' % study.encode(), "application/json")
    deadline = time.monotonic() + _LONGEST_S
    while _delivered(server) < before + len(studies):
        assert time.monotonic() < deadline, "the studies were not delivered in time"
        # Each question costs what the sending by hand does not ask.
        time.sleep(0.5)


def _delivered(server: Orthanc) -> int:
    (item,) = server.get("/api/deliveries/summary").json()["items"]
    return int(item["delivered"])


def _long_queue() -> Row:
    with postgres() as url:
        database = Database(url)
        database.migrate()
        for number in range(_WAITING):
            with database.begin() as connection:
                deliveries.enqueue(connection, _study(number), "archive")
        process = psutil.Process()
        seconds, before = [], process.memory_info().rss
        for _ in range(_WAITING):
            started = time.perf_counter()
            with database.begin() as connection:
                claimed = deliveries.claim(connection, "archive", "bench", _LEASE)
            seconds.append(time.perf_counter() - started)
            assert claimed is not None
            with database.begin() as connection:
                deliveries.deliver(connection, claimed, "c_find", 1.0)
        grown_mb = (process.memory_info().rss - before) / 2**20
        database.dispose()
    _low, median, high = quartiles(seconds)
    result = f"{ms(median)} (third quartile {ms(high)}); memory {grown_mb:+.0f} MB over all"
    return Row(
        f"Claim one of {_WAITING:,} waiting deliveries", result, "≤ 2 ms, memory flat", "PostgreSQL, all of them"
    )


def _study(number: int) -> StudyToDeliver:
    digests = (hashlib.sha1(b"%d.%d" % (number, each)).hexdigest() for each in range(_SLICES))
    instances = frozenset("-".join(each[start : start + 8] for start in range(0, 40, 8)) for each in digests)
    study = f"{number:08x}-{number:08x}-{number:08x}-{number:08x}-{number:08x}"
    return StudyToDeliver(study, f"1.2.{number}", f"ID{number}", "Doe^Jane", "CT", instances, 150_000_000)


def _on_arrival(slices: list[bytes], rounds: int) -> Row:
    # The peer's name is nobody's: the destination is down.
    with orthanc(sections=_forwarding({})) as on, orthanc() as off, folder_of(slices) as folder:
        for server in (on, off):
            server.store(Path(folder))
        times = in_turn(rounds, lambda: on.store_anew(Path(folder)), lambda: off.store_anew(Path(folder)))
    what = "C-STORE of a 300-slice CT, forwarding on with its destination down : off"
    return Row(what, ratio_of(times), "≤ 1.05", f"median (quartiles) of {rounds} rounds of two runs each")
