"""One mask out of several that draw the same thing: by vote, or by STAPLE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from .metrics import box_of
from .surfels import Booleans, Floats

Method = Literal["majority", "staple", "intersection", "union"]
METHODS: tuple[Method, ...] = get_args(Method)

MOST_RATERS = 64
_MOST_ITERATIONS = 1000
_CONVERGED = 1e-9
# What every rater is taken for at first (Warfield 2004 starts there too).
_FIRST = 0.99999
# Kept off nought and one, where nothing would ever change again.
_EDGE = 1e-7


@dataclass(frozen=True)
class Rater:
    """One of the structures, held against the consensus.

    Attributes
    ----------
    sensitivity, specificity
        The share of the consensus that it marks, and the share of the rest of the box that it leaves out. STAPLE:
        its own estimates p and q.
    dice
        Of its mask and the consensus, None when both are empty.

    """

    sensitivity: float | None
    specificity: float | None
    dice: float | None


@dataclass(frozen=True, eq=False)
class Consensus:
    """What several masks agree on.

    Attributes
    ----------
    inside
        Shape of the masks.
    raters
        In the order of the masks.
    iterations, converged
        Of STAPLE; 0 and True for the others.

    """

    inside: Booleans
    method: Method
    raters: tuple[Rater, ...]
    iterations: int = 0
    converged: bool = True


def consensus_of(masks: Sequence[Booleans], method: Method = "staple") -> Consensus:
    """The consensus of masks on one grid.

    Majority takes what more than half of the raters mark. STAPLE [1]_ finds by expectation maximisation how far each
    rater can be trusted, and takes what is then more likely inside than not; its prior is the share that the raters
    mark of the smallest box around all their masks.

    .. [1] Warfield SK, Zou KH, Wells WM. Simultaneous truth and performance level estimation (STAPLE). IEEE Trans Med
       Imaging 2004; 23: 903-921.

    Parameters
    ----------
    masks
        At least two, at most 64, all of one shape.
    method
        ``majority``, ``staple``, ``intersection`` or ``union``.

    """
    if not 2 <= len(masks) <= MOST_RATERS:
        raise ValueError(f"a consensus is of 2 to {MOST_RATERS} structures, not of {len(masks)}")
    patterns, counts, where = _patterns(masks)
    raters, estimates, iterations, converged = len(masks), None, 0, True
    if method == "staple":
        weight, estimates, iterations, converged = _staple(patterns, counts)
        chosen = weight > 0.5
    else:
        needed = {"majority": raters // 2 + 1, "intersection": raters, "union": 1}[method]
        chosen = patterns.sum(axis=1) >= needed
    inside = np.zeros(masks[0].shape, dtype=np.bool_)
    box, index = where
    inside[box] = chosen[index]
    measured = [_rater(patterns[:, rater], chosen, counts) for rater in range(raters)]
    if estimates is not None:
        p, q = estimates
        measured = [Rater(float(p[i]), float(q[i]), each.dice) for i, each in enumerate(measured)]
    return Consensus(inside, method, tuple(measured), iterations, converged)


def _patterns(
    masks: Sequence[Booleans],
) -> tuple[Booleans, Floats, tuple[tuple[slice, slice, slice], np.ndarray[tuple[int, ...], np.dtype[np.intp]]]]:
    """Which combinations of raters' decisions there are, how many voxels each has, and which voxel has which.

    Far fewer than voxels: what depends on the decisions alone is computed once for each.
    """
    extents = [box_of(mask) for mask in masks if mask.any()]
    z, y, x = (
        slice(min(each[axis].start for each in extents), max(each[axis].stop for each in extents))
        if extents
        else slice(0)
        for axis in range(3)
    )
    box = (z, y, x)
    code = np.zeros(masks[0][box].shape, dtype=np.uint64)
    for bit, mask in enumerate(masks):
        code |= mask[box].astype(np.uint64) << np.uint64(bit)
    values, index, counts = np.unique(code, return_inverse=True, return_counts=True)
    patterns = (values[:, None] >> np.arange(len(masks), dtype=np.uint64) & np.uint64(1)).astype(np.bool_)
    return patterns, counts.astype(np.float64), (box, index.reshape(code.shape))


def _staple(patterns: Booleans, counts: Floats) -> tuple[Floats, tuple[Floats, Floats], int, bool]:
    decisions = patterns.astype(np.float64)
    raters = decisions.shape[1]
    total = counts.sum()
    prior = float((counts @ decisions).sum() / (raters * total)) if total else 0.0
    p, q = np.full(raters, _FIRST), np.full(raters, _FIRST)
    weight = np.zeros(len(counts))
    if not 0 < prior < 1:
        return np.full(len(counts), float(prior >= 1)), (p, q), 0, True
    for iteration in range(1, _MOST_ITERATIONS + 1):
        # Logarithms: products of many raters' probabilities would be nought.
        inside = np.log(prior) + decisions @ np.log(p) + (1 - decisions) @ np.log1p(-p)
        outside = np.log1p(-prior) + (1 - decisions) @ np.log(q) + decisions @ np.log1p(-q)
        weight = 1 / (1 + np.exp(np.clip(outside - inside, -700, 700)))
        marked, rest = weight * counts, (1 - weight) * counts
        new_p = np.clip(marked @ decisions / max(marked.sum(), 1e-300), _EDGE, 1 - _EDGE)
        new_q = np.clip(rest @ (1 - decisions) / max(rest.sum(), 1e-300), _EDGE, 1 - _EDGE)
        change = max(np.abs(new_p - p).max(), np.abs(new_q - q).max())
        p, q = new_p, new_q
        if change < _CONVERGED:
            return weight, (p, q), iteration, True
    return weight, (p, q), _MOST_ITERATIONS, False


def _rater(marked: Booleans, chosen: Booleans, counts: Floats) -> Rater:
    both, either = counts[marked & chosen].sum(), counts[marked].sum() + counts[chosen].sum()
    inside, outside = counts[chosen].sum(), counts[~chosen].sum()
    return Rater(
        sensitivity=float(both / inside) if inside else None,
        specificity=float(counts[~marked & ~chosen].sum() / outside) if outside else None,
        dice=float(2 * both / either) if either else None,
    )
