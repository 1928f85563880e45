"""The section ``Forwarding`` of Orthanc's configuration: where studies go, which, when and how."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Literal

from deidentification import Profile, UnknownOption
from host.configuration import ConfigurationError, Section

Kind = Literal["dicom", "dicomweb", "xnat"]
_KINDS: tuple[Kind, ...] = ("dicom", "dicomweb", "xnat")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
#: What XNAT's labels may be made of. Of a de-identified study these are its pseudonyms.
PLACEHOLDERS = ("patient", "study", "date", "modality")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Dicom:
    """A modality of Orthanc's configuration, reached by C-STORE."""

    modality: str
    #: Ask for storage commitment (PS3.4, annex J) instead of C-FIND.
    storage_commitment: bool = False


@dataclass(frozen=True, slots=True)
class Dicomweb:
    """A DICOMweb service, reached by STOW-RS; the URL is the one before ``/studies``."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Xnat:
    """An XNAT, reached by its import service. The labels are templates, see PLACEHOLDERS."""

    url: str
    user: str
    password: str = field(repr=False)
    project: str
    subject: str = "{patient}"
    session: str = "{patient}_{study}"


Endpoint = Dicom | Dicomweb | Xnat


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions on a study, all of which must hold; an empty one does. Texts are patterns with ``*`` and ``?``."""

    modalities: tuple[str, ...] = ()
    with_structures: bool = False
    calling_aets: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """The time of day in which sending may begin, in the server's own time zone; may span midnight."""

    begin: time
    end: time

    def holds(self, moment: time) -> bool:
        """Whether ``moment`` lies within."""
        if self.begin <= self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end


@dataclass(frozen=True, slots=True)
class NamedProfile:
    """How studies are de-identified, by its name in the configuration."""

    name: str
    profile: Profile


@dataclass(frozen=True, slots=True)
class Destination:
    """Where studies go, which of them, when and how."""

    name: str
    endpoint: Endpoint
    #: A study goes when any of them holds; none: by hand only.
    selections: tuple[Selection, ...] = ()
    window: Window | None = None
    profile: NamedProfile | None = None
    concurrency: int = 2
    attempts: int = 10
    first_retry_s: float = 10.0
    timeout_s: float = 60.0
    bandwidth_bytes_per_s: float | None = None
    #: Images leave in JPEG Lossless.
    compress: bool = False

    @property
    def kind(self) -> Kind:
        """The protocol's name in the configuration."""
        match self.endpoint:
            case Dicom():
                return "dicom"
            case Dicomweb():
                return "dicomweb"
            case Xnat():
                return "xnat"

    @property
    def address(self) -> str:
        """Where it is, without secrets."""
        return self.endpoint.modality if isinstance(self.endpoint, Dicom) else self.endpoint.url


def read(configuration: Mapping[str, Any], secret: Callable[[str], str]) -> tuple[Destination, ...]:
    """The destinations that are configured and on.

    Parameters
    ----------
    configuration
        Orthanc's whole configuration.
    secret
        Gives the value of an environment variable, or of the file that ``<NAME>_FILE`` names.

    Raises
    ------
    ConfigurationError
        If anything in the section is not understood: nothing of it is used then.
    """
    section = Section(configuration.get("Forwarding", {}), "Forwarding")
    modalities = None if configuration.get("DicomModalitiesInDatabase") else configuration.get("DicomModalities", {})
    profiles = {name: _profile(name, entry) for name, entry in section.objects("Profiles")}
    destinations = []
    for name, entry in section.objects("Destinations"):
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{entry.path}: a destination's name has 1 to 32 lower-case letters, digits and hyphens, "
                "such as archive-2."
            )
        destination = _destination(name, entry, modalities, profiles, secret)
        if destination is not None:
            destinations.append(destination)
    section.finish()
    return tuple(destinations)


def _profile(name: str, entry: Section) -> NamedProfile:
    try:
        profile = Profile.named(entry.texts("Options"), entry.texts("StructureNames"))
    except UnknownOption as error:
        raise entry.mistake("Options", str(error).removesuffix(".")) from None
    entry.finish()
    return NamedProfile(name, profile)


def _destination(
    name: str,
    entry: Section,
    modalities: Mapping[str, Any] | None,
    profiles: Mapping[str, NamedProfile],
    secret: Callable[[str], str],
) -> Destination | None:
    """One destination; None when its modality or URL is empty, which turns it off."""
    kind = entry.text("Kind", choices=_KINDS)
    address = "Modality" if kind == "dicom" else "Url"
    if entry.has(address) and entry.text(address, "") == "":
        return None
    endpoint: Endpoint
    match kind:
        case "dicom":
            endpoint = _dicom(entry, modalities)
        case "dicomweb":
            endpoint = _dicomweb(entry, secret)
        case _:
            endpoint = _xnat(entry, secret)
    profile = entry.text("Deidentify", "")
    if profile and profile not in profiles:
        raise entry.mistake("Deidentify", f"name one of Forwarding.Profiles ({', '.join(profiles) or 'there is none'})")
    if profile and kind == "dicom":
        remedy = "Orthanc's C-STORE sends what is stored: use a destination of kind dicomweb or xnat, or leave it out"
        raise entry.mistake("Deidentify", remedy)
    bandwidth = entry.number("BandwidthMBps", 0, 0, 100_000)
    if bandwidth and kind == "dicom":
        raise entry.mistake("BandwidthMBps", "Orthanc's C-STORE knows no limit: leave it out, or use kind dicomweb")
    compress = entry.flag("Compress", False)
    if compress and kind == "dicom":
        raise entry.mistake("Compress", "by C-STORE Orthanc sends what is stored: leave it out, or use kind dicomweb")
    destination = Destination(
        name=name,
        endpoint=endpoint,
        selections=_selections(entry),
        window=_window(entry),
        profile=profiles.get(profile),
        concurrency=int(entry.number("Concurrency", 2, 1, 16)),
        attempts=int(entry.number("Attempts", 10, 1, 1000)),
        first_retry_s=entry.number("FirstRetrySeconds", 10, 0.1, 3600),
        timeout_s=entry.number("TimeoutSeconds", 60, 1, 3600),
        bandwidth_bytes_per_s=bandwidth * _MEGABYTE or None,
        compress=compress,
    )
    entry.finish()
    return destination


def _dicom(entry: Section, modalities: Mapping[str, Any] | None) -> Dicom:
    modality = entry.text("Modality")
    if modalities is not None and modality not in modalities:
        known = ", ".join(modalities) or "there is none"
        raise entry.mistake("Modality", f"name one of DicomModalities in modalities.json ({known}), or add it there")
    return Dicom(modality, entry.flag("StorageCommitment", False))


def _dicomweb(entry: Section, secret: Callable[[str], str]) -> Dicomweb:
    user = entry.text("User", "")
    return Dicomweb(_url(entry), user, _password(entry, secret) if user else "")


def _xnat(entry: Section, secret: Callable[[str], str]) -> Xnat:
    user = entry.text("User")
    return Xnat(
        url=_url(entry),
        user=user,
        password=_password(entry, secret),
        project=_template(entry, "Project", None),
        subject=_template(entry, "Subject", "{patient}"),
        session=_template(entry, "Session", "{patient}_{study}"),
    )


def _url(entry: Section) -> str:
    url = entry.text("Url").rstrip("/")
    if not re.fullmatch(r"https?://[^/\s@]+(/\S*)?", url):
        raise entry.mistake("Url", "write one such as https://archive.example/dicom-web, without user and password")
    return url


def _password(entry: Section, secret: Callable[[str], str]) -> str:
    variable = entry.text("PasswordFrom")
    password = secret(variable)
    if not password:
        raise entry.mistake("PasswordFrom", f"set the environment variable {variable} (or {variable}_FILE)")
    return password


def _template(entry: Section, key: str, default: str | None) -> str:
    template = entry.text(key, default)
    for name in _PLACEHOLDER.findall(template):
        if name not in PLACEHOLDERS:
            raise entry.mistake(key, f"use {', '.join('{' + known + '}' for known in PLACEHOLDERS)}")
    return template


def _selections(entry: Section) -> tuple[Selection, ...]:
    return tuple(_selection(each) for each in entry.list_of_objects("Studies"))


def _selection(entry: Section) -> Selection:
    selection = Selection(
        modalities=entry.texts("Modality"),
        with_structures=entry.flag("WithStructures", False),
        calling_aets=entry.texts("CallingAet"),
        stations=entry.texts("Station"),
        institutions=entry.texts("Institution"),
        descriptions=entry.texts("Description"),
        labels=entry.texts("Label"),
    )
    entry.finish()
    return selection


def _window(entry: Section) -> Window | None:
    bounds: Sequence[str] = entry.texts("Between")
    if not bounds:
        return None
    try:
        begin, end = (time.fromisoformat(bound) for bound in bounds)
    except ValueError:
        begin = end = time()
    if begin == end:
        raise entry.mistake("Between", 'write two times of day, such as ["20:00", "06:00"]')
    return Window(begin, end)
