"""How panels look, so that dashboards only say what they show. Sizes are in Grafana's grid of 24 columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import barchart, bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import prometheus as prometheus_models
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
)

#: Grafana cannot know under which name a browser reaches the machine: change it where that is not localhost.
DASHBOARD_URL = "http://localhost:3000"
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
POSTGRES = DataSourceRef(type_val="grafana-postgresql-datasource", uid="postgres")

#: Thresholds as (value from which it counts, colour); the first has none.
Steps = tuple[tuple[float | None, str], ...]
ONE_IS_WELL: Steps = ((None, "red"), (1, "green"))
NONE_IS_WELL: Steps = ((None, "green"), (1, "red"))


@dataclass
class Sql(variants.Dataquery, builder.Builder["Sql"]):
    """A query of PostgreSQL, which the SDK has no model of. ``time_series`` wants a column ``time``."""

    raw_sql: str
    format: str = "table"
    ref_id: str = "A"

    def build(self) -> Sql:
        return self

    def to_json(self) -> dict[str, object]:
        return {
            "refId": self.ref_id,
            "datasource": {"type": POSTGRES.type_val, "uid": POSTGRES.uid},
            "format": self.format,
            "rawQuery": True,
            "rawSql": self.raw_sql,
            "editorMode": "code",
        }


Panel = Any
"""One of the SDK's panel builders; they share their methods but no type."""


def _finish(
    panel: Panel, title: str, description: str, unit: str, span: int, height: int, steps: Steps | None = None
) -> Panel:
    panel = panel.title(title).description(description).unit(unit).span(span).height(height)
    if steps:
        levels = [Threshold(value=value, color=color) for value, color in steps]
        panel = panel.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(levels))
    return panel


def _prometheus(expressions: tuple[tuple[str, str], ...], instant: bool) -> list[Any]:
    queries = []
    for index, (expression, legend) in enumerate(expressions):
        query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + index))
        queries.append(query.instant() if instant else query.range())
    return queries


def lines(
    title: str, description: str, unit: str, *expressions: tuple[str, str], span: int = 12, height: int = 8
) -> Panel:
    """Lines over time, from (PromQL, legend)."""
    panel = timeseries.Panel().datasource(PROMETHEUS).targets(_prometheus(expressions, instant=False)).fill_opacity(10)
    legend = common.VizLegendOptions().show_legend(True).placement(common_models.LegendPlacement.BOTTOM)
    return _finish(
        panel.legend(legend.display_mode(common_models.LegendDisplayMode.LIST)), title, description, unit, span, height
    )


def number(
    title: str,
    description: str,
    unit: str,
    expression: str,
    legend: str = "",
    steps: Steps | None = None,
    span: int = 4,
    height: int = 4,
) -> Panel:
    """One number, or one for each series, as it is now."""
    panel = stat.Panel().datasource(PROMETHEUS).targets(_prometheus(((expression, legend),), instant=True))
    return _finish(panel, title, description, unit, span, height, steps)


def sql_number(title: str, description: str, unit: str, query: str, span: int = 4, height: int = 4) -> Panel:
    """One number out of PostgreSQL."""
    return _finish(stat.Panel().datasource(POSTGRES).with_target(Sql(query)), title, description, unit, span, height)


def bars(title: str, description: str, unit: str, query: str, span: int = 12, height: int = 9) -> Panel:
    """Stacked bars over time, one colour for each value of the column ``metric``."""
    panel = timeseries.Panel().datasource(POSTGRES).with_target(Sql(query, "time_series"))
    panel = panel.draw_style(common_models.GraphDrawStyle.BARS).fill_opacity(80)
    panel = panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL))
    return _finish(panel, title, description, unit, span, height)


def ranking(title: str, description: str, unit: str, query: str, span: int = 12, height: int = 9) -> Panel:
    """A bar for each row: the first column names it, the second is its length."""
    panel = barchart.Panel().datasource(POSTGRES).with_target(Sql(query))
    panel = panel.orientation(common_models.VizOrientation.HORIZONTAL).fill_opacity(80)
    return _finish(panel, title, description, unit, span, height)


def rows(title: str, description: str, query: str, span: int = 12, height: int = 9) -> Panel:
    """A table."""
    return _finish(
        table.Panel().datasource(POSTGRES).with_target(Sql(query)), title, description, "short", span, height
    )


def alerts(title: str, description: str, span: int, height: int = 8) -> Panel:
    """A table of the alerts that fire, each name a link to its runbook."""
    query = (
        prometheus.Dataquery()
        .expr('sum by (alertname, severity, service, job, destination) (ALERTS{alertstate="firing"})')
        .format(prometheus_models.PromQueryFormat.TABLE)
        .instant()
        .ref_id("A")
    )
    runbook = {"title": "Runbook", "url": f"{DASHBOARD_URL}/runbooks/${{__value.raw}}.html", "targetBlank": True}
    panel = table.Panel().datasource(PROMETHEUS).with_target(query)
    panel = panel.override_by_name("alertname", [DynamicConfigValue(id_val="links", value=[runbook])])
    for column in ("Time", "Value"):
        panel = panel.override_by_name(column, [DynamicConfigValue(id_val="custom.hidden", value=True)])
    return _finish(panel, title, description, "short", span, height)


def share(title: str, description: str, expression: str, steps: Steps, span: int = 6, height: int = 4) -> Panel:
    """A share of one as a bar."""
    panel = (
        bargauge.Panel().datasource(PROMETHEUS).targets(_prometheus(((expression, ""),), instant=True)).min(0).max(1)
    )
    return _finish(panel, title, description, "percentunit", span, height, steps)


def link(title: str, url: str) -> Any:
    """A link in the head of a dashboard."""
    return dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(url).target_blank(True)


def between_dashboards() -> Any:
    """The other dashboards of this stack, in the head of each."""
    return dashboard.DashboardLink("PACS").type(DashboardLinkType.DASHBOARDS).tags(["pacs"]).keep_time(True)
