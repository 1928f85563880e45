"""How studies reach other archives, and how it is proven that they did: one file per protocol."""

from __future__ import annotations

from typing import assert_never

from deidentification import Deidentifier
from forwarding.configuration import Destination, Dicom, Dicomweb, Xnat
from forwarding.model import Sender
from forwarding.sending.dicom import DicomSender
from forwarding.sending.dicomweb import DicomwebSender
from forwarding.sending.files import Files
from forwarding.sending.xnat import XnatSender
from host.plugin import Host


def create_sender(destination: Destination, host: Host, deidentifier: Deidentifier | None = None) -> Sender:
    """What brings studies to this destination; with a ``deidentifier``, without their patients."""
    files = Files(host.archive, host.workers, host.settings.data_directory, deidentifier, destination.compress)
    match destination.endpoint:
        case Dicom() as endpoint:
            return DicomSender(host.archive, destination, endpoint)
        case Dicomweb() as endpoint:
            return DicomwebSender(files, destination, endpoint)
        case Xnat() as endpoint:
            return XnatSender(host.archive, files, destination, endpoint)
        case never:
            assert_never(never)
