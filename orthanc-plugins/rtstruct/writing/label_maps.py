"""Regions from a NIfTI label map (.nii or .nii.gz): one structure for each value but nought."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from ..grids import MOST_VOXELS, Grid
from .alignment import aligned
from .model import Color, Naming, Region, UnusableSegmentation

#: Of the file, inflated.
MOST_BYTES = 1 << 31
_MOST_LABELS = 1000
_COMMENT = 6
_COLORS: tuple[Color, ...] = (
    (230, 25, 75), (60, 180, 75), (67, 99, 216), (255, 225, 25), (245, 130, 49), (145, 30, 180), (66, 212, 244),
    (240, 50, 230), (191, 239, 69), (250, 190, 212), (70, 153, 144), (220, 190, 255), (154, 99, 36), (128, 0, 0),
)  # fmt: skip


def is_nifti(data: bytes) -> bool:
    """Whether a file starts as NIfTI does, gzipped or not."""
    return data[:2] == b"\x1f\x8b" or data[344:347] in (b"n+1", b"ni1")


def color_of(number: int) -> Color:
    """A colour for a structure that comes without one."""
    return _COLORS[(number - 1) % len(_COLORS)]


def regions_of_label_map(data: bytes, grid: Grid, naming: Mapping[int, Naming]) -> Iterator[Region]:
    """The regions of a label map.

    Parameters
    ----------
    grid
        Of the images; the label map's voxels are some of its own.
    naming
        By label. Else the names that our own label maps carry in a header extension, else ``Label 3``.

    Raises
    ------
    UnusableSegmentation
        If it is no NIfTI file, its values are no labels, or it does not fit the images.

    """
    values, affine_lps, told = _read(data)
    on_grid = aligned(values, affine_lps, grid)
    from scipy.ndimage import find_objects

    for label, box in enumerate(find_objects(on_grid), start=1):
        if box is None:
            continue
        said, own = naming.get(label, Naming()), told.get(label, Naming())
        yield Region(
            number=label,
            name=said.name or own.name or f"Label {label}",
            color=said.color or own.color or color_of(label),
            interpreted_type=said.interpreted_type or own.interpreted_type or "",
            box=box,
            inside=on_grid[box] == label,
        )


def _read(data: bytes) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], dict[int, Naming]]:
    from nibabel.nifti1 import Nifti1Image

    remedy = "Send a NIfTI-1 file (.nii or .nii.gz)."
    content = _inflated(data) if data[:2] == b"\x1f\x8b" else data
    try:
        image = Nifti1Image.from_bytes(content)
        header: Any = image.header
        shape = tuple(int(size) for size in header.get_data_shape())
        if int(header["sform_code"]) == int(header["qform_code"]) == 0:
            raise UnusableSegmentation("It does not say where it lies (no sform, no qform).", remedy)
        if (
            not 3 <= len(shape) <= 4
            or any(size != 1 for size in shape[3:])
            or np.prod(shape, dtype=float) > MOST_VOXELS
        ):
            raise UnusableSegmentation(f"A label map has three axes; this has {shape}.", remedy)
        values = np.asanyarray(image.dataobj).reshape(shape[:3])
        affine_ras = np.asarray(image.affine, dtype=np.float64)
    except UnusableSegmentation:
        raise
    except Exception as error:
        raise UnusableSegmentation(f"It is no NIfTI file that can be read ({type(error).__name__}).", remedy) from None
    whole = values if values.dtype.kind in "iu" else np.rint(values)
    if not np.isfinite(affine_ras).all() or abs(np.linalg.det(affine_ras[:3, :3])) < 1e-9:
        raise UnusableSegmentation("Its place is not a place in space.", remedy)
    labels = np.unique(whole)
    if not np.array_equal(whole, values) or labels[0] < 0 or labels[-1] > 65535 or len(labels) > _MOST_LABELS + 1:
        raise UnusableSegmentation(
            f"Its values are no labels: whole numbers from 0 to 65535, at most {_MOST_LABELS} of them.",
            "Round or threshold it first.",
        )
    affine_lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine_ras
    return whole.astype(np.int32), affine_lps, _told(header)


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        content = inflater.decompress(data, MOST_BYTES)
    except zlib.error:
        raise UnusableSegmentation("Its compression is damaged.", "Send it again.") from None
    if inflater.unconsumed_tail or not inflater.eof or inflater.unused_data[:2] == b"\x1f\x8b":
        raise UnusableSegmentation(
            f"It is cut off, in several parts, or over {MOST_BYTES >> 20} MB.", "Send one whole, smaller file."
        )
    return content


def _told(header: Any) -> dict[int, Naming]:
    """What our own label maps say of their labels (see `exports.nifti`)."""
    for extension in header.extensions:
        if extension.get_code() != _COMMENT:
            continue
        try:
            entries = orjson.loads(bytes(extension.get_content()).rstrip(b"\0 "))["labels"]
            return {int(each["label"]): _naming(each) for each in entries}
        except (ValueError, KeyError, TypeError):
            continue
    return {}


def _naming(told: Mapping[str, Any]) -> Naming:
    color = told.get("color")
    red, green, blue = (min(255, max(0, int(each))) for each in color) if color else (0, 0, 0)
    return Naming(
        name=str(told["name"]) or None,
        color=(red, green, blue) if color else None,
        interpreted_type=str(told.get("interpreted_type") or "") or None,
    )
