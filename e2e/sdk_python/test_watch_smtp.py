"""Mail through a real SMTP server that insists on TLS and a password."""

from __future__ import annotations

import email
import email.policy
import json
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from harness import Signalbox, free_port, wait_until

USER, PASSWORD = "signalbox", "a-password-that-no-log-may-have"


class MailServer:
    """Keeps what it takes, and how it came."""

    def __init__(self, authority: trustme.CA | None) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.encrypted: list[bool] = []
        self.signed_in: list[str] = []
        self.port = free_port()
        secured: dict[str, Any] = {}
        if authority:
            secured = {"tls_context": certified(authority), "require_starttls": True, "auth_required": True}
        self.controller = Controller(
            self, hostname="127.0.0.1", port=self.port, authenticator=self.authenticate, **secured
        )
        self.controller.start()

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        if good:
            self.signed_in.append(data.login.decode())
        return AuthResult(success=good)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        self.encrypted.append(session.ssl is not None)
        self.recipients.append(envelope.rcpt_tos)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    def subjects(self) -> list[str]:
        return [mail["subject"] for mail in self.mails]


def certified(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serve() -> Iterator[Callable[[trustme.CA | None], MailServer]]:
    made: list[MailServer] = []

    def start(authority: trustme.CA | None) -> MailServer:
        made.append(MailServer(authority))
        return made[-1]

    yield start
    for server in made:
        server.controller.stop()


def config(server: MailServer, security: str = "starttls") -> str:
    mail: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": security,
        "from": "Signalbox <signalbox@example.com>",
        "to": ["Ann <ann@example.com>", "ops@example.com"],
    }
    if security != "none":
        mail |= {"user": USER, "password": "${SMTP_PASSWORD}"}
    monitor = {
        "name": "calls",
        "query": {"measures": [{"fn": "count"}], "group_by": ["model"]},
        "window": "5s",
        "every": "1s",
        "delay": "0s",
        "no_data": "ok",
        "condition": {"threshold": {"above": 3}},
        "severity": "critical",
        "owner": "platform",
        "runbook": "There were {{value}} calls <of> `{{labels.model}}`.",
        "notify": ["mail"],
    }
    channels = [{"name": "mail", "via": {"email": mail}}]
    watch = {"starter": False, "public_url": "https://box.example", "channels": channels, "monitors": [monitor]}
    return "watch: " + json.dumps(watch) + "\n"


def start(tmp_path: Path, authority: trustme.CA | None, text: str) -> Signalbox:
    """Signalbox trusts what the machine trusts: `SSL_CERT_FILE` names it."""
    env = {"SMTP_PASSWORD": PASSWORD}
    if authority:
        trusted = tmp_path / "trusted.pem"
        authority.cert_pem.write_to_path(trusted)
        env["SSL_CERT_FILE"] = str(trusted)
    return Signalbox(tmp_path, text, env)


def call(box: Signalbox, times: int) -> None:
    body = {"model": "sim/small", "messages": [{"role": "user", "content": "Hello"}]}
    for _ in range(times):
        assert box.api("POST", "/v1/chat/completions", json=body).status_code == 200


def test_mail_goes_out_encrypted_and_in_one_thread(tmp_path: Path, authority: trustme.CA, serve) -> None:
    server = serve(authority)
    box = start(tmp_path, authority, config(server))
    call(box, 6)
    wait_until("the mail that it fires", lambda: server.mails, 30)
    wait_until("the mail that it is over", lambda: any("Resolved" in one for one in server.subjects()), 40)
    assert all(server.encrypted) and set(server.signed_in) == {USER}
    first, last = server.mails[0], server.mails[-1]

    assert first["subject"].startswith("Firing: [critical] calls"), first["subject"]
    assert last["subject"].startswith("Resolved: [critical] calls"), last["subject"]
    assert str(first["from"]) == "Signalbox <signalbox@example.com>"
    assert server.recipients[0] == ["ann@example.com", "ops@example.com"]
    # Mail programs put what answers to one message into one thread.
    incident = box.api("GET", "/api/v1/incidents").json()["incidents"][0]["id"]
    for mail in server.mails:
        assert mail["in-reply-to"] == mail["references"] == f"<{incident}@example.com>"
    assert first["message-id"] != last["message-id"]

    assert first.get_content_type() == "multipart/alternative"
    plain, html = (first.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "Owner: platform" in plain and f"https://box.example/incidents?id={incident}" in plain
    assert "calls <of> `" in plain and "There were {{" not in plain
    assert "<h2>Firing: [critical] calls" in html and "calls &lt;of&gt; `" in html
    assert f'<a href="https://box.example/incidents?id={incident}">' in html
    over = last.get_body(("plain",)).get_content()
    assert "(over)" in over, over
    wait_until("nothing to wait", lambda: box.api("GET", "/api/v1/messages").json()["messages"] == [])
    assert box.stop() == 0
    assert PASSWORD not in box.text()


def test_the_test_button_mails(tmp_path: Path, authority: trustme.CA, serve) -> None:
    server = serve(authority)
    box = start(tmp_path, authority, config(server))
    tried = box.api("POST", "/api/v1/channels/mail/test")
    assert tried.status_code == 204, tried.text
    assert server.subjects() == ["Test: [info] This is a test of Signalbox: nothing is wrong"]
    assert box.stop() == 0


@pytest.mark.parametrize("why", ["it has no TLS", "nobody knows its certificate"])
def test_nothing_is_sent_to_a_server_that_is_not_trusted(
    tmp_path: Path, authority: trustme.CA, serve, why: str
) -> None:
    plain = why == "it has no TLS"
    server = serve(None if plain else authority)
    box = start(tmp_path, authority if plain else trustme.CA(), config(server))
    tried = box.api("POST", "/api/v1/channels/mail/test")
    assert tried.status_code == 502, tried.text
    assert "mail server" in tried.json()["error"]["message"]
    assert PASSWORD not in tried.text
    call(box, 6)
    waiting = wait_until("a try", lambda: [one for one in undelivered(box) if one["tries"] > 0], 30)
    assert waiting[0]["error"] and not server.mails and not server.signed_in
    box.stop()
    assert PASSWORD not in box.text()


def undelivered(box: Signalbox) -> list[dict[str, Any]]:
    return box.api("GET", "/api/v1/messages").json()["messages"]


def test_a_server_on_this_machine_needs_no_tls(tmp_path: Path, serve) -> None:
    server = serve(None)
    box = start(tmp_path, None, config(server, "none"))
    tried = box.api("POST", "/api/v1/channels/mail/test")
    assert tried.status_code == 204, tried.text
    assert len(server.mails) == 1 and not server.encrypted[0]
    assert box.stop() == 0
