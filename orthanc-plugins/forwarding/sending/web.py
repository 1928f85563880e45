"""HTTP with a destination: what its failures mean, and how fast bytes may leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from forwarding.configuration import Destination, Dicomweb, Xnat
from forwarding.model import Refused, Unreachable
from forwarding.sending.files import give_up_when

_LONGEST_PROBE_S = 10.0
#: An archive that stores more slowly counts as hanging.
_SLOWEST_BYTES_PER_S = 1_000_000
_NOT_NOW = {408, 429, 502, 503, 504}
PIECE_BYTES = 256 * 1024


class Web:
    """Asks one destination."""

    def __init__(self, destination: Destination, endpoint: Dicomweb | Xnat) -> None:
        self.name = destination.name
        self.url = endpoint.url
        self.user = endpoint.user
        self._auth = (endpoint.user, endpoint.password) if endpoint.user else None
        self.timeout_s = destination.timeout_s
        self.probe_timeout_s = min(destination.timeout_s, _LONGEST_PROBE_S)

    @contextmanager
    def session(self) -> Iterator[requests.Session]:
        """One conversation: connections and cookies are kept as long as it lasts. For one thread."""
        with requests.Session() as session:
            session.auth = self._auth
            yield session

    def patience_s(self, size_bytes: int) -> float:
        """How long an archive may take to answer an upload: it answers when all of it is stored."""
        return self.timeout_s + size_bytes / _SLOWEST_BYTES_PER_S

    def ask(
        self, session: requests.Session, method: str, path: str, timeout_s: float | None = None, **options: object
    ) -> requests.Response:
        """An answer that comes from the service itself. Raises Unreachable for what concerns every study."""
        timeout = timeout_s or self.timeout_s
        try:
            answer = session.request(
                method,
                self.url + path,
                timeout=timeout,
                allow_redirects=False,
                **options,  # type: ignore[arg-type]
            )
        except requests.Timeout as error:
            raise Unreachable(f"{self._who} has not answered within {timeout:g} s: check that it runs.") from error
        except requests.RequestException as error:
            remedy = "check that it runs, and Url in forwarding.json"
            raise Unreachable(f"{self._who} cannot be reached ({_cause(error)}): {remedy}.") from error
        self._check(answer)
        return answer

    def _check(self, answer: requests.Response) -> None:
        code = answer.status_code
        if 300 <= code < 400:
            remedy = "it is not set up yet, or Url in forwarding.json is not its address"
            raise Unreachable(f"{self._who} redirects to {answer.headers.get('Location', 'nowhere')}: {remedy}.")
        if code == 401:
            remedy = "check User and PasswordFrom in forwarding.json"
            raise Unreachable(f"{self._who} does not accept the user {self.user or '(none)'!r} (401): {remedy}.")
        if code == 403:
            remedy = (
                "a DCM4CHEE without log-in wants no User in forwarding.json; any other: give the account its rights"
                if self.user
                else "it wants an account: set User and PasswordFrom in forwarding.json"
            )
            raise Unreachable(f"{self._who} forbids it (403 {answer.reason}): {remedy}.")
        if code in _NOT_NOW:
            raise Unreachable(f"{self._who} is not ready ({code} {answer.reason}): it is tried again.")
        if code < 300 and answer.headers.get("Content-Type", "").startswith("text/html"):
            remedy = "check Url, User and PasswordFrom in forwarding.json"
            raise Unreachable(f"{self._who} answers with a page for people, such as a log-in: {remedy}.")

    @property
    def _who(self) -> str:
        return f"{self.name} at {self.url}"

    def strange(self, answer: requests.Response, doing: str) -> Refused:
        """For an answer that is about this study."""
        return Refused(f"{self._who} answers {answer.status_code} {answer.reason} to {doing}: its log says why.")


class Pace:
    """Lets bytes leave no faster than configured, and no more once the sending is to end."""

    def __init__(self, bytes_per_s: float | None, stopping: threading.Event) -> None:
        self._bytes_per_s = bytes_per_s
        self._stopping = stopping
        self._begin = time.monotonic()
        self._sent = 0

    def pieces(self, content: bytes) -> Iterator[memoryview]:
        """The content, in pieces small enough to be held up."""
        for begin in range(0, len(content), PIECE_BYTES):
            piece = memoryview(content)[begin : begin + PIECE_BYTES]
            give_up_when(self._stopping)
            yield piece
            self._sent += len(piece)
            if self._bytes_per_s:
                ahead_s = self._sent / self._bytes_per_s - (time.monotonic() - self._begin)
                if ahead_s > 0:
                    self._stopping.wait(ahead_s)


def _cause(error: BaseException) -> str:
    """The innermost reason; what wraps it repeats the URL, and the URL may carry labels."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__
