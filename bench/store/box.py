"""Signalbox: started on a folder, loaded, asked."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path

import sender
from processes import Server, free_port
from queries import as_bytes
from report import progress
from spans import Workload

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "release" / "signalbox"
KEY = "sb-bench-bootstrap-key"
HEADERS = {"authorization": f"Bearer {KEY}"}
CONFIG = "server: {otlp_http: null, otlp_grpc: null}\n"
# A query that is refused at once is wrong; one that is refused after this long took too long.
GAVE_UP_MS = 1_000
EVERYTHING = {"from": "1970-01-01T00:00:00Z", "to": "2200-01-01T00:00:00Z"}


class Box:
    """One data folder, and the server on it while there is one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data, self.config, self.log = folder / "data", folder / "signalbox.yaml", folder / "signalbox.log"
        self.config.write_text(CONFIG)
        self.server: Server | None = None

    def start(self) -> Server:
        port = free_port()
        arguments = [str(BINARY), "up", "--listen", f"127.0.0.1:{port}", "--data", str(self.data)]
        arguments += ["--config", str(self.config)]
        self.server = Server.start(arguments, port, "/readyz", {"SIGNALBOX_BOOTSTRAP_KEY": KEY}, self.log)
        return self.server

    def stop(self) -> float:
        server, self.server = self.server, None
        return server.stop() if server else 0.0

    def kill(self) -> None:
        server, self.server = self.server, None
        if server:
            server.kill()

    def load(self, load: Workload, connections: int) -> sender.Sent:
        """Sends the workload and looks whether all of it is there."""
        sent = sender.whole(
            self.server.port, HEADERS, load, connections, lambda spans: progress(f"{spans:,} spans sent")
        )
        progress(f"{sent.spans:,} spans sent in {sent.seconds:.0f} s, while they were made", done=True)
        return sent

    def count(self) -> int:
        answer = self.ask({"time": EVERYTHING, "measures": [{"fn": "count"}]})[1]
        return answer["rows"][0][0] if answer["rows"] else 0

    def ask(self, query: dict, times: int = 1) -> tuple[list[float], dict]:
        """How long each answer took to arrive, in milliseconds, and the last of them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        headers = {**HEADERS, "content-type": "application/json"}
        body, waits, said = as_bytes(query), [], b""
        connection.connect()
        for _ in range(times):
            began = time.perf_counter()
            connection.request("POST", "/api/v1/query", body, headers)
            answer = connection.getresponse()
            said = answer.read()
            waits.append((time.perf_counter() - began) * 1_000)
            if answer.status != 200:
                # It works, but not within what a query may take.
                if waits[-1] < GAVE_UP_MS:
                    raise RuntimeError(f"status {answer.status} for {query}: {said[:500]!r}")
                print(f"  GAVE UP: {said.decode(errors='replace')[:200]}")
                return waits, {"rows": []}
        connection.close()
        return waits, json.loads(said)
