"""Outlines of masks: filled again by the even-odd rule at pixel centres, they give the same mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rtstruct.writing import outlines

Mask = np.ndarray


def mask(*rows: str) -> Mask:
    return np.array([[each == "#" for each in row] for row in rows])


def filled(contours: list[np.ndarray], shape: tuple[int, ...]) -> Mask:
    """Each contour by itself, by the even-odd rule; then all of them together by union: no overlap is needed."""
    rows, columns = np.indices(shape)
    inside = np.zeros(shape, dtype=bool)
    for contour in contours:
        crossings = np.zeros(shape, dtype=int)
        for (x0, y0), (x1, y1) in zip(contour, np.roll(contour, -1, axis=0), strict=True):
            if x0 == x1:
                crossings += (columns < x0) & (rows > min(y0, y1)) & (rows < max(y0, y1))
        assert not (inside & (crossings % 2 == 1)).any(), "contours overlap"
        inside |= crossings % 2 == 1
    return inside


def area(contour: np.ndarray) -> float:
    x, y = contour.T
    return abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())) / 2


@pytest.mark.parametrize(
    ("drawn", "contours"),
    [
        (mask("#"), 1),
        (mask("...", "...", "..."), 0),
        (mask("##", "##"), 1),
        (mask("#.", ".#"), 2),
        (mask(".#", "#."), 2),
        (mask("###", "#.#", "###"), 1),
        (mask("####", "#.##", "##.#", "####"), 1),
        (mask("#####", "#.#.#", "#####", "#.#.#", "#####"), 1),
        (mask("#######", "#.....#", "#.###.#", "#.#.#.#", "#.###.#", "#.....#", "#######"), 2),
        (mask("###", "#.#", "#.#"), 1),
        (mask(".###", "#..#", "####"), 1),
    ],
)
def test_known_masks_come_back_with_as_few_contours_as_parts(drawn: Mask, contours: int) -> None:
    found = outlines(drawn)
    assert len(found) == contours
    assert np.array_equal(filled(found, drawn.shape), drawn)
    assert sum(area(contour) for contour in found) == drawn.sum()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_any_mask_comes_back_and_its_area_too(drawn: Mask) -> None:
    found = outlines(drawn)
    assert np.array_equal(filled(found, drawn.shape), drawn)
    assert sum(area(contour) for contour in found) == drawn.sum()


def test_corners_lie_halfway_between_centres_and_only_where_the_outline_turns() -> None:
    (contour,) = outlines(mask("....", ".###", "...."))
    assert {tuple(corner) for corner in contour.tolist()} == {(0.5, 0.5), (3.5, 0.5), (3.5, 1.5), (0.5, 1.5)}


def test_random_noise_of_a_whole_slice_comes_back() -> None:
    drawn = np.random.default_rng(7).random((80, 90)) < 0.6
    assert np.array_equal(filled(outlines(drawn), drawn.shape), drawn)
