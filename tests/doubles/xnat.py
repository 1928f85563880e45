"""A double of XNAT 1.9: what a sender, a set-up script and the client ``xnat`` ask of it, with its own ways to fail.

Runs by itself, with the standard library and pydicom: ``python -m doubles.xnat --port 8080 --folder /tmp/xnat``. It
starts as XNAT does, not set up, with the account admin:admin, unless ``--ready PROJECT`` is given. ``POST
/double/faults`` with a JSON list of words makes the next imports fail (see ``XnatArchive.faults``).
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import tempfile
from pathlib import Path
from urllib.parse import parse_qs

from doubles.xnat_archive import Answer, Project, Session
from doubles.xnat_requests import LOG_IN_PAGE, XnatRequest, XnatServer

_ROLES = {"Owners", "Members", "Collaborators"}


class XnatRoutes(XnatRequest):
    """Every route that anybody here asks for."""

    # Signing in

    def start(self) -> None:
        self.say(LOG_IN_PAGE, kind="text/html")

    def sign_in(self) -> None:
        """PUT /data/services/auth with a form; POST /data/JSESSION for who is signed in already."""
        if self.user is None:
            form = {name: values[0] for name, values in parse_qs(self.body().decode()).items()}
            if self.server.passwords.get(form.get("username", "")) != form.get("password"):
                raise Answer(401, "Unauthorized")
            self.user = form["username"]
        ticket = secrets.token_hex(16).upper()
        self.server.tickets[ticket] = self.user
        self._answer(200, ticket, "text/plain", headers={"Set-Cookie": f"JSESSIONID={ticket}; Path=/; HttpOnly"})

    def sign_out(self) -> None:
        self.say()

    def who(self) -> None:
        self.say(f"User '{self.user}' is logged in", kind="text/html")

    # Set-up

    def read_site(self) -> None:
        self.say(self.server.site)

    def write_site(self) -> None:
        self.administrator()
        self.server.site |= json.loads(self.body())
        self.say()

    def build_info(self) -> None:
        self.say({"version": "1.9.3.5", "buildNumber": "1", "commit": "0000000"})

    def read_users(self) -> None:
        self.say(sorted(self.server.passwords))

    def add_user(self) -> None:
        self.administrator()
        told = json.loads(self.body())
        if told["username"] in self.server.passwords:
            raise Answer(409, f"The user {told['username']} already exists.")
        self.server.passwords[told["username"]] = told["password"]
        self.say({"username": told["username"], "enabled": told.get("enabled", False)}, 201)

    def read_user(self, name: str) -> None:
        if name not in self.server.passwords:
            raise Answer(404, f"User {name} not found.")
        self.say({"username": name, "enabled": True})

    def write_user(self, name: str) -> None:
        self.administrator()
        told = json.loads(self.body())
        if name not in self.server.passwords:
            raise Answer(404, f"User {name} not found.")
        if "password" in told:
            self.server.passwords[name] = told["password"]
        self.say({"username": name, "enabled": True})

    def read_script(self) -> None:
        self.say(self.server.anonymization["script"])

    def write_script(self) -> None:
        self.administrator()
        self.server.anonymization["script"] = self.body().decode()
        self.say()

    def read_enabled(self) -> None:
        self.say(self.server.anonymization["enabled"])

    def write_enabled(self, value: str = "") -> None:
        self.administrator()
        self.server.anonymization["enabled"] = (value or self.body().decode()) == "true"
        self.say()

    # Projects

    def list_projects(self) -> None:
        self._table([{"ID": name, "name": name, "URI": f"/data/projects/{name}"} for name in self._visible()])

    def read_project(self, project: str) -> None:
        if project not in self._visible():
            raise Answer(404, f"Unable to identify project {project}")
        data = {"ID": project, "name": project}
        self.say({"items": [{"meta": {"isHistory": False, "xsi:type": "xnat:projectData"}, "data_fields": data}]})

    def write_project(self, project: str) -> None:
        self.administrator()
        if not re.fullmatch("[A-Za-z0-9_-]+", project):
            raise Answer(417, "Invalid character in project ID.")
        if project in self.server.archive.projects:
            raise Answer(409, f"Project {project} already exists.")
        self.server.archive.projects[project] = Project(project)
        self.say(project)

    def list_members(self, project: str) -> None:
        known = self._project(project).users
        self._table(
            [{"login": user, "displayname": role, "GROUP_ID": f"{project}_{role}"} for user, role in known.items()]
        )

    def add_member(self, project: str, role: str, user: str) -> None:
        self.administrator()
        if role not in _ROLES or user not in self.server.passwords:
            raise Answer(404, f"There is no role {role} or no user {user}.")
        self._project(project).users[user] = role
        self.say()

    # Sessions

    def import_session(self) -> None:
        self.server.imports += 1
        if self.query.get("import-handler") != "DICOM-zip":
            raise Answer(404, f"Unsupported import-handler {self.query.get('import-handler')}")
        # A body of unknown size, sent in chunks, counts as none.
        if not self.unread or self.headers.get("Content-Type") != "application/zip":
            raise Answer(400, "In-body File posts must include the file directly as the body of the message.")
        with tempfile.TemporaryFile(dir=self.server.archive.folder) as body:
            while self.unread:
                piece = self.rfile.read(min(self.unread, 1 << 20))
                if not piece:
                    self.close_connection = True
                    return
                self.unread -= len(piece)
                body.write(piece)
            uris = self.server.archive.import_zip(body, str(self.user), self.query)
        self.say("".join(f"{uri}\r\n" for uri in uris), kind="text/uri-list")

    def list_sessions(self) -> None:
        wanted = {name: self.query[name] for name in ("project", "label") if name in self.query}
        found = [
            {"ID": each.identifier, "label": each.label, "project": each.project, "xsiType": each.kind}
            for each in self.server.archive.sessions.values()
            if self._may_read(each.project) and all(getattr(each, name) == value for name, value in wanted.items())
        ]
        self._table([{**each, "URI": f"/data/experiments/{each['ID']}"} for each in found])

    def read_session(self, *names: str) -> None:
        session = self._session(*names)
        data = {
            "ID": session.identifier,
            "label": session.label,
            "project": session.project,
            "UID": session.study_instance_uid,
        }
        self.say({"items": [{"meta": {"isHistory": False, "xsi:type": session.kind}, "data_fields": data}]})

    def list_scans(self, *names: str) -> None:
        session = self._session(*names)
        self._table(
            [
                {
                    "ID": scan.identifier,
                    "UID": scan.series_instance_uid,
                    "modality": scan.modality,
                    "URI": f"/data/experiments/{session.identifier}/scans/{scan.identifier}",
                }
                for scan in session.scans.values()
            ]
        )

    def list_files(self, *names: str) -> None:
        *owner, wanted = names
        session = self._session(*owner)
        self._table(
            [
                {
                    "Name": name,
                    "Size": str(place.stat().st_size),
                    "URI": f"/data/experiments/{session.identifier}/scans/{scan.identifier}"
                    f"/resources/{scan.number}/files/{name}",
                    "collection": "DICOM",
                    "file_format": "DICOM",
                    "file_content": "RAW",
                    "cat_ID": str(scan.number),
                }
                for scan in session.scans.values()
                if wanted in ("ALL", "*", scan.identifier)
                for name, place in scan.files.items()
            ]
        )

    def read_file(self, session: str, scan: str, _resource: str, name: str) -> None:
        place = self._session(session).scans[scan].files.get(name)
        if place is None:
            raise Answer(404, f"Unable to find matching file {name}.")
        self.send_response(200)
        self.send_header("Content-Type", "application/dicom")
        self.send_header("Content-Length", str(place.stat().st_size))
        self.end_headers()
        self.wfile.write(place.read_bytes())

    def plan_faults(self) -> None:
        self.server.archive.faults += json.loads(self.body())
        self.say()

    def _table(self, rows: list[dict[str, str]]) -> None:
        self.say({"ResultSet": {"Result": rows, "totalRecords": str(len(rows))}})

    def _visible(self) -> list[str]:
        return [name for name in self.server.archive.projects if self._may_read(name)]

    def _may_read(self, project: str) -> bool:
        return self.user == "admin" or self.user in self._project(project).users

    def _project(self, name: str) -> Project:
        if name not in self.server.archive.projects:
            raise Answer(404, f"Unable to identify project {name}")
        return self.server.archive.projects[name]

    def _session(self, *names: str) -> Session:
        project, label = (names[0], names[2]) if len(names) == 3 else (None, names[0])
        session = self.server.archive.session(label, project)
        if not self._may_read(session.project):
            raise Answer(403, "The user may not read this session.")
        return session


_NAME = "([^/]+)"
_BY_ID = rf"/data/(?:archive/)?experiments/{_NAME}"
_BY_LABEL = rf"/data/(?:archive/)?projects/{_NAME}/subjects/{_NAME}/experiments/{_NAME}"
_FILES = rf"/scans/{_NAME}/resources/DICOM/files"
_PROJECT = rf"/data/(?:archive/)?projects/{_NAME}"

XnatRoutes.routes = [
    ("GET", "/", XnatRoutes.start),
    ("PUT", "/data/services/auth", XnatRoutes.sign_in),
    ("POST", "/data/JSESSION", XnatRoutes.sign_in),
    ("GET", "/data/JSESSION", XnatRoutes.sign_in),
    ("DELETE", "/data/JSESSION", XnatRoutes.sign_out),
    ("GET", "/data/auth", XnatRoutes.who),
    ("GET", "/xapi/siteConfig", XnatRoutes.read_site),
    ("POST", "/xapi/siteConfig", XnatRoutes.write_site),
    ("GET", "/xapi/siteConfig/buildInfo", XnatRoutes.build_info),
    ("GET", "/xapi/users", XnatRoutes.read_users),
    ("POST", "/xapi/users", XnatRoutes.add_user),
    ("GET", f"/xapi/users/{_NAME}", XnatRoutes.read_user),
    ("PUT", f"/xapi/users/{_NAME}", XnatRoutes.write_user),
    ("GET", "/xapi/anonymize/site", XnatRoutes.read_script),
    ("PUT", "/xapi/anonymize/site", XnatRoutes.write_script),
    ("GET", "/xapi/anonymize/site/enabled", XnatRoutes.read_enabled),
    ("PUT", "/xapi/anonymize/site/enabled", XnatRoutes.write_enabled),
    ("PUT", "/xapi/anonymize/site/enabled/(true|false)", XnatRoutes.write_enabled),
    ("GET", "/data/(?:archive/)?projects", XnatRoutes.list_projects),
    ("GET", _PROJECT, XnatRoutes.read_project),
    ("PUT", _PROJECT, XnatRoutes.write_project),
    ("GET", f"{_PROJECT}/users", XnatRoutes.list_members),
    ("PUT", f"{_PROJECT}/users/{_NAME}/{_NAME}", XnatRoutes.add_member),
    ("POST", "/data/services/import", XnatRoutes.import_session),
    ("GET", "/data/(?:archive/)?experiments", XnatRoutes.list_sessions),
    ("GET", _BY_ID, XnatRoutes.read_session),
    ("GET", _BY_LABEL, XnatRoutes.read_session),
    ("GET", f"{_BY_ID}/scans", XnatRoutes.list_scans),
    ("GET", f"{_BY_LABEL}/scans", XnatRoutes.list_scans),
    ("GET", _BY_ID + _FILES, XnatRoutes.list_files),
    ("GET", _BY_LABEL + _FILES, XnatRoutes.list_files),
    ("GET", rf"{_BY_ID}/scans/{_NAME}/resources/{_NAME}/files/{_NAME}", XnatRoutes.read_file),
    ("POST", "/double/faults", XnatRoutes.plan_faults),
]


def create_server(folder: Path, port: int = 0) -> XnatServer:
    """The server, on a free port unless one is named; not set up yet, and not serving yet."""
    return XnatServer(("0.0.0.0", port), folder, XnatRoutes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "xnat-double")
    parser.add_argument("--ready", metavar="PROJECT", help="set up already, with user forwarder:forwarder")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    server = create_server(options.folder, options.port)
    if options.ready:
        server.set_up(options.ready, "forwarder", "forwarder")
    server.serve_forever()


if __name__ == "__main__":
    main()
