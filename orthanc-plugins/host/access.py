"""Who may do what, asked inside Orthanc for every HTTP request: its own REST, DICOMweb and ``/api`` alike.

Orthanc has checked the password before it asks; here the account's name decides. What is not allowed is denied.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping

#: Reads that Orthanc and plugins offer by POST because their question does not fit a URL.
_READING_POSTS = re.compile(
    r"/(tools/(find|lookup|count-resources|create-archive|create-media|create-media-extended|bulk-content)"
    r"|(patients|studies|series)/[0-9a-f-]+/(archive|media)"
    r"|api/(compare|consensus)-rt)"
)
#: Plugin routes that only administrators may read.
_SECRETS = re.compile(r"/api/crosswalk([./].*)?")
_METRICS = frozenset({"/api/metrics", "/tools/metrics-prometheus", "/api/health"})


def _viewer(method: str, path: str) -> bool:
    if _SECRETS.fullmatch(path):
        return False
    return method in ("GET", "HEAD", "OPTIONS") or (method == "POST" and _READING_POSTS.fullmatch(path) is not None)


def _prometheus(method: str, path: str) -> bool:
    return method in ("GET", "HEAD") and path in _METRICS


#: Role by account name; the passwords are Orthanc's ``RegisteredUsers``.
ROLES: Mapping[str, Callable[[str, str], bool]] = {
    "admin": lambda _method, _path: True,
    "viewer": _viewer,
    "prometheus": _prometheus,
}


def user_of(authorization: str | None) -> str | None:
    """The account named by an HTTP Basic ``Authorization`` header (RFC 7617), or None."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials, validate=True).decode("utf-8").partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None


def account_of(authorization: str | None) -> str:
    """The account, empty when it is none of `ROLES`: a word for a metric's label."""
    user = user_of(authorization) or ""
    return user if user in ROLES else ""


def is_allowed(method: str, path: str, authorization: str | None) -> bool:
    """Whether the account behind this request may make it.

    Parameters
    ----------
    method
        The method in effect (Orthanc has already applied ``X-HTTP-Method-Override`` and ``_method``).
    path
        The path as Orthanc has normalised and decoded it, without the query.
    authorization
        The request's ``Authorization`` header.
    """
    role = ROLES.get(user_of(authorization) or "")
    return role is not None and role(method, path)
