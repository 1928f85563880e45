"""What a worker computes for ``/report.html``. Imports neither ``orthanc`` nor FastAPI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rtstruct
from host.answer import Answer
from report.facts import chosen, dose_of, facts_of, image_of
from report.page import POLICY, Content, page_of
from report.pictures import cuts_of, focus_of, slice_pictures
from report.texts import TEXTS, Language
from rtstruct.names import nomenclature
from rtstruct.quality import Held, report_on
from rtstruct.references import read_references

DOCUMENT_VERSION = 1


@dataclass(frozen=True)
class DocumentQuestion:
    """Which structures, in which language, and why this dose."""

    numbers: tuple[int, ...]
    language: Language
    filename: str
    dose_because: str
    dose_asked_for: bool


def as_html(
    structure_set: bytes,
    slices: Sequence[bytes],
    dose: bytes | None,
    question: DocumentQuestion,
    held: Held,
    synonyms: Path | None,
) -> Answer:
    """The page. Images or a dose that cannot be used are told on it."""
    read = rtstruct.read(structure_set)
    image, image_finding = image_of(slices)
    planned, dose_finding = dose_of(dose, question.dose_asked_for)
    facts = list(facts_of(chosen(read, question.numbers), image, planned, synonyms))
    analyses = [each.analysis for each in facts] if len(facts) == len(read.structures) else None
    names = nomenclature(synonyms) if synonyms else None
    focus = focus_of(facts)
    content = Content(
        structure_set=read,
        facts=facts,
        image=image,
        dose=planned,
        dose_because=question.dose_because,
        beside=[each for each in (image_finding, dose_finding) if each],
        quality=report_on(read, read_references(structure_set), held, analyses, names),
        slices=slice_pictures(facts, image),
        cuts=cuts_of(facts, image, focus) if image and focus else [],
        focus=focus,
    )
    headers = {
        "Content-Disposition": f'inline; filename="{question.filename}"',
        "Content-Language": question.language,
        "Content-Security-Policy": POLICY,
        "Vary": "Accept-Language",
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(page_of(content, TEXTS[question.language]).encode(errors="replace"), headers)
