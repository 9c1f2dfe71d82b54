//! Why a call failed: whose fault it is, whether another try can help, and what the caller is told.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use signalbox_types::ErrorClass;
use signalbox_wire::{ErrorBody, WireError};

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Caller,
    Upstream,
    Us,
}

impl Source {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Upstream => "upstream",
            Self::Us => "signalbox",
        }
    }
}

/// Whether another try can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    Never,
    /// The same call, later.
    Same,
    /// The same call, by another provider.
    Elsewhere,
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) struct CallError {
    pub(crate) class: ErrorClass,
    pub(crate) source: Source,
    pub(crate) retry: Retry,
    pub(crate) detail: Box<Detail>,
}

#[derive(Debug, Default)]
pub(crate) struct Detail {
    pub(crate) message: String,
    /// The field of the request that is wrong.
    pub(crate) param: Option<String>,
    pub(crate) code: Option<String>,
    /// Where the class alone doesn't say it: the provider's own status, 405, 415.
    pub(crate) status: Option<StatusCode>,
    /// When the head of a refusal, or of what is no answer, came; on the measuring clock.
    pub(crate) first_byte: Option<Duration>,
    /// Which of the provider's credentials it refused.
    pub(crate) credential: Option<Arc<str>>,
    /// More headers for the caller: `Retry-After`, the provider's request id.
    pub(crate) headers: HeaderMap,
    /// The provider's own words, if they are in the caller's dialect: passed on as they are.
    pub(crate) verbatim: Option<Bytes>,
}

impl CallError {
    pub(crate) fn caller(class: ErrorClass, message: impl Into<String>) -> Self {
        Self::new(class, Source::Caller, message)
    }

    pub(crate) fn upstream(class: ErrorClass, message: impl Into<String>) -> Self {
        Self::new(class, Source::Upstream, message)
    }

    pub(crate) fn us(class: ErrorClass, message: impl Into<String>) -> Self {
        Self::new(class, Source::Us, message)
    }

    fn new(class: ErrorClass, source: Source, message: impl Into<String>) -> Self {
        let detail = Detail { message: message.into(), ..Detail::default() };
        Self { class, source, retry: retry(class), detail: Box::new(detail) }
    }

    pub(crate) fn status_code(mut self, status: StatusCode) -> Self {
        self.detail.status = Some(status);
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.detail.headers.insert(name, value);
        self
    }

    /// We have no room now. A second is long: calls end all the time.
    pub(crate) fn overloaded(message: impl Into<String>) -> Self {
        Self::us(ErrorClass::Overloaded, message).header(RETRY_AFTER, HeaderValue::from(1))
    }

    /// What a provider said, in our words: its troubles with our key are not the caller's.
    pub(crate) fn of_provider(provider: &str, error: ErrorBody) -> Self {
        let ErrorBody { class, message, param, code } = error;
        let mut told = match class {
            ErrorClass::Unauthenticated | ErrorClass::PermissionDenied | ErrorClass::UpstreamAuth => {
                let message = format!("{message} (provider `{provider}`; check its API key)");
                Self::upstream(ErrorClass::UpstreamAuth, message)
            }
            ErrorClass::Overloaded => Self::upstream(ErrorClass::UpstreamOverloaded, message),
            ErrorClass::Internal | ErrorClass::Cancelled => Self::upstream(ErrorClass::UpstreamError, message),
            ErrorClass::InvalidRequest | ErrorClass::NotFound | ErrorClass::RequestTooLarge => {
                Self::caller(class, message)
            }
            _ => Self::upstream(class, message),
        };
        if told.class != ErrorClass::UpstreamAuth {
            (told.detail.param, told.detail.code) = (param, code);
        }
        told
    }

    /// As the caller's codec wants it.
    pub(crate) fn body(&self) -> ErrorBody {
        ErrorBody {
            class: self.class,
            message: self.detail.message.clone(),
            param: self.detail.param.clone(),
            code: self.detail.code.clone(),
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        let by_class = || StatusCode::from_u16(self.class.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.detail.status.unwrap_or_else(by_class)
    }
}

impl From<WireError> for CallError {
    /// The caller's request can't be read, or can't be said in the provider's dialect.
    fn from(error: WireError) -> Self {
        let ErrorBody { class, message, param, code } = error.to_request_error();
        let mut told = Self::caller(class, message);
        if matches!(error, WireError::Unsupported { .. }) {
            told.retry = Retry::Elsewhere;
        }
        (told.detail.param, told.detail.code) = (param, code);
        told
    }
}

fn retry(class: ErrorClass) -> Retry {
    match class {
        ErrorClass::InvalidRequest
        | ErrorClass::Unauthenticated
        | ErrorClass::PermissionDenied
        | ErrorClass::NotFound
        | ErrorClass::RequestTooLarge
        | ErrorClass::GuardrailBlocked
        | ErrorClass::Cancelled
        // Until somebody mends the credential.
        | ErrorClass::UpstreamAuth
        | ErrorClass::Internal => Retry::Never,
        ErrorClass::RequestTimeout | ErrorClass::RateLimited | ErrorClass::Overloaded => Retry::Same,
        ErrorClass::UpstreamTimeout
        | ErrorClass::UpstreamUnreachable
        | ErrorClass::UpstreamError
        | ErrorClass::UpstreamOverloaded => Retry::Elsewhere,
    }
}
