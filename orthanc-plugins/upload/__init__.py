"""DICOM into Orthanc over HTTP: files, many files, ZIP archives."""

from __future__ import annotations

from host.plugin import Host, Plugin
from upload.archives import ZipLimits
from upload.routes import create_router
from upload.service import Uploader


def create(host: Host) -> Plugin:
    """The upload route; it runs nothing beside."""
    limit = host.settings.upload_max_bytes
    # Blank images shrink a hundredfold: what unpacks to 16 bodies may be a study, what is beyond is a bomb.
    limits = ZipLimits(file_bytes=limit, total_bytes=16 * limit, files=host.settings.upload_max_files)
    return Plugin("upload", create_router(Uploader(host.archive, limits), limit, limits.files))
