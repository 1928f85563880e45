"""Tables as CSV files (RFC 4180) that spreadsheets and pandas open alike, and that cannot run formulas.

Light on purpose: workers import it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Literal

Cell = str | int | float | None
Separator = Literal["comma", "semicolon"]

#: With a byte order mark Excel reads UTF-8 as UTF-8; pandas and Python's ``utf-8-sig`` take it off.
_MARK = "\ufeff"
#: What a spreadsheet may take for a formula or a command at the start of a text (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_of(header: Sequence[str], rows: Iterable[Sequence[Cell]], separator: Separator = "comma") -> bytes:
    """A CSV file.

    Parameters
    ----------
    separator
        ``comma``, with decimal points, is what programs and Excel in English read. ``semicolon``, with decimal commas,
        is what Excel in most of Europe opens by a double click.

    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter="," if separator == "comma" else ";", lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(cell, separator) for cell in row])
    return (_MARK + text.getvalue()).encode()


def _cell(cell: Cell, separator: Separator) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        number = f"{cell:.6g}" if abs(cell) < 1e6 else f"{cell:.1f}"
        return number.replace(".", ",") if separator == "semicolon" else number
    if isinstance(cell, int):
        return str(cell)
    # An apostrophe makes it text, and is not shown by spreadsheets.
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
