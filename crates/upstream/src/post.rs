//! A single POST to somebody who is no provider (a webhook), by the same connections: address, TCP, TLS with the system's
//! certificates, limits.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::uri::{PathAndQuery, Scheme};
use http::{Method, Request, Uri};
use http_body_util::Full;
use signalbox_types::Secret;

use crate::SendError;
use crate::client::{Connector, Network, Outgoing, reason_of};

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);
/// More of an answer isn't read.
const MOST_BYTES: usize = 64 << 10;
const USER_AGENT_VALUE: HeaderValue = HeaderValue::from_static(concat!("signalbox/", env!("CARGO_PKG_VERSION")));

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The status.
    pub status: u16,
    /// `Retry-After`, if it is a number of seconds.
    pub retry_after_s: Option<u64>,
    /// The body, or the beginning of a long one.
    pub body: Bytes,
}

/// Sends a body to a URL and reads the answer. Follows no redirects. Waits for 20 seconds at most.
///
/// # Errors
/// There was no answer: in words, with the host and nothing else of the URL.
pub async fn post(url: &Secret, headers: &[(String, Secret)], body: Bytes) -> Result<Posted, String> {
    let wrong = || "its URL is none".to_owned();
    let uri: Uri = url.expose().parse().map_err(|_| wrong())?;
    let authority = uri.authority().ok_or_else(wrong)?.clone();
    if !matches!(uri.scheme_str(), Some("http" | "https")) || authority.as_str().contains('@') {
        return Err(wrong());
    }
    let origin = Uri::builder()
        .scheme(uri.scheme().cloned().unwrap_or(Scheme::HTTPS))
        .authority(authority.clone())
        .path_and_query(PathAndQuery::from_static("/"))
        .build()
        .map_err(|_| wrong())?;
    let mut request = Request::new(Outgoing::Whole(Full::new(body.clone())));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.path_and_query().map_or("/", PathAndQuery::as_str).parse().map_err(|_| wrong())?;
    let out = request.headers_mut();
    for (name, value) in headers {
        let known = HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::try_from(value.expose()).ok());
        let (name, mut value) = known.ok_or_else(|| format!("its header `{name}` holds what no header may hold"))?;
        value.set_sensitive(true);
        out.insert(name, value);
    }
    out.insert(HOST, HeaderValue::try_from(authority.as_str()).map_err(|_| wrong())?);
    out.insert(USER_AGENT, USER_AGENT_VALUE);
    out.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let connector = Connector::new(origin, &Network::default())?;
    let nobody: Arc<str> = "".into();
    let exchange = async {
        let mut connection = connector.connect(&nobody, CONNECT).await.map_err(said)?;
        let (head, mut body) = connection.send(request).await.map_err(|error| reason_of(&error))?.into_parts();
        let mut bytes = BytesMut::new();
        while let Some(frame) = std::future::poll_fn(|context| connection.poll_body(&mut body, context)).await {
            if let Ok(data) = frame.map_err(|error| reason_of(&error))?.into_data() {
                bytes.extend_from_slice(&data);
            }
            if bytes.len() > MOST_BYTES {
                bytes.truncate(MOST_BYTES);
                break;
            }
        }
        let seconds = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok::<_, String>(Posted { status: head.status.as_u16(), retry_after_s: seconds, body: bytes.freeze() })
    };
    let host = authority.host();
    let answered = tokio::time::timeout(ANSWER, exchange).await;
    let answered = answered.unwrap_or_else(|_| Err(format!("no answer within {} s", ANSWER.as_secs())));
    answered.map_err(|reason| format!("{host}: {reason}"))
}

/// As it is said of providers, without the provider.
fn said(error: SendError) -> String {
    match error {
        SendError::Connect { reason, .. } => format!("can't be reached: {reason}"),
        SendError::ConnectTimeout { waited, .. } => format!("took no connection within {} s", waited.as_secs()),
        SendError::Tls { reason, .. } => format!("could not be trusted: {reason}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn secret(text: impl Into<String>) -> Secret {
        Secret::new(text.into())
    }

    #[tokio::test]
    async fn sends_and_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut seen = Vec::new();
            while !seen.ends_with(b"{\"a\":1}") {
                let mut piece = [0; 1_024];
                let read = socket.read(&mut piece).await.unwrap();
                seen.extend_from_slice(piece.get(..read).unwrap());
            }
            socket.write_all(b"HTTP/1.1 429 No\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nslow").await.unwrap();
            String::from_utf8(seen).unwrap()
        };
        let url = secret(format!("http://{address}/hook/T0?x=1"));
        let headers = [("x-key".to_owned(), secret("k"))];
        let (seen, posted) = tokio::join!(serve, post(&url, &headers, Bytes::from_static(b"{\"a\":1}")));
        assert_eq!(posted.unwrap(), Posted { status: 429, retry_after_s: Some(7), body: Bytes::from_static(b"slow") });
        assert!(seen.starts_with("POST /hook/T0?x=1 HTTP/1.1\r\n"), "{seen}");
        assert!(seen.contains("x-key: k\r\n") && seen.contains(&format!("host: {address}\r\n")), "{seen}");
    }

    #[tokio::test]
    async fn errors_show_the_host_only() {
        for url in ["http://127.0.0.1:1/very-secret", "no url", "ftp://x/very-secret", "http://a:very-secret@b/"] {
            let error = post(&secret(url), &[], Bytes::new()).await.unwrap_err();
            assert!(!error.contains("very-secret"), "{error}");
        }
    }
}
