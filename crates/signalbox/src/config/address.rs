//! Where to listen: a host's name or address, and a port.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// `127.0.0.1:7300`, `[::1]:7300` or `localhost:7300`. A name is resolved when the socket is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Without the brackets of IPv6.
    host: String,
    port: u16,
}

impl Address {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port }
    }

    /// Only this machine can reach it.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The addresses that it stands for, to be tried in this order.
    ///
    /// # Errors
    /// The name can't be resolved.
    pub(crate) async fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect();
        // Clients that are told `127.0.0.1` are many; those that are told `::1` are few.
        let (four, six): (Vec<_>, Vec<_>) = found.into_iter().partition(SocketAddr::is_ipv4);
        Ok([four, six].concat())
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no address to listen on; write a host and a port, like `127.0.0.1:7300`");
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let fits = match bare {
            Some(six) => six.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')),
        };
        if fits { Ok(Self::new(bare.unwrap_or(host), port)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Address {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^.+:[0-9]+$",
            "description": "A host and a port.",
            "examples": ["127.0.0.1:7300", "localhost:7300"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(text.parse::<Address>().ok().map(|address| address.to_string()).as_deref(), expected, "{text}");
        };
        check("127.0.0.1:7300", Some("127.0.0.1:7300"));
        check("localhost:7300", Some("localhost:7300"));
        check("my-host.example.com:1", Some("my-host.example.com:1"));
        check("[::1]:7300", Some("[::1]:7300"));
        for wrong in
            ["", "7300", ":7300", "localhost", "localhost:x", "localhost:70000", "::1:7300", "http://a:1", "[x]:1"]
        {
            check(wrong, None);
        }
        assert!("localhost:1".parse::<Address>().is_ok_and(|address| address.is_loopback()));
        assert!("[::1]:1".parse::<Address>().is_ok_and(|address| address.is_loopback()));
        assert!(!"0.0.0.0:1".parse::<Address>().is_ok_and(|address| address.is_loopback()));
    }

    #[tokio::test]
    async fn a_name_is_resolved() {
        let found = Address::new("localhost", 7).resolve().await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 7), "{found:?}");
    }
}
