//! A server whose every connection follows a script, and short ways to make and call an [`Upstream`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use signalbox_testkit::ManualClock;
use signalbox_types::Timestamp;
use signalbox_upstream::{Operation, SendError, Upstream, UpstreamCall, UpstreamConfig, UpstreamReply};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    /// Runs `behave(number of the connection, stream)` for each connection.
    pub(crate) async fn start<F, Done>(behave: F) -> Self
    where
        F: Fn(usize, TcpStream) -> Done + Send + 'static,
        Done: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(behave(counter.fetch_add(1, Ordering::SeqCst), stream));
            }
        });
        Self { address, accepted, task }
    }

    /// Answers the first request of each connection with these bytes and then closes it.
    pub(crate) async fn answering(bytes: &'static [u8]) -> Self {
        Self::start(move |_, mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(bytes).await.unwrap();
        })
        .await
    }

    pub(crate) fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// An upstream whose only configured provider `up` is this server; `more` is TOML for that provider.
    pub(crate) fn upstream(&self, more: &str) -> Upstream {
        let url = format!("http://{}/v1", self.address);
        upstream(&format!(
            "[[providers]]\nname = 'up'\nkind = 'openai'\nbase_url = '{url}'\napi_key = 'sk-test-4242'\n{more}"
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Head and body of the next request; empty if the connection ended.
pub(crate) async fn read_request(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        if count == 0 {
            return String::new();
        }
        all.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
    }
}

pub(crate) fn config(toml: &str) -> UpstreamConfig {
    toml::from_str(toml).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_micros(1_764_000_000_000_000)))
}

pub(crate) fn upstream(toml: &str) -> Upstream {
    Upstream::new(&config(toml), &|_| None, clock()).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn call(body: &str) -> UpstreamCall {
    UpstreamCall::new(Operation::Chat, Bytes::copy_from_slice(body.as_bytes()))
}

pub(crate) async fn send(upstream: &Upstream, model: &str) -> Result<UpstreamReply, SendError> {
    upstream.send(&upstream.resolve(model).unwrap(), call("{}")).await
}

/// The health of a provider, as the status page shows it.
pub(crate) fn health(upstream: &Upstream, name: &str) -> signalbox_upstream::HealthSnapshot {
    upstream.providers().into_iter().find(|provider| provider.name == name).unwrap().health
}

/// Waits until it holds; what is waited for is work of other tasks that needs no time of its own.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..4_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("never came: {what}");
}
