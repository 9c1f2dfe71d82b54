//! Providers, and what stands before them, that pack what they were asked to send as it is.

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt as _;
use signalbox_types::ErrorClass;
use signalbox_upstream::BodyError;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Notify;

use super::support::{Server, health, read_request, send};

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// Answers every request so.
async fn answering(status: &'static str, packing: &'static str, body: Vec<u8>) -> Server {
    Server::start(move |_, mut stream| {
        let body = body.clone();
        async move {
            while !read_request(&mut stream).await.is_empty() {
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-encoding: {packing}\r\ncontent-length: {length}\r\n\r\n"
                );
                stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_packed_answer_is_what_it_holds() {
    let text = format!("{{\"text\": \"{}\"}}", "All trains stop here. ".repeat(2_000));
    let server = answering("200 OK", "gzip", gzip(&text)).await;
    let upstream = server.upstream("");
    for _ in 0..2 {
        let reply = send(&upstream, "up/m").await.unwrap();
        assert_eq!(reply.headers.keys().map(http::HeaderName::as_str).collect::<Vec<_>>(), ["content-type"]);
        assert_eq!(reply.body.read_all(1 << 20).await.unwrap(), text);
    }
    assert_eq!(server.connections(), 1, "read to its end, the connection is used again");
    // The limit is one of what is in it.
    let error = send(&upstream, "up/m").await.unwrap().body.read_all(10_000).await.unwrap_err();
    assert!(matches!(error, BodyError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn each_event_of_a_packed_stream_is_seen_when_it_was_sent() {
    let seen = Arc::new(Notify::new());
    let gate = Arc::clone(&seen);
    let server = Server::start(move |_, mut stream| {
        let gate = Arc::clone(&gate);
        async move {
            read_request(&mut stream).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut packer = GzEncoder::new(Vec::new(), Compression::default());
            for number in 0..5 {
                packer.write_all(format!("data: {number}\n\n").as_bytes()).unwrap();
                packer.flush().unwrap();
                stream.write_all(&std::mem::take(packer.get_mut())).await.unwrap();
                // The next one only after this one came out at the other end.
                gate.notified().await;
            }
            stream.write_all(&packer.finish().unwrap()).await.unwrap();
        }
    })
    .await;
    let mut body = send(&server.upstream(""), "up/m").await.unwrap().body;
    for number in 0..5 {
        let mut event = Vec::new();
        while !event.ends_with(b"\n\n") {
            event.extend_from_slice(&body.frame().await.unwrap().unwrap().into_data().unwrap());
        }
        assert_eq!(event, format!("data: {number}\n\n").as_bytes());
        seen.notify_one();
    }
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn what_is_not_packed_as_it_says_is_the_providers_fault() {
    let whole = gzip(&"All trains stop here. ".repeat(500));
    let half = whole.get(..whole.len() / 2).unwrap().to_vec();
    for (body, told) in [(half, "ends in the middle"), (b"{\"plain\": true}".to_vec(), "no valid gzip")] {
        let server = answering("200 OK", "gzip", body).await;
        let upstream = server.upstream("");
        let error = send(&upstream, "up/m").await.unwrap().body.read_all(1 << 20).await.unwrap_err();
        assert!(error.to_string().contains(told) && error.to_string().contains("`up`"), "{error}");
        assert_eq!(error.class(), ErrorClass::UpstreamError);
        assert_eq!(health(&upstream, "up").failed, 1);
    }
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_left_as_it_is() {
    for (status, packing) in [("206 Partial Content", "gzip"), ("200 OK", "compress")] {
        let server = answering(status, packing, b"\x1f\x9d as it is".to_vec()).await;
        let reply = send(&server.upstream(""), "up/m").await.unwrap();
        assert_eq!(reply.headers["content-encoding"], packing);
        assert_eq!(reply.body.read_all(100).await.unwrap().as_ref(), b"\x1f\x9d as it is");
    }
}
