"""Structures as masks on their images: NIfTI, Slicer's NRRD, DICOM SEG, NPZ."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Masks are computed by the workers when they are asked for."""
    # Not above: workers import this package for its engine, and need no web framework for that.
    from host.plugin import Plugin
    from masks.routes import create_router
    from masks.service import Masks

    # What nearly every answer needs, imported before the first one waits for it.
    host.workers.preload("masks.drawing")
    host.workers.preload("nibabel.nifti1")
    return Plugin("masks", create_router(Masks(host)))
