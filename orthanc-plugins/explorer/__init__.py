"""Buttons in Orthanc Explorer that lead to OHIF, on the pages of studies and instances."""

from __future__ import annotations

import json
from pathlib import Path

from host.plugin import Host, Plugin

_BUTTONS = Path(__file__).with_name("buttons.js")


def create(host: Host) -> Plugin:
    """The plugin, with OHIF where the settings say."""
    # JSON's strings are JavaScript's.
    script = f"const OHIF = {json.dumps(host.settings.ohif)};\n{_BUTTONS.read_text(encoding='utf-8')}"
    return Plugin("explorer", explorer_script=script)
