"""Dose-volume histograms as one SVG chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from report.facts import StructureFacts
from report.pictures import colour_of
from report.texts import Texts

_WIDTH, _HEIGHT = 760, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 44
#: Points of a curve: one every four pixels.
_STEPS = 180
_DASHES = ("", "7 3", "2 3", "9 3 2 3")


def chart_of(all_facts: Sequence[StructureFacts], units: str, texts: Texts) -> str:
    """Cumulative curves in percent of the volume, an SVG element; empty without curves."""
    drawn = [each for each in all_facts if each.dvh and each.dvh.curve and each.dvh.maximum]
    if not drawn:
        return ""
    most = max(each.dvh.maximum or 0.0 for each in drawn if each.dvh)
    step = _step(most)
    limit = step * math.ceil(most / step + 0.02)
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="chart-title">',
        f'<title id="chart-title">{escape(texts.dvh_title)}</title>',
        *_axes(limit, step, "Gy" if units == "GY" else texts.relative, texts),
    ]
    for nth, facts in enumerate(drawn):
        parts.append(_curve(facts, limit, _DASHES[nth // 8 % len(_DASHES)]))
    return "".join((*parts, "</svg>"))


def _x(dose: float, limit: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * dose / limit


def _y(percent: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - percent / 100)


def _axes(limit: float, step: float, unit: str, texts: Texts) -> list[str]:
    parts = []
    for percent in range(0, 101, 20):
        y = _y(percent)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{percent}</text>')
    for nth in range(round(limit / step) + 1):
        x = _x(nth * step, limit)
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>')
        number = texts.number(nth * step, 0 if step >= 1 else 2)
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{number}</text>')
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts.append(
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">'
        f"{escape(texts.dose)} ({escape(unit)})</text>"
        f'<text transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">{escape(texts.volume)} (%)</text>'
    )
    return parts


def _curve(facts: StructureFacts, limit: float, dash: str) -> str:
    assert facts.dvh and facts.dvh.curve
    curve = facts.dvh.curve
    points = []
    for nth in range(_STEPS + 1):
        dose = limit * nth / _STEPS
        percent = 100 * curve.volume_at(dose) / curve.total
        points.append(f"{_x(dose, limit):.1f} {_y(percent):.1f}")
        if percent == 0:
            break
    name = escape(facts.structure.name or str(facts.structure.number))
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    red, green, blue = colour_of(facts)
    stroke = f'stroke="rgb({red},{green},{blue})"{dashed}'
    return f'<path class="curve" {stroke} d="M{"L".join(points)}"><title>{name}</title></path>'


def _step(most: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(max(most, 1e-6) / 6))
    return next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= most / 8)
