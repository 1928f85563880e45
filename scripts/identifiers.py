"""Prints every identifier of a study, a line each: Orthanc's and DICOM's, of itself, its series and its instances.

Runs inside the Orthanc container, fed through stdin; the study is named by either identifier.
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.request

STUDY = sys.argv[1]
CREDENTIALS = base64.b64encode(f"admin:{os.environ.get('PACS_ADMIN_PASSWORD', '')}".encode()).decode()


def ask(path: str, body: bytes | None = None) -> list[dict[str, str]] | dict[str, str]:
    """The JSON of one of Orthanc's routes."""
    request = urllib.request.Request(
        f"http://127.0.0.1:8042{path}", data=body, headers={"Authorization": f"Basic {CREDENTIALS}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


found = [each["ID"] for each in ask("/tools/lookup", STUDY.encode()) if each["Type"] == "Study"]
if not found and "-" in STUDY:
    found = [STUDY]
if not found:
    sys.exit(f"there is no study {STUDY}")
try:
    study = ask(f"/studies/{found[0]}")
except urllib.error.HTTPError:
    sys.exit(f"there is no study {STUDY}")
resources = [study, *ask(f"/studies/{found[0]}/series"), *ask(f"/studies/{found[0]}/instances")]
for resource in resources:
    print(resource["ID"])
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        if resource["MainDicomTags"].get(name):
            print(resource["MainDicomTags"][name])
