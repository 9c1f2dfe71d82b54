//! POSTs to somebody who is no provider, by the same connections (address, TCP, TLS, limits): single ones (a webhook), directly and
//! with the system's certificates; and many to one host (a check), by the proxy and the certificates of providers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Uri};
use http_body_util::Full;
use parking_lot::Mutex;
use signalbox_types::Secret;

use crate::SendError;
use crate::client::{Connection, Connector, Network, Outgoing, Pool, reason_of};

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);
/// More of an answer isn't read.
const MOST_BYTES: usize = 64 << 10;
/// Connections to one host that wait for the next request.
const MOST_IDLE: usize = 32;
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
    let way = Way::of(url)?;
    let connector = Connector::new(way.origin.clone(), &Network::default())?;
    let exchange = async {
        let mut connection = connector.connect(&"".into(), CONNECT).await.map_err(said)?;
        let request = way.request(headers, body)?;
        exchange(&mut connection, request, MOST_BYTES).await.map(|(posted, _)| posted)
    };
    let answered = tokio::time::timeout(ANSWER, exchange).await;
    let answered = answered.unwrap_or_else(|_| Err(format!("no answer within {} s", ANSWER.as_secs())));
    answered.map_err(|reason| format!("{}: {reason}", way.host()))
}

/// POSTs to hosts that are asked again and again and are no providers: by the same proxy and certificates as those, over
/// connections that are kept.
#[derive(Debug, Default)]
pub struct Poster {
    network: Network,
    hosts: Mutex<HashMap<Uri, Arc<Host>>>,
}

#[derive(Debug)]
struct Host {
    connector: Connector,
    pool: Arc<Pool>,
}

impl Poster {
    pub(crate) fn new(network: Network) -> Self {
        Self { network, hosts: Mutex::default() }
    }

    /// Sends a body to a URL and reads no more than `most` bytes of the answer. Follows no redirects. Waits for as long as the
    /// caller does: dropping it ends it.
    ///
    /// # Errors
    /// There was no answer, or a longer one: in words, with nothing of the URL.
    pub async fn post(
        &self,
        url: &Secret,
        headers: &[(String, Secret)],
        body: Bytes,
        most: usize,
    ) -> Result<Posted, String> {
        let way = Way::of(url)?;
        let host = self.host(&way)?;
        let request = || {
            let mut request = way.request(headers, body.clone())?;
            host.connector.prepare(&mut request);
            Ok::<_, String>(request)
        };
        let mut kept = host.pool.take();
        loop {
            let is_fresh = kept.is_none();
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => host.connector.connect(&"".into(), CONNECT).await.map_err(said)?,
            };
            match exchange(&mut connection, request()?, most).await {
                Ok((_, false)) => return Err(format!("it answered with more than {most} bytes")),
                Ok((posted, true)) => {
                    host.pool.put(connection);
                    return Ok(posted);
                }
                Err(reason) if is_fresh => return Err(reason),
                // It had been idle, and the other side may have closed it.
                Err(_) => {}
            }
        }
    }

    fn host(&self, way: &Way) -> Result<Arc<Host>, String> {
        let mut hosts = self.hosts.lock();
        if let Some(host) = hosts.get(&way.origin) {
            return Ok(Arc::clone(host));
        }
        let connector = Connector::new(way.origin.clone(), &self.network)?;
        let host = Arc::new(Host { connector, pool: Arc::new(Pool::new(MOST_IDLE)) });
        hosts.insert(way.origin.clone(), Arc::clone(&host));
        Ok(host)
    }
}

/// Where a request goes.
struct Way {
    origin: Uri,
    authority: Authority,
    path: Uri,
}

impl Way {
    fn of(url: &Secret) -> Result<Self, String> {
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
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str).parse().map_err(|_| wrong())?;
        Ok(Self { origin, authority, path })
    }

    fn host(&self) -> &str {
        self.authority.host()
    }

    fn request(&self, headers: &[(String, Secret)], body: Bytes) -> Result<Request<Outgoing>, String> {
        let length = HeaderValue::from(body.len());
        let mut request = Request::new(Outgoing::Whole(Full::new(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        let out = request.headers_mut();
        for (name, value) in headers {
            let known = HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::try_from(value.expose()).ok());
            let (name, mut value) =
                known.ok_or_else(|| format!("its header `{name}` holds what no header may hold"))?;
            value.set_sensitive(true);
            out.insert(name, value);
        }
        let host = HeaderValue::try_from(self.authority.as_str()).map_err(|_| "its URL is none".to_owned())?;
        out.insert(HOST, host);
        out.insert(USER_AGENT, USER_AGENT_VALUE);
        out.insert(CONTENT_LENGTH, length);
        Ok(request)
    }
}

/// What came back, and whether that is all of it.
async fn exchange(
    connection: &mut Connection,
    request: Request<Outgoing>,
    most: usize,
) -> Result<(Posted, bool), String> {
    let (head, mut body) = connection.send(request).await.map_err(|error| reason_of(&error))?.into_parts();
    let (mut bytes, mut is_whole) = (BytesMut::new(), true);
    while let Some(frame) = std::future::poll_fn(|context| connection.poll_body(&mut body, context)).await {
        if let Ok(data) = frame.map_err(|error| reason_of(&error))?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > most {
            bytes.truncate(most);
            is_whole = false;
            break;
        }
    }
    let seconds = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let posted = Posted { status: head.status.as_u16(), retry_after_s: seconds, body: bytes.freeze() };
    Ok((posted, is_whole))
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
    async fn a_poster_keeps_its_connections_and_notices_when_one_is_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = secret(format!("http://{}/check", listener.local_addr().unwrap()));
        let serve = async {
            let mut served = Vec::new();
            // Two on the first connection, which is closed then, and one on the second.
            for most in [2, 1] {
                let (mut socket, _) = listener.accept().await.unwrap();
                for _ in 0..most {
                    let mut seen = Vec::new();
                    while !seen.ends_with(b"{}") {
                        let mut piece = [0; 1_024];
                        let read = socket.read(&mut piece).await.unwrap();
                        seen.extend_from_slice(piece.get(..read).unwrap());
                    }
                    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
                    served.push(most);
                }
            }
            served
        };
        let ask = async {
            let poster = Poster::default();
            for _ in 0..3 {
                let posted = poster.post(&url, &[], Bytes::from_static(b"{}"), 100).await.unwrap();
                assert_eq!((posted.status, posted.body.as_ref()), (200, b"ok".as_ref()));
            }
        };
        let (served, ()) = tokio::join!(serve, ask);
        assert_eq!(served, [2, 2, 1]);
    }

    #[tokio::test]
    async fn a_poster_reads_no_more_than_it_was_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = secret(format!("http://{}/very-secret", listener.local_addr().unwrap()));
        let serve = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123456789").await.unwrap();
            socket
        };
        let poster = Poster::default();
        let (told, _socket) = tokio::join!(poster.post(&url, &[], Bytes::from_static(b"{}"), 8), serve);
        assert_eq!(told.unwrap_err(), "it answered with more than 8 bytes");
    }

    #[tokio::test]
    async fn errors_show_the_host_only() {
        for url in ["http://127.0.0.1:1/very-secret", "no url", "ftp://x/very-secret", "http://a:very-secret@b/"] {
            let error = post(&secret(url), &[], Bytes::new()).await.unwrap_err();
            assert!(!error.contains("very-secret"), "{error}");
        }
    }
}
