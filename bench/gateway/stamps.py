"""A provider that writes into every piece of a stream when it was sent, and a caller that reads it: how much later a
piece arrives. A process of its own for each, as `python3 stamps.py serve|read …`, with the machine's one clock."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

# Letters for digits: a guard might take a long number for somebody's.
LETTERS = str.maketrans("0123456789", "abcdefghij")
DIGITS = bytes.maketrans(b"abcdefghij", b"0123456789")
STAMP = re.compile(rb"@([a-j]+)@")
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def piece(content: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content} if content else {}, "finish_reason": finish}
    event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "small", "choices": [choice]}
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pieces: int, pace_s: float) -> None:
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        length = re.search(rb"content-length: *(\d+)", head.lower())
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(HEAD)
        for _ in range(pieces):
            await asyncio.sleep(pace_s)
            # Who only looked whether somebody listens is gone by now.
            if writer.is_closing():
                return
            now = str(time.monotonic_ns() // 1_000).translate(LETTERS)
            writer.write(chunk(piece(f"@{now}@ ")))
        writer.write(chunk(piece("", "stop")) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


async def serve(port: int, pieces: int, pace_ms: float) -> None:
    server = await asyncio.start_server(lambda r, w: answer(r, w, pieces, pace_ms / 1_000), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


async def read(port: int, streams: int, seconds: float, body: bytes, headers: dict[str, str]) -> list[float]:
    """Microseconds from sent to seen, of every piece."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
    until, delays = time.monotonic() + seconds, []

    async def calls(number: int) -> None:
        # Not in step with each other.
        await asyncio.sleep(number * 0.003)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < until:
            writer.write(head.encode() + body)
            rest = b""
            while b"\r\n0\r\n\r\n" not in rest:
                data = await reader.read(65_536)
                now = time.monotonic_ns() / 1_000
                if not data:
                    sys.exit("a stream was cut")
                rest += data
                end = 0
                for stamp in STAMP.finditer(rest):
                    delays.append(now - int(stamp[1].translate(DIGITS)))
                    end = stamp.end()
                # A stamp may be cut in two.
                rest = rest[end:]
        writer.close()

    await asyncio.gather(*(calls(number) for number in range(streams)))
    return delays


if __name__ == "__main__":
    what, port, *more = sys.argv[1:]
    if what == "serve":
        asyncio.run(serve(int(port), int(more[0]), float(more[1])))
    else:
        options = json.loads(sys.stdin.read())
        print(json.dumps(asyncio.run(read(int(port), **{**options, "body": options["body"].encode()}))))
