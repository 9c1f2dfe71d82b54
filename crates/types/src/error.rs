//! Why a call failed, in one word that callers, metrics and pages share (`error.type`).

use serde::{Deserialize, Serialize};

/// The class of a failure: `error.type` on the span, a label in `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The caller sent something that can't be served as it is.
    InvalidRequest,
    /// No key, an unknown key or a revoked one.
    Unauthenticated,
    /// The key may not do this.
    PermissionDenied,
    /// No such path, model, trace or span.
    NotFound,
    /// The body is larger than the limit.
    RequestTooLarge,
    /// The caller took too long to send its request.
    RequestTimeout,
    /// The provider, or we, ask to slow down.
    RateLimited,
    /// A guardrail refused the call or cut the answer.
    GuardrailBlocked,
    /// The caller hung up, or somebody cancelled its query.
    Cancelled,
    /// The provider refused our credential.
    UpstreamAuth,
    /// The provider took too long.
    UpstreamTimeout,
    /// The provider could not be reached.
    UpstreamUnreachable,
    /// The provider failed, or sent what its dialect doesn't allow.
    UpstreamError,
    /// The provider is overloaded.
    UpstreamOverloaded,
    /// We can't take more now.
    Overloaded,
    /// A fault of ours.
    Internal,
}

impl ErrorClass {
    /// Every class, in the order of the reference.
    pub const ALL: &'static [Self] = &[
        Self::InvalidRequest,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::NotFound,
        Self::RequestTooLarge,
        Self::RequestTimeout,
        Self::RateLimited,
        Self::GuardrailBlocked,
        Self::Cancelled,
        Self::UpstreamAuth,
        Self::UpstreamTimeout,
        Self::UpstreamUnreachable,
        Self::UpstreamError,
        Self::UpstreamOverloaded,
        Self::Overloaded,
        Self::Internal,
    ];

    /// The word: `error.type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::RequestTooLarge => "request_too_large",
            Self::RequestTimeout => "request_timeout",
            Self::RateLimited => "rate_limited",
            Self::GuardrailBlocked => "guardrail_blocked",
            Self::Cancelled => "cancelled",
            Self::UpstreamAuth => "upstream_auth",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UpstreamError => "upstream_error",
            Self::UpstreamOverloaded => "upstream_overloaded",
            Self::Overloaded => "overloaded",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status that a caller gets.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::GuardrailBlocked => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::RequestTimeout => 408,
            Self::RequestTooLarge => 413,
            Self::RateLimited => 429,
            // Sent for a cancelled query only: else the caller is gone. nginx's number, for the span.
            Self::Cancelled => 499,
            Self::Internal => 500,
            // Not 401: the caller's own key is fine, and an SDK must not say otherwise.
            Self::UpstreamAuth | Self::UpstreamError | Self::UpstreamUnreachable => 502,
            Self::UpstreamOverloaded | Self::Overloaded => 503,
            Self::UpstreamTimeout => 504,
        }
    }
}

impl std::fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
