//! Why a call got no reply, and why a model name leads nowhere.

use std::sync::Arc;
use std::time::Duration;

use signalbox_types::ErrorClass;

/// A call that got no reply. Says which provider and what to check; never a key, never a URL's query.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SendError {
    /// No connection could be made.
    #[error("provider `{provider}` can't be reached at {host}: {reason}; check its base_url and the network")]
    Connect {
        /// The provider's name.
        provider: Arc<str>,
        /// Host and port.
        host: Arc<str>,
        /// What the system said.
        reason: String,
    },
    /// No connection was made in time.
    #[error("provider `{provider}` at {host} took no connection within {}; check its base_url and the network, or raise timeouts.connect", display(.waited))]
    ConnectTimeout {
        /// The provider's name.
        provider: Arc<str>,
        /// Host and port.
        host: Arc<str>,
        /// The limit.
        waited: Duration,
    },
    /// What connections are made through makes none.
    #[error("provider `{provider}` can't be reached through the proxy {proxy}: {reason}; check proxy and no_proxy")]
    Proxy {
        /// The provider's name.
        provider: Arc<str>,
        /// Its host and port.
        proxy: Arc<str>,
        /// What it said.
        reason: String,
    },
    /// The encrypted connection could not be set up.
    #[error(
        "provider `{provider}` at {host} could not be trusted: {reason}; check that base_url speaks https and its certificate"
    )]
    Tls {
        /// The provider's name.
        provider: Arc<str>,
        /// Host and port.
        host: Arc<str>,
        /// What the TLS library said.
        reason: String,
    },
    /// The request went out and nothing came back in time.
    #[error("provider `{provider}` sent no byte within {}; raise timeouts.first_byte (and timeouts.total, if set) if its models think for longer", display(.waited))]
    FirstByteTimeout {
        /// The provider's name.
        provider: Arc<str>,
        /// The limit.
        waited: Duration,
    },
    /// The connection broke before the reply began.
    #[error("provider `{provider}` closed the connection before it answered: {reason}")]
    Reset {
        /// The provider's name.
        provider: Arc<str>,
        /// What was seen.
        reason: String,
    },
    /// The body of the request broke off before its end.
    #[error("the request to provider `{provider}` broke off: {reason}")]
    Upload {
        /// The provider's name.
        provider: Arc<str>,
        /// What was seen.
        reason: String,
    },
    /// What came back is not HTTP.
    #[error("provider `{provider}` sent what is not an HTTP answer: {reason}; check that base_url is an API endpoint")]
    Garbage {
        /// The provider's name.
        provider: Arc<str>,
        /// What was seen.
        reason: String,
    },
    /// There was no credential to send along.
    #[error("provider `{provider}` can't be called without a credential: {reason}")]
    Credential {
        /// The provider's name.
        provider: Arc<str>,
        /// What is missing.
        reason: String,
    },
    /// There was no token to send along.
    #[error(
        "provider `{provider}` can't be called without a token, and {host} gave none: {reason}; check the credentials in auth"
    )]
    Token {
        /// The provider's name.
        provider: Arc<str>,
        /// The token endpoint's host.
        host: String,
        /// What it said.
        reason: String,
    },
    /// The provider has no such operation.
    #[error("provider `{provider}` has no {operation} endpoint; choose a model of another provider")]
    Unsupported {
        /// The provider's name.
        provider: Arc<str>,
        /// What was asked.
        operation: &'static str,
    },
}

impl SendError {
    /// The class for the span, metrics and the caller's status.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Connect { .. } | Self::Proxy { .. } | Self::Tls { .. } => ErrorClass::UpstreamUnreachable,
            Self::ConnectTimeout { .. } | Self::FirstByteTimeout { .. } => ErrorClass::UpstreamTimeout,
            Self::Reset { .. } | Self::Garbage { .. } => ErrorClass::UpstreamError,
            Self::Credential { .. } => ErrorClass::UpstreamAuth,
            Self::Token { .. } => ErrorClass::UpstreamAuth,
            Self::Unsupported { .. } | Self::Upload { .. } => ErrorClass::InvalidRequest,
        }
    }
}

/// A limit as people write it.
pub(crate) fn display(duration: &Duration) -> String {
    let ms = duration.as_millis();
    if ms.is_multiple_of(1_000) { format!("{} s", ms / 1_000) } else { format!("{ms} ms") }
}

/// A model name that leads to no provider that is on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} {hint}")]
pub struct UnknownModel {
    /// The name that was asked for, shortened if it is long.
    pub model: String,
    /// What is wrong with it.
    pub problem: String,
    /// What would work: the providers that are on, and how to switch others on.
    pub hint: String,
}

impl UnknownModel {
    /// The class for the span, metrics and the caller's status.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        ErrorClass::NotFound
    }
}
