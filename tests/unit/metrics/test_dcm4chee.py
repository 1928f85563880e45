"""DCM4CHEE's metrics: asked in the background, kept with their age, whatever it answers."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, generate_latest

import metrics
from doubles.dcm4chee_figures import Broken, Dcm4cheeDouble, dcm4chee_double
from host.plugin import Host
from host.settings import ServiceSettings, Settings
from metrics.dcm4chee import Dcm4cheeMetrics, Dcm4cheeRest, application_of

Value = Callable[..., float | None]
RS = "/dcm4chee-arc/aets/DCM4CHEE/rs"


@pytest.fixture
def double() -> Iterator[Dcm4cheeDouble]:
    with dcm4chee_double() as running:
        yield running


class Clock:
    """A clock that stands still until it is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def collector(double: Dcm4cheeDouble, clock: Clock) -> Dcm4cheeMetrics:
    rest = Dcm4cheeRest(f"{double.address}/dcm4chee-arc", "DCM4CHEE", timeout_s=0.5)
    return Dcm4cheeMetrics(rest, clock=clock)


@pytest.fixture
def registry(collector: Dcm4cheeMetrics) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(collector)
    return made


@pytest.fixture
def value(registry: CollectorRegistry) -> Value:
    def read(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"pacs_dcm4chee_{name}", labels)

    return read


def test_it_tells_holdings_storage_and_failed_tasks(collector: Dcm4cheeMetrics, value: Value) -> None:
    assert value("studies") is None
    collector.ask()
    assert value("studies") == 2
    assert value("instances") == 350
    assert value("studies_bytes") == 184_000_000
    assert value("storage_size_bytes", storage="fs1") == 100_000_000_000
    assert value("storage_free_bytes", storage="fs1") == 40_000_000_000
    assert value("failed_tasks", queue="Export1") == 3
    assert value("failed_tasks", queue="HL7Send") == 0


def test_a_storage_system_that_does_not_know_its_space_is_left_out(collector: Dcm4cheeMetrics, value: Value) -> None:
    collector.ask()
    assert value("storage_free_bytes", storage="s3") is None


def test_the_age_is_that_of_the_last_good_answer(
    collector: Dcm4cheeMetrics, double: Dcm4cheeDouble, clock: Clock, value: Value
) -> None:
    clock.now += 30
    assert value("answer_age_seconds", question="studies") == 30
    collector.ask()
    assert value("answer_age_seconds", question="studies") == 0
    double.answers[f"{RS}/studies/count"] = Broken(500, "text/plain", b"java.lang.NullPointerException")
    clock.now += 60
    collector.ask()
    assert value("answer_age_seconds", question="studies") == 60
    assert value("studies") == 2
    assert value("answer_age_seconds", question="instances") == 0


@pytest.mark.parametrize(
    "answer",
    [
        Broken(404, body=b'{"errorMessage":"No such Application Entity: DCM4CHEE"}'),
        Broken(500, "text/plain", b"java.lang.IllegalStateException\n\tat org.dcm4chee"),
        Broken(401, "text/html", b"<html>Keycloak</html>"),
        Broken(302, "text/html"),
        Broken(204),
        Broken(200, "text/html", b"<html>not an archive</html>"),
        Broken(body=b'{"count":'),
        Broken(body=b'{"count":-1}'),
        Broken(body=b'{"count":"many"}'),
        Broken(body=b'{"size":3}'),
        Broken(body=b"[]"),
        Broken(body=b"\xff\xfe"),
        Broken(body=b" " * 2_000_000),
        Broken(body=b'{"count":1}' + b" " * 100, drip_s=0.1),
    ],
    ids=lambda answer: f"{answer.status}-{answer.body[:12]!r}-{answer.drip_s}",
)
def test_an_answer_that_is_none_leaves_the_others_and_is_told_once(
    collector: Dcm4cheeMetrics,
    double: Dcm4cheeDouble,
    value: Value,
    answer: Broken,
    caplog: pytest.LogCaptureFixture,
) -> None:
    double.answers[f"{RS}/studies/count"] = answer
    with caplog.at_level(logging.WARNING):
        collector.ask()
        collector.ask()
    assert value("studies") is None
    assert value("instances") == 350
    (told,) = caplog.messages
    assert f"{RS}/studies/count" in told
    assert "Keycloak" not in told and "Exception" not in told


def test_a_bad_answer_about_one_queue_keeps_what_was_known_of_all(
    collector: Dcm4cheeMetrics, double: Dcm4cheeDouble, value: Value
) -> None:
    collector.ask()
    double.answers["/dcm4chee-arc/queue/HL7Send/count"] = Broken(500)
    double.answers["/dcm4chee-arc/queue/Export1/count"] = {"count": 4}
    collector.ask()
    assert value("failed_tasks", queue="Export1") == 3


def test_an_archive_that_is_away_costs_a_scrape_nothing(clock: Clock) -> None:
    away = Dcm4cheeMetrics(Dcm4cheeRest("http://127.0.0.1:9/dcm4chee-arc", "DCM4CHEE"), clock=clock)
    away.ask()
    clock.now += 5
    (age,) = away.collect()
    assert {sample.value for sample in age.samples} == {5}


def test_the_number_of_series_is_bounded(collector: Dcm4cheeMetrics, double: Dcm4cheeDouble) -> None:
    systems = [{"dcmStorageID": f"fs{number}", "usableSpace": 1, "totalSpace": 2} for number in range(500)]
    double.answers["/dcm4chee-arc/storage"] = systems
    collector.ask()
    assert sum(len(family.samples) for family in collector.collect()) < 250


def test_its_metrics_keep_prometheus_conventions(collector: Dcm4cheeMetrics, registry: CollectorRegistry) -> None:
    collector.ask()
    done = subprocess.run(["promtool", "check", "metrics"], input=generate_latest(registry), capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_asked_only_where_it_is_configured(host: Host, double: Dcm4cheeDouble) -> None:
    def made(url: str | None) -> tuple[object, ...]:
        settings = replace(host.settings, services=(ServiceSettings("dcm4chee", url),))
        return tuple(metrics.create(replace(host, settings=settings, metrics=CollectorRegistry())).background)

    assert made(None) == ()
    assert made("http://elsewhere/health") == ()
    assert len(made(f"{double.address}/dcm4chee-arc/ctrl/status")) == 1


def test_its_thread_asks_by_itself_and_ends(
    serve: Callable[..., TestClient], host: Host, double: Dcm4cheeDouble, eventually: Callable[..., None]
) -> None:
    services = (ServiceSettings("dcm4chee", f"{double.address}/dcm4chee-arc/ctrl/status"),)
    plugin = metrics.create(replace(host, settings=replace(host.settings, services=services)))
    (background,) = plugin.background
    background.start()
    try:
        eventually(lambda: any(path.endswith("/queue/IANSCU/count?status=FAILED") for path in double.asked))
    finally:
        begin = time.monotonic()
        background.stop()
        background.join()
    assert time.monotonic() - begin < 30


def test_another_ae_title_can_be_asked_for() -> None:
    assert Settings.from_environment({}).dcm4chee_ae_title == "DCM4CHEE"
    assert Settings.from_environment({"PACS_DCM4CHEE_AET": "ARCHIVE"}).dcm4chee_ae_title == "ARCHIVE"


def test_the_application_is_where_its_health_page_is() -> None:
    assert application_of("http://a:8080/dcm4chee-arc/ctrl/status") == "http://a:8080/dcm4chee-arc"
    assert application_of("http://a:8080/") is None
