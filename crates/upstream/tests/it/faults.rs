//! Servers that are not there, hang, reset, trickle, close in the middle, or send garbage.

use std::time::Duration;

use signalbox_types::ErrorClass;
use signalbox_upstream::{BodyError, SendError};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::support::{OK, Server, health, read_request, send, upstream};

/// The error of a call, which must name the provider and hold nothing secret.
async fn failed(server: &Server, more: &str) -> SendError {
    let upstream = server.upstream(more);
    let error = send(&upstream, "up/m").await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`up`"), "{text}");
    assert!(!text.contains("4242"), "{text}");
    let health = health(&upstream, "up");
    assert_eq!((health.ok, health.failed), (0, 1));
    assert_eq!(health.last_error.unwrap().class, error.class());
    error
}

/// The error of a body, after what arrived before it.
async fn broken(server: &Server, more: &str) -> BodyError {
    let upstream = server.upstream(more);
    let reply = send(&upstream, "up/m").await.unwrap();
    let error = reply.body.read_all(1 << 20).await.unwrap_err();
    assert!(error.to_string().contains("`up`"), "{error}");
    assert_eq!(health(&upstream, "up").failed, 1);
    error
}

#[tokio::test]
async fn nobody_listens() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let upstream =
        upstream(&format!("[[providers]]\nname = 'up'\ndialect = 'openai_chat'\nbase_url = 'http://{address}'"));
    let error = send(&upstream, "up/m").await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::UpstreamUnreachable);
    let text = error.to_string();
    assert!(text.contains("refused") && text.contains(&address.to_string()) && text.contains("base_url"), "{text}");
}

#[tokio::test]
async fn no_such_host() {
    let upstream =
        upstream("[[providers]]\nname = 'up'\ndialect = 'openai_chat'\nbase_url = 'http://no-such-host.invalid'");
    let error = send(&upstream, "up/m").await.unwrap_err();
    assert!(matches!(error, SendError::Connect { .. }), "{error}");
}

#[tokio::test]
async fn hangs_before_the_head() {
    let server = Server::start(|_, mut stream| async move {
        read_request(&mut stream).await;
        read_request(&mut stream).await;
    })
    .await;
    let error = failed(&server, "timeouts = { first_byte = '40ms' }").await;
    assert!(matches!(error, SendError::FirstByteTimeout { .. }), "{error}");
    assert_eq!(error.class(), ErrorClass::UpstreamTimeout);
    assert!(error.to_string().contains("40 ms"), "{error}");
}

#[tokio::test]
async fn closes_before_the_head() {
    let server = Server::answering(b"").await;
    let error = failed(&server, "").await;
    assert!(matches!(error, SendError::Reset { .. }), "{error}");
    assert_eq!(error.class(), ErrorClass::UpstreamError);
    assert_eq!(server.connections(), 1, "a new connection that fails is not tried again");
}

#[tokio::test]
async fn resets_before_the_head() {
    let server = Server::start(|_, stream| async move {
        // With unread bytes in its buffer, a closed socket sends RST.
        stream.readable().await.unwrap();
        stream.set_zero_linger().unwrap();
    })
    .await;
    let error = failed(&server, "").await;
    assert!(matches!(error, SendError::Reset { .. }), "{error}");
}

#[tokio::test]
async fn speaks_something_else() {
    let server = Server::answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    let error = failed(&server, "").await;
    assert!(matches!(error, SendError::Garbage { .. }), "{error}");
}

#[tokio::test]
async fn speaks_no_tls() {
    let server = Server::start(|_, mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        read_request(&mut stream).await;
    })
    .await;
    let toml = format!("[[providers]]\nname = 'up'\ndialect = 'openai_chat'\nbase_url = 'https://{}'", server.address);
    let error = send(&upstream(&toml), "up/m").await.unwrap_err();
    assert!(matches!(error, SendError::Tls { .. }), "{error}");
    assert_eq!(error.class(), ErrorClass::UpstreamUnreachable);
}

#[tokio::test]
async fn never_ends_the_handshake() {
    let server = Server::start(|_, mut stream| async move {
        read_request(&mut stream).await;
        read_request(&mut stream).await;
    })
    .await;
    let toml = format!(
        "[[providers]]\nname = 'up'\ndialect = 'openai_chat'\nbase_url = 'https://{}'\ntimeouts = {{ connect = '40ms' }}",
        server.address
    );
    let error = send(&upstream(&toml), "up/m").await.unwrap_err();
    assert!(matches!(error, SendError::ConnectTimeout { .. }), "{error}");
}

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn closes_mid_body() {
    for answer in [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789".as_slice(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
    ] {
        let error = broken(&Server::answering(answer).await, "").await;
        assert!(matches!(error, BodyError::Cut { .. }), "{error}");
        assert_eq!(error.class(), ErrorClass::UpstreamError);
    }
}

#[tokio::test]
async fn stalls_mid_body() {
    let server = Server::start(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(CHUNKED).await.unwrap();
        stream.write_all(b"5\r\nhello\r\n").await.unwrap();
        read_request(&mut stream).await;
    })
    .await;
    let error = broken(&server, "timeouts = { idle = '40ms' }").await;
    assert!(matches!(error, BodyError::IdleTimeout { .. }), "{error}");
    assert_eq!(error.class(), ErrorClass::UpstreamTimeout);
}

async fn trickler(pieces: usize) -> Server {
    Server::start(move |_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(CHUNKED).await.unwrap();
        for _ in 0..pieces {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if stream.write_all(b"2\r\nab\r\n").await.is_err() {
                return;
            }
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
    })
    .await
}

#[tokio::test]
async fn a_slow_answer_is_no_stalled_one() {
    // Longer in all than the limit for one pause, which is long enough for a busy machine.
    let server = trickler(80).await;
    let reply = send(&server.upstream("timeouts = { idle = '600ms' }"), "up/m").await.unwrap();
    assert_eq!(reply.body.read_all(1 << 20).await.unwrap().len(), 160);
}

#[tokio::test]
async fn a_slow_answer_has_a_total_limit_if_one_is_set() {
    let error = broken(&trickler(1_000).await, "timeouts = { idle = '5s', total = '80ms' }").await;
    assert!(matches!(error, BodyError::TotalTimeout { .. }), "{error}");
}

#[tokio::test]
async fn bodies_are_read_no_further_than_wanted() {
    let server = trickler(1_000).await;
    let upstream = server.upstream("");
    let reply = send(&upstream, "up/m").await.unwrap();
    assert_eq!(&reply.body.read_at_most(5).await[..], b"ababa");
    let reply = send(&upstream, "up/m").await.unwrap();
    assert!(matches!(reply.body.read_all(5).await, Err(BodyError::TooLarge { limit_bytes: 5, .. })));
}

#[tokio::test]
async fn statuses_are_replies_and_count() {
    for (answer, failed, class) in [
        (OK, 0, None),
        (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", 0, None),
        (b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", 1, Some(ErrorClass::UpstreamAuth)),
        (b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n", 1, Some(ErrorClass::RateLimited)),
        (b"HTTP/1.1 529 Overloaded\r\ncontent-length: 0\r\n\r\n", 1, Some(ErrorClass::UpstreamOverloaded)),
        (b"HTTP/1.1 500 Internal\r\ncontent-length: 0\r\n\r\n", 1, Some(ErrorClass::UpstreamError)),
    ] {
        let server = Server::answering(answer).await;
        let upstream = server.upstream("");
        send(&upstream, "up/m").await.unwrap();
        let health = health(&upstream, "up");
        assert_eq!((health.ok, health.failed), (1 - failed, failed), "{class:?}");
        assert_eq!(health.last_error.map(|error| error.class), class);
    }
}
