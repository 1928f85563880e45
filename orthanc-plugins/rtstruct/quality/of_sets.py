"""Findings about structures beside each other: names, sides, colours, approval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

from ..analysis import StructureAnalysis
from ..model import Structure, StructureSet
from ..names import Nomenclature, is_tg263, suggest
from .findings import Place, QualityFinding, finding

# Left and right are told apart by the centroids; nearer to the middle than this, either may be right.
_MIDLINE_MM = 10.0
_SIDES = {"_L": 1.0, "_R": -1.0}

Pair = tuple[Structure, StructureAnalysis]


def of_sets(
    structure_set: StructureSet, analyses: Sequence[StructureAnalysis], names: Nomenclature | None
) -> Iterator[QualityFinding]:
    """Findings that no structure has by itself."""
    structures = structure_set.structures
    if (structure_set.approval_status or "").upper() != "APPROVED":
        said = structure_set.approval_status or "not given"
        yield finding("unapproved", f"The approval status of the set is {said}.")
    yield from _names(structures, names)
    yield from _sides(list(zip(structures, analyses, strict=True)), names)
    drawn = [structure for structure in structures if structure.contours and structure.color]
    for color, same in _shared((structure.color, structure) for structure in drawn):
        yield finding(
            "identical_colors",
            f"{_list(same)} have the same colour {color}.",
            Place(same[0].number, same[0].name),
        )


def _names(structures: Sequence[Structure], names: Nomenclature | None) -> Iterator[QualityFinding]:
    for _, same in _shared((structure.name.casefold(), structure) for structure in structures if structure.name):
        yield finding(
            "duplicate_names",
            f"{len(same)} structures are called {same[0].name}: ROI Numbers "
            f"{', '.join(str(each.number) for each in same)}.",
            Place(same[1].number, same[1].name),
        )
    for structure in structures:
        if structure.name and not is_tg263(structure.name, names):
            suggestion = suggest(structure.name, structure.interpreted_type, names=names)
            could = (
                f"could be called {suggestion.name} ({suggestion.confidence:.2f})" if suggestion else "nothing is near"
            )
            yield finding(
                "name_not_tg263",
                f"{structure.name} is no TG-263 name; {could}.",
                Place(structure.number, structure.name),
            )


def _sides(pairs: Sequence[Pair], names: Nomenclature | None) -> Iterator[QualityFinding]:
    """Left is +x (LPS), whatever the patient's position."""
    sided: dict[str, dict[str, Pair]] = defaultdict(dict)
    for structure, analysis in pairs:
        suggestion = suggest(structure.name, names=names)
        if suggestion and suggestion.name[-2:] in _SIDES and analysis.centroid_mm:
            sided[suggestion.name[:-2]].setdefault(suggestion.name[-2:], (structure, analysis))
    middle = _middle([pair for pair in pairs if pair[1].bounding_box_mm], names)
    for both in sided.values():
        if len(both) == 2:
            (left, left_analysis), (right, right_analysis) = both["_L"], both["_R"]
            if _x(left_analysis) < _x(right_analysis):
                yield finding(
                    "laterality_contradicts_position",
                    f"{left.name} lies to the right of {right.name}.",
                    Place(left.number, left.name, point_mm=left_analysis.centroid_mm),
                )
        elif middle is not None:
            (side, (structure, analysis)) = next(iter(both.items()))
            if (_x(analysis) - middle) * _SIDES[side] < -_MIDLINE_MM:
                yield finding(
                    "laterality_contradicts_position",
                    f"{structure.name} lies {abs(_x(analysis) - middle):.0f} mm to the "
                    f"{'right' if side == '_L' else 'left'} of the body's middle.",
                    Place(structure.number, structure.name, point_mm=analysis.centroid_mm),
                    "info",
                )


def _x(analysis: StructureAnalysis) -> float:
    return analysis.centroid_mm[0] if analysis.centroid_mm else 0.0


def _middle(pairs: Sequence[Pair], names: Nomenclature | None) -> float | None:
    body = body_of([structure for structure, _ in pairs], names)
    for structure, analysis in pairs:
        if structure is body and analysis.bounding_box_mm:
            low, high = analysis.bounding_box_mm
            return (low[0] + high[0]) / 2
    return None


def body_of(structures: Sequence[Structure], names: Nomenclature | None) -> Structure | None:
    """The outline of the patient: by its type, else by its name."""
    by_type = [each for each in structures if (each.interpreted_type or "").upper() == "EXTERNAL"]
    by_name = [
        each
        for each in structures
        if (suggestion := suggest(each.name, each.interpreted_type, names=names)) and suggestion.name == "External"
    ]
    return next(iter([each for each in (*by_type, *by_name) if each.contours]), None)


def _shared(keyed: Iterable[tuple[Hashable, Structure]]) -> Iterator[tuple[Hashable, list[Structure]]]:
    groups: dict[Hashable, list[Structure]] = defaultdict(list)
    for key, structure in keyed:
        groups[key].append(structure)
    return ((key, same) for key, same in groups.items() if len(same) > 1)


def _list(structures: Sequence[Structure]) -> str:
    return ", ".join(structure.name or f"ROI {structure.number}" for structure in structures)
