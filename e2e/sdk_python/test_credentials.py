"""A provider's credential in the catalog: put in and rotated while Signalbox serves, unreadable without its key."""

from __future__ import annotations

import secrets
from pathlib import Path

import httpx

from harness import Provider, Signalbox

ASK = {"model": "shop/small", "messages": [{"role": "user", "content": "Why is the sky blue?"}]}
PATH = "/api/v1/credentials/shop-main"


def config(provider: Provider) -> str:
    return f"""
providers:
  - name: shop
    dialect: openai_chat
    base_url: {provider.url}/v1
    credentials: [{{name: main, catalog: shop-main}}]
"""


def start(folder: Path, provider: Provider, **keys: str) -> Signalbox:
    return Signalbox(folder, config(provider), env={f"SIGNALBOX_CREDENTIALS_{name}": key for name, key in keys.items()})


def ask(box: Signalbox) -> httpx.Response:
    return box.api("POST", "/v1/chat/completions", json=ASK)


def shop(box: Signalbox) -> dict:
    return next(one for one in box.api("GET", "/api/v1/providers").json()["providers"] if one["name"] == "shop")


def test_a_credential_is_set_rotated_and_survives_a_change_of_its_key(tmp_path: Path, provider: Provider) -> None:
    old, new = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    values = [f"sk-{secrets.token_urlsafe(24)}" for _ in range(2)]
    box = start(tmp_path, provider, KEY=old)
    try:
        assert not shop(box)["on"] and "shop-main" in shop(box)["why"]
        refused = ask(box)
        assert refused.status_code >= 500 and "shop-main" in refused.text, refused.text
        assert box.api("GET", "/api/v1/credentials").json()["wanted"] == ["shop-main"]
        for value in values:
            told = box.api("PUT", PATH, json={"value": value}).json()
            assert told["last4"] == value[-4:] and told["used_by"] == ["shop"]
            assert shop(box)["on"] and ask(box).status_code == 200
        listed = box.api("GET", "/api/v1/credentials")
        assert [one["last4"] for one in listed.json()["credentials"]] == [values[1][-4:]]
        assert values[1] not in listed.text
    finally:
        box.kill()
    stored = b"".join(file.read_bytes() for file in sorted((tmp_path / "data").rglob("*")) if file.is_file())
    assert not any(value.encode() in stored for value in values) and old.encode() not in stored

    # With another key it doesn't open, and says which one is missing; the rest is as ever.
    box = start(tmp_path, provider, KEY=new)
    assert "SIGNALBOX_CREDENTIALS_KEY_BEFORE" in shop(box)["why"], shop(box)
    assert ask(box).status_code >= 500
    assert box.stop() == 0

    box = start(tmp_path, provider, KEY=new, KEY_BEFORE=old)
    assert ask(box).status_code == 200
    assert box.stop() == 0

    # It was encrypted anew: the old one can go.
    file = tmp_path / "key"
    file.write_text(new + "\n")
    box = start(tmp_path, provider, KEY_FILE=str(file))
    assert ask(box).status_code == 200
    assert box.api("DELETE", PATH).status_code == 204
    assert ask(box).status_code >= 500 and not shop(box)["on"]
    assert box.stop() == 0
    logs = box.text()
    assert not any(value in logs for value in [*values, old, new])


def test_without_a_key_nothing_is_kept_and_it_says_how(tmp_path: Path, provider: Provider) -> None:
    box = start(tmp_path, provider)
    told = box.api("PUT", PATH, json={"value": "sk-1"})
    assert told.status_code == 409 and "openssl rand" in told.json()["error"]["message"], told.text
    assert box.stop() == 0
