//! Certificates of one's own, and proxies.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use signalbox_upstream::{SendError, Upstream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::{OK, Server, clock, config, read_request, send, upstream};

/// A provider behind TLS whose certificate an authority of its own has signed, and the file of that one's.
struct Behind {
    address: SocketAddr,
    authority: tempfile::NamedTempFile,
}

async fn behind_tls() -> Behind {
    let (key, authority_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let names = vec!["127.0.0.1".to_owned(), "models.internal.example".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut buffer = [0; 4_096];
                if stream.read(&mut buffer).await.unwrap_or(0) > 0 {
                    stream.write_all(OK).await.unwrap();
                    stream.shutdown().await.ok();
                }
            });
        }
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    let pem = STANDARD.encode(root.der());
    std::fs::write(file.path(), format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n")).unwrap();
    Behind { address, authority: file }
}

/// A proxy that passes tunnels on to one address, wherever they are to lead, and answers everything else itself.
async fn proxy(to: SocketAddr) -> (Server, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&seen);
    let server = Server::start(move |_, mut stream| {
        let heads = Arc::clone(&heads);
        async move {
            let head = read_request(&mut stream).await;
            let is_tunnel = head.starts_with("CONNECT ");
            let is_known = head.contains("proxy-authorization: Basic dXNlcjpwYXNz");
            heads.lock().push(head);
            if !is_known {
                stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
            } else if is_tunnel {
                stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                let mut far = TcpStream::connect(to).await.unwrap();
                tokio::io::copy_bidirectional(&mut stream, &mut far).await.ok();
            } else {
                stream.write_all(OK).await.unwrap();
            }
        }
    })
    .await;
    (server, seen)
}

fn provider(url: &str, more: &str) -> String {
    format!("[[providers]]\nname = 'up'\nkind = 'openai'\nbase_url = '{url}'\napi_key = 'sk-test-4242'\n{more}")
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_its_file_is_named() {
    let behind = behind_tls().await;
    let url = format!("https://{}/v1", behind.address);
    let file = behind.authority.path().display();
    let error = send(&upstream(&provider(&url, "")), "up/m").await.unwrap_err();
    assert!(matches!(error, SendError::Tls { .. }), "{error}");
    for named in [provider(&url, &format!("ca_file = '{file}'")), format!("ca_file = '{file}'\n{}", provider(&url, ""))]
    {
        let reply = send(&upstream(&named), "up/m").await.unwrap();
        assert_eq!(reply.status, 200);
    }
}

#[tokio::test]
async fn what_is_behind_tls_goes_through_a_tunnel() {
    let behind = behind_tls().await;
    let (proxy, seen) = proxy(behind.address).await;
    let file = behind.authority.path().display();
    // Nobody but the proxy knows that name.
    let more = format!("proxy = 'http://user:pass@{}'\nca_file = '{file}'", proxy.address);
    let upstream = upstream(&provider("https://models.internal.example/v1", &more));
    let reply = send(&upstream, "up/m").await.unwrap();
    assert_eq!(reply.body.read_all(100).await.unwrap(), "{}");
    let seen = seen.lock();
    assert!(seen[0].starts_with("CONNECT models.internal.example:443 HTTP/1.1\r\n"), "{seen:?}");
    assert!(!seen[0].contains("sk-test-4242"), "{seen:?}");
}

#[tokio::test]
async fn plain_http_is_asked_of_the_proxy_itself() {
    let (proxy, seen) = proxy("127.0.0.1:9".parse().unwrap()).await;
    let more = format!("proxy = 'http://user:pass@{}'", proxy.address);
    let upstream = upstream(&provider("http://models.internal.example:8000/v1", &more));
    assert_eq!(send(&upstream, "up/m").await.unwrap().status, 200);
    let seen = seen.lock();
    assert!(
        seen[0].starts_with("POST http://models.internal.example:8000/v1/chat/completions HTTP/1.1\r\n"),
        "{seen:?}"
    );
    assert!(seen[0].contains("host: models.internal.example:8000\r\n"), "{seen:?}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    let (proxy, _) = proxy("127.0.0.1:9".parse().unwrap()).await;
    let more = format!("proxy = 'http://user:wrong@{}'", proxy.address);
    let upstream = upstream(&provider("https://models.internal.example/v1", &more));
    let error = send(&upstream, "up/m").await.unwrap_err();
    let expect = format!(
        "provider `up` can't be reached through the proxy {}: it wants to know who we are (407)",
        proxy.address
    );
    assert!(error.to_string().starts_with(&expect) && !error.to_string().contains("wrong"), "{error}");
    assert_eq!(error.class(), signalbox_types::ErrorClass::UpstreamUnreachable);
}

#[tokio::test]
async fn the_environments_proxy_is_used_and_hosts_can_be_kept_from_it() {
    let (proxy, seen) = proxy("127.0.0.1:9".parse().unwrap()).await;
    let plain = Server::answering(OK).await;
    let url = format!("http://user:pass@{}", proxy.address);
    let env = |name: &str| (name == "HTTP_PROXY").then(|| url.clone());
    let made = |toml: &str| Upstream::new(&config(toml), &env, clock()).unwrap();
    let elsewhere = provider("http://models.internal.example/v1", "");
    assert_eq!(send(&made(&elsewhere), "up/m").await.unwrap().status, 200);
    assert_eq!(seen.lock().len(), 1);
    // This machine, and a provider that says that it wants none.
    assert_eq!(send(&made(&provider(&format!("http://{}/v1", plain.address), "")), "up/m").await.unwrap().status, 200);
    let without = provider("http://127.0.0.2:9/v1", "proxy = 'none'");
    assert!(matches!(send(&made(&without), "up/m").await, Err(SendError::Connect { .. })));
    let kept = format!("no_proxy = ['internal.example']\n{elsewhere}");
    assert!(matches!(send(&made(&kept), "up/m").await, Err(SendError::Connect { .. })));
    assert_eq!(seen.lock().len(), 1);
}

#[test]
fn what_is_wrong_is_told_by_its_path() {
    let check = |toml: &str, path: &str| {
        let error = Upstream::new(&config(toml), &|_| None, clock()).unwrap_err();
        assert_eq!(error.problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), [path], "{error}");
    };
    check("proxy = 'ftp://x'", "proxy");
    check("ca_file = '/nowhere.pem'", "ca_file");
    check(&provider("https://x/v1", "proxy = 'ftp://x'"), "providers[0].proxy");
    check(&provider("https://x/v1", "ca_file = '/nowhere.pem'"), "providers[0].ca_file");
}
