"""Solids of known volume and surface, as the contours of their sections."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from rtstruct import Contour, Structure
from unit.rtstruct.shapes import Points, circle, rectangle, rotation, structure

Section = Callable[[float], list[Points]]
PI = float(np.pi)


@dataclass(frozen=True)
class Solid:
    """Its sections by z, the half height, and closed forms in mm³, mm² and the Euler number of its surface."""

    section: Section
    half_height: float
    volume: float
    area: float
    euler: int

    def structure(self, spacing: float = 1.0, shift: float = 0.3) -> Structure:
        """Axial contours at multiples of the spacing, shifted."""
        heights = np.arange(-self.half_height - spacing, self.half_height + spacing, spacing) + shift
        return structure(*sections(self.section, heights))


def sections(section: Section, heights: Iterable[float]) -> list[Points]:
    return [points for height in heights for points in section(float(height))]


def ball(radius: float, centre: tuple[float, float] = (0, 0)) -> Section:
    def section(z: float) -> list[Points]:
        return [circle(np.sqrt(radius**2 - z**2), z, centre=centre)] if abs(z) < radius - 1e-9 else []

    return section


def _torus(z: float) -> list[Points]:
    half = np.sqrt(max(100 - z**2, 0))
    return [circle(30 + half, z), circle(30 - half, z)] if half > 0 else []


def _ellipsoid(z: float) -> list[Points]:
    if abs(z) >= 15:
        return []
    return [circle(np.sqrt(1 - (z / 15) ** 2), z) * (30, 20, 1)]


def _between(bottom: float, top: float, *points: Callable[[float], Points]) -> Section:
    return lambda z: [make(z) for make in points] if bottom < z < top else []


SOLIDS = {
    "sphere of 80 mm": Solid(ball(40), 40, 4 / 3 * PI * 40**3, 4 * PI * 1600, 2),
    "sphere of 20 mm": Solid(ball(10), 10, 4 / 3 * PI * 1000, 4 * PI * 100, 2),
    "ellipsoid": Solid(_ellipsoid, 15, 4 / 3 * PI * 30 * 20 * 15, 5600.0, 2),
    "torus": Solid(_torus, 10, 2 * PI**2 * 30 * 100, 4 * PI**2 * 300, 0),
    "hollow sphere": Solid(lambda z: ball(30)(z) + ball(20)(z), 30, 4 / 3 * PI * (27000 - 8000), 4 * PI * 1300, 4),
    "cylinder": Solid(_between(-20, 20, lambda z: circle(10, z)), 20, PI * 4000, 2 * PI * 500, 2),
    "cube": Solid(_between(-10, 10, lambda z: rectangle(0, 0, 20, 20, z)), 10, 8000, 2400, 2),
    "thin tube": Solid(
        _between(-20, 20, lambda z: circle(6, z), lambda z: circle(5, z)), 20, PI * 11 * 40, 2 * PI * 11 * 41, 0
    ),
    "wire": Solid(_between(-20, 20, lambda z: circle(1.5, z)), 20, PI * 2.25 * 40, 2 * PI * 1.5 * 41.5, 2),
}


def turned(made: Structure, normal: tuple[float, float, float], shift: tuple[float, float, float]) -> Structure:
    """The structure turned so that z becomes `normal`, then shifted."""
    turn = rotation(normal)
    contours = tuple(Contour(each.geometric_type, each.points_mm @ turn + shift) for each in made.contours)
    return Structure(number=made.number, name=made.name, contours=contours)
