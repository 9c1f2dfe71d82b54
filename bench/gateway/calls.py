"""Sends the calls that `make profile` has counted to `target/release/signalbox`, and stops it in good order."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

from load import Case, call, load
from servers import PATIENCE_S, ROOT, Rig, raise_limits

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
# Where the process writes what it has counted.
COUNTS = "LLVM_PROFILE_FILE"
# All that look at text by themselves.
SCANNERS = ["bias", "code_injection", "gibberish", "harmful_request", "invisible_chars", "jailbreak", "language"]
SCANNERS += ["pii", "prompt_injection", "refusal", "secrets", "toxicity", "urls"]
TEXT_CHARS = 1500


def main() -> None:
    """Sends them; the counts are written when the server ends."""
    raise_limits()
    with tempfile.TemporaryDirectory() as folder, Rig(Path(folder)) as rig:
        # The simulated provider is the same program: what it does is not to count.
        _, slow = rig.provider(LATENCY_MS, {COUNTS: os.devnull})
        box = rig.signalbox(slow)
        for case in CASES:
            seen, _ = load(box, case, SECONDS, rig.folder)
            print(f"{case.name}: {seen['requests']:.0f} calls", flush=True)
            assert seen["requests"] and not seen["errors"], seen
        texts = documents()
        for text in texts:
            call(box, {"text": text, "scanners": SCANNERS}, "/api/v1/guard")
            messages = [{"role": "user", "content": text}]
            call(box, {"model": box.model, "max_tokens": 64, "messages": messages}, "/v1/messages")
        print(f"all scanners, another dialect: {len(texts)} calls each")
        assert box.child is not None
        box.child.send_signal(signal.SIGTERM)
        code = box.child.wait(PATIENCE_S)
        assert code == 0, f"it ended with {code}"


def documents() -> list[str]:
    """Pieces of the project's own documents: text as people write it."""
    whole = "\n".join(path.read_text() for path in sorted(ROOT.glob("docs/**/*.md")))
    return [whole[start : start + TEXT_CHARS] for start in range(0, len(whole), TEXT_CHARS)]


if __name__ == "__main__":
    main()
