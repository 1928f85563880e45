"""Which of the doses that the archive holds is the one of a structure set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from host.problems import Problem
from host.sources import DoseSource, Sources, StructureSetSource

DoseIdentifier = Annotated[
    str | None,
    Query(
        description="Orthanc identifier or SOP Instance UID of an RTDOSE; found by frame of reference when left out.",
        pattern=r"^[0-9a-f-]{44}$|^[0-9.]{1,64}$",
    ),
]


@dataclass(frozen=True)
class ChosenDose:
    """A dose, why it was chosen, and the SOP Instance UIDs of others that would do."""

    orthanc_id: str
    chosen_because: str
    others: tuple[str, ...] = ()


def dose_for(sources: Sources, structure_set: StructureSetSource, asked: str | None) -> ChosenDose:
    """The dose of an identifier, else the one of the same study and frame of reference.

    Of several, that of a whole plan comes before those of beams and fractions (Dose Summation Type, PS3.3 C.8.8.3), and
    one that refers to this structure set before others.

    Raises
    ------
    Problem
        404 when there is none, 422 when what is asked for is not a dose, 503.

    """
    if asked is not None:
        return ChosenDose(sources.dose(asked).orthanc_id, "asked for")
    doses = found_doses(sources, structure_set)
    if not doses:
        raise Problem(
            404,
            "The study has no RTDOSE in the frame of reference of the structure set.",
            "Send the dose, or name one with ?dose= (Orthanc identifier or SOP Instance UID).",
        )
    best, *others = doses
    if not others:
        because = "the only one of this study and frame of reference"
    elif best.summation_type == "PLAN":
        because = f"Dose Summation Type PLAN comes first of the {len(doses)} of this study and frame of reference"
    else:
        because = f"the first of {len(doses)} of this study and frame of reference, none of a whole plan"
    return ChosenDose(best.orthanc_id, because, tuple(each.sop_instance_uid for each in others))


def found_doses(sources: Sources, structure_set: StructureSetSource) -> list[DoseSource]:
    """All doses that would do, the best first."""

    def rank(dose: DoseSource) -> tuple[bool, bool, str]:
        refers = structure_set.sop_instance_uid in dose.structure_set_uids
        return dose.summation_type != "PLAN", not refers, dose.sop_instance_uid

    return sorted(sources.doses(structure_set), key=rank)
