"""Events reach every subscriber, whatever one of them does."""

from __future__ import annotations

import logging

import pytest

from host.events import Event, Events


def test_subscribers_are_told_in_the_order_in_which_they_came() -> None:
    event: Event[int] = Event("counted")
    told: list[tuple[str, int]] = []
    event.subscribe(lambda payload: told.append(("first", payload)))
    event.subscribe(lambda payload: told.append(("second", payload)))
    event.publish(7)
    assert told == [("first", 7), ("second", 7)]


def test_one_that_raises_stops_neither_the_others_nor_the_publisher(caplog: pytest.LogCaptureFixture) -> None:
    event: Event[int] = Event("counted")
    told: list[int] = []

    def broken(_payload: int) -> None:
        raise RuntimeError("no")

    event.subscribe(broken)
    event.subscribe(told.append)
    with caplog.at_level(logging.ERROR):
        event.publish(1)
    assert told == [1]
    assert "A subscriber of counted failed" in caplog.text


def test_publishing_to_nobody_is_allowed_and_each_server_has_events_of_its_own() -> None:
    one, other = Events(), Events()
    told: list[object] = []
    one.changed.subscribe(told.append)
    other.changed.publish(None)
    assert told == []
