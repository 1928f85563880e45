"""The certificates of other servers: when they expire is a metric, and one that is not accepted is a reason."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client import CollectorRegistry, generate_latest

from forwarding.configuration import Destination, Dicomweb
from forwarding.model import Unreachable
from forwarding.sending.web import Web
from host.certificates import Certificates, expiry_of
from status.probes import http_health
from status.service import ProbeError

MakeServer = Callable[[datetime], str]


def self_signed(expiry: datetime, folder: Path) -> Path:
    """A certificate of localhost with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(expiry - timedelta(days=90))
        .not_valid_after(expiry)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = folder / f"{expiry:%Y%m%d}.pem"
    file.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Makes HTTPS servers whose certificate expires then; their addresses."""
    servers: list[HTTPServer] = []

    def make(expiry: datetime) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self_signed(expiry, tmp_path))
        server = HTTPServer(("localhost", 0), SimpleHTTPRequestHandler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever).start()
        servers.append(server)
        return f"https://localhost:{server.server_port}/"

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def looked_at(certificates: Certificates) -> CollectorRegistry:
    certificates.look()
    registry = CollectorRegistry()
    registry.register(certificates)
    return registry


METRIC = "certificate_expiry_timestamp_seconds"
NOW = datetime.now(UTC).replace(microsecond=0)
SOON, OVER = NOW + timedelta(days=5), NOW - timedelta(days=5)


@pytest.mark.parametrize("expiry", [SOON, OVER])
def test_the_expiry_is_read_of_what_nobody_trusts_and_of_what_has_expired(
    make_server: MakeServer, expiry: datetime
) -> None:
    assert expiry_of(make_server(expiry)) == expiry


def test_each_server_with_tls_is_a_line_of_the_metric(make_server: MakeServer) -> None:
    urls = {"grafana": make_server(SOON), "xnat": make_server(OVER), "ohif": "http://ohif:8080/"}
    registry = looked_at(Certificates(METRIC, "service", urls))
    assert registry.get_sample_value(METRIC, {"service": "grafana"}) == SOON.timestamp()
    assert registry.get_sample_value(METRIC, {"service": "xnat"}) == OVER.timestamp()
    assert registry.get_sample_value(METRIC, {"service": "ohif"}) is None


def test_a_server_that_does_not_answer_hides_no_other(make_server: MakeServer) -> None:
    urls = {"gone": "https://localhost:9/", "here": make_server(SOON)}
    registry = looked_at(Certificates(METRIC, "destination", urls))
    assert registry.get_sample_value(METRIC, {"destination": "gone"}) is None
    assert registry.get_sample_value(METRIC, {"destination": "here"}) == SOON.timestamp()


def test_without_tls_nothing_is_said() -> None:
    registry = looked_at(Certificates(METRIC, "service", {"ohif": "http://ohif:8080/"}))
    assert generate_latest(registry) == b""


@pytest.mark.parametrize("expiry", [SOON, OVER])
def test_a_probe_says_that_a_certificate_is_not_accepted(make_server: MakeServer, expiry: datetime) -> None:
    with pytest.raises(ProbeError, match="shows a certificate that is not accepted"):
        http_health(make_server(expiry), 10)()


def test_an_authority_of_the_site_is_trusted_by_probes_and_by_what_sends(
    make_server: MakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_server(SOON)
    web = Web(Destination("research", Dicomweb(url)), Dicomweb(url))
    with web.session() as session, pytest.raises(Unreachable, match="certificate verify failed"):
        web.ask(session, "HEAD", "")
    # As the image's Dockerfile sets it, to a file that has the authorities of config/ca-certificates.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(next(tmp_path.glob("*.pem"))))
    http_health(url, 10)()
    with web.session() as session, pytest.raises(Unreachable, match="a page for people"):
        web.ask(session, "GET", "")
