//! The pool, cancellation, and what goes over the wire.

use std::sync::Arc;

use http::HeaderValue;
use http_body_util::BodyExt as _;
use signalbox_types::ErrorClass;
use signalbox_upstream::{Operation, SendError, Upstream, UpstreamCall};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::support::{OK, Server, call, eventually, health, read_request, send, upstream};

/// Answers every request of every connection; after `per_connection` of them it reads one more and closes.
async fn keep_alive(per_connection: usize) -> Server {
    Server::start(move |_, mut stream| async move {
        for _ in 0..per_connection {
            if read_request(&mut stream).await.is_empty() {
                return;
            }
            stream.write_all(OK).await.unwrap();
        }
        read_request(&mut stream).await;
    })
    .await
}

async fn calls(upstream: &signalbox_upstream::Upstream, count: usize) {
    for _ in 0..count {
        let reply = send(upstream, "up/m").await.unwrap();
        assert_eq!(&reply.body.read_all(100).await.unwrap()[..], b"{}");
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = keep_alive(100).await;
    let upstream = server.upstream("");
    calls(&upstream, 20).await;
    assert_eq!(server.connections(), 1);
    assert_eq!(health(&upstream, "up").connections, 1);
}

#[tokio::test]
async fn a_connection_that_died_while_idle_costs_no_call() {
    // The server reads the second request and closes without a byte: the race that a pool can't see coming.
    let server = keep_alive(1).await;
    let upstream = server.upstream("");
    calls(&upstream, 5).await;
    assert_eq!(server.connections(), 5);
    assert_eq!(health(&upstream, "up").failed, 0);
}

#[tokio::test]
async fn a_connection_that_was_closed_is_not_used() {
    let server = Server::answering(OK).await;
    calls(&server.upstream(""), 5).await;
    assert_eq!(server.connections(), 5);
    let server = Server::start(|_, mut stream| async move {
        read_request(&mut stream).await;
        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        stream.write_all(answer).await.unwrap();
        read_request(&mut stream).await;
    })
    .await;
    calls(&server.upstream(""), 5).await;
    assert_eq!(server.connections(), 5);
}

#[tokio::test]
async fn a_call_that_was_answered_in_part_is_never_sent_twice() {
    let server = Server::start(|number, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(OK).await.unwrap();
        read_request(&mut stream).await;
        assert_eq!(number, 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{").await.unwrap();
    })
    .await;
    let upstream = server.upstream("");
    calls(&upstream, 1).await;
    let reply = send(&upstream, "up/m").await.unwrap();
    assert!(reply.body.read_all(100).await.is_err());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn idle_connections_are_bounded() {
    let server = keep_alive(100).await;
    let url = format!("http://{}/v1", server.address);
    let upstream = Arc::new(upstream(&format!(
        "max_idle_connections = 2\n[[providers]]\nname = 'up'\ndialect = 'openai_chat'\nbase_url = '{url}'"
    )));
    for expected in [5, 8] {
        // All heads are here before any body is read, so five connections are in use at once.
        let mut replies = Vec::new();
        for _ in 0..5 {
            replies.push(send(&upstream, "up/m").await.unwrap());
        }
        assert_eq!(server.connections(), expected);
        for reply in replies {
            reply.body.read_all(100).await.unwrap();
        }
    }
}

/// A server that reports what its connections see: each request, and `""` for the end.
async fn reporting(answer: &'static [u8]) -> (Server, mpsc::Receiver<String>) {
    let (seen, receiver) = mpsc::channel(100);
    let server = Server::start(move |_, mut stream| {
        let seen = seen.clone();
        async move {
            loop {
                let request = read_request(&mut stream).await;
                let ended = request.is_empty();
                seen.send(request).await.unwrap();
                if ended {
                    return;
                }
                stream.write_all(answer).await.unwrap();
            }
        }
    })
    .await;
    (server, receiver)
}

#[tokio::test]
async fn dropping_the_body_cancels_the_call() {
    let (server, mut seen) = reporting(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
    let upstream = server.upstream("");
    let mut reply = send(&upstream, "up/m").await.unwrap();
    assert_eq!(&reply.body.frame().await.unwrap().unwrap().into_data().unwrap()[..], b"hello");
    assert!(seen.recv().await.unwrap().starts_with("POST /v1/chat/completions"));
    drop(reply);
    assert_eq!(seen.recv().await.unwrap(), "", "the server must see the end");
}

#[tokio::test]
async fn dropping_the_call_before_the_head_cancels_it() {
    let (server, mut seen) = reporting(b"").await;
    let upstream = server.upstream("");
    let mut sending = Box::pin(send(&upstream, "up/m"));
    tokio::select! {
        reply = &mut sending => panic!("{reply:?}"),
        request = seen.recv() => assert!(!request.unwrap().is_empty()),
    }
    drop(sending);
    assert_eq!(seen.recv().await.unwrap(), "", "the server must see the end");
}

/// What goes over the wire for a call with these headers.
async fn sent(more: &str, headers: &[(&'static str, &'static str)], operation: Operation, stream: bool) -> String {
    let (server, mut seen) = reporting(OK).await;
    let toml = format!("[[providers]]\nname = 'up'\n{}", more.replace("URL", &format!("http://{}", server.address)));
    let upstream = upstream(&toml);
    let mut call = UpstreamCall { operation, stream, ..call(r#"{"model":"m"}"#) };
    for (name, value) in headers {
        call.headers.insert(*name, HeaderValue::from_static(value));
    }
    upstream.send(&upstream.resolve("up/m").unwrap(), call).await.unwrap();
    seen.recv().await.unwrap().replace(&server.address.to_string(), "HOST")
}

#[tokio::test]
async fn what_openai_gets() {
    let request = sent(
        "kind = 'openai'\nbase_url = 'URL/v1'\napi_key = ' sk-1\\n'\nheaders = { x-team = 'search' }"
            .replace('\'', "\"")
            .as_str(),
        &[("traceparent", "00-1-1-01"), ("authorization", "Bearer caller"), ("host", "elsewhere")],
        Operation::Chat,
        true,
    )
    .await;
    let mut lines: Vec<&str> = request.lines().collect();
    lines.sort_unstable();
    let version = concat!("user-agent: signalbox/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lines,
        [
            "",
            "POST /v1/chat/completions HTTP/1.1",
            "accept-encoding: identity",
            "accept: text/event-stream",
            "authorization: Bearer sk-1",
            "content-length: 13",
            "content-type: application/json",
            "host: HOST",
            "traceparent: 00-1-1-01",
            version,
            "x-team: search",
            r#"{"model":"m"}"#,
        ]
    );
    let request = sent("kind = 'openai'\nbase_url = 'URL'\napi_key = 'k'", &[], Operation::Embeddings, false).await;
    assert!(request.starts_with("POST /v1/embeddings HTTP/1.1\r\n") && request.contains("accept: application/json"));
}

#[tokio::test]
async fn what_anthropic_gets() {
    let provider = "kind = 'anthropic'\nbase_url = 'URL'\napi_key = 'sk-ant'";
    let request = sent(provider, &[], Operation::Chat, false).await;
    assert!(request.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-api-key: sk-ant\r\n") && request.contains("anthropic-version: 2023-06-01\r\n"));
    let request = sent(provider, &[("anthropic-version", "2099-01-01")], Operation::Chat, false).await;
    assert!(request.contains("anthropic-version: 2099-01-01\r\n") && !request.contains("2023"), "{request}");
    let custom = "dialect = 'anthropic_messages'\nbase_url = 'URL'\nauth = 'bearer'\napi_key = 'k'";
    let request = sent(custom, &[], Operation::Chat, false).await;
    assert!(request.contains("authorization: Bearer k\r\n") && request.contains("anthropic-version"), "{request}");
}

#[tokio::test]
async fn what_gemini_gets() {
    let provider = "kind = 'gemini'\nbase_url = 'URL'\napi_key = 'AIza-1'";
    let request = sent(provider, &[], Operation::Chat, false).await;
    assert!(request.starts_with("POST /v1beta/models/m:generateContent HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-goog-api-key: AIza-1\r\n"), "{request}");
    let check = async |operation, stream, path: &str| {
        let request = sent(provider, &[], operation, stream).await;
        assert!(request.starts_with(&format!("POST /v1beta/models/m:{path} HTTP/1.1\r\n")), "{request}");
    };
    check(Operation::Chat, true, "streamGenerateContent?alt=sse").await;
    check(Operation::Embeddings, false, "embedContent").await;
    check(Operation::EmbeddingsBatch, false, "batchEmbedContents").await;
    check(Operation::CountTokens, false, "countTokens").await;
    let custom = "dialect = 'gemini'\nbase_url = 'URL/v1?x=1'\napi_key = 'k'";
    let request = sent(custom, &[], Operation::Chat, true).await;
    assert!(request.starts_with("POST /v1/models/m:streamGenerateContent?alt=sse&x=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-goog-api-key: k\r\n"), "{request}");
}

#[tokio::test]
async fn anthropic_has_no_embeddings() {
    let upstream = upstream("[[providers]]\nname = 'up'\nkind = 'anthropic'\napi_key = 'k'");
    let call = UpstreamCall { operation: Operation::Embeddings, ..call("{}") };
    let error = upstream.send(&upstream.resolve("up/m").unwrap(), call).await.unwrap_err();
    assert!(matches!(error, SendError::Unsupported { .. }), "{error}");
}

#[tokio::test]
async fn hop_by_hop_headers_stay_behind() {
    let answer =
        b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\nx-request-id: r1\r\n\r\n0\r\n\r\n";
    let server = Server::answering(answer).await;
    let reply = send(&server.upstream(""), "up/m").await.unwrap();
    assert_eq!(reply.headers.keys().map(http::HeaderName::as_str).collect::<Vec<_>>(), ["x-request-id"]);
}

#[tokio::test]
async fn connections_are_kept_open_before_there_are_calls() {
    let server = Server::start(|_, mut stream| async move {
        while !read_request(&mut stream).await.is_empty() {
            stream.write_all(OK).await.unwrap();
        }
    })
    .await;
    let upstream = server.upstream("warm_connections = 2");
    upstream.keep_warm();
    upstream.keep_warm();
    eventually("two connections", async || server.connections() == 2).await;
    eventually("both counted", async || health(&upstream, "up").connections == 2).await;
    for _ in 0..3 {
        send(&upstream, "up/m").await.unwrap().body.read_all(100).await.unwrap();
    }
    assert_eq!((server.connections(), health(&upstream, "up").ok), (2, 3), "they are used");

    // Who can't be reached is seen before a call is, and no call is counted for it.
    let upstream = upstream_of_nobody().await;
    upstream.keep_warm();
    eventually("the error", async || health(&upstream, "up").last_error.is_some()).await;
    let seen = health(&upstream, "up");
    assert_eq!((seen.failed, seen.last_error.unwrap().class), (0, ErrorClass::UpstreamUnreachable));
}

async fn upstream_of_nobody() -> Upstream {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    upstream(&format!(
        "[[providers]]\nname = 'up'\ndialect = 'openai_chat'\nbase_url = 'http://{address}'\nwarm_connections = 1"
    ))
}
