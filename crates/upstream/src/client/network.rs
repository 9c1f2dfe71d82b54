//! What lies between here and a provider: a proxy, and whose certificates are trusted. Decided by configuration and the
//! usual environment variables, once for each host.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The word for no proxy at all.
pub(crate) const NONE: &str = "none";

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How hosts are reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Network {
    /// For hosts that are spoken to in plain HTTP, and for those behind TLS.
    http: Option<Proxy>,
    https: Option<Proxy>,
    direct: Direct,
    /// None for the usual roots.
    trust: Option<Arc<ClientConfig>>,
}

/// Where connections are made through.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    /// Without a user's name.
    pub(crate) uri: Uri,
    /// Its host and port, for people.
    pub(crate) shown: Arc<str>,
    /// Who we are there.
    pub(crate) authorization: Option<HeaderValue>,
}

impl Network {
    /// What holds for every provider. A proxy that isn't set is looked for in the environment, as the providers' own SDKs
    /// do. `Err` is the field (or variable), what is wrong with it, and a hint.
    pub(crate) fn general(
        proxy: Option<&str>,
        no_proxy: &[String],
        ca_file: Option<&str>,
        env: Env<'_>,
    ) -> Result<Self, (String, String, String)> {
        let variable = |names: &[&str]| names.iter().find_map(|name| Some(((*name).to_owned(), env(name)?)));
        let set = |found: Option<(String, String)>| found.filter(|(_, value)| !value.trim().is_empty());
        let everywhere = proxy.map(|proxy| ("proxy".to_owned(), proxy.to_owned()));
        let (http, https) = match everywhere {
            Some(proxy) => (Some(proxy.clone()), Some(proxy)),
            None => (
                set(variable(&["http_proxy", "HTTP_PROXY"])).or_else(|| set(variable(&["all_proxy", "ALL_PROXY"]))),
                set(variable(&["https_proxy", "HTTPS_PROXY"])).or_else(|| set(variable(&["all_proxy", "ALL_PROXY"]))),
            ),
        };
        let parse = |found: Option<(String, String)>| match found {
            None => Ok(None),
            Some((field, url)) => Proxy::parse(&url).map_err(|(message, hint)| (field, message, hint)),
        };
        let direct = match no_proxy {
            [] => variable(&["no_proxy", "NO_PROXY"])
                .map_or_else(Direct::default, |(_, list)| Direct::parse(list.split(','))),
            list => Direct::parse(list.iter().map(String::as_str)),
        };
        let trust =
            ca_file.map(trusting).transpose().map_err(|(message, hint)| ("ca_file".to_owned(), message, hint))?;
        Ok(Self { http: parse(http)?, https: parse(https)?, direct, trust })
    }

    /// The same with what one provider says of itself, which also holds for hosts that the rest reaches directly.
    pub(crate) fn with(&self, proxy: Option<&str>, ca_file: Option<&str>) -> Result<Self, (String, String, String)> {
        let mut own = self.clone();
        if let Some(url) = proxy {
            let proxy = Proxy::parse(url).map_err(|(message, hint)| ("proxy".to_owned(), message, hint))?;
            own = Self {
                http: proxy.clone(),
                https: proxy,
                direct: Direct { rules: Vec::new(), loopback: false },
                ..own
            };
        }
        if let Some(file) = ca_file {
            let trust = trusting(file).map_err(|(message, hint)| ("ca_file".to_owned(), message, hint))?;
            own.trust = Some(trust);
        }
        Ok(own)
    }

    /// The proxy for a host.
    pub(crate) fn proxy(&self, host: &str, port: u16, is_tls: bool) -> Option<&Proxy> {
        let proxy = if is_tls { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.direct.holds(host, port))
    }

    /// Whom TLS trusts. `Err` says why there is nobody.
    pub(crate) fn trust(&self) -> Result<Arc<ClientConfig>, String> {
        self.trust.clone().map_or_else(|| USUAL.clone(), Ok)
    }
}

impl Proxy {
    /// `None` for the word that says that there is none.
    fn parse(url: &str) -> Result<Option<Self>, (String, String)> {
        let url = url.trim();
        if url.eq_ignore_ascii_case(NONE) {
            return Ok(None);
        }
        // It may hold a password, so that it isn't shown.
        let wrong = || {
            let hint =
                format!("write it like `http://proxy.example.com:3128` (https:// for one behind TLS), or `{NONE}`");
            ("it is no URL of a proxy".to_owned(), hint)
        };
        let with_scheme = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = with_scheme.parse().map_err(|_| wrong())?;
        let authority =
            uri.authority().filter(|_| matches!(uri.scheme_str(), Some("http" | "https"))).ok_or_else(wrong)?;
        let (user, place) = match authority.as_str().rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority.as_str()),
        };
        let authorization = user.map(|user| -> Result<HeaderValue, (String, String)> {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            let proof = STANDARD.encode(format!("{}:{}", plain(name), plain(password)));
            let mut value = HeaderValue::try_from(format!("Basic {proof}")).map_err(|_| wrong())?;
            value.set_sensitive(true);
            Ok(value)
        });
        let uri: Uri = format!("{}://{place}", uri.scheme_str().unwrap_or("http")).parse().map_err(|_| wrong())?;
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let shown = format!("{host}:{}", uri.port_u16().unwrap_or(default)).into();
        Ok(Some(Self { shown, authorization: authorization.transpose()?, uri }))
    }
}

/// Which hosts are reached directly.
#[derive(Debug, Clone)]
struct Direct {
    rules: Vec<Rule>,
    /// This machine itself.
    loopback: bool,
}

impl Default for Direct {
    fn default() -> Self {
        Self { rules: Vec::new(), loopback: true }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    All,
    /// The domain and all below it, perhaps at one port only.
    Domain(String, Option<u16>),
    Network(IpAddr, u8),
}

impl Direct {
    /// As `NO_PROXY` is written: `*`, `example.com`, `.example.com`, `host:8080`, `10.0.0.0/8`.
    fn parse<'a>(list: impl Iterator<Item = &'a str>) -> Self {
        let rule = |text: &str| {
            let text = text.trim().to_ascii_lowercase();
            if text.is_empty() {
                return None;
            }
            if text == "*" {
                return Some(Rule::All);
            }
            let (address, bits) =
                text.split_once('/').map_or((text.as_str(), None), |(address, bits)| (address, Some(bits)));
            if let Ok(address) = bare(address).parse::<IpAddr>() {
                let all = if address.is_ipv4() { 32 } else { 128 };
                return Some(Rule::Network(address, bits.and_then(|bits| bits.parse().ok()).unwrap_or(all).min(all)));
            }
            let port = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
            let (host, port) = port.map_or((text.as_str(), None), |(host, port)| (host, Some(port)));
            Some(Rule::Domain(host.trim_start_matches("*.").trim_start_matches('.').to_owned(), port))
        };
        Self { rules: list.filter_map(rule).collect(), loopback: true }
    }

    fn holds(&self, host: &str, port: u16) -> bool {
        let host = bare(host).to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok();
        let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        if self.loopback && is_here {
            return true;
        }
        self.rules.iter().any(|rule| match rule {
            Rule::All => true,
            Rule::Domain(domain, at) => {
                let below =
                    host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                below && at.is_none_or(|at| at == port)
            }
            Rule::Network(network, bits) => address.is_some_and(|address| is_within(address, *network, *bits)),
        })
    }
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let same = |one: u128, other: u128, width: u8| bits == 0 || (one ^ other) >> (width - bits.min(width)) == 0;
    match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => same(u32::from(one).into(), u32::from(other).into(), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => same(one.into(), other.into(), 128),
        _ => false,
    }
}

/// One configuration for every provider, made when the first `https` one is switched on: reading the system's
/// certificates costs time and memory that a start without any doesn't need.
static USUAL: LazyLock<Result<Arc<ClientConfig>, String>> = LazyLock::new(|| client(usual_roots()));

fn usual_roots() -> RootCertStore {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::debug!(%error, "a system certificate could not be read");
    }
    // For companies whose proxies sign with a root of their own.
    roots.add_parsable_certificates(native.certs);
    roots
}

fn client(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS can't be set up: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The usual roots and those in a file. `Err` is what is wrong with it, and a hint.
fn trusting(file: &str) -> Result<Arc<ClientConfig>, (String, String)> {
    let hint = "name a file of certificates in PEM (`-----BEGIN CERTIFICATE-----`)";
    let wrong = |message: String| (message, hint.to_owned());
    let certificates = CertificateDer::pem_file_iter(Path::new(file)).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|error| wrong(format!("`{file}` can't be read: {error}")))?;
    if certificates.is_empty() {
        return Err(wrong(format!("`{file}` holds no certificate")));
    }
    let mut roots = usual_roots();
    for certificate in certificates {
        roots
            .add(certificate)
            .map_err(|error| wrong(format!("`{file}` holds a certificate that is no root: {error}")))?;
    }
    client(roots).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(env: &[(&str, &str)], proxy: Option<&str>, no_proxy: &[&str], url: &str) -> Option<String> {
        let env = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let no_proxy: Vec<String> = no_proxy.iter().map(|rule| (*rule).to_owned()).collect();
        let network = Network::general(proxy, &no_proxy, None, &env).unwrap();
        let uri: Uri = url.parse().unwrap();
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        network.proxy(uri.host().unwrap(), port, is_tls).map(|proxy| proxy.shown.to_string())
    }

    #[test]
    fn the_environment_says_it_as_for_everybody_else() {
        let env =
            [("HTTPS_PROXY", "http://p:3128"), ("http_proxy", "q:8080"), ("NO_PROXY", "internal.example, 10.0.0.0/8")];
        let check =
            |url: &str, expect: Option<&str>| assert_eq!(through(&env, None, &[], url).as_deref(), expect, "{url}");
        check("https://api.openai.com", Some("p:3128"));
        check("http://models.example", Some("q:8080"));
        check("https://a.internal.example", None);
        check("https://internal.example", None);
        check("https://notinternal.example", Some("p:3128"));
        check("http://10.1.2.3:8000", None);
        check("http://11.1.2.3:8000", Some("q:8080"));
        // This machine is never asked for elsewhere.
        check("http://127.0.0.1:11434", None);
        check("http://localhost:11434", None);
        check("http://[::1]:11434", None);
        assert_eq!(through(&[("ALL_PROXY", "http://p:1")], None, &[], "https://x"), Some("p:1".to_owned()));
        assert_eq!(through(&env, Some("none"), &[], "https://x"), None);
    }

    #[test]
    fn rules_as_people_write_them() {
        let check = |rule: &str, url: &str, direct: bool| {
            assert_eq!(through(&[], Some("http://p:1"), &[rule], url).is_none(), direct, "{rule} {url}");
        };
        check("*", "https://x", true);
        check(".example.com", "https://a.example.com", true);
        check("*.example.com", "https://a.b.example.com", true);
        check("Example.com", "https://EXAMPLE.com", true);
        check("example.com:8443", "https://example.com:8443", true);
        check("example.com:8443", "https://example.com", false);
        check("192.168.1.7", "http://192.168.1.7", true);
        check("192.168.1.7", "http://192.168.1.8", false);
        check("fd00::/8", "http://[fd00::1]", true);
        check("0.0.0.0/0", "http://8.8.8.8", true);
        check("0.0.0.0/0", "http://example.com", false);
    }

    #[test]
    fn a_proxy_that_is_none_is_told_without_its_password() {
        for url in ["", "ftp://x", "http://", "http://user:secret@", "http://user:secret@a b"] {
            let (field, message, hint) = Network::general(Some(url), &[], None, &|_| None).unwrap_err();
            assert!(field == "proxy" && !format!("{message}{hint}").contains("secret"), "{url}: {message}");
        }
        let proxy = Proxy::parse("https://us%40er:pa%3Ass@proxy.example").unwrap().unwrap();
        assert_eq!(&*proxy.shown, "proxy.example:443");
        assert_eq!(proxy.authorization.unwrap(), format!("Basic {}", STANDARD.encode("us@er:pa:ss")).as_str());
        assert!(!format!("{:?}", proxy.uri).contains("pa"));
    }
}
