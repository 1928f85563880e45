"""A request whose body is as long as one likes, sent until the server has had enough."""

from __future__ import annotations

import base64
import select
import socket
from collections.abc import Callable

from integration.containers import HOST, PASSWORDS

MB = 1024 * 1024
ANSWER_WITHIN_S = 120.0


def send_zeros(
    port: int,
    path: str,
    size: int,
    announced: bool,
    meanwhile: Callable[[], object] = lambda: None,
    password: str = PASSWORDS["admin"],
) -> tuple[int, int | None]:
    """POST this many zeros, their length announced or in chunks.

    ``meanwhile`` is called once, after the first megabyte. Returns the bytes that went out before the server answered
    or hung up, and the status of its answer, None when it hung up without one.
    """
    token = base64.b64encode(f"admin:{password}".encode()).decode()
    length = f"Content-Length: {size}" if announced else "Transfer-Encoding: chunked"
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Basic {token}\r\n{length}\r\n\r\n"
    block = bytes(MB) if announced else b"%x\r\n%s\r\n" % (MB, bytes(MB))
    sent, answer = 0, b""
    with socket.create_connection((HOST, port), timeout=ANSWER_WITHIN_S) as connection:
        try:
            connection.sendall(head.encode())
            while sent < size and not select.select([connection], [], [], 0)[0]:
                connection.sendall(block)
                sent += MB
                if sent == MB:
                    meanwhile()
            if sent >= size and not announced:
                connection.sendall(b"0\r\n\r\n")
            answer = connection.recv(4096)
        except ConnectionError:
            pass
    return sent, int(answer.split()[1]) if answer.startswith(b"HTTP/") else None
