"""Names of structures after AAPM TG-263: suggested with a confidence, never written over what is there.

>>> suggest("Lt Lung")
Suggestion(name='Lung_L', confidence=0.95, reason='Lung_L, written in another way.')
"""

from .nomenclature import Entry, Nomenclature, SynonymsError, nomenclature
from .suggestion import LONGEST_NAME, THRESHOLD, Suggestion, is_tg263, suggest
from .targets import is_valid_target

__all__ = [
    "LONGEST_NAME",
    "THRESHOLD",
    "Entry",
    "Nomenclature",
    "Suggestion",
    "SynonymsError",
    "is_tg263",
    "is_valid_target",
    "nomenclature",
    "suggest",
]
