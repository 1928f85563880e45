"""The READMEs keep up with the project: every dependency has its reason, every setting its line."""

from __future__ import annotations

import re

import pytest

from unit.scripts.shell import ROOT

REQUIREMENTS = ["orthanc-plugins/requirements.in", "orthanc-plugins/build-requirements.in", "tests/requirements.in"]


def requirements() -> set[str]:
    lines = [line for name in REQUIREMENTS for line in (ROOT / name).read_text().splitlines()]
    return {re.split(r"[>=<;\[ ]", line)[0].lower() for line in lines if re.match("[A-Za-z]", line)}


@pytest.mark.parametrize("readme", ["README.md", "README.fr.md"])
def test_every_dependency_has_its_reason_in_the_table(readme: str) -> None:
    cells = [line.split("|")[1] for line in (ROOT / readme).read_text().splitlines() if line.count("|") >= 4]
    named = {re.sub(r"\[.*?\]", "", name).strip().lower() for cell in cells for name in cell.split(",")}

    assert len(requirements()) > 30
    assert requirements() - named == set()


@pytest.mark.parametrize("readme", ["README.md", "README.fr.md"])
def test_every_setting_of_the_example_is_in_the_readme(readme: str) -> None:
    settings = re.findall(r"(?m)^(?:# )?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text())
    text = (ROOT / readme).read_text()

    assert len(settings) > 20
    assert [name for name in settings if name not in text] == []
