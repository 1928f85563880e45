"""Orthanc's log of changes, as those read it who follow it with a cursor."""

from __future__ import annotations

from collections.abc import Iterable

from host.archive import Archive, Json, UnknownResource


def studies_touched(archive: Archive, changes: Iterable[Json]) -> set[str]:
    """The studies that these changes belong to: a few questions per series, not one per instance."""
    touched: set[str] = set()
    series: set[str] = set()
    instances: set[str] = set()
    for change in changes:
        kind = change["ResourceType"]
        if kind == "Study":
            touched.add(change["ID"])
        elif kind == "Series":
            series.add(change["ID"])
        elif kind == "Instance":
            instances.add(change["ID"])
    while instances:
        try:
            parent = archive.get(f"/instances/{instances.pop()}")["ParentSeries"]
            siblings = archive.get(f"/series/{parent}")
        except UnknownResource:
            continue
        instances.difference_update(siblings["Instances"])
        series.discard(parent)
        touched.add(siblings["ParentStudy"])
    for identifier in series:
        try:
            touched.add(archive.get(f"/series/{identifier}")["ParentStudy"])
        except UnknownResource:
            continue
    return touched
