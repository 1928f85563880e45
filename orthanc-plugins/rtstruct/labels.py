"""Masks of several structures together: which label each has, where they overlap, in which layers they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .masks import Coverage, Mask
from .model import Structure

Labels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Segment:
    """One structure with its mask and the value that stands for it."""

    label: int
    structure: Structure
    mask: Mask


@dataclass(frozen=True, eq=False)
class LabelMap:
    """One value a voxel.

    Attributes
    ----------
    values
        Shape (slices, rows, columns): the label of the structure, nought for none.
    hidden
        For each segment how many of its voxels show another structure.

    """

    values: Labels
    hidden: tuple[int, ...]


def labels_of(structures: Sequence[Structure]) -> list[int]:
    """The values that stand for all structures of a set.

    Their ROI Numbers, as long as these fit into 16 bits; else their places in the set, from one.
    """
    numbers = [structure.number for structure in structures]
    if all(0 < number < 1 << 16 for number in numbers):
        return numbers
    return list(range(1, len(numbers) + 1))


def at_least_half(coverage: Coverage) -> Mask:
    """The voxels of which half or more lies in the structure."""
    return Mask(coverage.grid, coverage.box, coverage.share >= 0.5, coverage.findings)


def label_map(segments: Sequence[Segment]) -> LabelMap:
    """One volume of labels. Where structures overlap, the one with fewer voxels shows: a body hides no organ."""
    grid = segments[0].mask.grid
    dtype = np.uint8 if max(segment.label for segment in segments) < 1 << 8 else np.uint16
    values = np.zeros(grid.shape, dtype=dtype)
    counts = [segment.mask.voxel_count for segment in segments]
    for index in sorted(range(len(segments)), key=lambda each: -counts[each]):
        mask = segments[index].mask
        values[mask.box][mask.inside] = segments[index].label
    shown = [
        int(np.count_nonzero(values[segment.mask.box][segment.mask.inside] == segment.label)) for segment in segments
    ]
    return LabelMap(values, tuple(count - seen for count, seen in zip(counts, shown, strict=True)))


def layers_of(segments: Sequence[Segment]) -> list[int]:
    """For each segment the first layer in which it overlaps with none of those before it."""
    layers: list[list[Mask]] = []
    found = []
    for segment in segments:
        for number, members in enumerate(layers):
            if not any(_overlap(segment.mask, other) for other in members):
                members.append(segment.mask)
                found.append(number)
                break
        else:
            layers.append([segment.mask])
            found.append(len(layers) - 1)
    return found


def _overlap(one: Mask, other: Mask) -> bool:
    shared = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one.box, other.box, strict=True))
    if any(each.start >= each.stop for each in shared):
        return False
    return bool((_part(one, shared) & _part(other, shared)).any())


def _part(mask: Mask, region: tuple[slice, ...]) -> npt.NDArray[np.bool_]:
    inner = tuple(
        slice(wanted.start - box.start, wanted.stop - box.start) for wanted, box in zip(region, mask.box, strict=True)
    )
    part: npt.NDArray[np.bool_] = mask.inside[inner]
    return part
