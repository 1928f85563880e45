"""The report as one HTML page that needs nothing else: no script, no external resource; every text is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from report.chart import chart_of
from report.facts import StructureFacts
from report.pictures import Cut, SlicePicture, colour_of
from report.texts import Texts
from rtstruct import Finding, StructureSet
from rtstruct.doses import Dose
from rtstruct.images import Image
from rtstruct.quality import QualityFinding, QualityReport

_STYLE = (Path(__file__).parent / "style.css").read_text()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: Nothing but the one style sheet and the pictures inside the page.
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'"

_MOST_FINDINGS = 60


@dataclass(frozen=True)
class Content:
    """Everything that the page shows."""

    structure_set: StructureSet
    facts: Sequence[StructureFacts]
    image: Image | None
    dose: Dose | None
    dose_because: str
    beside: Sequence[Finding]
    quality: QualityReport
    slices: Sequence[SlicePicture]
    cuts: Sequence[Cut]
    focus: StructureFacts | None


def page_of(content: Content, texts: Texts) -> str:
    """The whole page."""
    title = escape(content.structure_set.label or texts.title)
    parts = (
        f'<!doctype html><html lang="{texts.language}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>",
        *_header(content, texts),
        *_structures(content, texts),
        *_quality(content, texts),
        *_pictures(content, texts),
        *_histograms(content, texts),
        "</main></body></html>",
    )
    return "".join(parts)


def _header(content: Content, texts: Texts) -> Iterator[str]:
    found = content.structure_set
    yield f'<header><p class="soft">{texts.title}</p><h1><bdi>{escape(found.label or texts.title)}</bdi></h1><dl>'
    approval = found.approval_status or ""
    rows = (
        (texts.date, _date(found)),
        (texts.approval, texts.approvals.get(approval, approval or texts.no_approval)),
        (texts.structure_set, found.sop_instance_uid),
        (texts.study, found.study_instance_uid),
        (texts.series, _images(content.image, texts)),
        (texts.dose, _dose(content, texts)),
    )
    for name, value in rows:
        yield f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
    yield f'</dl><p class="soft">{escape(texts.only_uids)}</p>'
    for finding in content.beside:
        yield f'<p class="warning" lang="en">{escape(finding.message)}</p>'
    yield "</header>"


def _date(found: StructureSet) -> str:
    date, time = found.date or "", found.time or ""
    day = f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else date
    return f"{day} {time[:2]}:{time[2:4]}" if day and time[:4].isdigit() and len(time) >= 4 else day or "–"


def _images(image: Image | None, texts: Texts) -> str:
    if image is None:
        return texts.no_images
    slices, rows, columns = image.grid.shape
    spacing = " × ".join(texts.number(float(each), 2) for each in image.grid.spacing_mm)
    return f"{image.modality}, {slices} {texts.images}, {columns} × {rows}, {spacing} mm; {image.series_instance_uid}"


def _dose(content: Content, texts: Texts) -> str:
    dose = content.dose
    if dose is None:
        return texts.no_dose
    unit = "Gy" if dose.units == "GY" else texts.relative
    kind = " ".join(filter(None, (dose.summation_type, dose.dose_type)))
    return f"{kind}, max. {texts.number(dose.grid.maximum, 2)} {unit}; {dose.sop_instance_uid} ({content.dose_because})"


def _structures(content: Content, texts: Texts) -> Iterator[str]:
    yield f'<section><h2>{texts.structures}</h2><div class="scroll" tabindex="0" role="region"'
    yield f' aria-label="{escape(texts.structures)}"><table><thead><tr><th class="n">{texts.number_of}</th>'
    yield f"<th>{texts.name}</th><th>{texts.type}</th><th>{texts.suggested}</th>"
    yield f'<th class="n">{texts.volume} <small>cm³</small></th>'
    if content.image:
        yield f'<th class="n">{texts.mean_value} <small>{escape(content.image.units)}</small></th>'
    if content.dose:
        unit = "Gy" if content.dose.units == "GY" else texts.relative
        for name in ("Dmean", "Dmax", "D95"):
            yield f'<th class="n">{name} <small>{escape(unit)}</small></th>'
    yield f'<th class="n">{texts.notes}</th></tr></thead><tbody>'
    for facts in content.facts:
        yield from _row(facts, content, texts)
    yield f'</tbody></table></div><p class="soft">{escape(texts.table_hint)}</p>'
    yield from _messages(finding for facts in content.facts if facts.mask for finding in facts.mask.findings)
    yield "</section>"


def _row(facts: StructureFacts, content: Content, texts: Texts) -> Iterator[str]:
    structure, suggestion = facts.structure, facts.suggestion
    yield f'<tr><td class="n">{structure.number}</td><th>{_swatch(facts)}<bdi>{escape(structure.name)}</bdi></th>'
    yield f"<td>{escape(structure.interpreted_type or '')}</td>"
    same = suggestion is not None and suggestion.name == structure.name
    yield f"<td>{escape(suggestion.name) if suggestion and not same else '✓' if same else ''}</td>"
    volume = facts.analysis.volume_cm3
    yield f'<td class="n">{texts.number(volume, 1 if volume and volume >= 10 else 3)}</td>'
    if content.image:
        yield f'<td class="n">{texts.number(facts.mean_intensity, 1)}</td>'
    if content.dose:
        from_dvh = facts.dvh
        values = (from_dvh.mean, from_dvh.maximum, from_dvh.dose_to_percent(95)) if from_dvh else (None, None, None)
        for value in values:
            yield f'<td class="n">{texts.number(value, 2)}</td>'
    yield f'<td class="n">{_count(facts, content)}</td></tr>'


def _count(facts: StructureFacts, content: Content) -> str:
    number = facts.structure.number
    own = sum(each.place.structure_number == number and each.severity != "info" for each in content.quality.findings)
    of_dose = len(facts.dvh.findings) if facts.dvh else 0
    return str(own + of_dose) if own + of_dose else ""


def _swatch(facts: StructureFacts) -> str:
    red, green, blue = colour_of(facts)
    return (
        '<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">'
        f'<rect width="10" height="10" rx="2" fill="rgb({red},{green},{blue})"/></svg>'
    )


def _quality(content: Content, texts: Texts) -> Iterator[str]:
    report = content.quality
    yield f"<section><h2>{texts.quality}</h2><p>"
    for severity in ("error", "warning", "info"):
        count = report.count(severity)
        if count:
            yield f'<span class="badge {severity}">{texts.severities[severity]}: {count}</span>'
    yield "</p>"
    if not report.findings:
        yield f"<p>{escape(texts.all_well)}</p>"
    if not report.viewable_in_ohif:
        yield f'<p class="error">{escape(texts.hidden_in_ohif)}</p>'
    yield '<ul class="findings">'
    for finding in report.findings[:_MOST_FINDINGS]:
        yield _finding(finding, texts)
    yield "</ul>"
    if len(report.findings) > _MOST_FINDINGS:
        yield f'<p class="soft">{len(report.findings) - _MOST_FINDINGS} {escape(texts.more)}</p>'
    yield "</section>"


def _finding(finding: QualityFinding, texts: Texts) -> str:
    place = finding.place
    where = f"<bdi>{escape(place.structure_name)}</bdi>" if place.structure_name else ""
    if place.position_mm is not None:
        where += f" {texts.at} {texts.number(place.position_mm, 1)} mm"
    severity = f'<strong class="{finding.severity}">{texts.severities[finding.severity]}</strong>'
    message = f'<span lang="en">{escape(finding.message)}</span>'
    return (
        f'<li class="{finding.severity}"><p>{" · ".join(filter(None, (severity, where, message)))}</p>'
        f'<p class="soft">{texts.remedy}: <span lang="en">{escape(finding.remedy)}</span></p></li>'
    )


def _pictures(content: Content, texts: Texts) -> Iterator[str]:
    if not content.slices:
        return
    yield f'<section><h2>{texts.slices}</h2><p class="soft">{escape(texts.slices_about)}</p><div class="pictures">'
    for picture in content.slices:
        yield _slice(picture, texts)
    yield "</div>"
    left = sum(each.analysis.plane_count > 0 for each in content.facts) - len(content.slices)
    if left > 0:
        yield f'<p class="soft">{left} {escape(texts.without_picture)}</p>'
    yield "</section>"
    if content.cuts and content.focus:
        name = f"<bdi>{escape(content.focus.structure.name)}</bdi>"
        yield f'<section><h2>{texts.cuts}</h2><div class="cuts">'
        for cut in content.cuts:
            about = texts.cut_rows if cut.kind == "rows" else texts.cut_columns
            width, height = cut.width_mm, cut.height_mm
            yield (
                f'<figure><svg class="cut" viewBox="0 0 {width:.1f} {height:.1f}" role="img" '
                f'aria-label="{escape(about)} {escape(content.focus.structure.name)}">'
                f'<image href="{cut.uri}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none"/></svg>'
                f"<figcaption>{escape(about)} {name}</figcaption></figure>"
            )
        yield "</div></section>"


def _slice(picture: SlicePicture, texts: Texts) -> str:
    window = " ".join(f"{each:g}" for each in picture.window)
    name = picture.name or str(picture.number)
    position = f"{texts.at} {texts.number(picture.position_mm, 1)} mm"
    parts = [
        f'<figure><svg class="slice" viewBox="{window}" role="img" aria-label="{escape(name)}, {escape(position)}">'
    ]
    if picture.image is not None:
        uri, (x, y, width, height) = picture.image
        place = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
        parts.append(f'<image href="{uri}" {place} preserveAspectRatio="none"/>')
    own_last = sorted(picture.outlines, key=lambda each: each.number == picture.number)
    for outline in own_last:
        red, green, blue = outline.colour
        own = ' class="own"' if outline.number == picture.number else ""
        parts.append(f'<path{own} stroke="rgb({red},{green},{blue})" d="{outline.path}"/>')
    parts.append(f"</svg><figcaption><bdi>{escape(name)}</bdi>, {position}</figcaption></figure>")
    return "".join(parts)


def _histograms(content: Content, texts: Texts) -> Iterator[str]:
    if content.dose is None:
        return
    yield f"<section><h2>{texts.dvh}</h2>"
    chart = chart_of(content.facts, content.dose.units, texts)
    if chart:
        yield f'<p class="soft">{escape(texts.dvh_about)}</p>{chart}<ul class="legend">'
        for facts in content.facts:
            if facts.dvh and facts.dvh.curve:
                yield f"<li>{_swatch(facts)}<bdi>{escape(facts.structure.name)}</bdi></li>"
        yield "</ul>"
    yield from _messages(finding for facts in content.facts if facts.dvh for finding in facts.dvh.findings)
    yield from _messages(content.dose.findings)
    yield "</section>"


def _messages(findings: Iterable[Finding]) -> Iterator[str]:
    shown = list(findings)[:_MOST_FINDINGS]
    if shown:
        yield '<ul class="findings">'
        yield from (f'<li class="info"><p lang="en">{escape(each.message)}</p></li>' for each in shown)
        yield "</ul>"
