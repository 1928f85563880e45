"""A background loop goes on after a fault, can be woken, and ends when it is told to."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import pytest

from host.lifecycle import Loop

LONG_S = 60.0


def test_an_exception_is_logged_once_and_does_not_end_the_loop(
    eventually: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    turns: list[int] = []

    def turn() -> bool:
        turns.append(1)
        if len(turns) == 1:
            raise RuntimeError("passing fault")
        return False

    loop = Loop("tried", turn, 0.01)
    with caplog.at_level(logging.ERROR):
        loop.start()
        eventually(lambda: len(turns) >= 3)
        loop.stop()
        loop.join()
    assert caplog.text.count("tried failed; next try in 0.01 s") == 1


def test_it_takes_the_next_turn_at_once_while_there_is_more(eventually: Callable[..., None]) -> None:
    turns: list[int] = []

    def turn() -> bool:
        turns.append(1)
        return len(turns) < 100

    loop = Loop("busy", turn, LONG_S)
    loop.start()
    eventually(lambda: len(turns) == 100)
    loop.stop()
    loop.join()
    assert len(turns) == 100


def test_waking_cuts_the_rest_short(eventually: Callable[..., None]) -> None:
    turns: list[int] = []

    def turn() -> bool:
        turns.append(1)
        return False

    loop = Loop("sleeper", turn, LONG_S)
    loop.start()
    eventually(lambda: len(turns) == 1)
    loop.wake()
    eventually(lambda: len(turns) == 2)
    loop.stop()
    loop.join()


def test_a_wake_during_a_turn_is_not_lost(eventually: Callable[..., None]) -> None:
    turns: list[int] = []

    def turn() -> bool:
        turns.append(1)
        if len(turns) == 1:
            loop.wake()
        return False

    loop = Loop("woken", turn, LONG_S)
    loop.start()
    eventually(lambda: len(turns) == 2)
    loop.stop()
    loop.join()


def test_stop_returns_at_once_and_join_waits_for_the_turn(eventually: Callable[..., None]) -> None:
    inside, go = threading.Event(), threading.Event()
    ended: list[bool] = []

    def turn() -> bool:
        inside.set()
        go.wait(60)
        ended.append(loop.stopping)
        return True

    loop = Loop("stopped", turn, LONG_S)
    loop.start()
    assert inside.wait(60)
    started = time.perf_counter()
    loop.stop()
    assert time.perf_counter() - started < 30
    assert not ended
    go.set()
    loop.join()
    assert ended == [True]


def test_a_sleeping_loop_ends_without_waiting_for_its_interval(eventually: Callable[..., None]) -> None:
    slept = threading.Event()

    def turn() -> bool:
        slept.set()
        return False

    loop = Loop("sleeper", turn, LONG_S)
    loop.start()
    assert slept.wait(60)
    started = time.perf_counter()
    loop.stop()
    loop.join()
    assert time.perf_counter() - started < LONG_S / 2


def test_a_stop_in_the_instant_before_a_turn_is_not_forgotten() -> None:
    class StoppedWhileClearing(threading.Event):
        def clear(self) -> None:
            loop.stop()
            super().clear()

    loop = Loop("raced", lambda: False, LONG_S)
    loop._wake = StoppedWhileClearing()
    loop.start()
    loop._thread.join(30)
    ended = not loop._thread.is_alive()
    loop.stop()
    loop.join()
    assert ended, "the loop slept through its interval although it had been stopped"


def test_a_loop_that_never_started_can_be_stopped_and_joined() -> None:
    loop = Loop("unborn", lambda: False, LONG_S)
    loop.stop()
    loop.join()
