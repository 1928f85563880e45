"""Quality reports of structure sets, and repaired copies of those that refer to images that are not there."""

from __future__ import annotations

from host.plugin import Host, Plugin
from quality.routes import create_router
from quality.service import Repairs
from rtstruct.names import nomenclature


def create(host: Host) -> Plugin:
    """Offer reports and repairs; with ``PACS_REPAIR=automatic`` repair what arrives."""
    # Here, so that a wrong synonyms file stops the server at once and with its message.
    nomenclature(host.settings.synonyms)
    repairs = Repairs(host)
    if host.settings.repair == "automatic":
        host.events.structures_extracted.subscribe(repairs.on_extracted)
        host.events.study_stable.subscribe(repairs.on_stable)
    return Plugin("quality", create_router(host, repairs), (repairs.loop,))
