"""``docker stop`` ends with exit code 0 within ten seconds, whatever the server is doing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO

import requests
from pydicom import dcmread
from pydicom.dataset import Dataset

from benchmarks import synthetic
from integration import datasets
from integration.conftest import MakeOrthanc
from integration.containers import Client, OrthancServer
from integration.modality import association
from integration.polling import eventually

STOPPED_WITHIN_S = 10.0


def test_an_idle_server_stops_cleanly(lone_orthanc: OrthancServer) -> None:
    lone_orthanc.create().wait_until_ready()
    code, seconds = lone_orthanc.stop()

    assert code == 0, lone_orthanc.log()[-3000:]
    assert seconds < STOPPED_WITHIN_S


def test_a_server_that_has_only_begun_to_start_stops_cleanly(lone_orthanc: OrthancServer) -> None:
    lone_orthanc.create()
    eventually(lambda: "HTTP server listening" in lone_orthanc.log(), 120, "Orthanc listens", rest_s=0.01)
    code, seconds = lone_orthanc.stop()

    assert code == 0, lone_orthanc.log()[-3000:]
    assert seconds < STOPPED_WITHIN_S


class Load:
    """Modalities that send and programs that ask, until they are told to end."""

    def __init__(self, server: OrthancServer) -> None:
        self.answers: list[int] = []
        self._ending = threading.Event()
        self._http_port, self._dicom_port = server.http_port, server.dicom_port
        self._image = dcmread(datasets.DICOMPYLER_CT)
        self._structures = dcmread(BytesIO(synthetic.structure_set("moderate")))

    def run_with(self, meanwhile: Callable[[], None]) -> None:
        turns = [self.ask, self.ask, self.send_images, self.send_structures]
        with ThreadPoolExecutor(len(turns)) as pool:
            running = [pool.submit(self._repeat, turn) for turn in turns]
            try:
                meanwhile()
            finally:
                self._ending.set()
        for each in running:
            each.result()

    def ask(self) -> None:
        with Client(self._http_port, "admin") as client, suppress(requests.RequestException):
            for path in ("/api/studies", "/api/status", "/api/metrics", "/api/extractions", "/studies"):
                self.answers.append(client.get(path).status_code)

    def send_images(self) -> None:
        self._send(datasets.renumber(self._image))

    def send_structures(self) -> None:
        self._send(datasets.renumber(self._structures))

    def _send(self, dataset: Dataset) -> None:
        syntax = dataset.file_meta.TransferSyntaxUID
        with association(self._dicom_port, dataset.SOPClassUID, syntax=syntax) as assoc:
            if assoc.is_established:
                # A server that goes away in the middle is what this is for.
                with suppress(RuntimeError, ValueError):
                    assoc.send_c_store(dataset)

    def _repeat(self, turn: Callable[[], None]) -> None:
        while not self._ending.is_set():
            turn()


def test_a_server_under_load_stops_cleanly(lone_orthanc: OrthancServer) -> None:
    lone_orthanc.create().wait_until_ready()
    load = Load(lone_orthanc)
    stopped: list[tuple[int, float]] = []

    def stop_when_busy() -> None:
        with lone_orthanc.http() as client:

            def busy() -> bool:
                return bool(client.get("/api/extractions?state=running").json()["total"] and load.answers)

            eventually(busy, 60, "an extraction runs", rest_s=0.01)
        stopped.append(lone_orthanc.stop())

    load.run_with(stop_when_busy)
    code, seconds = stopped[0]
    assert code == 0, lone_orthanc.log()[-3000:]
    assert seconds < STOPPED_WITHIN_S
    # While it stops it may say so, but it never fails.
    assert set(load.answers) <= {200, 503}


def test_ctrl_c_stops_it_as_well(make_orthanc: MakeOrthanc) -> None:
    server = make_orthanc().create().wait_until_ready()
    server.container.kill("SIGINT")

    assert server.container.wait(timeout=60)["StatusCode"] == 0
