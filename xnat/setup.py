"""Makes a fresh XNAT ready to receive: site, passwords, project, anonymisation, and the account Orthanc uploads as.

Runs in a container that ends (``xnat-setup``), again at every ./pacs up: what is so already stays so, and the password
of the account for uploads becomes the one in .env.
"""

import os
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

#: What XNAT is delivered with.
FIRST_PASSWORD = "admin"
FORWARDER = "forwarder"
#: XNAT wants one of every user and sends nothing to it: no mail server is configured.
EMAIL = "{}@localhost.localdomain"
TIMEOUT_S = 60
REST_S = 2.0
#: Between two attempts to sign in, and how many: XNAT locks an account after a row of failures.
SIGN_IN_REST_S, SIGN_IN_ATTEMPTS = 10.0, 6


class SetupError(Exception):
    """XNAT cannot be made ready; the message says what it answered and what to do."""


@dataclass(frozen=True)
class Site:
    """What this XNAT shall be."""

    url: str
    public_url: str
    project: str
    script: str
    admin_password: str = field(repr=False)
    forwarder_password: str = field(repr=False)

    @staticmethod
    def from_environment() -> "Site":
        env = os.environ
        for name in ("PACS_XNAT_PASSWORD", "PACS_XNAT_FORWARDER_PASSWORD"):
            if not env.get(name):
                raise SetupError(f"{name} is not set: ./pacs up writes it into .env, or choose one there.")
        project = env.get("PACS_XNAT_PROJECT") or "research"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", project):
            raise SetupError(f"PACS_XNAT_PROJECT is '{project}': write letters, digits, - and _ only.")
        return Site(
            url=env.get("XNAT_URL") or "http://xnat:8080",
            public_url=env.get("PACS_XNAT_SITE_URL") or f"http://localhost:{env.get('PACS_XNAT_PORT') or '8081'}",
            project=project,
            script=Path(__file__).with_name("anonymisation.das").read_text(encoding="utf-8"),
            admin_password=env["PACS_XNAT_PASSWORD"],
            forwarder_password=env["PACS_XNAT_FORWARDER_PASSWORD"],
        )


class Account:
    """XNAT's REST API as one user."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.auth = (user, password)

    def call(self, method: str, path: str, also: tuple[int, ...] = (), **options: Any) -> requests.Response:
        """One request; any answer but a 2xx or one of ``also`` ends the set-up."""
        # A redirect leads to the log-in page, which would look like success.
        answer = self._session.request(
            method, f"{self._url}{path}", timeout=TIMEOUT_S, allow_redirects=False, **options
        )
        if not 200 <= answer.status_code < 300 and answer.status_code not in also:
            raise SetupError(
                f"{method} {path} answers {answer.status_code} {answer.reason}: {answer.text[:300]}\n"
                "See ./pacs logs xnat, then run ./pacs up again."
            )
        return answer


def wait_until_answering(url: str, patience_s: float) -> None:
    """Ask what needs no account, so that no failed sign-in is counted while XNAT starts."""
    deadline = time.monotonic() + patience_s
    said = "nothing"
    while time.monotonic() < deadline:
        try:
            answer = requests.get(f"{url}/xapi/siteConfig/buildInfo", timeout=TIMEOUT_S, allow_redirects=False)
            said = f"{answer.status_code} {answer.reason}"
            # 403: not configured yet, which is what we are here for; a redirect says the same.
            if answer.status_code in (200, 302, 401, 403):
                return
        except requests.RequestException as error:
            said = type(error).__name__
        time.sleep(REST_S)
    raise SetupError(f"{url} does not answer within {patience_s:g} s (last: {said}): see ./pacs logs xnat.")


def sign_in(site: Site, rest_s: float = SIGN_IN_REST_S) -> tuple[Account, bool]:
    """The administrator, and whether with the password that XNAT was delivered with."""
    for attempt in range(SIGN_IN_ATTEMPTS):
        time.sleep(rest_s if attempt else 0)
        for password in (site.admin_password, FIRST_PASSWORD):
            account = Account(site.url, "admin", password)
            # Right after its start XNAT refuses the right password too, and says 503 to all.
            answer = account.call("GET", "/xapi/siteConfig", also=(302, 401, 403, 404, 500, 503))
            if answer.status_code == 200:
                return account, password == FIRST_PASSWORD
    raise SetupError(
        "XNAT's admin signs in neither with PACS_XNAT_PASSWORD nor with the password that XNAT is delivered with: put "
        "the one it was set up with into .env, or change it in XNAT (Administer, Users)."
    )


def set_up(site: Site, admin: Account, fresh: bool) -> Account:
    """Everything, in an order in which each step finds what it needs; the administrator under the final password."""
    admin.call(
        "POST",
        "/xapi/siteConfig",
        json={"initialized": True, "siteUrl": site.public_url, "adminEmail": EMAIL.format("admin")},
    )
    if fresh and site.admin_password != FIRST_PASSWORD:
        admin.call("PUT", "/xapi/users/admin", json={"username": "admin", "password": site.admin_password})
        admin = Account(site.url, "admin", site.admin_password)
    script = site.script.encode()
    admin.call("PUT", "/xapi/anonymize/site", data=script, headers={"Content-Type": "text/plain"})
    admin.call("PUT", "/xapi/anonymize/site/enabled", json=True)
    # 409: there already.
    admin.call("PUT", f"/data/projects/{site.project}", also=(409,))
    create_forwarder(site, admin)
    return admin


def create_forwarder(site: Site, admin: Account) -> None:
    """The account that may add to the project and do nothing else."""
    user = {
        "username": FORWARDER,
        "password": site.forwarder_password,
        "firstName": "Orthanc",
        "lastName": "Forwarding",
        "email": EMAIL.format(FORWARDER),
        "enabled": True,
        "verified": True,
    }
    made = admin.call("POST", "/xapi/users", also=(409,), json=user)
    if made.status_code == 409:
        # 304: it has this password already.
        changed = {"username": FORWARDER, "password": site.forwarder_password, "enabled": True}
        admin.call("PUT", f"/xapi/users/{FORWARDER}", also=(304,), json=changed)
    admin.call("PUT", f"/data/projects/{site.project}/users/Members/{FORWARDER}")
    # Seen with its own eyes: from now on it can upload.
    Account(site.url, FORWARDER, site.forwarder_password).call("GET", f"/data/projects/{site.project}?format=json")


def main() -> int:
    try:
        site = Site.from_environment()
        wait_until_answering(site.url, float(os.environ.get("PATIENCE_S", "600")))
        admin, fresh = sign_in(site, float(os.environ.get("SIGN_IN_REST_S", SIGN_IN_REST_S)))
        set_up(site, admin, fresh)
    except SetupError as error:
        print(f"xnat-setup: {error}", file=sys.stderr)
        return 1
    except requests.RequestException as error:
        print(f"xnat-setup: XNAT went away ({type(error).__name__}): see ./pacs logs xnat.", file=sys.stderr)
        return 1
    print(f"xnat-setup: {site.url} is ready: project {site.project}, uploads as {FORWARDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
