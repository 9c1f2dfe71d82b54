"""Processes under test: what they use, read from /proc, and how they are started and stopped."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """A process that listens on a port of this machine."""

    port: int
    child: subprocess.Popen
    # From its start until it said that it is ready.
    ready_s: float = 0.0

    @classmethod
    def start(
        cls, arguments: list[str], port: int, ready: str, env: dict[str, str], log: Path, patience: float = 120
    ) -> Server:
        began = time.monotonic()
        with log.open("ab") as output:
            child = subprocess.Popen(arguments, env={**os.environ, **env}, stdout=output, stderr=output)
        server = cls(port, child)
        try:
            while time.monotonic() - began < patience and child.poll() is None:
                with contextlib.suppress(OSError, urllib.error.HTTPError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=5).read()
                    server.ready_s = time.monotonic() - began
                    return server
                time.sleep(0.005)
        except BaseException:
            child.kill()
            raise
        child.kill()
        sys.exit(f"{arguments[0]} did not get ready; its output:\n{log.read_text(errors='replace')[-2000:]}")

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        return memory_mb(self.child.pid)

    def quiet(self, patience: float, still_s: float = 2) -> float:
        """Waits until it does nothing more: what it writes or merges behind is done. Answers how long that took."""
        began = busy = time.monotonic()
        before = self.cpu_s()
        while time.monotonic() - began < patience and time.monotonic() - busy < still_s:
            time.sleep(0.5)
            now = self.cpu_s()
            if now - before > 0.03:
                busy = time.monotonic()
            before = now
        return busy - began

    def stop(self) -> float:
        """Stops it in order and answers the CPU seconds of its whole life."""
        self.child.send_signal(signal.SIGTERM)
        return self._end(patience=300)

    def kill(self) -> float:
        """As a crash would."""
        self.child.kill()
        return self._end(patience=30)

    def _end(self, patience: float) -> float:
        if self.child.returncode is not None:
            return 0.0
        until = time.monotonic() + patience
        while time.monotonic() < until:
            pid, status, used = os.wait4(self.child.pid, os.WNOHANG)
            if pid:
                self.child.returncode = os.waitstatus_to_exitcode(status)
                return used.ru_utime + used.ru_stime
            time.sleep(0.02)
        self.child.kill()
        self.child.wait()
        sys.exit(f"process {self.child.pid} did not stop within {patience:.0f} s")


def memory_mb(pid: int) -> float:
    """The most that it ever took."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in files_under(folder))


def drop_from_cache(folder: Path) -> None:
    """The next read of these files comes from the disk."""
    for path in files_under(folder):
        file = os.open(path, os.O_RDONLY)
        try:
            # Only clean pages can be dropped.
            os.fdatasync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)
