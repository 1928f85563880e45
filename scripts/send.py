"""Sends every DICOM file below a folder by C-STORE, with a progress bar and a summary.

`./pacs send` runs it in a container of our image.
"""

import argparse
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import batched
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pynetdicom import AE, evt
from pynetdicom.association import Association
from tqdm import tqdm

# PS3.8: a presentation context has an odd number from 1 to 255, so an association has 128 of them.
CONTEXTS_PER_ASSOCIATION = 128
SHOWN_FAILURES = 20


@dataclass(frozen=True)
class DicomFile:
    path: Path
    sop_class_uid: str
    transfer_syntax_uid: str


class NoAssociation(Exception):
    """The server does not talk to us; the message says what to look at."""


def dicom_files(root: Path) -> tuple[list[DicomFile], list[Path]]:
    """The DICOM files below `root` in a stable order, and the other files."""
    found: list[DicomFile] = []
    others: list[Path] = []
    paths = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    for path in paths:
        try:
            header = dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID"])
            meta = header.file_meta
            found.append(DicomFile(path, str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)))
        except (InvalidDicomError, AttributeError, OSError, ValueError, EOFError):
            others.append(path)
    return found, others


def associations(files: list[DicomFile]) -> Iterator[tuple[list[tuple[str, str]], list[DicomFile]]]:
    """Groups files so that each group's pairs of class and transfer syntax fit into one association.

    One pair is one presentation context: offered together, the server would choose one syntax for all.
    """
    pairs = sorted({(file.sop_class_uid, file.transfer_syntax_uid) for file in files})
    for chosen in batched(pairs, CONTEXTS_PER_ASSOCIATION, strict=False):
        wanted = set(chosen)
        yield list(chosen), [file for file in files if (file.sop_class_uid, file.transfer_syntax_uid) in wanted]


def associate(pairs: list[tuple[str, str]], arguments: argparse.Namespace) -> Association:
    entity = AE(ae_title=arguments.calling_aet)
    entity.maximum_pdu_size = 0
    # A large RTSTRUCT takes the server many seconds before it answers.
    entity.dimse_timeout = 300
    for sop_class_uid, transfer_syntax_uid in pairs:
        entity.add_requested_context(sop_class_uid, transfer_syntax_uid)
    association = entity.associate(
        arguments.host,
        arguments.port,
        ae_title=arguments.called_aet,
        evt_handlers=[(evt.EVT_CONN_OPEN, send_at_once)],
    )
    if association.is_established:
        return association
    where = f"{arguments.called_aet} at {arguments.host}:{arguments.port}"
    if association.is_rejected:
        raise NoAssociation(
            f"{where} refuses us: check PACS_DICOM_AET, and with PACS_DICOM_STRICT=true register the AE title "
            f"{arguments.calling_aet} in config/orthanc/modalities.json."
        )
    raise NoAssociation(f"{where} does not answer by DICOM: look at ./pacs status.")


def send_at_once(opened: evt.Event) -> None:
    """Switches Nagle's algorithm off: with it, the end of many a file waits 40 ms for a delayed acknowledgement."""
    opened.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def store(association: Association, file: DicomFile) -> str | None:
    """Sends one file; None when it was stored, else the reason."""
    try:
        answer = association.send_c_store(file.path)
    except (ValueError, AttributeError, RuntimeError, OSError) as error:
        return str(error)
    if "Status" not in answer:
        return "the server closed the connection or did not answer in time"
    # PS3.7 annex C: 0000 is success, Bxxx a warning about an instance that was stored.
    if answer.Status == 0 or 0xB000 <= answer.Status <= 0xBFFF:
        return None
    return f"status {answer.Status:04X}H {answer.get('ErrorComment', '')}".strip()


def send_all(files: list[DicomFile], arguments: argparse.Namespace) -> list[tuple[Path, str]]:
    failures: list[tuple[Path, str]] = []
    with tqdm(total=len(files), unit="file", disable=None, dynamic_ncols=True) as progress:
        for pairs, group in associations(files):
            association = associate(pairs, arguments)
            for file in group:
                if not association.is_established:
                    association = associate(pairs, arguments)
                reason = store(association, file)
                if reason is not None:
                    failures.append((file.path, reason))
                progress.update()
            association.release()
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4242)
    parser.add_argument("--called-aet", default="ORTHANC")
    parser.add_argument("--calling-aet", default="PACS_SEND")
    parser.add_argument("--shown-as", default="", help="how the user named the folder")
    arguments = parser.parse_args()
    shown = arguments.shown_as or str(arguments.folder)

    files, others = dicom_files(arguments.folder)
    if not files:
        print(f"There is no DICOM file in {shown} ({len(others)} other files).", file=sys.stderr)
        return 1
    try:
        failures = send_all(files, arguments)
    except NoAssociation as error:
        print(error, file=sys.stderr)
        return 1

    print(f"{shown}: {len(files) - len(failures)} stored, {len(failures)} failed, {len(others)} not DICOM")
    for path, reason in failures[:SHOWN_FAILURES]:
        print(f"  failed: {path.relative_to(arguments.folder)}: {reason}", file=sys.stderr)
    if len(failures) > SHOWN_FAILURES:
        for reason, count in Counter(reason for _, reason in failures).most_common():
            print(f"  {count} × {reason}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
