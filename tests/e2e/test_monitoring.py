"""``./pacs up --profile monitoring``: Prometheus sees the stack, and every panel's query returns data."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles import dcm4chee_figures
from e2e.conftest import copy_checkout
from e2e.stack import Stack, docker

ROOT = Path(__file__).resolve().parents[2]
#: Two scrapes and a rule's turn, on a machine that has other work.
PATIENCE_S = 180
#: Panels that are rightly empty on this stack: nothing fires yet, the disk does not fill within a day, and of DCM4CHEE
#: there is a double, without WildFly.
EMPTY = {"Firing", "Disk full in", "Memory of WildFly", "Threads of WildFly"}
#: A destination that takes everything: this Orthanc itself, which holds it already.
DELIVERED_TO_ITSELF = {
    "modalities.json": {"DicomModalities": {"itself": ["ORTHANC", "127.0.0.1", 4242]}},
    "forwarding.json": {
        "Forwarding": {"Destinations": {"dcm4chee": {"Kind": "dicom", "Modality": "itself", "Studies": [{}]}}}
    },
}
#: Where Orthanc's container finds the double, which runs beside it.
DCM4CHEE_PORT = 18080
BOARDS = {
    path.name: json.loads(path.read_text()) for path in (ROOT / "observability/grafana/dashboards").glob("*.json")
}


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory, test_id: str) -> Iterator[Stack]:
    """A stack of its own with the profile, and one patient through it."""
    folder = tmp_path_factory.mktemp("monitored")
    copy_checkout(folder)
    for name, content in DELIVERED_TO_ITSELF.items():
        (folder / "config/orthanc" / name).write_text(json.dumps(content))
    stack = Stack(folder, f"pacs-test-{test_id}-monitoring")
    try:
        archive = f"http://127.0.0.1:{DCM4CHEE_PORT}/dcm4chee-arc/ctrl/status"
        stack.pacs("up", "--profile", "monitoring", PACS_DCM4CHEE_URL=archive)
        double = Path(dcm4chee_figures.__file__).read_text()
        double += f"\nwith dcm4chee_double({DCM4CHEE_PORT}):\n    threading.Event().wait()\n"
        docker("exec", "--detach", stack.containers()["orthanc"], "python3", "-I", "-c", double)
        stack.pacs("send", str(ROOT / "tests/data/dicompyler"))
        yield stack
    finally:
        stack.pacs("down", "--volumes", "--yes", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def eventually(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        time.sleep(1)


def dashboard(stack: Stack) -> str:
    """Where alerts say that the dashboard is."""
    return f"http://localhost:{stack.dashboard_port}"


def prometheus(stack: Stack, path: str, **parameters: str) -> dict[str, Any]:
    """What Prometheus' own API answers."""
    answer = httpx.get(f"http://127.0.0.1:{stack.prometheus_port}{path}", params=parameters, timeout=30)
    answer.raise_for_status()
    return dict(answer.json()["data"])


def query(stack: Stack, expression: str) -> list[dict[str, Any]]:
    """The result of an instant query."""
    answer = httpx.get(
        f"http://127.0.0.1:{stack.prometheus_port}/api/v1/query", params={"query": expression}, timeout=30
    )
    body = answer.json()
    assert body["status"] == "success", f"{expression}: {body}"
    return list(body["data"]["result"])


def sql(stack: Stack, statement: str) -> str:
    """What Grafana's own role gets as an answer."""
    password = stack.settings()["PACS_GRAFANA_DATABASE_PASSWORD"]
    container = stack.containers()["postgres"]
    command = [
        "psql",
        "-h",
        "127.0.0.1",
        "-U",
        "grafana",
        "-d",
        "pacs",
        "-At",
        "-v",
        "ON_ERROR_STOP=1",
        "-c",
        statement,
    ]
    done = subprocess.run(
        ["docker", "exec", "-e", f"PGPASSWORD={password}", container, *command],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{statement}\n{done.stderr}"
    return done.stdout.strip()


def test_every_target_is_scraped_and_a_profile_that_is_off_is_no_error(monitored: Stack) -> None:
    jobs = {"pacs", "orthanc", "postgres", "host", "nginx", "prometheus"}
    eventually(lambda: {each["metric"]["job"] for each in query(monitored, "up == 1")} >= jobs, "all targets up")
    assert {each["metric"]["job"] for each in query(monitored, "up")} == jobs
    assert query(monitored, "pg_up")[0]["value"][1] == "1"
    assert query(monitored, "nginx_up")[0]["value"][1] == "1"


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_every_panel_of_prometheus_returns_data(monitored: Stack, board: str) -> None:
    expressions = [
        target["expr"].replace("$__rate_interval", "2m").replace("$route", ".*")
        for panel in BOARDS[board]["panels"]
        for target in panel["targets"]
        if "expr" in target and panel["title"] not in EMPTY
    ]
    for expression in expressions:
        eventually(lambda expression=expression: query(monitored, expression), expression)  # type: ignore[misc]


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_every_panel_of_postgresql_returns_data(monitored: Stack, board: str) -> None:
    eventually(lambda: sql(monitored, "SELECT count(*) FROM structure") != "0", "structures in the view")
    eventually(lambda: sql(monitored, "SELECT count(*) FROM series") != "0", "series in the view")
    delivered = "SELECT count(*) FROM delivery WHERE state = 'delivered'"
    eventually(lambda: sql(monitored, delivered) != "0", "a delivery in the view")
    for panel in BOARDS[board]["panels"]:
        for target in panel["targets"]:
            if "rawSql" in target:
                rows = sql(monitored, expand(target["rawSql"]))
                assert rows and rows != "0", panel["title"]


def expand(statement: str) -> str:
    """Grafana's macros, as its documentation of the PostgreSQL datasource defines them."""
    statement = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN now() - interval '90 days' AND now()", statement)
    statement = re.sub(r"\$__timeGroup\((\w+), '1d'\)", r"date_trunc('day', \1)", statement)
    return statement.replace("$modality", "'CT', 'RTSTRUCT', 'RTPLAN'")


def test_grafanas_role_reads_the_views_and_nothing_else(monitored: Stack) -> None:
    for forbidden in (
        "SELECT patient_name FROM orthanc_plugins.study",
        "SELECT * FROM public.maindicomtags",
        "SELECT * FROM orthanc_plugins.delivery",
        "CREATE TABLE reporting.mine (a int)",
    ):
        with pytest.raises(AssertionError, match=r"permission denied|read-only|cannot execute"):
            sql(monitored, forbidden)


def test_the_second_up_changes_nothing_and_status_shows_prometheus(monitored: Stack) -> None:
    before = monitored.containers()
    output = monitored.pacs("up").stdout
    assert monitored.containers() == before
    assert re.search(r"^prometheus +\S+ +(up|healthy)", output, re.MULTILINE), output


def test_every_alert_has_its_runbook_one_click_away(monitored: Stack) -> None:
    groups = prometheus(monitored, "/api/v1/rules", type="alert")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 15
    for rule in rules:
        address = rule["annotations"]["runbook_url"]
        page = httpx.get(address.replace("{{ $externalLabels.dashboard }}", dashboard(monitored)), timeout=30)
        assert page.status_code == 200, address
        assert page.headers["Content-Type"].startswith("text/html")
        assert re.search(rf"<h1>.*\b{rule['name']}\b.*</h1>", page.text), address
        assert "What to do" in page.text


def test_runbooks_are_listed_lead_to_one_another_and_to_nothing_else(monitored: Stack) -> None:
    index = httpx.get(f"{dashboard(monitored)}/runbooks/", timeout=30)
    linked = re.findall(r'<a href="([\w-]+\.html)">', index.text)
    assert len(linked) > 10
    for name in linked:
        text = httpx.get(f"{dashboard(monitored)}/runbooks/{name}", timeout=30).text
        for onward in re.findall(r'<a href="([^":]+)"', text):
            answer = httpx.get(f"{dashboard(monitored)}/runbooks/{onward}", timeout=30)
            assert answer.status_code == 200, f"{name} leads to {onward}"
    assert httpx.get(f"{dashboard(monitored)}/runbooks/nothing.html", timeout=30).status_code == 404


def test_a_service_that_stops_raises_an_alert_that_leads_to_its_runbook(monitored: Stack) -> None:
    docker("stop", monitored.containers()["node-exporter"])
    eventually(lambda: query(monitored, 'up{job="host"} == 0'), "the target is seen to be down")
    eventually(lambda: query(monitored, 'ALERTS{alertname="TargetDown",job="host"}'), "the alert is pending or firing")
    alerts = prometheus(monitored, "/api/v1/alerts")["alerts"]
    (raised,) = [alert for alert in alerts if alert["labels"].get("job") == "host"]
    runbook = raised["annotations"]["runbook_url"]
    assert runbook == f"{dashboard(monitored)}/runbooks/TargetDown.html"
    assert httpx.get(runbook, timeout=30).status_code == 200
    page = httpx.get(f"http://127.0.0.1:{monitored.prometheus_port}/consoles/alerts.html", timeout=30)
    assert f'<a href="{runbook}">TargetDown</a>' in page.text
