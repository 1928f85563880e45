"""Prints GET /api/status as lines of name, state and reason. Runs inside the Orthanc container, fed through stdin."""

import base64
import json
import os
import urllib.request

password = os.environ.get("PACS_ADMIN_PASSWORD", "")
request = urllib.request.Request(
    "http://127.0.0.1:8042/api/status",
    headers={"Authorization": "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()},
)
with urllib.request.urlopen(request, timeout=5) as answer:
    for service in json.load(answer)["services"]:
        print(service["name"], service["state"], service.get("reason") or "", sep="\t")
