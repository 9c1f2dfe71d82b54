"""PyPI's scanners on the same texts: each in an environment of its own, and left out with a note where it can't be."""

import json
import pathlib
import subprocess
import sys
import textwrap

CACHE = pathlib.Path.home() / ".cache" / "signalbox" / "bench-guard"

# What every peer runs around its own `SCANS`: by task, what says how sure it is of a text. First the time for all
# of them (or for `TIMED`), with the text of `examples/latency.rs` in kind and length; then a score for every row
# of the files it is given.
FRAME = """
import json, sys, time
{setup}
PROSE = ("Please summarise the report below for our board, in five sentences. Revenue rose by 4.2 % to 1,204 million "
    "euros; see https://example.com/reports/2024?page=3 for the tables. The team in Lyon (14 people) moves in May.\\n"
    "- Check the figures of the second quarter.\\n- Write to Ada about the contract, she knows the details.\\n")
for size in (100, 1_000, 10_000, 100_000):
    text = (PROSE * (size // len(PROSE) + 1))[:size]
    times = []
    began = time.perf_counter()
    while len(times) < 5 or (time.perf_counter() - began < 2 and len(times) < 500):
        start = time.perf_counter()
        for scan in globals().get('TIMED') or dict.fromkeys(SCANS.values()):
            scan(text)
        times.append((time.perf_counter() - start) * 1e6)
    times = sorted(times[1:])
    middle, late = times[len(times) // 2], times[len(times) * 99 // 100]
    print(json.dumps(dict(scanner={name!r}, bytes=size, p50_us=middle, p99_us=late)))
for task, path in json.loads({files!r}).items():
    with open(path, encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            print(json.dumps(dict(task=task, id=row["id"], score=float(SCANS[task](row["text"])))))
"""

# llm-guard imports torch and transformers, gigabytes that its scanners without a model never call: for it, empty ones
# stand in.
ABSENT = """
import importlib.abc, importlib.machinery, sys, types
from unittest.mock import MagicMock
class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__version__ = "0"
        module.__getattr__ = lambda name: MagicMock()
        return module
    def exec_module(self, module):
        pass
sys.meta_path.insert(0, Absent())
"""

# By name: lists of packages, each installed by a call of its own; the tasks; the set-up.
PEERS = {
    "detect-secrets": (
        [["detect-secrets"]],
        ["secrets"],
        """
        import tempfile
        from detect_secrets.core.scan import scan_line
        from detect_secrets.core.secrets_collection import SecretsCollection
        from detect_secrets.settings import default_settings
        settings = default_settings()
        settings.__enter__()
        # A line alone it looks at eagerly, and finds all that might be one; of a file, as its command does.
        def of_file(text):
            with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                found = SecretsCollection()
                found.scan_file(file.name)
            return bool(found.data)
        SCANS = {"secrets": of_file}
        TIMED = [lambda text: [found for line in text.splitlines() for found in scan_line(line)]]
    """,
    ),
    # Its pattern recognisers alone: with its language model it takes a hundred times as long.
    "presidio-analyzer (patterns)": (
        [["presidio-analyzer"]],
        ["pii"],
        """
        import inspect
        from presidio_analyzer import PatternRecognizer, predefined_recognizers
        kinds = [kind for _, kind in inspect.getmembers(predefined_recognizers, inspect.isclass)
                 if issubclass(kind, PatternRecognizer) and kind is not PatternRecognizer]
        recognizers = [kind() for kind in kinds if kind.__name__.startswith(
            ("CreditCard", "Crypto", "Date", "Email", "Iban", "Ip", "Phone", "Url", "Us"))]
        def scan(text):
            found = [found for one in recognizers for found in one.analyze(text, one.supported_entities, None) or []]
            return max((one.score for one in found), default=0)
        SCANS = {"pii": scan}
    """,
    ),
    "ai-evaluation (three scanners)": (
        [["ai-evaluation"]],
        ["prompt_injection", "jailbreak", "code_injection", "secrets"],
        """
        from fi.evals.guardrails.scanners import CodeInjectionScanner, JailbreakScanner, SecretsScanner
        def sure(scanner):
            def scan(text):
                result = scanner.scan(text)
                return 0 if result.passed else max(result.score, 0.5)
            return scan
        jailbreak = sure(JailbreakScanner())
        SCANS = {"jailbreak": jailbreak, "prompt_injection": jailbreak}
        SCANS |= {"code_injection": sure(CodeInjectionScanner()), "secrets": sure(SecretsScanner())}
    """,
    ),
    # Its other scanners download models of hundreds of megabytes.
    "llm-guard (Secrets, InvisibleText)": (
        [
            ["--no-deps", "llm-guard==0.3.16"],
            ["bc-detect-secrets==1.5.43", "presidio-analyzer", "presidio-anonymizer"],
            ["faker", "fuzzysearch", "json_repair", "nltk", "regex", "structlog", "tiktoken"],
        ],
        ["secrets", "unicode_smuggling"],
        """
        import logging, structlog
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        from llm_guard.input_scanners.invisible_text import InvisibleText
        from llm_guard.input_scanners.secrets import Secrets
        def sure(scanner):
            return lambda text: not scanner.scan(text)[1]
        SCANS = {"secrets": sure(Secrets()), "unicode_smuggling": sure(InvisibleText())}
    """,
    ),
}

# What can't be run without a network, said in the output.
LEFT_OUT = {
    "llm-guard (PromptInjection, Toxicity and others)": "they download models of hundreds of megabytes",
    "presidio-analyzer (names, places)": "it downloads a language model",
}


def measure(files: dict[str, pathlib.Path]) -> tuple[list[dict], dict[tuple[str, str], dict]]:
    """Times, and by peer and task the score of each row; `files` has the rows by task."""
    times, scores = [], {}
    for name, (packages, tasks, setup) in PEERS.items():
        mine = {task: str(files[task]) for task in tasks if task in files}
        try:
            rows = run(name, packages, setup, mine)
        except subprocess.CalledProcessError as error:
            last = (error.stderr or "").strip().splitlines()[-1:] or ["it failed"]
            print(f"left out: {name}: {last[0]}")
            continue
        times += [row for row in rows if "bytes" in row]
        for row in rows:
            if "task" in row:
                scores.setdefault((name, row["task"]), {})[row["id"]] = row["score"]
    for name, reason in LEFT_OUT.items():
        print(f"left out: {name}: {reason}")
    return times, scores


def run(name: str, packages: list[list[str]], setup: str, files: dict[str, str]) -> list[dict]:
    home = CACHE / name.split(" ")[0]
    python = home / "bin" / "python"
    if not (home / "installed").exists():
        call([sys.executable, "-m", "venv", str(home)])
        for some in packages:
            call([str(python), "-m", "pip", "install", "--quiet", *some])
        (home / "installed").touch()
    before = ABSENT if name.startswith("llm-guard") else ""
    script = FRAME.format(setup=before + textwrap.dedent(setup), name=name, files=json.dumps(files))
    out = call([str(python), "-c", script])
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def call(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
