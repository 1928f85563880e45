"""Writes the dashboards' JSON: ``python observability/grafana/build.py``. A test compares the files with its output.

Grafana shows one title for all languages: titles are English, and each dashboard's description is in French, too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

sys.path.insert(0, str(Path(__file__).parent))
from boards import dcm4chee, orthanc, usage, wall
from panels import DASHBOARD_URL, POSTGRES, PROMETHEUS, Panel, between_dashboards, link

FOLDER = Path(__file__).parent / "dashboards"


def new(uid: str, title: str, description: str, since: str = "now-24h", refresh: str = "30s") -> Any:
    """A dashboard with what all have in common."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["pacs"])
        .time(since, "now")
        .refresh(refresh)
        .timezone("browser")
        .readonly()
        .link(between_dashboards())
        .link(link("PACS dashboard", DASHBOARD_URL))
    )


def dashboards() -> dict[str, Any]:
    """File name → dashboard."""
    route = (
        dashboard.QueryVariable("route")
        .label("Route")
        .datasource(PROMETHEUS)
        .query({"query": f"label_values({orthanc.DURATION}_count, route)", "refId": "route"})
        .include_all(True)
        .all_value(".*")
        .multi(True)
    )
    modality = (
        dashboard.QueryVariable("modality")
        .label("Modality")
        .datasource(POSTGRES)
        .query("SELECT DISTINCT modality FROM series ORDER BY 1")
        .include_all(True)
        .multi(True)
    )
    boards: dict[str, tuple[Any, list[Panel]]] = {
        "orthanc": (
            new(
                "pacs-orthanc",
                "Orthanc",
                "What Orthanc and its plugins hold and do. — Ce que contient et fait Orthanc.",
            ).with_variable(route),
            orthanc.PANELS,
        ),
        "dcm4chee": (
            new("pacs-dcm4chee", "DCM4CHEE", "The archive behind Orthanc. — L'archive derrière Orthanc."),
            dcm4chee.PANELS,
        ),
        "usage": (
            new(
                "pacs-usage",
                "Usage statistics",
                "Who sends what, and what is in it. — Qui envoie quoi, et ce qu'il contient.",
                since="now-90d",
                refresh="5m",
            ).with_variable(modality),
            usage.PANELS,
        ),
        "platform": (
            new(
                "pacs-platform",
                "Platform",
                "Everything on one screen, for a wall. — Tout sur un écran, pour un mur.",
                since="now-6h",
            ),
            wall.PANELS,
        ),
    }
    for board, panels in boards.values():
        for panel in panels:
            board.with_panel(panel)
    return {f"{name}.json": board.build() for name, (board, _) in boards.items()}


def encoded(board: Any) -> str:
    """The JSON that Grafana reads."""
    plain = json.loads(JSONEncoder(sort_keys=True).encode(board))
    return json.dumps(_without_nulls(plain), indent=2, ensure_ascii=False) + "\n"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


if __name__ == "__main__":
    for name, board in dashboards().items():
        (FOLDER / name).write_text(encoded(board), encoding="utf-8")
