"""What a physicist would want to know before trusting a structure set; and why OHIF would not show it."""

from .findings import KINDS, Place, QualityFinding, Severity
from .of_references import Held
from .report import QualityReport, compared_series, report_on

__all__ = [
    "KINDS",
    "Held",
    "Place",
    "QualityFinding",
    "QualityReport",
    "Severity",
    "compared_series",
    "report_on",
]
