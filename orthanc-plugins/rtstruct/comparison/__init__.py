"""Structures held against each other: overlap, distances, consensus."""

from .common_grid import Masks, NothingToCompare, common_grid, masks_of
from .consensus import METHODS, MOST_RATERS, Consensus, Method, Rater, consensus_of
from .matching import WAYS, By, Pair, UnknownStructure, explicit, matched, structure_named
from .metrics import Metrics, compare_masks
from .structures import TOLERANCE_MM, Agreed, Comparison, agree, compare

__all__ = [
    "METHODS",
    "MOST_RATERS",
    "TOLERANCE_MM",
    "WAYS",
    "Agreed",
    "By",
    "Comparison",
    "Consensus",
    "Masks",
    "Method",
    "Metrics",
    "NothingToCompare",
    "Pair",
    "Rater",
    "UnknownStructure",
    "agree",
    "common_grid",
    "compare",
    "compare_masks",
    "consensus_of",
    "explicit",
    "masks_of",
    "matched",
    "structure_named",
]
