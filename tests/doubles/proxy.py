"""A TCP proxy that can be cut, as a network is."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy(socketserver.ThreadingTCPServer):
    """Passes bytes on to one address.

    Attributes
    ----------
    cut_after
        Bytes towards the address after which every connection ends and no other comes to be; None: never.
    passed
        Bytes that went there so far.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(("0.0.0.0", 0), _Connection)
        self.address = address
        self.cut_after: int | None = None
        self.passed = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def is_cut(self) -> bool:
        return self.cut_after is not None and self.passed >= self.cut_after


class _Connection(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        if self.server.is_cut:
            return
        with socket.create_connection(self.server.address, timeout=30) as there:
            back = threading.Thread(target=_pass, args=(there, self.request), daemon=True)
            back.start()
            with suppress(OSError):
                while not self.server.is_cut and (piece := self.request.recv(65536)):
                    there.sendall(piece)
                    self.server.passed += len(piece)
            # Whoever waits for the other half hears that it is over.
            for end in (there, self.request):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            back.join()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_to(host: str, port: int) -> Iterator[Proxy]:
    """A proxy that passes as long as the block runs."""
    with Proxy((host, port)) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
