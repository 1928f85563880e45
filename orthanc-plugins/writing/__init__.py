"""Structure sets made of segmentations: NIfTI label maps and DICOM Segmentations become RTSTRUCTs in the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Answer ``/create-rt``."""
    # Not above: workers import this package for its engine, and need no web framework for that.
    from host.plugin import Plugin
    from writing.routes import create_router
    from writing.service import Writing

    return Plugin("writing", create_router(host.computations, Writing(host), host.settings.upload_max_bytes))
