"""Structure sets as the route answers them: from the attachments, or computed now when they are not there yet."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from extraction.engine import ENGINE_VERSION, Extracted, extract
from extraction.service import CONTOURS, SUMMARY
from host.archive import Archive, UnknownResource
from host.workers import WorkerPool
from rtstruct import PackedStructure, unpack_contours, write_flat

#: What is said of a structure beside its contours.
_ABOUT = ("color", "interpreted_type", "plane_normal")


class UnknownStructure(LookupError):
    """A structure that was asked for is not in the set."""

    def __init__(self, asked: str, names: list[str]) -> None:
        super().__init__(asked)
        self.asked = asked
        self.names = names


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept of a structure set, and the entity tag of what is asked of it."""

    orthanc_id: str
    summary: bytes
    contours: bytes | None
    etag: str


class Reader:
    """Answers with the JSON of a structure set."""

    def __init__(self, archive: Archive, workers: WorkerPool) -> None:
        self._archive = archive
        self._workers = workers

    def find(self, identifier: str, answer: str, wanted: Collection[str]) -> Stored | None:
        """What is kept of an instance (Orthanc identifier or SOP Instance UID), or None when there is no such.

        As few questions to Orthanc as can be: each is a query of its index. ``answer`` names what will be made of it,
        so that each answer has an entity tag of its own.

        Raises
        ------
        UnreadableStructureSet, WorkerDied, ServerStopping, UnknownResource
            If nothing is kept yet, and it cannot be computed now.
        """
        orthanc_id = identifier if "-" in identifier else self._archive.find_instance(identifier)
        if orthanc_id is None:
            return None
        summary = self._archive.read_attachment(orthanc_id, SUMMARY)
        packed: bytes | None = None
        if summary is None:
            if self._archive.find_instance(orthanc_id) is None:
                return None
            extracted = self._extract(orthanc_id)
            summary, packed = extracted.summary, extracted.contours
        question = orjson.dumps([ENGINE_VERSION, orthanc_id, answer, sorted(wanted)])
        return Stored(orthanc_id, summary, packed, f'"{hashlib.sha256(question + summary).hexdigest()[:32]}"')

    def answer(self, stored: Stored, contours: bool, wanted: Collection[str]) -> bytes:
        """The JSON of the structures ``wanted`` (numbers or names; empty: all), with or without their contours.

        Raises
        ------
        UnknownStructure
            If one of ``wanted`` is not in the set.
        UnknownResource
            If the instance has been deleted meanwhile.
        """
        if not contours and not wanted:
            # Kept as it is answered: reading and writing its thousands of areas would take longer than all the rest.
            return b'{"orthanc_id":"' + stored.orthanc_id.encode() + b'",' + stored.summary[1:]
        answer: dict[str, Any] = {"orthanc_id": stored.orthanc_id, **orjson.loads(stored.summary)}
        structures = answer.pop("structures")
        chosen = _chosen(structures, wanted)
        numbers = [structures[position]["number"] for position in chosen]
        drawn = self._drawn(stored, numbers) if contours else {}
        # Structure by structure: a large set is a second of JSON, during which no other route should have to wait.
        parts = [_structure(structures[position], drawn) for position in chosen]
        return orjson.dumps(answer)[:-1] + b',"structures":[' + b",".join(parts) + b"]}"

    def structures(self, stored: Stored, wanted: Collection[str]) -> bytes:
        """The JSON of the structures ``wanted`` as a list, without contours. Raises UnknownStructure."""
        summaries = orjson.loads(stored.summary)["structures"]
        return orjson.dumps([summaries[position] for position in _chosen(summaries, wanted)])

    def contours(self, stored: Stored, number: int) -> bytes:
        """The JSON of one structure's contours. Raises UnknownStructure, UnknownResource."""
        ((about, structure),) = self._outlined(stored, [_numbered(orjson.loads(stored.summary)["structures"], number)])
        drawn = {"number": number, "name": structure.name, **about, "contours": _contours(structure)}
        return orjson.dumps(drawn, option=orjson.OPT_SERIALIZE_NUMPY)

    def flat_contours(self, stored: Stored, wanted: Collection[str] | int) -> bytes:
        """The contours of the structures ``wanted``, or of that number, as `rtstruct.write_flat` lays them out.

        Raises UnknownStructure, UnknownResource.
        """
        summaries = orjson.loads(stored.summary)["structures"]
        if isinstance(wanted, int):
            chosen = [_numbered(summaries, wanted)]
        else:
            chosen = [summaries[position] for position in _chosen(summaries, wanted)]
        outlined = self._outlined(stored, chosen)
        return write_flat([structure for _, structure in outlined], [about for about, _ in outlined])

    def _outlined(
        self, stored: Stored, summaries: Collection[dict[str, Any]]
    ) -> list[tuple[dict[str, Any], PackedStructure]]:
        drawn = self._drawn(stored, [summary["number"] for summary in summaries])
        return [({name: summary[name] for name in _ABOUT}, drawn[summary["number"]]) for summary in summaries]

    def _drawn(self, stored: Stored, numbers: Collection[int]) -> dict[int, PackedStructure]:
        packed = stored.contours or self._archive.read_attachment(stored.orthanc_id, CONTOURS)
        if packed is None:
            # They are attached before the summary, and go with the instance alone.
            raise UnknownResource(f"instance {stored.orthanc_id}")
        try:
            unpacked = unpack_contours(packed, numbers)
        except ValueError:
            # Packed by another version, and not yet extracted anew after an upgrade.
            unpacked = unpack_contours(self._extract(stored.orthanc_id).contours, numbers)
        return {structure.number: structure for structure in unpacked.structures}

    def _extract(self, orthanc_id: str) -> Extracted:
        extracted: Extracted = self._workers.call(extract, self._archive.read_instance(orthanc_id))
        return extracted


def _structure(summary: dict[str, Any], drawn: dict[int, PackedStructure]) -> bytes:
    warnings = summary.pop("warnings")
    if summary["number"] in drawn:
        summary["contours"] = _contours(drawn[summary["number"]])
    summary["warnings"] = warnings
    return orjson.dumps(summary, option=orjson.OPT_SERIALIZE_NUMPY)


def _contours(structure: PackedStructure) -> list[dict[str, Any]]:
    return [
        {
            "geometric_type": contour.geometric_type,
            "position_mm": contour.position_mm,
            "hole": contour.hole,
            "area_mm2": contour.area_mm2,
            "perimeter_mm": contour.perimeter_mm,
            "points_mm": contour.points_mm,
        }
        for contour in structure.contours
    ]


def _numbered(structures: list[dict[str, Any]], number: int) -> dict[str, Any]:
    for structure in structures:
        if structure["number"] == number:
            return structure
    raise UnknownStructure(str(number), [f"{each['number']} ({each['name']})" for each in structures])


def _chosen(structures: list[dict[str, Any]], wanted: Collection[str]) -> list[int]:
    if not wanted:
        return list(range(len(structures)))
    chosen: set[int] = set()
    for asked in wanted:
        found = {
            position
            for position, structure in enumerate(structures)
            if asked == str(structure["number"]) or asked.casefold() == structure["name"].casefold()
        }
        if not found:
            raise UnknownStructure(asked, [structure["name"] for structure in structures])
        chosen |= found
    return sorted(chosen)
