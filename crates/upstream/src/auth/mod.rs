//! How a call proves who we are, where that takes more than a fixed header: a signature over the call, or a token that
//! must be fetched and expires.

mod azure;
mod gcp;
mod keys;
mod sigv4;
mod token;
mod vault;
mod watched;

pub(crate) use keys::Keys;
pub(crate) use token::TokenSource;
pub use vault::Vault;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use signalbox_types::Secret;
use signalbox_types::seam::Clock;

use crate::SendError;
use crate::client::Network;
use crate::config::Auth;

/// What makes the proof, call by call.
#[derive(Debug)]
pub(crate) enum Signer {
    /// A parameter of the query.
    Query { name: String, key: Secret },
    /// Amazon's signature.
    Aws(Box<sigv4::Signer>),
    /// A bearer token that expires.
    Token(Box<TokenSource>),
}

impl Signer {
    /// Adds the proof to a call that is complete otherwise; the URI that it is for.
    ///
    /// # Errors
    /// There is no token to be had.
    pub(crate) async fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &mut HeaderMap,
        body: &Bytes,
        clock: &dyn Clock,
    ) -> Result<Uri, SendError> {
        match self {
            Self::Query { name, key } => Ok(with_key(uri, name, key)),
            Self::Aws(signer) => Ok(signer.sign(method, uri, headers, body, clock.now())),
            Self::Token(source) => {
                headers.insert(AUTHORIZATION, source.header(clock).await?);
                Ok(uri.clone())
            }
        }
    }
}

impl Signer {
    /// What goes out and must be seen by nobody else.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Query { key, .. } => vec![key.clone()],
            Self::Aws(signer) => signer.secrets(),
            Self::Token(source) => source.secret().into_iter().collect(),
        }
    }

    /// The provider refused the proof.
    pub(crate) fn refused(&self, clock: &dyn Clock) {
        if let Self::Token(source) = self {
            source.refused(clock);
        }
    }
}

fn with_key(uri: &Uri, name: &str, key: &Secret) -> Uri {
    let joint = if uri.query().is_some() { '&' } else { '?' };
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    // Escaped, it fits.
    format!("{uri}{joint}{}={}", encode(name), encode(key.expose())).parse().unwrap_or_else(|_| uri.clone())
}

/// What a way to sign is made of, beside its own settings.
pub(crate) struct Known<'a> {
    pub(crate) provider: &'a Arc<str>,
    pub(crate) env: &'a dyn Fn(&str) -> Option<String>,
    /// How token endpoints are reached.
    pub(crate) network: &'a Network,
    /// What stands in the base URL, such as `region`.
    pub(crate) variables: &'a BTreeMap<String, String>,
    /// Where calls go.
    pub(crate) host: &'a str,
}

impl Known<'_> {
    /// A setting, or the first of these variables that is set.
    fn text(&self, own: Option<&str>, variables: &[&str]) -> Option<String> {
        let own = own.map(str::trim).filter(|own| !own.is_empty()).map(str::to_owned);
        own.or_else(|| variables.iter().find_map(|name| (self.env)(name)))
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    fn secret(&self, own: Option<&Secret>, variables: &[&str]) -> Option<Secret> {
        self.text(own.map(Secret::expose), variables).map(Secret::new)
    }
}

/// Why there is no way to sign.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unready {
    /// Something isn't set; what to set, as an imperative.
    Missing(String),
    /// Something is wrong: the field below `auth` (or the variable), what, and how to mend it.
    Wrong { field: String, message: String, hint: String },
}

/// The way to sign, and what it rests on, such as `AWS_ACCESS_KEY_ID`. `None` if a fixed header does.
pub(crate) fn signer(auth: &Auth, known: &Known<'_>) -> Result<Option<(Signer, String)>, Unready> {
    match auth {
        Auth::Aws(own) => {
            sigv4::Signer::new(own, known).map(|(signer, place)| Some((Signer::Aws(Box::new(signer)), place)))
        }
        Auth::Gcp(own) => gcp::source(own, known).map(|(source, place)| Some((Signer::Token(Box::new(source)), place))),
        Auth::Azure(own) => {
            azure::source(own, known).map(|(source, place)| Some((Signer::Token(Box::new(source)), place)))
        }
        Auth::Bearer | Auth::Header(_) | Auth::Query(_) | Auth::None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_query_is_escaped_and_stands_last() {
        let check = |uri: &'static str, expected: &str| {
            let signed = with_key(&Uri::from_static(uri), "key", &Secret::new("a&b=c".to_owned()));
            assert_eq!(signed.to_string(), expected);
        };
        check("/v1/chat", "/v1/chat?key=a%26b%3Dc");
        check("/v1/chat?alt=sse", "/v1/chat?alt=sse&key=a%26b%3Dc");
    }
}
