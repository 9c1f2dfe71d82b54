"""PyPI's scanners on the same texts: each in an environment of its own, and left out with a note where it can't be."""

import json
import pathlib
import subprocess
import sys
import textwrap

CACHE = pathlib.Path.home() / ".cache" / "signalbox" / "bench-guard"

# What every peer runs around its own `scan(text)`; the text is that of `examples/latency.rs` in kind and length.
FRAME = """
import json, time
{setup}
PROSE = ("Please summarise the report below for our board, in five sentences. Revenue rose by 4.2 % to 1,204 million "
    "euros; see https://example.com/reports/2024?page=3 for the tables. The team in Lyon (14 people) moves in May.\\n"
    "- Check the figures of the second quarter.\\n- Write to Ada about the contract, she knows the details.\\n")
for size in (100, 1_000, 10_000):
    text = (PROSE * (size // len(PROSE) + 1))[:size]
    scan(text)
    times = []
    began = time.perf_counter()
    while len(times) < 20 or (time.perf_counter() - began < 2 and len(times) < 500):
        start = time.perf_counter()
        scan(text)
        times.append((time.perf_counter() - start) * 1e6)
    times.sort()
    middle, late = times[len(times) // 2], times[len(times) * 99 // 100]
    print(json.dumps(dict(scanner={name!r}, bytes=size, p50_us=middle, p99_us=late)))
"""

PEERS = {
    "detect-secrets": (
        ["detect-secrets"],
        """
        from detect_secrets.core.scan import scan_line
        from detect_secrets.settings import default_settings
        settings = default_settings()
        settings.__enter__()
        def scan(text):
            return [found for line in text.splitlines() for found in scan_line(line)]
    """,
    ),
    # Its pattern recognisers alone: with its language model it takes a hundred times as long.
    "presidio-analyzer (patterns)": (
        ["presidio-analyzer"],
        """
        import inspect
        from presidio_analyzer import PatternRecognizer, predefined_recognizers
        kinds = [kind for _, kind in inspect.getmembers(predefined_recognizers, inspect.isclass)
                 if issubclass(kind, PatternRecognizer) and kind is not PatternRecognizer]
        recognizers = [kind() for kind in kinds if kind.__name__.startswith(
            ("CreditCard", "Crypto", "Date", "Email", "Iban", "Ip", "Phone", "Url", "Us"))]
        def scan(text):
            return [found for one in recognizers for found in one.analyze(text, one.supported_entities, None) or []]
    """,
    ),
    "ai-evaluation (three scanners)": (
        ["ai-evaluation"],
        """
        from fi.evals.guardrails.scanners import CodeInjectionScanner, JailbreakScanner, SecretsScanner
        scanners = [JailbreakScanner(), CodeInjectionScanner(), SecretsScanner()]
        def scan(text):
            return [scanner.scan(text) for scanner in scanners]
    """,
    ),
}

# llm-guard's scanners are transformer models that it downloads: no peer for an inline check without a network.
LEFT_OUT = {"llm-guard": "its scanners download models of hundreds of megabytes"}


def measure() -> list[dict]:
    rows = []
    for name, (packages, setup) in PEERS.items():
        try:
            rows += run(name, packages, textwrap.dedent(setup))
        except subprocess.CalledProcessError as error:
            last = (error.stderr or "").strip().splitlines()[-1:] or ["it failed"]
            print(f"left out: {name}: {last[0]}")
    for name, reason in LEFT_OUT.items():
        print(f"left out: {name}: {reason}")
    return rows


def run(name: str, packages: list[str], setup: str) -> list[dict]:
    home = CACHE / packages[0]
    python = home / "bin" / "python"
    if not (home / "installed").exists():
        call([sys.executable, "-m", "venv", str(home)])
        call([str(python), "-m", "pip", "install", "--quiet", *packages])
        (home / "installed").touch()
    out = call([str(python), "-c", FRAME.format(setup=setup, name=name)])
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def call(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
