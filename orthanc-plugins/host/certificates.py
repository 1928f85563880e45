"""When the certificates expire that other servers show: nothing else warns before the day on which they do."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from cryptography.x509 import load_der_x509_certificate
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from host.lifecycle import Loop

logger = logging.getLogger("pacs.certificates")

_EVERY_S = 3600.0
_TIMEOUT_S = 5.0
_HTTPS_PORT = 443


def expiry_of(url: str, timeout_s: float = _TIMEOUT_S) -> datetime:
    """When the certificate of an HTTPS server expires, whether it is trusted or not, or has expired already.

    Raises OSError when there is no such server, or it speaks no TLS; ValueError for a certificate that cannot be read.
    """
    address = urlsplit(url)
    context = ssl.create_default_context()
    # Whom to trust is for those to decide who send something.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((address.hostname or "", address.port or _HTTPS_PORT), timeout_s) as connection,
        context.wrap_socket(connection, server_hostname=address.hostname) as tls,
    ):
        shown = tls.getpeercert(binary_form=True)
    return load_der_x509_certificate(shown or b"").not_valid_after_utc


class Certificates(Collector):
    """Asks servers at an interval, in the background; of one that does not answer, what it showed last.

    Parameters
    ----------
    metric
        Its name; the only label is ``kind``.
    kind
        What the servers are to the reader, ``service`` or ``destination``.
    urls
        Their addresses by name. Those without TLS are left out.
    """

    def __init__(self, metric: str, kind: str, urls: Mapping[str, str]) -> None:
        self._metric = metric
        self._kind = kind
        self._urls = {name: url for name, url in urls.items() if urlsplit(url).scheme == "https"}
        self._expiries: dict[str, datetime] = {}
        self._loop = Loop(f"certificates-{kind}", self.look, _EVERY_S)

    def start(self) -> None:
        if self._urls:
            self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def join(self) -> None:
        self._loop.join()

    def look(self) -> bool:
        """Ask each server once."""
        for name, url in self._urls.items():
            if self._loop.stopping:
                break
            try:
                self._expiries[name] = expiry_of(url)
            except (OSError, ValueError) as error:
                logger.warning("The certificate of %s cannot be read: %s", name, error)
        return False

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        if not self._urls:
            return
        text = f"When the certificate expires that a {self._kind} shows."
        expiry = GaugeMetricFamily(self._metric, text, labels=(self._kind,))
        for name, moment in self._expiries.copy().items():
            expiry.add_metric((name,), moment.timestamp())
        yield expiry
