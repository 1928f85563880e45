"""Values that only who has the key can read: AES-128-CBC with HMAC-SHA-256 (Fernet, of pyca/cryptography)."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Sealing:
    """Seals with the first of some keys of 32 bytes, and opens what any of them sealed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])

    def seal(self, value: bytes) -> bytes:
        """What to store in place of the value."""
        sealed: bytes = self._keys.encrypt(value)
        return sealed

    def open(self, sealed: bytes) -> bytes | None:
        """The value, or None where it was sealed with another key or has been changed since."""
        try:
            value: bytes = self._keys.decrypt(sealed)
        except InvalidToken:
            return None
        return value
