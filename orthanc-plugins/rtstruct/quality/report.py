"""The quality report of a structure set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..analysis import StructureAnalysis, analyse
from ..image_series import ImageSeries, match
from ..model import StructureSet
from ..names import Nomenclature
from ..references import References
from .findings import Place, QualityFinding, Severity, finding
from .of_contours import of_contours
from .of_images import of_images
from .of_references import Held, of_references
from .of_sets import of_sets
from .overlaps import of_overlaps

_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class QualityReport:
    """All findings, errors first.

    Attributes
    ----------
    series_instance_uid
        The image series that contours were compared with, None when there was none.

    """

    findings: tuple[QualityFinding, ...]
    series_instance_uid: str | None = None

    def count(self, severity: Severity) -> int:
        """How many findings have this severity."""
        return sum(each.severity == severity for each in self.findings)

    @property
    def viewable_in_ohif(self) -> bool:
        """Whether OHIF draws all structures; with False, `ohif_reasons` say why not."""
        return not any(each.in_ohif == "hidden" for each in self.findings)

    @property
    def ohif_reasons(self) -> tuple[QualityFinding, ...]:
        """What OHIF hides, or draws wrongly, without a word."""
        return tuple(each for each in self.findings if each.in_ohif)


def report_on(
    structure_set: StructureSet,
    references: References,
    held: Held | None = None,
    analyses: Sequence[StructureAnalysis] | None = None,
    names: Nomenclature | None = None,
) -> QualityReport:
    """Examine a structure set.

    Parameters
    ----------
    structure_set, references
        From `reader.read` and `references.read_references`.
    held
        What the archive holds around it. Without it nothing is said about what is absent, or about the images.
    analyses
        From `analysis.analyse`, in the order of the structures; computed here by default.
    names
        The TG-263 names with a site's synonyms.

    """
    if analyses is None:
        analyses = [analyse(structure) for structure in structure_set.structures]
    series = compared_series(structure_set, references, held) if held else None
    findings = [
        *_of_reading(structure_set, references),
        *of_references(structure_set, references, held),
        *(each for pair in zip(structure_set.structures, analyses, strict=True) for each in of_contours(*pair)),
        *of_sets(structure_set, analyses, names),
        *of_overlaps(structure_set, analyses, names),
    ]
    if series:
        findings += [each for structure in structure_set.structures for each in of_images(structure, series)]
    findings.sort(key=lambda each: _ORDER[each.severity])
    return QualityReport(tuple(findings), series.series_instance_uid if series else None)


def compared_series(structure_set: StructureSet, references: References, held: Held) -> ImageSeries | None:
    """The image series that the structures were drawn on.

    The one that the set names; else, of those in its frame of reference, the one on whose planes most contours lie
    (the first of equals).
    """
    for reference in references.series:
        if series := held.find(reference.series_instance_uid):
            return series
    frames = {each.frame_of_reference_uid for each in structure_set.structures} | {structure_set.frame_of_reference_uid}
    contours = [contour for structure in structure_set.structures for contour in structure.contours]
    candidates = [series for series in held.series if series.frame_of_reference_uid in frames - {None}]
    fitting = [(int(match(contours, series).within.sum()), series) for series in candidates]
    return max(fitting, key=lambda each: each[0])[1] if any(count for count, _ in fitting) else None


def _of_reading(structure_set: StructureSet, references: References) -> Iterator[QualityFinding]:
    if not references.has_roi_sequence:
        yield finding("no_structure_set_roi_sequence", "The set has no Structure Set ROI Sequence, and so no names.")
    if not structure_set.structures:
        yield finding("no_structures", "The set holds no structures.")
    elif not any(structure.contours for structure in structure_set.structures):
        yield finding("no_contours_at_all", "No structure has a contour.")
    empty = references.contours_without_data
    if empty:
        number, index = empty[0]
        name = next((each.name for each in structure_set.structures if each.number == number), None)
        yield finding(
            "contour_without_data",
            f"{len(empty)} contours have no Contour Data; one is enough for OHIF to lose the whole set.",
            Place(number, name, contour=index),
        )
    for warning in structure_set.warnings:
        if warning.code != "no_contours":
            yield finding("reading", f"{warning.message} ({warning.code})")
