"""`signalbox eval run`: suites over targets, gates, reports, and going on after an end in the middle."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from harness import BINARY, Provider, wait_until

METRICS = """
metrics:
  - {metric: exact_match, as: right}
  - {metric: token_f1, threshold: 0.5}
  - {as: short, expression: "size(string(output)) < 500"}
  - {as: good, all: [token_f1, short]}
"""


def suite(folder: Path, text: str, items: list[dict[str, Any]]) -> Path:
    (folder / "gold.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    file = folder / "suite.yaml"
    file.write_text(text)
    return file


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(BINARY), "eval", "run", "suite.yaml", "--cache", str(folder / "cache"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def recorded(count: int, right: int, lang: str = "en") -> list[dict[str, Any]]:
    answers = ["the answer is yes" if at < right else "nobody can tell" for at in range(count)]
    return [
        {"id": f"q{at}", "input": f"Question {at}?", "output": answer, "reference": "the answer is yes", "lang": lang}
        for at, answer in enumerate(answers)
    ]


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()[1:]]


RECORDED = "name: kept\ndatasets: [gold.jsonl]\ntargets: [{name: kept, recorded: output}]\n" + METRICS


def test_gates_decide_the_exit_status_and_reports_say_why(tmp_path: Path) -> None:
    gates = "gates:\n  - {metric: right, mean: '>= 0.8'}\n  - {metric: good, pass_rate: '>= 80%', by: lang}\n"
    suite(tmp_path, RECORDED + gates, recorded(50, 45))
    reports = ["--json", "r.json", "--junit", "r.xml", "--markdown", "r.md", "--html", "r.html"]
    good = run(tmp_path, *reports)
    assert good.returncode == 0, good.stderr
    assert "pass  kept: right mean >= 0.8" in good.stdout
    told = json.loads((tmp_path / "r.json").read_text())
    assert (told["verdict"], told["answers"], told["failed"]) == ("passed", 50, 0)
    figures = {one["metric"]: one for one in told["targets"][0]["metrics"]}
    assert abs(figures["right"]["mean"] - 0.9) < 1e-12
    assert figures["right"]["interval"]["low"] < 0.9 < figures["right"]["interval"]["high"]
    suites = {one.get("name"): one for one in ElementTree.parse(tmp_path / "r.xml").getroot()}
    assert suites["gates"].get("failures") == "0"
    assert (suites["kept"].get("tests"), suites["kept"].get("failures")) == ("50", "5")
    assert "| right | 0.9000 |" in (tmp_path / "r.md").read_text()
    page = (tmp_path / "r.html").read_text()
    assert "q49" in page
    assert "http://" not in page and "https://" not in page and "<script" not in page

    suite(tmp_path, RECORDED + gates, recorded(50, 30))
    bad = run(tmp_path, *reports)
    assert bad.returncode == 1
    assert "2 of 2 gates don't hold" in bad.stderr
    suites = {one.get("name"): one for one in ElementTree.parse(tmp_path / "r.xml").getroot()}
    assert suites["gates"].get("failures") == "2"


def test_a_regression_is_found_item_by_item(tmp_path: Path) -> None:
    gates = "gates:\n  - {metric: right, no_regression: true}\n"
    suite(tmp_path, RECORDED + gates, recorded(60, 55))
    assert run(tmp_path).returncode == 2, "there is nothing to compare with"
    assert run(tmp_path, "--no-baseline", "--results", "main.jsonl").returncode == 0
    assert run(tmp_path, "--baseline", "main.jsonl").returncode == 0
    suite(tmp_path, RECORDED + gates, recorded(60, 45))
    worse = run(tmp_path, "--baseline", "main.jsonl", "--results", "branch.jsonl")
    assert worse.returncode == 1
    assert "detectable with 80 % power" in worse.stdout
    assert "10 worse" in worse.stdout
    command = [str(BINARY), "eval", "compare", "main.jsonl", "branch.jsonl", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    change = next(one for one in json.loads(done.stdout)["changes"] if one["metric"] == "right")
    assert (change["comparison"]["losses"], change["comparison"]["test"]) == (10, "mcnemar")
    assert change["p_adjusted"] < 0.05


def test_what_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    suite(tmp_path, RECORDED.replace("threshold: 0.5", "thresold: 0.5"), recorded(2, 2))
    wrong = run(tmp_path)
    assert wrong.returncode == 2
    assert "line 7" in wrong.stderr
    assert "thresold" in wrong.stderr
    items = [*recorded(3, 3), {"id": "q3", "reference": "x"}]
    suite(tmp_path, RECORDED, items)
    failed = run(tmp_path)
    assert failed.returncode == 3
    assert "q3: the item has no recorded answer in `output`" in failed.stderr
    suite(tmp_path, RECORDED + "max_errors: 1\n", items)
    assert run(tmp_path).returncode == 0


def test_models_are_asked_once(tmp_path: Path, provider: Provider) -> None:
    target = f"""
name: asked
datasets: [gold.jsonl]
targets:
  - name: sim
    model:
      model: small
      base_url: {provider.url}/v1
      system: Be brief.
      prompt: "{{{{input}}}} ({{{{lang}}}})"
      max_tokens: 40
  - name: endpoint
    http: {{url: {provider.url}/sim/echo/ask, body: {{question: "{{{{input}}}}", n: "{{{{n}}}}"}}, answer: /body}}
metrics:
  - {{as: said, expression: "size(output) > 0"}}
gates: [{{metric: said, mean: '>= 1'}}, {{metric: latency_ms, p95: '< 30000'}}]
"""
    items = [{"id": str(at), "input": f"Tell me about railway {at}", "lang": "en", "n": at} for at in range(12)]
    suite(tmp_path, target, items)
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout
    found = {(row["target"], row["id"]): row for row in rows(tmp_path / "suite.results.jsonl")}
    assert len(found) == 24
    assert json.loads(found["endpoint", "7"]["output"]) == {"question": "Tell me about railway 7", "n": 7}
    assert all(row["latency_ms"] > 0 and not row.get("cached") for row in found.values())
    again = run(tmp_path)
    assert again.returncode == 0
    assert all(row["cached"] for row in rows(tmp_path / "suite.results.jsonl"))


def test_an_endpoint_that_is_overloaded_is_asked_again(tmp_path: Path) -> None:
    refusals = iter([503, 429])

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = next(refusals, 200)
            answer = json.dumps({"answer": json.loads(body)["q"]} if status == 200 else {"error": "later"}).encode()
            self.send_response(status)
            if status != 200:
                self.send_header("retry-after", "0")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/ask"
    http_target = f"http: {{url: {url}, body: {{q: '{{{{output}}}}'}}, answer: /answer}}"
    text = f"name: retry\nconcurrency: 1\ndatasets: [gold.jsonl]\ntargets: [{{name: api, {http_target}}}]\n{METRICS}"
    suite(tmp_path, text, recorded(3, 3))
    done = run(tmp_path)
    server.shutdown()
    assert done.returncode == 0, done.stderr
    assert all(row["scores"]["right"]["value"] == 1 for row in rows(tmp_path / "suite.results.jsonl"))


PROGRAM = """
import json, pathlib, sys, time
item = json.load(sys.stdin)
with open("asked.txt", "a") as file:
    file.write(item["id"] + "\\n")
gate = pathlib.Path("wait")
while gate.exists() and int(item["id"][1:]) >= 20:
    time.sleep(0.02)
print(json.dumps({"text": item["reference"]}))
"""


MEASURE = """
import json, sys
case = json.load(sys.stdin)
print(json.dumps({"value": len(case["output"]), "reason": "length"}))
"""


def test_it_goes_on_after_an_end_in_the_middle(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(PROGRAM)
    (tmp_path / "wait").touch()
    (tmp_path / "measure.py").write_text(MEASURE)
    text = f"""
name: programs
datasets: [gold.jsonl]
concurrency: 2
targets: [{{name: bot, command: {{run: ["{sys.executable}", bot.py], answer: /text}}}}]
{METRICS}
  - {{as: length, command: ["{sys.executable}", measure.py], threshold: 5}}
"""
    suite(tmp_path, text, recorded(30, 30))
    command = [str(BINARY), "eval", "run", "suite.yaml", "--no-cache"]
    child = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    results = tmp_path / "suite.results.jsonl"
    wait_until("20 results", lambda: results.exists() and len(results.read_text().splitlines()) >= 21 or None, 60)
    child.kill()
    child.wait()
    (tmp_path / "wait").unlink()
    # The end of a line that was being written.
    with results.open("a") as file:
        file.write('{"target": "bo')
    (tmp_path / "asked.txt").unlink()
    done = run(tmp_path, "--resume", "--no-baseline")
    assert done.returncode == 0, done.stderr
    assert set((tmp_path / "asked.txt").read_text().split()) == {f"q{at}" for at in range(20, 30)}
    found = rows(results)
    assert sorted(row["id"] for row in found) == sorted(f"q{at}" for at in range(30))
    assert all(row["scores"]["length"] == {"value": 17, "passed": True, "reason": "length"} for row in found)
    suite(tmp_path, text.replace("threshold: 5", "threshold: 6"), recorded(30, 30))
    assert run(tmp_path, "--resume").returncode == 2, "another suite"
