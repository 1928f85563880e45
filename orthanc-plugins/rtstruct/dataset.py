"""From the bytes of a DICOM file to the elements that matter: by our own walk, else through pydicom.

The walk knows Part 10 files in Implicit or Explicit VR Little Endian, deflated ones included. Big endian
files, files without preamble and whatever else it does not expect are read by pydicom, which is slower but
has seen more.
"""

from __future__ import annotations

import re
import zlib
from io import BytesIO

from pydicom import dcmread
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from .elements import (
    FILE_META,
    IDENTITY,
    MEDIA_STORAGE_SOP_CLASS_UID,
    MODALITY,
    RT_STRUCTURE_SET_STORAGE,
    SOP_CLASS_UID,
    STRUCTURE_SET,
    TRANSFER_SYNTAX_UID,
    Item,
    Schema,
    value,
)
from .errors import DamagedStructureSet, NotAStructureSet, StructureSetError
from .silence import pydicom_silent
from .text import plain
from .walk import Damage, Unexpected, Walk

# A deflated file of a few MB can claim to hold terabytes; no structure set in practice is a tenth of this.
MAX_INFLATED_BYTES = 1 << 30

# PS3.5 9.1, and 6.2 for CS.
_UID = re.compile(r"(?=.{1,64}$)[0-2](\.\d+)+", re.ASCII)
_CODE = re.compile(r"[A-Z0-9_ ]{1,16}")

_UNDEFINED_LENGTH = 0xFFFFFFFF
_IMPLICIT = "1.2.840.10008.1.2"
_EXPLICIT = "1.2.840.10008.1.2.1"
_DEFLATED = "1.2.840.10008.1.2.1.99"


def elements_of(data: bytes, schema: Schema = STRUCTURE_SET) -> Item:
    """What a schema names in the DICOM file of a structure set.

    Raises
    ------
    NotAStructureSet
        DICOM of another SOP class.
    DamagedStructureSet
        Not DICOM, or broken.

    """
    try:
        return _walked(data, schema)
    except Damage as damage:
        raise damage.as_error() from None
    except Unexpected:
        return _through_pydicom(data, schema)


def _walked(data: bytes, schema: Schema) -> Item:
    if data[128:132] != b"DICM":
        raise Unexpected("no preamble")
    meta, start = Walk(data, explicit=True).dataset(132, FILE_META, before=0x00030000)
    transfer_syntax = plain(value(meta, TRANSFER_SYNTAX_UID))
    if transfer_syntax == _DEFLATED:
        data, start = _inflated(data, start), 0
    elif transfer_syntax not in (_IMPLICIT, _EXPLICIT):
        raise Unexpected("transfer syntax")
    walk = Walk(data, explicit=transfer_syntax != _IMPLICIT)
    # First, so that another kind of object is called by its name even when it is damaged further on.
    identity, _ = walk.dataset(start, IDENTITY, before=MODALITY + 1)
    _identify(identity, plain(value(meta, MEDIA_STORAGE_SOP_CLASS_UID)))
    item, _ = walk.dataset(start, schema)
    return item


def _identify(identity: Item, media_storage_sop_class_uid: str) -> None:
    sop_class_uid = plain(value(identity, SOP_CLASS_UID)) or media_storage_sop_class_uid
    modality = plain(value(identity, MODALITY))
    if sop_class_uid == RT_STRUCTURE_SET_STORAGE or (not sop_class_uid and modality == "RTSTRUCT"):
        return
    # In a broken file these may run on into what follows, such as the patient's name.
    if sop_class_uid and not _UID.fullmatch(sop_class_uid):
        raise DamagedStructureSet("the SOP Class UID is not a UID")
    raise NotAStructureSet(
        modality=modality if _CODE.fullmatch(modality) else None, sop_class_uid=sop_class_uid or None
    )


def _inflated(data: bytes, start: int) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(memoryview(data)[start:], MAX_INFLATED_BYTES)
    except zlib.error:
        raise Damage("the deflated dataset is broken", start) from None
    if inflater.unconsumed_tail:
        raise Damage(f"the deflated dataset is over {MAX_INFLATED_BYTES >> 20} MB", start)
    if not inflater.eof:
        raise Damage("the deflated dataset is cut short", start)
    return inflated


def _through_pydicom(data: bytes, schema: Schema) -> Item:
    try:
        with pydicom_silent():
            dataset = dcmread(BytesIO(data), force=True)
            meta = _kept(dataset.file_meta, FILE_META)
            identity = _kept(dataset, IDENTITY)
            if not identity and not meta:
                raise DamagedStructureSet("not a DICOM file")
            _identify(identity, plain(value(meta, MEDIA_STORAGE_SOP_CLASS_UID)))
            return _kept(dataset, schema)
    except StructureSetError:
        raise
    # On broken files pydicom raises whatever its parts raise; the text of it may quote the patient's data.
    except Exception as error:
        raise DamagedStructureSet(f"not readable as DICOM, by pydicom either ({type(error).__name__})") from None


def _kept(dataset: Dataset, schema: Schema) -> Item:
    item: Item = {}
    for tag, inner in schema.items():
        if tag not in dataset:
            continue
        _refuse_cut(dataset, tag)
        if inner is None:
            item[tag] = raw_value(dataset, tag)
        else:
            found = dataset[tag].value
            item[tag] = [_kept(each, inner) for each in found] if isinstance(found, Sequence) else []
    return item


def _refuse_cut(dataset: Dataset, tag: int) -> None:
    # At the end of a file that is cut short, pydicom takes half a number for a number.
    element = dataset.get_item(tag)
    if not isinstance(element, RawDataElement) or element.length == _UNDEFINED_LENGTH:
        return
    held = len(element.value or b"")
    if held < element.length:
        raise DamagedStructureSet(f"{keyword_for_tag(tag)} says it is {element.length} bytes long, {held} are left")


def raw_value(dataset: Dataset, tag: int) -> bytes:
    """The bytes of a value that pydicom holds, without making objects of them where it has not yet done so."""
    element = dataset.get_item(tag)
    content = element.value if element is not None else None
    if isinstance(element, RawDataElement) or isinstance(content, bytes):
        return content or b""
    # pydicom itself has already made a string of a few elements, such as Specific Character Set.
    values = [content] if content is None or isinstance(content, str) else list(content)
    return "\\".join("" if each is None else str(each) for each in values).encode()
