from __future__ import annotations

import json
from dataclasses import replace

import pytest

import explorer
from host.plugin import Host


@pytest.mark.parametrize("ohif", ["3001", "https://ohif.hospital.example", '3001"; alert(1); "'])
def test_the_buttons_are_told_where_ohif_is_as_a_string_and_nothing_more(host: Host, ohif: str) -> None:
    plugin = explorer.create(replace(host, settings=replace(host.settings, ohif=ohif)))

    first_line = plugin.explorer_script.splitlines()[0]
    assert first_line == f"const OHIF = {json.dumps(ohif)};"
    assert "$('#study')" in plugin.explorer_script
    assert plugin.router is None
