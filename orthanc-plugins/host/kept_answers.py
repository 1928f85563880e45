"""Computed answers, kept as attachments of the instance that they are about: they go with it.

The number of the attachment is drawn from what was asked. What was asked stands at its head, so that two questions with
one number never get each other's answer.
"""

from __future__ import annotations

import logging

import orjson

from host.answer import Answer
from host.archive import Archive, ArchiveError

logger = logging.getLogger("pacs.computations")

#: Answers larger than this are not attached.
LARGEST_KEPT_BYTES = 64 * 1024 * 1024
#: Orthanc's numbers for attachments of users begin at 1024 and end at 65535. One out of a thousand a question: more
#: answers than that of one instance replace each other.
_FIRST_NUMBER, _NUMBERS = 20_000, 1_000
_LENGTH_BYTES = 4


class KeptAnswers:
    """Reads and keeps answers. Faults of the archive are logged: an answer can always be computed anew."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def keep(self, orthanc_id: str, digest: str, key: bytes, answer: Answer) -> bool:
        """Keep the answer to the question `key`, whose hash is `digest`; False when that was not possible."""
        if len(answer.body) > LARGEST_KEPT_BYTES:
            return False
        head = orjson.dumps({"key": key.decode(), "headers": dict(answer.headers)})
        content = len(head).to_bytes(_LENGTH_BYTES, "little") + head + answer.body
        try:
            self._archive.attach(orthanc_id, _number(digest), content)
        except ArchiveError as error:
            # It has been deleted meanwhile, or the disk is full: the answer itself is right.
            logger.warning("A computed answer of %s is not kept: %s", orthanc_id, error)
            return False
        return True

    def read(self, orthanc_id: str, digest: str, key: bytes) -> Answer | None:
        """The answer to this very question, or None."""
        try:
            content = self._archive.read_attachment(orthanc_id, _number(digest))
        except ArchiveError as error:
            logger.warning("A kept answer of %s cannot be read, and is computed anew: %s", orthanc_id, error)
            return None
        if content is None:
            return None
        end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
        try:
            head = orjson.loads(content[_LENGTH_BYTES:end])
        except orjson.JSONDecodeError:
            return None
        ours = isinstance(head, dict) and head.get("key") == key.decode()
        return Answer(content[end:], head["headers"]) if ours else None


def _number(digest: str) -> str:
    return str(_FIRST_NUMBER + int(digest, 16) % _NUMBERS)
