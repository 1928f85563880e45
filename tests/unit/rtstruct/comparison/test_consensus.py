"""A consensus is what most say, and STAPLE finds whom to trust."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from rtstruct.comparison import consensus_of

Booleans = npt.NDArray[np.bool_]


def square(first: int, last: int) -> Booleans:
    inside = np.zeros((4, 40, 40), dtype=bool)
    inside[1:3, first:last, first:last] = True
    return inside


def noisy(truth: Booleans, sensitivity: float, specificity: float, seed: int) -> Booleans:
    draw = np.random.default_rng(seed).random(truth.shape)
    return np.where(truth, draw < sensitivity, draw > specificity)


def test_vote_intersection_and_union_count_raters() -> None:
    masks = [square(5, 20), square(7, 20), square(9, 25)]
    assert (consensus_of(masks, "intersection").inside == square(9, 20)).all()
    assert (consensus_of(masks, "majority").inside == square(7, 20)).all()
    assert (consensus_of(masks, "union").inside == (masks[0] | masks[2])).all()
    # Half of the raters are not a majority.
    assert (consensus_of(masks[:2], "majority").inside == square(7, 20)).all()


def test_raters_who_agree_are_all_right() -> None:
    found = consensus_of([square(5, 20)] * 3, "staple")
    assert (found.inside == square(5, 20)).all() and found.converged
    assert [rater.dice for rater in found.raters] == [1, 1, 1]
    assert all((rater.sensitivity or 0) > 0.999 for rater in found.raters)


def test_staple_finds_how_well_each_rater_does() -> None:
    truth = np.zeros((20, 40, 40), dtype=bool)
    truth[5:15, 10:30, 10:30] = True
    skills = [(0.95, 0.98), (0.9, 0.95), (0.85, 0.9), (0.7, 0.8), (0.92, 0.97)]
    masks = [noisy(truth, p, q, seed) for seed, (p, q) in enumerate(skills)]
    found = consensus_of(masks, "staple")
    assert found.converged
    for rater, (sensitivity, specificity) in zip(found.raters, skills, strict=True):
        assert rater.sensitivity == pytest.approx(sensitivity, abs=0.02)
        assert rater.specificity == pytest.approx(specificity, abs=0.01)
    vote = consensus_of(masks, "majority").inside
    assert np.count_nonzero(found.inside != truth) < np.count_nonzero(vote != truth)


def test_staple_is_the_same_whatever_the_order_of_raters() -> None:
    masks = [noisy(square(5, 25), 0.9, 0.95, seed) for seed in range(4)]
    there, back = consensus_of(masks, "staple"), consensus_of(masks[::-1], "staple")
    assert (there.inside == back.inside).all()
    assert [r.sensitivity for r in there.raters] == pytest.approx([r.sensitivity for r in back.raters[::-1]])


def test_plain_em_over_all_voxels_finds_the_same() -> None:
    masks = [noisy(square(5, 25), 0.9 - 0.05 * seed, 0.95, seed) for seed in range(3)]
    found = consensus_of(masks, "staple")
    decisions = np.stack(masks).astype(float)
    marked = np.argwhere(decisions.any(axis=0))
    box = tuple(slice(low, high + 1) for low, high in zip(marked.min(axis=0), marked.max(axis=0), strict=True))
    decisions = decisions[(slice(None), *box)].reshape(3, -1)
    prior, p, q = decisions.mean(), np.full(3, 0.99999), np.full(3, 0.99999)
    for _ in range(300):
        a = prior * np.prod(np.where(decisions.T == 1, p, 1 - p), axis=1)
        b = (1 - prior) * np.prod(np.where(decisions.T == 0, q, 1 - q), axis=1)
        w = a / (a + b)
        p, q = decisions @ w / w.sum(), (1 - decisions) @ (1 - w) / (1 - w).sum()
    assert [rater.sensitivity for rater in found.raters] == pytest.approx(p, abs=1e-6)
    assert [rater.specificity for rater in found.raters] == pytest.approx(q, abs=1e-6)
    assert (found.inside[box].ravel() == (w > 0.5)).all()


def test_empty_masks_are_no_trouble() -> None:
    nothing = np.zeros((4, 40, 40), dtype=bool)
    for method in ("majority", "staple", "intersection", "union"):
        found = consensus_of([nothing, nothing], method)  # type: ignore[arg-type]
        assert not found.inside.any() and found.raters[0].dice is None
    assert consensus_of([nothing, square(5, 20), square(5, 20)], "staple").inside.sum() == square(5, 20).sum()


def test_one_rater_is_no_consensus() -> None:
    with pytest.raises(ValueError, match="not of 1"):
        consensus_of([square(5, 20)], "majority")
