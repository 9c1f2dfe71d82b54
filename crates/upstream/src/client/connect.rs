//! Opens connections: address, proxy, TCP, TLS, within one limit.

use std::sync::Arc;
use std::time::Duration;

use http::header::PROXY_AUTHORIZATION;
use http::{Request, Uri};
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tower::ServiceExt as _;

use super::body::reason_of;
use super::connection::Connection;
use super::network::{Network, Proxy};
use super::outgoing::Outgoing;
use crate::SendError;

/// No proxy has more to say before a connection begins.
const MAX_HEAD_BYTES: usize = 8 << 10;

/// Opens connections to one host.
#[derive(Clone)]
pub(crate) struct Connector {
    uri: Uri,
    host: Arc<str>,
    tcp: HttpConnector,
    tls: Option<Tls>,
    /// Where connections are made through, and how it is spoken to.
    proxy: Option<(Proxy, Option<Tls>)>,
}

type Tls = (TlsConnector, ServerName<'static>);

/// A way that bytes go.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("host", &self.host).field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl Connector {
    /// For the host of an absolute `http` or `https` URI. `Err` says what is wrong with the host.
    pub(crate) fn new(uri: Uri, network: &Network) -> Result<Self, String> {
        let host = uri.host().ok_or("it names no host")?;
        let tls = tls_of(&uri, network)?;
        let default_port = if tls.is_some() { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let proxy = match network.proxy(host, port, tls.is_some()) {
            Some(proxy) => Some((proxy.clone(), tls_of(&proxy.uri, network)?)),
            None => None,
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Ok(Self { host: format!("{host}:{port}").into(), tcp, tls, proxy, uri })
    }

    /// Has a request say what a proxy must know to pass it on; one behind TLS goes through a tunnel, and says nothing.
    pub(crate) fn prepare<B>(&self, request: &mut Request<B>) {
        let (Some((proxy, _)), None) = (&self.proxy, &self.tls) else { return };
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        (parts.scheme, parts.authority) = (self.uri.scheme().cloned(), self.uri.authority().cloned());
        // It has all three of its pieces.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        if let Some(authorization) = &proxy.authorization {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
    }

    pub(crate) async fn connect(&self, provider: &Arc<str>, limit: Duration) -> Result<Connection, SendError> {
        let (provider, host) = (|| Arc::clone(provider), || Arc::clone(&self.host));
        let not_trusted =
            |error: std::io::Error| SendError::Tls { provider: provider(), host: host(), reason: reason_of(&error) };
        let connect = async {
            let through = self.proxy.as_ref().map_or(&self.uri, |(proxy, _)| &proxy.uri);
            let stream = self.tcp.clone().oneshot(through.clone()).await.map_err(|error| match &self.proxy {
                Some((proxy, _)) => no_proxy(&provider(), proxy, reason_of(&error)),
                None => SendError::Connect { provider: provider(), host: host(), reason: reason_of(&error) },
            })?;
            let stream = stream.into_inner();
            let shaken = match (&self.proxy, &self.tls) {
                (None, None) => handshake(stream).await,
                (None, Some((tls, name))) => {
                    handshake(tls.connect(name.clone(), stream).await.map_err(not_trusted)?).await
                }
                (Some((proxy, encrypted)), tls) => {
                    let no = |reason: String| no_proxy(&provider(), proxy, reason);
                    let mut stream: Box<dyn Stream> = match encrypted {
                        None => Box::new(stream),
                        Some((tls, name)) => {
                            Box::new(tls.connect(name.clone(), stream).await.map_err(|error| no(reason_of(&error)))?)
                        }
                    };
                    match tls {
                        None => handshake(stream).await,
                        Some((tls, name)) => {
                            tunnel(&mut stream, &self.host, proxy).await.map_err(no)?;
                            handshake(tls.connect(name.clone(), stream).await.map_err(not_trusted)?).await
                        }
                    }
                }
            };
            shaken.map_err(|error| SendError::Reset { provider: provider(), reason: reason_of(&error) })
        };
        let timed_out = || SendError::ConnectTimeout { provider: provider(), host: host(), waited: limit };
        tokio::time::timeout(limit, connect).await.unwrap_or_else(|_| Err(timed_out()))
    }
}

fn no_proxy(provider: &Arc<str>, proxy: &Proxy, reason: String) -> SendError {
    SendError::Proxy { provider: Arc::clone(provider), proxy: Arc::clone(&proxy.shown), reason }
}

fn tls_of(uri: &Uri, network: &Network) -> Result<Option<Tls>, String> {
    if uri.scheme() != Some(&http::uri::Scheme::HTTPS) {
        return Ok(None);
    }
    let host = uri.host().unwrap_or_default();
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|_| format!("`{host}` is no host name"))?;
    Ok(Some((TlsConnector::from(network.trust()?), name)))
}

/// Has a proxy connect us with the host. `Err` is why it doesn't.
async fn tunnel(stream: &mut Box<dyn Stream>, host: &str, proxy: &Proxy) -> Result<(), String> {
    let proof = proxy.authorization.as_ref().and_then(|proof| proof.to_str().ok());
    let proof = proof.map_or_else(String::new, |proof| format!("proxy-authorization: {proof}\r\n"));
    let request = format!("CONNECT {host} HTTP/1.1\r\nhost: {host}\r\n{proof}\r\n");
    let broken = |error: std::io::Error| reason_of(&error);
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut head = Vec::new();
    // Byte by byte: what follows the head is no longer the proxy's.
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.map_err(broken)?;
        head.push(byte);
        if head.len() > MAX_HEAD_BYTES {
            return Err("what it answers is no HTTP".to_owned());
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    match line.split(' ').nth(1) {
        Some(status) if line.starts_with("HTTP/1.") && status.len() == 3 && status.starts_with('2') => Ok(()),
        Some("407") => {
            Err("it wants to know who we are (407); write `http://USER:PASSWORD@HOST` in `proxy`".to_owned())
        }
        _ => Err(format!("it answered `{}`", line.chars().take(100).collect::<String>())),
    }
}

async fn handshake<Io>(stream: Io) -> hyper::Result<Connection>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    TokioIo<Io>: Read + Write,
{
    let (sender, connection) = http1::Builder::new().handshake::<_, Outgoing>(TokioIo::new(stream)).await?;
    Ok(Connection::new(sender, connection))
}
