"""Studies go on to other archives: by rule or by hand, each once, each proven at the other end."""

from __future__ import annotations

from pathlib import Path

from deidentification import Deidentifier
from forwarding import configuration
from forwarding.configuration import Destination
from forwarding.identities import RecordingSender
from forwarding.metrics import Counters, Gauges
from forwarding.model import Sender
from forwarding.routes import create_router
from forwarding.sending import create_sender
from forwarding.service import Forwarding
from host.certificates import Certificates
from host.plugin import Host, Plugin
from host.settings import secret
from store.crosswalk import Crosswalk

_BUTTON = Path(__file__).with_name("send-to.js")


def create(host: Host) -> Plugin:
    """Deliver to the destinations of the configuration; without one, answer that there is none and do nothing else."""
    destinations = configuration.read(host.configuration, secret)
    counters = Counters(host.metrics, destinations)
    forwarding = Forwarding(host, destinations, lambda each: _sender(host, each), counters.on_outcome)
    host.metrics.register(Gauges(forwarding))
    forwarding.subscribe()
    router = create_router(forwarding)
    if not destinations:
        return Plugin("forwarding", router)
    urls = {each.name: each.address for each in destinations}
    certificates = Certificates("pacs_destination_certificate_expiry_timestamp_seconds", "destination", urls)
    host.metrics.register(certificates)
    return Plugin("forwarding", router, (*forwarding.background, certificates), _BUTTON.read_text(encoding="utf-8"))


def _sender(host: Host, destination: Destination) -> Sender:
    if destination.profile is None:
        return create_sender(destination, host)
    # What either of them cannot work with stops the start, as does any other mistake.
    deidentifier = Deidentifier(host.settings.deidentification_secret.encode(), destination.profile.profile)
    crosswalk = Crosswalk(host.settings.crosswalk_key)
    sender = create_sender(destination, host, deidentifier)
    return RecordingSender(sender, destination.name, deidentifier, crosswalk, host.archive, host.database)
