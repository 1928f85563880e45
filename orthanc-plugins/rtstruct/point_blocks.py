"""The points of one structure as few bytes, and back bit for bit.

Nearly all files give coordinates with a fixed number of decimals. Such coordinates are whole numbers once
multiplied by a power of ten, their differences from point to point are small, and the bytes of small numbers
compress to a seventh of the floats, in half the time. Coordinates of which that is not exactly true stay
floats.
"""

from __future__ import annotations

import zlib

import numpy as np

from .model import Points

# zlib's fastest: its better levels take several times as long for a tenth less.
_LEVEL = 1
_MOST_DECIMALS = 6
_FLOATS = -1
_INT32 = np.iinfo(np.int32)


def encode(points_mm: Points) -> tuple[bytes, int]:
    """A compressed block, and the number of decimals needed to `decode` it (-1 for floats)."""
    decimals, columns = _whole_numbers(points_mm)
    if decimals == _FLOATS or columns is None:
        return zlib.compress(points_mm.T.astype("<f8").tobytes(), _LEVEL), _FLOATS
    # Unsigned, so that differences that do not fit wrap around, and wrap back on the way home.
    columns[:, 1:] -= columns[:, :-1].copy()
    byte_planes = columns.astype("<u4").view(np.uint8).reshape(-1, 4).T
    return zlib.compress(byte_planes.tobytes(), _LEVEL), decimals


def decode(block: bytes | memoryview, decimals: int, count: int) -> Points:
    """The points, of shape (count, 3), read-only.

    Raises
    ------
    ValueError
        The block is broken or does not hold that many points.

    """
    if not _FLOATS <= decimals <= _MOST_DECIMALS:
        raise ValueError(f"points with {decimals} decimals")
    content = inflate(block, count * (24 if decimals == _FLOATS else 12))
    if decimals == _FLOATS:
        points = np.ascontiguousarray(np.frombuffer(content, "<f8").reshape(3, count).T)
    else:
        byte_planes = np.frombuffer(content, np.uint8).reshape(4, -1)
        differences = np.ascontiguousarray(byte_planes.T).view("<u4").reshape(3, count)
        columns = np.cumsum(differences, axis=1, dtype=np.uint32).view(np.int32)
        points = np.ascontiguousarray((columns / 10.0**decimals).T)
    points.flags.writeable = False
    return points


def inflate(block: bytes | memoryview, size: int) -> bytes:
    """A zlib stream that must hold exactly `size` bytes; ValueError otherwise."""
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(block, size + 1)
    except zlib.error as error:
        raise ValueError(f"a broken zlib stream ({error})") from None
    if not inflater.eof or len(content) != size or inflater.unused_data:
        raise ValueError(f"a zlib stream that does not hold {size} bytes")
    return content


def _whole_numbers(points_mm: Points) -> tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.uint32]] | None]:
    floats = np.ascontiguousarray(points_mm.T)
    sample = floats[:, :64]
    for decimals in range(_MOST_DECIMALS + 1):
        if _exact(sample, decimals) is not None:
            whole = _exact(floats, decimals)
            if whole is not None:
                return decimals, whole.astype(np.int32).view(np.uint32)
    return _FLOATS, None


def _exact(floats: Points, decimals: int) -> Points | None:
    with np.errstate(over="ignore"):
        whole = np.rint(floats * 10.0**decimals)
    # Said this way round, so that NaN does not pass.
    if whole.size and not (whole.min() >= _INT32.min and whole.max() <= _INT32.max):
        return None
    # Compared as bits: minus nought is not nought.
    back = whole.astype(np.int32) / 10.0**decimals
    return whole if np.array_equal(back.view(np.int64), floats.view(np.int64)) else None
