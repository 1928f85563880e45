"""Prometheus' files: accepted by promtool, every alert tested, every alert with its page."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "observability/prometheus"
ALERTS = (FOLDER / "rules/alerts.yml").read_text()
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


@pytest.mark.parametrize("page", sorted(set(re.findall(r"runbook: (\S+)", ALERTS))))
def test_each_alert_has_a_page_that_names_it_and_says_what_to_do(page: str) -> None:
    text = (ROOT / page).read_text()
    assert "## What to do" in text
    named = [name for name in NAMES if re.search(rf"alert: {name}\n(?:(?!- alert)[\s\S])*?runbook: {page}", ALERTS)]
    assert named and all(name in text.splitlines()[0] for name in named)


def test_the_exposition_keeps_prometheus_conventions(exposition: str) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=exposition, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
