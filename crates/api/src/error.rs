//! What a refusal says, and where it comes from.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use signalbox_catalog::{AuthError, CatalogError, FileFault};
use signalbox_types::ErrorClass;
use signalbox_types::query::InvalidQuery;
use signalbox_types::seam::StoreError;

use crate::envelope::{ErrorAnswer, ErrorDetail, Json};

/// A refusal: whose fault, which field, what would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) class: ErrorClass,
    pub(crate) message: String,
    pub(crate) field: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) retry_after_s: Option<u32>,
}

impl ApiError {
    pub(crate) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(class.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, class, message: message.into(), field: None, hint: None, retry_after_s: None }
    }

    /// The caller sent something that can't be served as it is.
    pub(crate) fn invalid(field: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        let field = field.into();
        let message = format!("`{field}`: {problem}");
        Self { field: Some(field), ..Self::new(ErrorClass::InvalidRequest, message) }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::NotFound, message)
    }

    /// A fault of ours: the log has the reason, the caller gets a plain sentence.
    pub(crate) fn internal(reason: &dyn std::fmt::Display) -> Self {
        tracing::error!(error.message = %reason, "a request to the API failed: {reason}");
        Self::new(ErrorClass::Internal, "something went wrong here; the log of Signalbox says what")
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = ErrorDetail { class: self.class, message: self.message, field: self.field, hint: self.hint };
        let mut response = (self.status, Json(ErrorAnswer { error: detail })).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"signalbox\""));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<InvalidQuery> for ApiError {
    fn from(error: InvalidQuery) -> Self {
        Self::invalid(error.field, error.problem)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Query(invalid) => invalid.into(),
            StoreError::Sql(message) => {
                Self { field: Some("sql".to_owned()), ..Self::new(ErrorClass::InvalidRequest, message) }
            }
            StoreError::Limit(message) => Self::new(ErrorClass::InvalidRequest, message)
                .hint("narrow the time range or the filter, or ask for fewer rows"),
            StoreError::Full { retry_after_s } => {
                Self { retry_after_s: Some(retry_after_s), ..Self::new(ErrorClass::Overloaded, error.to_string()) }
            }
            StoreError::Disk(_) | StoreError::Internal(_) => Self::internal(&error),
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        Self::new(error.class(), error.to_string())
    }
}

impl From<CatalogError> for ApiError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Invalid { field, problem } => Self::invalid(field, problem),
            CatalogError::UnknownKey(_) => {
                Self::not_found(error.to_string()).hint("`GET /api/v1/keys` lists the keys of this project")
            }
            CatalogError::UnknownCredential(_) => {
                Self::not_found(error.to_string()).hint("`GET /api/v1/credentials` lists them")
            }
            CatalogError::UnknownExperiment(_) => {
                Self::not_found(error.to_string()).hint("`GET /api/v1/experiments` lists them")
            }
            CatalogError::UnknownRule(_) => {
                Self::not_found(error.to_string()).hint("`GET /api/v1/online-rules` lists them")
            }
            CatalogError::UnknownRun(_) => Self::not_found(error.to_string()).hint("`GET /api/v1/runs` lists them"),
            CatalogError::LastKey(_)
            | CatalogError::Outdated { .. }
            | CatalogError::NoCredentialsKey
            | CatalogError::RunEnded { .. } => {
                Self::new(ErrorClass::InvalidRequest, error.to_string()).status(StatusCode::CONFLICT)
            }
            CatalogError::Unknown { problem, hint } => Self::not_found(problem).hint(hint),
            CatalogError::Conflict { problem, hint } => {
                Self::new(ErrorClass::InvalidRequest, problem).status(StatusCode::CONFLICT).hint(hint)
            }
            CatalogError::File { fault: FileFault::Locked, .. } | CatalogError::Closing => {
                Self { retry_after_s: Some(5), ..Self::new(ErrorClass::Overloaded, error.to_string()) }
            }
            // Not hidden: who holds a key of this house is who can mend its disk.
            CatalogError::File { .. } => {
                tracing::error!(error.message = %error, "the catalog can't be used: {error}");
                Self::new(ErrorClass::Internal, error.to_string())
            }
        }
    }
}
