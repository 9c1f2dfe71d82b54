//! Providers that are asked whether they are well.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use parking_lot::Mutex;
use tokio::io::AsyncWriteExt as _;

use super::support::{Server, eventually, health, read_request, send};

/// Answers with this status, and notes the first line and the credential of what was asked.
async fn server() -> (Server, Arc<AtomicU16>, Arc<Mutex<Vec<String>>>) {
    let (status, asked) = (Arc::new(AtomicU16::new(200)), Arc::<Mutex<Vec<String>>>::default());
    let (answers, notes) = (Arc::clone(&status), Arc::clone(&asked));
    let server = Server::start(move |_, mut stream| {
        let (answers, notes) = (Arc::clone(&answers), Arc::clone(&notes));
        async move {
            loop {
                let request = read_request(&mut stream).await;
                if request.is_empty() {
                    return;
                }
                let key = request.lines().find(|line| line.starts_with("authorization")).unwrap_or_default();
                let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                notes.lock().push(format!("{} {key} {body}", request.lines().next().unwrap_or_default()));
                let status = answers.load(Ordering::Relaxed);
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\n{{}}");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (server, status, asked)
}

#[tokio::test]
async fn one_that_fails_when_it_is_asked_is_unwell_until_it_does_not() {
    let (server, status, asked) = server().await;
    let upstream = server.upstream("probe = { every = '3ms', failures = 3 }");
    let up = upstream.provider("up").unwrap().provider;
    assert_eq!((up.unwell(), health(&upstream, "up").probe), (None, None));
    upstream.keep_warm();
    // Once: whoever asks again to keep it asks in vain.
    upstream.keep_warm();
    eventually("an answer", async || health(&upstream, "up").probe.is_some_and(|probe| probe.well)).await;
    assert!(asked.lock().iter().all(|asked| asked == "GET /v1/models HTTP/1.1 authorization: Bearer sk-test-4242 "));

    status.store(503, Ordering::Relaxed);
    eventually("that it is unwell", async || up.unwell().is_some()).await;
    let probe = health(&upstream, "up").probe.unwrap();
    assert!(probe.failures_in_a_row >= 3 && !probe.well, "{probe:?}");
    assert!(up.unwell().unwrap().contains("HTTP status 503"), "{:?}", up.unwell());
    // Its calls are no news of it, and it is none of them.
    assert_eq!((health(&upstream, "up").ok, health(&upstream, "up").failed), (0, 0));
    status.store(429, Ordering::Relaxed);
    eventually("that it is well again", async || up.unwell().is_none()).await;
    assert_eq!(send(&upstream, "up/m").await.unwrap().status, 429);
}

#[tokio::test]
async fn a_path_or_a_token_of_a_model_may_be_asked_for() {
    for (more, expected) in [
        ("probe = { path = '/health' }", "GET /v1/health HTTP/1.1 "),
        ("probe = { model = 'm' }", "POST /v1/chat/completions HTTP/1.1 "),
    ] {
        let (server, _, asked) = server().await;
        let upstream = server.upstream(more);
        upstream.keep_warm();
        eventually("a question", async || !asked.lock().is_empty()).await;
        let first = asked.lock()[0].clone();
        assert!(first.starts_with(expected), "{first}");
        if more.contains("model") {
            assert!(first.contains(r#""model":"m""#) && first.contains(r#""max_completion_tokens":1"#), "{first}");
        }
    }
    // Nobody is asked who isn't configured so.
    let (server, _, asked) = server().await;
    server.upstream("").keep_warm();
    tokio::task::yield_now().await;
    assert!(asked.lock().is_empty());
}
