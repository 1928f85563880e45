"""A destination that does not answer is left alone for longer and longer, and noticed when it is back."""

from __future__ import annotations

import pytest

from forwarding.availability import Watch, back_off_s
from forwarding.model import Refused, Unreachable
from unit.forwarding.memory_sender import MemorySender


def test_waits_double_up_to_a_limit_and_are_spread() -> None:
    for failures, longest in ((1, 10), (2, 20), (4, 80), (9, 100), (1000, 100)):
        waits = [back_off_s(10, failures, 100) for _ in range(200)]
        assert longest / 2 <= min(waits) < max(waits) <= longest


def test_nothing_is_known_before_the_first_probe_and_sending_may_be_tried() -> None:
    watch = Watch("archive", MemorySender(), 10, lambda: None)
    assert watch.known.state == "unknown"
    assert watch.admits


@pytest.mark.parametrize("fault", [Unreachable("connection refused"), Refused("unknown AE title")])
def test_a_failed_probe_shuts_and_a_good_one_opens_again(fault: Exception) -> None:
    sender, woken = MemorySender(), []
    watch = Watch("archive", sender, 10, lambda: woken.append(True))
    sender.probe_faults = [fault]
    assert not watch.probe()
    assert (watch.known.state, watch.known.reason, watch.admits) == ("down", str(fault), False)
    since = watch.known.since
    sender.probe_faults = [fault]
    watch.probe()
    assert watch.known.since == since
    assert watch.probe()
    assert (watch.known.state, watch.known.reason, watch.admits, woken) == ("up", None, True, [True])
    assert watch.known.since > since


def test_probes_wait_for_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("forwarding.availability.time.monotonic", lambda: clock[0])
    sender = MemorySender()
    watch = Watch("archive", sender, 10, lambda: None)
    sender.probe_faults = [None, Unreachable("gone")]
    watch.turn()
    watch.turn()
    assert sender.probes == 1
    clock[0] += 61
    watch.turn()
    assert (sender.probes, watch.known.state) == (2, "down")
    clock[0] += 4.9
    watch.turn()
    assert sender.probes == 2
    clock[0] += 5.2
    watch.turn()
    assert (sender.probes, watch.known.state) == (3, "up")


def test_a_probe_that_fails_in_an_unforeseen_way_counts_as_down() -> None:
    sender = MemorySender()
    sender.probe_faults = [ValueError("odd")]
    watch = Watch("archive", sender, 10, lambda: None)
    with pytest.raises(ValueError, match="odd"):
        watch.probe()
    assert watch.known.state == "down"
