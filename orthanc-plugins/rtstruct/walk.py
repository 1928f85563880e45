"""A walk over the bytes of a little endian dataset that keeps what a schema asks for (PS3.5 chapter 7).

Long values are views on the given bytes, not copies; what the schema does not name is stepped over. An item of defined
length that is broken inside costs itself alone, where the sequence allows it (`elements.SEPARABLE`).
"""

from __future__ import annotations

from struct import Struct

from pydicom.datadict import keyword_for_tag

from .elements import DAMAGE, SEPARABLE, Item, Schema
from .errors import DamagedStructureSet

# Sequences of undefined length have to be walked even where they are not wanted. Real files nest a handful
# deep.
MAX_DEPTH = 64

# Up to here copying a value takes less time and room than a view on it.
_SHORT = 256

_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD

_HEADER = Struct("<HHI")
_UINT16 = Struct("<H")
_UINT32 = Struct("<I")
_EMPTY: Schema = {}

# PS3.5 7.1.2: the first kind has two reserved bytes and a length of 32 bits, the other a length of 16 bits.
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())


class Unexpected(Exception):
    """Perhaps DICOM, but of a kind that this walk leaves to pydicom."""


class Damage(Exception):
    """The bytes contradict themselves; collects the sequence items around the place on its way up."""

    def __init__(self, message: str, byte: int) -> None:
        self.message = message
        self.byte = byte
        self.path: list[str] = []
        super().__init__(message)

    def as_error(self) -> DamagedStructureSet:
        """The error for the caller of the library."""
        return DamagedStructureSet(self.message, place=", ".join([*reversed(self.path), f"byte {self.byte}"]))


class Walk:
    """One pass over `data`; `explicit` says whether elements carry their VR."""

    def __init__(self, data: bytes, explicit: bool) -> None:
        self._data = data
        self._view = memoryview(data)
        self._explicit = explicit

    def dataset(self, start: int, schema: Schema, before: int = 1 << 32) -> tuple[Item, int]:
        """The dataset from byte `start` to the end, or to the first tag from `before` on.

        Returns what the schema asks for and the byte at which the walk stopped.

        Raises
        ------
        Damage
            An element does not fit into what holds it, or the nesting of items is broken.
        Unexpected
            A VR that is not in the standard, or a value of undefined length where there should be a plain
            one.

        """
        end = len(self._data)
        # Some writers pad files with NUL.
        while end - start < _HEADER.size and end > start and self._data[end - 1] == 0:
            end -= 1
        return self._elements(start, end, schema, self._explicit, before=before)

    def _elements(
        self,
        position: int,
        end: int,
        schema: Schema,
        explicit: bool,
        delimited: bool = False,
        before: int = 1 << 32,
        depth: int = 0,
    ) -> tuple[Item, int]:
        data, view, header = self._data, self._view, _HEADER.unpack_from
        item: Item = {}
        while position < end:
            start = position
            if end - position < 8:
                if not any(view[position:end]) and depth == 0:
                    return item, end
                raise Damage(f"{end - position} bytes left over, an element needs 8", position)
            group, element, length = header(data, position)
            tag = group << 16 | element
            if tag >= before:
                return item, position
            position += 8
            if group == 0xFFFE:
                if tag == _ITEM_END and delimited:
                    return item, position
                raise Damage(f"a delimiter {_name(tag)} outside a sequence", start)
            inner_explicit = explicit
            if explicit:
                vr = data[start + 4 : start + 6]
                if vr in _SHORT_VRS:
                    (length,) = _UINT16.unpack_from(data, start + 6)
                elif vr in _LONG_VRS:
                    if end - start < 12:
                        raise Damage("the header of an element is cut short", start)
                    (length,) = _UINT32.unpack_from(data, position)
                    position += 4
                    # PS3.5 6.2.2: what stands in an element of VR UN is encoded as Implicit VR.
                    inner_explicit = vr != b"UN"
                else:
                    raise Unexpected(f"VR of {_name(tag)}")
            wanted = tag in schema
            inner = schema[tag] if wanted else None
            if length == _UNDEFINED:
                if wanted and inner is None:
                    raise Unexpected(f"{_name(tag)} of undefined length")
                found, position = self._items(
                    position, end, tag, inner or _EMPTY, inner_explicit, closed=False, depth=depth
                )
                if inner is not None:
                    item[tag] = found
            elif length > end - position:
                raise Damage(f"{_name(tag)} says it is {length} bytes long, {end - position} are left", start)
            else:
                stop = position + length
                if inner is not None:
                    item[tag], _ = self._items(position, stop, tag, inner, inner_explicit, closed=True, depth=depth)
                elif wanted:
                    item[tag] = view[position:stop] if length > _SHORT else data[position:stop]
                position = stop
        if delimited:
            raise Damage("an item of undefined length has no end", position)
        return item, position

    def _items(
        self, position: int, end: int, tag: int, schema: Schema, explicit: bool, closed: bool, depth: int
    ) -> tuple[list[Item], int]:
        if depth >= MAX_DEPTH:
            raise Damage(f"sequences nested more than {MAX_DEPTH} deep", position)
        data = self._data
        found: list[Item] = []
        count = 0
        while position < end:
            start = position
            if end - position < 8:
                raise Damage(f"{_name(tag)} is cut short", position)
            group, element, length = _HEADER.unpack_from(data, position)
            position += 8
            marker = group << 16 | element
            if marker == _SEQUENCE_END and not closed:
                return found, position
            if marker != _ITEM:
                raise Damage(f"{_name(tag)} holds {_name(marker)} in place of an item", start)
            count += 1
            stop = None
            try:
                if length == _UNDEFINED:
                    item, position = self._elements(position, end, schema, explicit, True, depth=depth + 1)
                elif length > end - position:
                    raise Damage(f"an item says it is {length} bytes long, {end - position} are left", start)
                else:
                    stop = position + length
                    item = self._elements(position, stop, schema, explicit, depth=depth + 1)[0] if schema else {}
                    position = stop
            except Damage as damage:
                damage.path.append(f"{_name(tag)} item {count}")
                # Where the item ends is known only from a length that fits; what follows can be read then.
                if stop is None or tag not in SEPARABLE:
                    raise
                item, position = {DAMAGE: str(damage.as_error()).encode()}, stop
            if schema:
                found.append(item)
        if not closed:
            raise Damage(f"{_name(tag)} has no end", position)
        return found, position


def _name(tag: int) -> str:
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
