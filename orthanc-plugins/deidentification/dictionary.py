"""What DICOM's dictionary says of a tag, and what a file may say differently."""

from __future__ import annotations

from functools import cache

from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

TEXT = frozenset({"SH", "LO", "ST", "LT", "UC", "UT"})
_STRINGS = TEXT | {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "PN", "TM", "UI", "UR"}
#: Numbers in the file, too: their bytes are kept as they are, bulk data among them.
BINARY = frozenset({"AT", "FD", "FL", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UL", "US", "UV"})
_ICC_PROFILE = 0x00282000


def tags_of(*keywords: str) -> frozenset[int]:
    """The tags of these attributes."""
    return frozenset(tag for keyword in keywords if (tag := tag_for_keyword(keyword)) is not None)


@cache
def vr_of(tag: BaseTag, said: str | None) -> str | None:
    """The VR to treat an attribute by, or None for one that cannot stay whatever its value.

    Private attributes cannot, nor those that the dictionary does not know, group lengths, what belongs to other groups
    than a data set's, curves and overlays, bytes of unknown meaning, and values in another kind of VR than the
    attribute's own (text as numbers, numbers as text).

    Parameters
    ----------
    said
        The VR in the file; None in an implicit one.
    """
    if tag.is_private or tag.group < 8 or tag.element == 0 or not dictionary_has_tag(tag):
        return None
    known = dictionary_VR(tag).split(" or ")
    if known[0] in ("OB", "UN") and len(known) == 1 and tag != _ICC_PROFILE:
        return None
    # Attributes that may be bytes or words are samples of images, waveforms or tables.
    numbers = bool(BINARY.intersection(known)) or known == ["OB"]
    if said in known or said is None or said == "UN":
        return "OW" if numbers else known[0]
    if numbers:
        return "OW" if said in BINARY else None
    return known[0] if said in _STRINGS and known[0] in _STRINGS else None


def decoded(dataset: Dataset, tag: BaseTag, vr: str) -> DataElement:
    """The attribute, read by the VR it is to be treated by."""
    raw = dataset.get_item(tag)
    if isinstance(raw, RawDataElement) and vr != "OW" and vr != raw.VR:
        # What is written as UN is encoded as in implicit VR (PS3.5, 6.2.2, note 4).
        dataset[tag] = raw._replace(VR=vr, is_implicit_VR=raw.is_implicit_VR or raw.VR == "UN")
    return dataset[tag]
