"""PNG files of 8 bits a channel (RFC 2083, ISO 15948), written without a library."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

_GREY, _RGB = 0, 2


def png_of(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A PNG of grey pixels, shape (rows, columns), or of RGB, shape (rows, columns, 3)."""
    rows, columns = pixels.shape[:2]
    colour = _GREY if pixels.ndim == 2 else _RGB
    header = struct.pack(">IIBBBBB", columns, rows, 8, colour, 0, 0, 0)
    lines = np.ascontiguousarray(pixels).reshape(rows, -1)
    # Filter 2, the difference to the line above, packs images better than none.
    above = np.concatenate((np.zeros((1, lines.shape[1]), dtype=np.uint8), lines[:-1]))
    filtered = np.concatenate((np.full((rows, 1), 2, dtype=np.uint8), lines - above), axis=1)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
