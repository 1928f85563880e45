"""Text as it is searched and sorted. Light on purpose: workers import it, and need no SQLAlchemy for it."""

from __future__ import annotations

import unicodedata


def fold(value: str) -> str:
    """Text without accents and case; the groups and components of a DICOM person name become words."""
    decomposed = unicodedata.normalize("NFKD", value.replace("^", " ").replace("=", " "))
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).casefold().split())
