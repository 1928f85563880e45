"""Contour Data, a text of decimal strings (PS3.5 6.2, DS), to the very floats that ``float`` makes.

The image has a small compiled reader for them (``decimals.c``), which takes a tenth of ``float``'s time.
``float`` reads what it refuses, and everything where it is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

try:
    from rtstruct_decimals import floats_of as _compiled
except ImportError:  # in a notebook, without the image

    def _compiled(text: bytes | memoryview) -> bytes | None:
        return None


Floats = npt.NDArray[np.float64]


def floats_of(texts: Sequence[bytes | memoryview]) -> list[Floats | None]:
    """The values of each text, read-only; None for a text that is empty or not finite numbers throughout."""
    return [_floats(text) for text in texts]


def float_of(text: bytes) -> float | None:
    """The one value of a DS, None when it is empty, not a finite number, or more than one."""
    values = _floats(text)
    return float(values[0]) if values is not None and len(values) == 1 else None


def _floats(text: bytes | memoryview) -> Floats | None:
    # Padding, as pydicom takes it off; NUL is wrong there, but common.
    if text and text[-1] in b" \0":
        text = bytes(text).rstrip(b" \0")
    values = _compiled(text)
    return _by_float(bytes(text)) if values is None else np.frombuffer(values, dtype=np.float64)


def _by_float(text: bytes) -> Floats | None:
    # float also takes "1_000", which is no decimal string.
    if not text or b"_" in text:
        return None
    try:
        values = np.array([float(part) for part in text.split(b"\\")])
    except ValueError:
        return None
    if not np.isfinite(values).all():
        return None
    values.flags.writeable = False
    return values
