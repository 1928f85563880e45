"""What takes the place of identity: the same for the same original, and not to be undone without the site's secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from datetime import timedelta

from pydicom.uid import UID

#: Below this a secret could be guessed, and with it every pseudonym tried out.
SHORTEST_SECRET_BYTES = 16
#: Dates move back by 1 day to ten years: none lies in the future, none stays.
LONGEST_SHIFT_DAYS = 3650


class Pseudonyms:
    """Pseudonyms, UIDs and shifts of dates, drawn from originals by HMAC-SHA-256 with a secret.

    Parameters
    ----------
    secret
        At least 16 bytes; whoever has it can tell which pseudonym is whose.

    Raises
    ------
    ValueError
        If the secret is too short.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SHORTEST_SECRET_BYTES:
            raise ValueError(
                f"The secret of de-identification has {len(secret)} bytes; it needs {SHORTEST_SECRET_BYTES} at least. "
                "Write a random one into PACS_DEIDENTIFICATION_SECRET, for instance from `openssl rand -hex 32`."
            )
        self._secret = secret

    def uid(self, original: str) -> str:
        """The UID in place of this one; UIDs that the standard itself defines stay as they are."""
        original = original.strip(" \0")
        if not original or UID(original).name != original:
            return original
        # 2.25 and a UUID is the root for UIDs that nobody assigns (PS3.5, B.2).
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', original)[:16], version=5).int}"

    def patient(self, patient_id: str) -> str:
        """The Patient ID and Patient's Name in place of those of this patient: 16 letters and digits."""
        return base64.b32encode(self._digest("patient", patient_id.strip())[:10]).decode("ascii")

    def shift(self, patient_id: str) -> timedelta:
        """By how much every date of this patient moves; never nothing, never into the future."""
        number = int.from_bytes(self._digest("shift", patient_id.strip())[:8])
        return -timedelta(days=1 + number % LONGEST_SHIFT_DAYS)

    def _digest(self, purpose: str, original: str) -> bytes:
        return hmac.digest(self._secret, f"{purpose}\0{original}".encode(errors="surrogatepass"), hashlib.sha256)
