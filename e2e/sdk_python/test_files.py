"""Files and batches with OpenAI's SDK: a provider keeps them, and who keeps them needs not be said again."""

from __future__ import annotations

import json
from pathlib import Path

import openai
import pytest
from test_openai import client

from harness import Provider, Signalbox, upstreams

LINES = [
    {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": {"model": "small", "messages": []}}
    for name in ("first", "second")
]
CONTENT = "".join(f"{json.dumps(line)}\n" for line in LINES).encode()


def test_a_batch_goes_all_its_way(box: Signalbox) -> None:
    sdk = client(box)
    raw = sdk.files.with_raw_response.create(file=("in.jsonl", CONTENT), purpose="batch")
    file = raw.parse()
    assert (file.filename, file.purpose, file.bytes) == ("in.jsonl", "batch", len(CONTENT))
    assert sdk.files.content(file.id).read() == CONTENT
    batch = sdk.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    batch = sdk.batches.retrieve(batch.id)
    assert (batch.status, batch.request_counts.completed) == ("completed", 2)
    answers = [json.loads(line) for line in sdk.files.content(batch.output_file_id).text.splitlines()]
    assert [answer["custom_id"] for answer in answers] == ["first", "second"]
    assert batch.id in [one.id for one in sdk.batches.list(limit=1)]
    assert {file.id, batch.output_file_id} <= {one.id for one in sdk.files.list(limit=1)}
    assert sdk.batches.cancel(batch.id).status == "cancelled"
    assert sdk.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError, match=file.id):
        sdk.files.retrieve(file.id)
    span = box.spans(raw.headers["x-signalbox-trace-id"])[0]
    assert (span["operation"], span["status"]) == ("file.upload", "ok")
    assert int(span["attributes"]["http.request.body.size"]) > len(CONTENT)


def test_a_large_file_passes_without_being_held(box: Signalbox) -> None:
    """Larger than any body that is read."""
    content = b"x" * (40 << 20)
    file = client(box).files.create(file=("large.bin", content), purpose="user_data")
    assert file.bytes == len(content)


def test_who_keeps_it_must_be_clear(provider: Provider, tmp_path: Path) -> None:
    more = f"  - name: more\n    kind: sim\n    base_url: {provider.url}/v1\n"
    box = Signalbox(tmp_path, upstreams(provider) + more)
    try:
        with pytest.raises(openai.BadRequestError, match="x-signalbox-provider"):
            client(box).files.list()
        said = client(box).with_options(default_headers={"x-signalbox-provider": "more"})
        file = said.files.create(file=("a.txt", b"a"), purpose="user_data")
        raw = client(box).files.with_raw_response.retrieve(file.id)
        assert raw.headers["x-signalbox-provider"] == "more"
    finally:
        box.kill()


def test_after_a_restart_the_only_project_has_its_things(provider: Provider, tmp_path: Path) -> None:
    """Who made what is forgotten then; with keys of one project only, it can be nobody else's."""
    first = Signalbox(tmp_path, upstreams(provider))
    try:
        file = client(first).files.create(file=("kept.txt", b"a"), purpose="user_data")
    finally:
        first.stop()
    again = Signalbox(tmp_path, upstreams(provider))
    try:
        assert client(again).files.retrieve(file.id).filename == "kept.txt"
        assert client(again).files.content(file.id).read() == b"a"
    finally:
        again.kill()
