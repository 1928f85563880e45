"""Structure sets made of segmentations: NIfTI label maps and DICOM Segmentations become RTSTRUCTs in the archive."""

from __future__ import annotations

from host.plugin import Host, Plugin
from writing.routes import create_router
from writing.service import Writing


def create(host: Host) -> Plugin:
    """Answer ``/create-rt``."""
    return Plugin("writing", create_router(host.computations, Writing(host), host.settings.upload_max_bytes))
