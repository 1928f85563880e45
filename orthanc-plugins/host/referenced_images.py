"""The images of a structure set, for answers that are possible in part without them."""

from __future__ import annotations

from dataclasses import dataclass

from host.problems import Problem
from host.sources import ImageSeries, Sources, StructureSetSource


@dataclass(frozen=True)
class ReferencedImages:
    """A series, or the reason why there is none."""

    series: ImageSeries | None
    reason: str | None = None

    @property
    def key(self) -> tuple[str, str] | None:
        """What a computation names the images by."""
        return self.series.key if self.series else None

    def read(self, sources: Sources) -> list[bytes] | None:
        """The files, None when there are none. Raises `Problem`."""
        return sources.read_all(self.series) if self.series else None


def referenced_images(sources: Sources, structure_set: StructureSetSource, asked: str | None) -> ReferencedImages:
    """The images that a structure set was drawn on; a series that was asked for has to be there.

    Raises
    ------
    Problem
        404 when the series asked for is not there, 503.
    """
    try:
        return ReferencedImages(sources.images(structure_set, asked))
    except Problem as problem:
        if asked is not None or problem.status != 404:
            raise
        return ReferencedImages(None, problem.detail)
