"""A real Prometheus scrapes /metrics and answers queries about what the gateway did."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx

from harness import Process, Signalbox, free_port, wait_until

CONFIG = """
global:
  scrape_interval: 200ms
scrape_configs:
  - job_name: signalbox
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


def test_prometheus_scrapes(box: Signalbox, tmp_path: Path) -> None:
    call = {"model": "sim/small", "messages": [{"role": "user", "content": "for the counters"}]}
    assert httpx.post(f"{box.url}/v1/chat/completions", headers=box.headers, json=call).status_code == 200
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(port=box.port))
    port = free_port()
    binary = shutil.which("prometheus")
    assert binary, "apt-get install prometheus"
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"]
    prometheus = Process([binary, *arguments, f"--web.listen-address=127.0.0.1:{port}"], tmp_path / "prometheus.log")
    try:

        def ask(query: str) -> list | None:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": query}, timeout=5)
            except httpx.TransportError:
                return None
            # 503 until it has read its own log.
            return answer.json().get("data", {}).get("result") if answer.status_code == 200 else None

        wait_until("a successful scrape", lambda: ask('up{job="signalbox"} == 1'), 30)
        calls = wait_until(
            "the call in the counter",
            lambda: ask('signalbox_gateway_requests_total{provider="sim",model="small",status="200"} >= 1'),
        )
        assert calls
        buckets = wait_until("the histogram", lambda: ask("gen_ai_client_operation_duration_seconds_bucket"))
        bounds = {bucket["metric"]["le"] for bucket in buckets}
        assert {
            "0.01",
            "0.02",
            "0.04",
            "0.08",
            "0.16",
            "0.32",
            "0.64",
            "1.28",
            "2.56",
            "5.12",
            "81.92",
            "+Inf",
        } <= bounds
        for name in (
            "signalbox_gateway_tokens_total",
            "signalbox_gateway_cost_usd_total",
            "signalbox_span_queue_depth_spans",
        ):
            assert ask(name), name
        targets = httpx.get(f"http://127.0.0.1:{port}/api/v1/targets").json()["data"]["activeTargets"]
        assert targets[0]["lastError"] == ""
    finally:
        prometheus.stop()
