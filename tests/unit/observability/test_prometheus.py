"""Prometheus' files: accepted by promtool, every alert tested, every alert with its page."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "observability/prometheus"
ALERTS = (FOLDER / "rules/alerts.yml").read_text()
#: Markdown by file name.
RUNBOOKS = {page.name: page.read_text() for page in (ROOT / "docs/runbooks").glob("*.md") if page.name != "README.md"}
NAMES = re.findall(r"^ +- alert: (\w+)$", ALERTS, re.MULTILINE)


def promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=FOLDER / "tests", capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_and_the_rules_are_accepted() -> None:
    # The password file exists in the container only.
    promtool("check", "config", "--syntax-only", "../prometheus.yml")
    promtool("check", "rules", "../rules/alerts.yml", "../rules/recording.yml")


def test_each_alert_fires_when_it_must_and_not_before() -> None:
    promtool("test", "rules", "minutes.yml", "days.yml")


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_is_tested_at_a_time_when_it_fires_and_at_one_when_it_does_not(name: str) -> None:
    tests = "".join(file.read_text() for file in (FOLDER / "tests").iterdir())
    expectations = re.findall(rf"alertname: {name}\n +exp_alerts:( \[\])?", tests)
    assert len(expectations) >= 2
    assert " []" in expectations and "" in expectations


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_leads_to_one_page_that_says_what_to_do(name: str) -> None:
    rule = ALERTS[ALERTS.index(f"- alert: {name}\n") :].split("- alert: ")[1]
    # The dashboard shows each page under the names in its heading.
    assert f'runbook_url: "{{{{ $externalLabels.dashboard }}}}/runbooks/{name}.html"' in rule
    (page,) = [text for text in RUNBOOKS.values() if name in text.splitlines()[0].removeprefix("# ").split(", ")]
    assert "## What to do" in page


def test_each_page_is_of_an_alert_and_stands_in_the_index() -> None:
    index = (FOLDER.parents[1] / "docs/runbooks/README.md").read_text()
    for file, text in RUNBOOKS.items():
        heading = text.splitlines()[0].removeprefix("# ")
        assert set(heading.split(", ")) <= set(NAMES)
        assert f"[{heading}]({file})" in index


def test_every_metric_of_ours_that_is_asked_for_is_exposed() -> None:
    """A misspelt name would be a panel without data, or an alert that never fires."""
    sources = "".join(path.read_text() for path in (ROOT / "orthanc-plugins").rglob("*.py"))
    named = set(re.findall(r'"(pacs_[a-z0-9_]+)"', sources))
    exposed = {name + end for name in named for end in ("", "_total", "_bucket", "_count", "_sum")}
    asked = [*(FOLDER / "rules").glob("*.yml"), *(ROOT / "observability/grafana/dashboards").glob("*.json")]
    for file in asked:
        # What is followed by a colon is the name of a recording rule.
        found = set(re.findall(r"(?<![\w:])pacs_\w+(?![\w:])", file.read_text()))
        assert found <= exposed, f"{file.name}: {found - exposed}"


def test_the_exposition_keeps_prometheus_conventions(exposition: str) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=exposition, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
