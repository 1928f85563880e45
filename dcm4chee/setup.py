"""Tells a DCM4CHEE archive of Orthanc: without that it neither moves studies back nor reports storage commitments.

Runs in a container that ends (``dcm4chee-setup``), again at every ./pacs up: what is so already stays so.
"""

import os
import sys
import time
from typing import Any

import requests

DEVICE = "orthanc"
REST_S = 2.0
TIMEOUT_S = 30


def orthanc_device(ae_title: str, host: str, port: int) -> dict[str, Any]:
    """Orthanc as the archive's configuration describes a device (DICOM PS3.15, annex H)."""
    return {
        "dicomDeviceName": DEVICE,
        "dicomDescription": "Orthanc of this PACS; written by dcm4chee-setup",
        "dicomInstalled": True,
        "dicomNetworkConnection": [{"cn": "dicom", "dicomHostname": host, "dicomPort": port}],
        "dicomNetworkAE": [
            {
                "dicomAETitle": ae_title,
                "dicomAssociationInitiator": True,
                "dicomAssociationAcceptor": True,
                "dicomNetworkConnectionReference": ["/dicomNetworkConnection/0"],
            }
        ],
    }


def wait_until_started(archive: str, patience_s: float) -> None:
    """WildFly answers long before the archive in it does."""
    deadline = time.monotonic() + patience_s
    said = "nothing"
    while time.monotonic() < deadline:
        try:
            answer = requests.get(f"{archive}/ctrl/status", timeout=TIMEOUT_S)
            said = f"{answer.status_code} {answer.reason}"
            if answer.ok and answer.json().get("status") == "STARTED":
                return
        except (requests.RequestException, ValueError) as error:
            said = type(error).__name__
        time.sleep(REST_S)
    sys.exit(
        f"dcm4chee-setup: {archive}/ctrl/status did not say STARTED within {patience_s:g} s (last: {said}): "
        "see ./pacs logs dcm4chee, then run ./pacs up again."
    )


def register(archive: str, device: dict[str, Any]) -> None:
    """Create the device or bring it up to date, and have the archive read its configuration again."""
    address = f"{archive}/devices/{device['dicomDeviceName']}"
    known = requests.get(address, timeout=TIMEOUT_S)
    if known.status_code not in (200, 404):
        refused(known)
    change = requests.put if known.ok else requests.post
    for answer in (
        change(address, json=device, timeout=TIMEOUT_S),
        requests.post(f"{archive}/ctrl/reload", timeout=TIMEOUT_S),
    ):
        if not answer.ok:
            refused(answer)


def refused(answer: requests.Response) -> None:
    sys.exit(
        f"dcm4chee-setup: {answer.request.method} {answer.url} answers {answer.status_code} {answer.reason}: "
        f"{answer.text[:300]}\nIs another device of the archive called by our AE title (PACS_DICOM_AET)? Its pages "
        "list them under Configuration, Devices."
    )


def main() -> None:
    archive = os.environ.get("DCM4CHEE_URL", "http://dcm4chee:8080/dcm4chee-arc")
    ae_title = os.environ.get("PACS_DICOM_AET", "") or "ORTHANC"
    wait_until_started(archive, float(os.environ.get("PATIENCE_S", "300")))
    register(archive, orthanc_device(ae_title, "orthanc", 4242))
    print(f"dcm4chee-setup: the archive knows Orthanc as {ae_title} at orthanc:4242")


if __name__ == "__main__":
    main()
