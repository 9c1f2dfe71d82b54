"""Sends the calls that `make profile` has counted, to `target/release/signalbox`, which it stops in good order."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from load import Case, load
from servers import PATIENCE_S, Rig, raise_limits

SECONDS = 8
LATENCY_MS = 100
CASES = [
    Case("known prompt", 1, 64, pause_ms=LATENCY_MS),
    Case("fresh prompt", 1, 64, pause_ms=LATENCY_MS, fresh=True),
    Case("stream", 1, 64, stream=True, pause_ms=LATENCY_MS, fresh=True),
    Case("paced stream", 1, 64, stream=True, pause_ms=LATENCY_MS, pace_ms=20),
    Case("long prompt", 16, 16, pause_ms=LATENCY_MS, fresh=True),
    Case("burst", 1, 64, fresh=True),
]


def main() -> None:
    """Sends them; the counts are written when the server ends."""
    raise_limits()
    with tempfile.TemporaryDirectory() as folder, Rig(Path(folder)) as rig:
        _, slow = rig.provider(LATENCY_MS)
        box = rig.signalbox(slow)
        for case in CASES:
            seen, _ = load(box, case, SECONDS, rig.folder)
            print(f"{case.name}: {seen['requests']:.0f} calls", flush=True)
        assert box.child is not None
        box.child.send_signal(signal.SIGTERM)
        code = box.child.wait(PATIENCE_S)
        assert code == 0, f"it ended with {code}"


if __name__ == "__main__":
    main()
