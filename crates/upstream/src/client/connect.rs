//! Opens connections: address, TCP, TLS, within one limit.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::Uri;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tower::ServiceExt as _;

use super::body::reason_of;
use super::connection::Connection;
use super::outgoing::Outgoing;
use crate::SendError;

/// Opens connections to one host.
#[derive(Clone)]
pub(crate) struct Connector {
    uri: Uri,
    host: Arc<str>,
    tcp: HttpConnector,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("host", &self.host).field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl Connector {
    /// For the host of an absolute `http` or `https` URI. `Err` says what is wrong with the host.
    pub(crate) fn new(uri: Uri) -> Result<Self, String> {
        let host = uri.host().ok_or("it names no host")?;
        let tls = if uri.scheme() == Some(&http::uri::Scheme::HTTPS) {
            let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let name = ServerName::try_from(name).map_err(|_| format!("`{host}` is no host name"))?;
            let config = CLIENT_CONFIG.as_ref().map_err(Clone::clone)?;
            Some((TlsConnector::from(Arc::clone(config)), name))
        } else {
            None
        };
        let default_port = if tls.is_some() { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Ok(Self { host: format!("{host}:{port}").into(), uri, tcp, tls })
    }

    pub(crate) async fn connect(&self, provider: &Arc<str>, limit: Duration) -> Result<Connection, SendError> {
        let (provider, host) = (|| Arc::clone(provider), || Arc::clone(&self.host));
        let connect = async {
            let stream = self.tcp.clone().oneshot(self.uri.clone()).await.map_err(|error| SendError::Connect {
                provider: provider(),
                host: host(),
                reason: reason_of(&error),
            })?;
            match &self.tls {
                None => handshake(stream).await,
                Some((tls, name)) => {
                    let stream = tls.connect(name.clone(), stream.into_inner()).await.map_err(|error| {
                        SendError::Tls { provider: provider(), host: host(), reason: reason_of(&error) }
                    })?;
                    handshake(TokioIo::new(stream)).await
                }
            }
            .map_err(|error| SendError::Reset { provider: provider(), reason: reason_of(&error) })
        };
        let timed_out = || SendError::ConnectTimeout { provider: provider(), host: host(), waited: limit };
        tokio::time::timeout(limit, connect).await.unwrap_or_else(|_| Err(timed_out()))
    }
}

async fn handshake<Io>(stream: Io) -> hyper::Result<Connection>
where
    Io: Read + Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new().handshake::<_, Outgoing>(stream).await?;
    Ok(Connection::new(sender, connection))
}

/// One configuration for every provider, made when the first `https` one is switched on: reading the system's
/// certificates costs time and memory that a start without any doesn't need.
static CLIENT_CONFIG: LazyLock<Result<Arc<ClientConfig>, String>> = LazyLock::new(|| {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::debug!(%error, "a system certificate could not be read");
    }
    // For companies whose proxies sign with a root of their own.
    roots.add_parsable_certificates(native.certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
});
