"""Quality reports of structure sets, and repaired copies of those that refer to images that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.plugin import Host, Plugin


def create(host: Host) -> Plugin:
    """Offer reports and repairs; with ``PACS_REPAIR=automatic`` repair what arrives."""
    # Not above: workers import this package for its engine, and need no web framework for that.
    from host.plugin import Plugin
    from quality.routes import create_router
    from quality.service import Repairs
    from rtstruct.names import nomenclature

    # Here, so that a wrong synonyms file stops the server at once and with its message.
    nomenclature(host.settings.synonyms)
    repairs = Repairs(host)
    if host.settings.repair == "automatic":
        host.events.structures_extracted.subscribe(repairs.on_extracted)
        host.events.study_stable.subscribe(repairs.on_stable)
    return Plugin("quality", create_router(host, repairs), (repairs.loop,))
