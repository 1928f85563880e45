"""How alike two masks are: overlap, distances of surfaces, what an editor would have to draw anew.

Definitions and sources: docs/rtstruct/comparison.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .surfels import Booleans, Floats, Surfels, surfels_of


@dataclass(frozen=True)
class Metrics:
    """Two masks compared: `a` is the reference, `b` what is held against it.

    None where something has no meaning: distances to an empty mask, ratios to nothing.

    Attributes
    ----------
    volume_a_cm3, volume_b_cm3, intersection_cm3
        Voxels times their volume.
    volume_ratio
        b / a.
    dice, jaccard
        2 |a ∩ b| / (|a| + |b|) [1]_ and |a ∩ b| / |a ∪ b| [2]_.
    hausdorff_mm, hausdorff_95_mm
        The greatest distance of a surface to the other [3]_, and the greater of both 95th percentiles by area.
    mean_surface_distance_mm
        Of all surface of both to the other one, weighted by area.
    mean_distance_a_to_b_mm, mean_distance_b_to_a_mm
        The same in one direction.
    surface_dice
        The share of both surfaces that is within the tolerance of the other [4]_.
    added_path_length_mm, added_path_length_at_tolerance_mm
        The outline of `a`, pixel by pixel on each slice, that is not in the outline of `b` [5]_; and that is
        further from it than the tolerance.
    path_length_mm
        All of the outline of `a`.
    centre_distance_mm
        Of the centres of mass.

    References
    ----------
    .. [1] Dice LR. Ecology 1945; 26: 297-302.
    .. [2] Jaccard P. New Phytologist 1912; 11: 37-50.
    .. [3] Huttenlocher DP et al. IEEE Trans Pattern Anal Mach Intell 1993; 15: 850-863.
    .. [4] Nikolov S et al. arXiv:1809.04430, 2018.
    .. [5] Vaassen F et al. Phys Imaging Radiat Oncol 2020; 13: 1-6.

    """

    volume_a_cm3: float
    volume_b_cm3: float
    intersection_cm3: float
    volume_ratio: float | None
    dice: float | None
    jaccard: float | None
    hausdorff_mm: float | None
    hausdorff_95_mm: float | None
    mean_surface_distance_mm: float | None
    mean_distance_a_to_b_mm: float | None
    mean_distance_b_to_a_mm: float | None
    surface_dice: float | None
    added_path_length_mm: float | None
    added_path_length_at_tolerance_mm: float | None
    path_length_mm: float
    centre_distance_mm: float | None
    tolerance_mm: float


def compare_masks(
    a: Booleans, b: Booleans, spacing_mm: tuple[float, float, float], tolerance_mm: float = 2.0
) -> Metrics:
    """Compare two masks on one grid.

    Parameters
    ----------
    a, b
        The reference and what is held against it, both of shape (slices, rows, columns).
    spacing_mm
        Of slices, rows and columns, at right angles to each other.
    tolerance_mm
        For `surface_dice` and `added_path_length_at_tolerance_mm`.

    """
    voxel_cm3 = float(np.prod(spacing_mm)) / 1000
    count_a, count_b, shared = (int(np.count_nonzero(each)) for each in (a, b, a & b))
    both = count_a + count_b
    distances = _Distances.of(a, b, spacing_mm) if count_a and count_b else None
    path = _Path.of(a, b, spacing_mm, tolerance_mm)
    return Metrics(
        volume_a_cm3=count_a * voxel_cm3,
        volume_b_cm3=count_b * voxel_cm3,
        intersection_cm3=shared * voxel_cm3,
        volume_ratio=count_b / count_a if count_a else None,
        dice=2 * shared / both if both else None,
        jaccard=shared / (both - shared) if both else None,
        hausdorff_mm=distances.greatest if distances else None,
        hausdorff_95_mm=distances.percentile(0.95) if distances else None,
        mean_surface_distance_mm=distances.mean if distances else None,
        mean_distance_a_to_b_mm=distances.mean_a_to_b if distances else None,
        mean_distance_b_to_a_mm=distances.mean_b_to_a if distances else None,
        surface_dice=distances.within(tolerance_mm) if distances else 0.0 if both else None,
        added_path_length_mm=path.added_mm if count_a else None,
        added_path_length_at_tolerance_mm=path.added_at_tolerance_mm if count_a else None,
        path_length_mm=path.whole_mm,
        centre_distance_mm=_centre_distance(a, b, spacing_mm) if count_a and count_b else None,
        tolerance_mm=tolerance_mm,
    )


@dataclass(frozen=True, eq=False)
class _Distances:
    """From each piece of a surface to the nearest of the other, and the areas of the pieces."""

    a_to_b: Floats
    b_to_a: Floats
    area_a: Floats
    area_b: Floats

    @classmethod
    def of(cls, a: Booleans, b: Booleans, spacing_mm: tuple[float, float, float]) -> _Distances:
        one, other = (_cut_out(each, spacing_mm) for each in (a, b))
        return cls(
            nearest(one.place_mm, other.place_mm),
            nearest(other.place_mm, one.place_mm),
            one.area_mm2,
            other.area_mm2,
        )

    @property
    def greatest(self) -> float:
        return float(max(self.a_to_b.max(), self.b_to_a.max()))

    @property
    def mean_a_to_b(self) -> float:
        return float(np.average(self.a_to_b, weights=self.area_a))

    @property
    def mean_b_to_a(self) -> float:
        return float(np.average(self.b_to_a, weights=self.area_b))

    @property
    def mean(self) -> float:
        total = (self.a_to_b * self.area_a).sum() + (self.b_to_a * self.area_b).sum()
        return float(total / (self.area_a.sum() + self.area_b.sum()))

    def percentile(self, share: float) -> float:
        return max(_percentile(self.a_to_b, self.area_a, share), _percentile(self.b_to_a, self.area_b, share))

    def within(self, tolerance_mm: float) -> float:
        # Distances are sums of rounded products: what is at the tolerance is within it.
        limit = tolerance_mm * (1 + 1e-9)
        near = self.area_a[self.a_to_b <= limit].sum() + self.area_b[self.b_to_a <= limit].sum()
        return float(near / (self.area_a.sum() + self.area_b.sum()))


def _percentile(distance: Floats, area: Floats, share: float) -> float:
    order = np.argsort(distance, kind="stable")
    reached = np.cumsum(area[order])
    at = int(np.searchsorted(reached, share * reached[-1] * (1 - 1e-12)))
    return float(distance[order[min(at, len(order) - 1)]])


def nearest(places: Floats, others: Floats) -> Floats:
    """The distance of each of `places`, shape (N, 3), to the nearest of `others`."""
    from scipy.spatial import cKDTree

    # Half full of regular grids: balancing the tree takes longer than it saves.
    tree = cKDTree(others, balanced_tree=False, compact_nodes=False)
    distance: Floats = tree.query(places)[0]
    return distance


def _cut_out(inside: Booleans, spacing_mm: tuple[float, float, float]) -> Surfels:
    box = box_of(inside)
    found = surfels_of(inside[box], spacing_mm)
    first = np.array([each.start for each in box])
    return Surfels(found.place_mm + first * np.array(spacing_mm), found.area_mm2)


def box_of(inside: Booleans) -> tuple[slice, slice, slice]:
    """The smallest box around what is inside, which is not nothing."""
    slices, rows, columns = (np.flatnonzero(inside.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    z, y, x = (slice(int(each[0]), int(each[-1]) + 1) for each in (slices, rows, columns))
    return z, y, x


@dataclass(frozen=True)
class _Path:
    added_mm: float
    added_at_tolerance_mm: float
    whole_mm: float

    @classmethod
    def of(cls, a: Booleans, b: Booleans, spacing_mm: tuple[float, float, float], tolerance_mm: float) -> _Path:
        pixel_mm = float(np.sqrt(spacing_mm[1] * spacing_mm[2]))
        outline, other = outline_of(a), outline_of(b)
        whole = int(np.count_nonzero(outline))
        missing = np.argwhere(outline & ~other)
        further = len(missing)
        if len(missing) and tolerance_mm > 0:
            drawn = np.argwhere(other)
            if len(drawn):
                # Slices so far apart that the nearest pixel is always on the same one, if there is one.
                far = tolerance_mm + max(a.shape[1] * spacing_mm[1], a.shape[2] * spacing_mm[2])
                scale = np.array([2 * far, *spacing_mm[1:]])
                further = int((nearest(missing * scale, drawn * scale) > tolerance_mm * (1 + 1e-9)).sum())
        return cls(len(missing) * pixel_mm, further * pixel_mm, whole * pixel_mm)


def outline_of(inside: Booleans) -> Booleans:
    """The pixels of each slice that touch the outside with an edge."""
    padded = np.pad(inside, ((0, 0), (1, 1), (1, 1)))
    core = padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
    return inside & ~core


def _centre_distance(a: Booleans, b: Booleans, spacing_mm: tuple[float, float, float]) -> float:
    return float(np.linalg.norm((_centre(a) - _centre(b)) * np.array(spacing_mm)))


def _centre(inside: Booleans) -> Floats:
    axes = ((1, 2), (0, 2), (0, 1))
    counts = [np.count_nonzero(inside, axis=each) for each in axes]
    return np.array([(count * np.arange(len(count))).sum() / count.sum() for count in counts])
