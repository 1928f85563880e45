"""A test on containers that fails shows their logs and is tried once more: on a busy machine a wait may be too short.

That it failed first is said at the end of the report, whatever became of the second try. Unit tests get one try.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

INTEGRATION, E2E, LIVE = (Path(__file__).parent / name for name in ("integration", "e2e", "live"))
#: A test that hangs is not tried again; pytest-timeout counts both tries together.
LONGEST_FIRST_TRY_S = 240
E2E_TIMEOUT_S = 1500
#: Images of gigabytes are pulled and built, and XNAT makes its database.
LIVE_TIMEOUT_S = 7200
FIRST_TRIES = pytest.StashKey[list[pytest.TestReport]]()


def is_on_containers(item: pytest.Item) -> bool:
    return any(item.path.is_relative_to(folder) for folder in (INTEGRATION, E2E))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Setting up counts, and the first ./pacs up builds images when they are not in the engine's cache.
    for item in items:
        if item.path.is_relative_to(E2E):
            item.add_marker(pytest.mark.timeout(E2E_TIMEOUT_S))
        if item.path.is_relative_to(LIVE):
            item.add_marker(pytest.mark.timeout(LIVE_TIMEOUT_S))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIRST_TRIES] = []


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if not is_on_containers(item):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    failed = [report for report in reports if report.failed]
    if failed and sum(report.duration for report in reports) < LONGEST_FIRST_TRY_S:
        item.config.stash[FIRST_TRIES] += failed
        item._initrequest()  # type: ignore[attr-defined]
        forget_failed_fixtures(item)
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def forget_failed_fixtures(item: pytest.Item) -> None:
    """Else pytest would raise the same exception again without setting anything up."""
    for definition in item.session._fixturemanager._get_all_fixture_defs():
        if definition.cached_result is not None and definition.cached_result[2] is not None:
            definition.finish(item._request)  # type: ignore[attr-defined]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for report in config.stash[FIRST_TRIES]:
        terminalreporter.section(f"first try of {report.nodeid} failed")
        terminalreporter.line(report.longreprtext)
        for title, text in report.sections:
            terminalreporter.line(f"--- {title}\n{text}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and is_on_containers(item):
        report.sections += [(f"last lines of {name}", text) for name, text in logs_of_containers()]
    return report


def logs_of_containers(lines: int = 30) -> list[tuple[str, str]]:
    """What the containers of this run have said lately. Our logs name no patient."""
    run = os.environ.get("PACS_TEST_ID", "none")
    form = '{{.Names}}\t{{.Label "org.pacs.test"}}\t{{.Label "com.docker.compose.project"}}'
    found = []
    for row in docker("ps", "--all", "--format", form).splitlines():
        name, label, project = row.split("\t")
        ours = label == run or project.startswith(f"pacs-test-{run}")
        if ours and not name.endswith("-runner"):
            found.append((name, docker("logs", "--since", "10m", "--tail", str(lines), name)))
    return found


def docker(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{error}\n" if arguments[0] == "logs" else ""
    return done.stdout if done.returncode == 0 or arguments[0] == "logs" else ""
