"""The files of a ZIP archive, one at a time; hostile archives cost neither memory nor the other files."""

from __future__ import annotations

import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

#: What operating systems leave in archives and nobody means to send.
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """How much one archive may hold, in bytes after unpacking, and in files."""

    file_bytes: int
    total_bytes: int
    files: int


class RefusedZip(ValueError):
    """The archive as a whole is refused; nothing of it was read."""


class DamagedZip(RefusedZip):
    """It cannot be read as a ZIP archive."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive: its content, or the reason why it has none."""

    name: str
    content: bytes = b""
    reason: str | None = None


def is_zip(data: bytes) -> bool:
    """Whether data begins as a ZIP archive does (PKWARE's APPNOTE, 4.3.7 and 4.3.16)."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def members_of(data: bytes, limits: ZipLimits) -> Iterator[Member]:
    """Every file of the archive, in its order.

    Raises
    ------
    RefusedZip
        Before the first member, if the archive is damaged or announces more than the limits allow.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise DamagedZip("the ZIP archive is damaged or cut off: its list of files cannot be read") from error
    # The sizes announced bind: zipfile never unpacks more of a member than its entry says.
    total = sum(info.file_size for info in infos)
    if total > limits.total_bytes:
        raise RefusedZip(f"the ZIP archive unpacks to {_mb(total)} MB; {_mb(limits.total_bytes)} MB are allowed")
    if len(infos) > limits.files:
        raise RefusedZip(f"the ZIP archive holds {len(infos)} files; {limits.files} are allowed")
    return (_read(archive, info, limits) for info in infos if not _is_litter(info.filename))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: ZipLimits) -> Member:
    reason = _objection(info, limits)
    if reason is None:
        try:
            return Member(info.filename, archive.read(info))
        except NotImplementedError:
            reason = "its compression is not supported: use Deflate"
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, struct.error):
            reason = "its data within the ZIP archive is damaged"
    return Member(info.filename, reason=reason)


def _objection(info: zipfile.ZipInfo, limits: ZipLimits) -> str | None:
    parts = info.filename.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or ":" in parts[0]:
        return "its path leads out of the ZIP archive"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a symbolic link"
    if info.flag_bits & 0x1:
        return "it is encrypted: send the archive without a password"
    if info.file_size > limits.file_bytes:
        return f"it unpacks to {_mb(info.file_size)} MB; {_mb(limits.file_bytes)} MB are allowed for one file"
    return None


def _is_litter(name: str) -> bool:
    return name.startswith(_LITTER[0]) or name.rsplit("/", 1)[-1] in _LITTER


def _mb(size: int) -> int:
    return -(-size // (1024 * 1024))
