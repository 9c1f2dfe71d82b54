//! What can be wrong with a body, and errors on their way to a caller.

use signalbox_types::ErrorClass;

use crate::registry::Dialect;

/// Why a body can't be read, or can't be said in another dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The body is no JSON at all.
    #[error("the body is not valid JSON: line {line}, column {column}: {message}")]
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A field that must be there isn't.
    #[error("`{field}` is missing: expected {expected}")]
    Missing {
        /// E.g. `messages[2].content`.
        field: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A field holds something else than it should.
    #[error("`{field}`: expected {expected}, found {found}")]
    Invalid {
        /// E.g. `messages[2].content`.
        field: String,
        /// What should be there.
        expected: &'static str,
        /// What is there: a kind of value, never the caller's text.
        found: String,
    },
    /// A key stands twice in one object. Parsers disagree on which one counts, so a scanner and
    /// the provider might read different texts.
    #[error("`{field}` stands twice in its object: send it once, parsers disagree on which one counts")]
    Duplicate {
        /// E.g. `messages[2].content`.
        field: String,
    },
    /// The call is fine, but the provider's dialect can't say it.
    #[error("`{field}` can't be sent to a provider that speaks `{dialect}`: {hint}")]
    Unsupported {
        /// The caller's field.
        field: String,
        /// The dialect that lacks it.
        dialect: Dialect,
        /// What to do instead.
        hint: String,
    },
    /// A stream ended before its end was announced.
    #[error("the stream broke off: `{dialect}` ends one with {expected}")]
    Truncated {
        /// The stream's dialect.
        dialect: Dialect,
        /// What would have been the end.
        expected: &'static str,
    },
}

impl WireError {
    /// The field that is at fault, for the `param` of an error body.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Missing { field, .. }
            | Self::Invalid { field, .. }
            | Self::Duplicate { field }
            | Self::Unsupported { field, .. } => Some(field),
            Self::Json { .. } | Self::Truncated { .. } => None,
        }
    }

    /// This as the answer to a caller whose request is at fault.
    #[must_use]
    pub fn to_request_error(&self) -> ErrorBody {
        ErrorBody {
            class: ErrorClass::InvalidRequest,
            message: self.to_string(),
            param: self.field().map(str::to_owned),
            code: None,
        }
    }
}

/// An error in no particular dialect: what a provider said, or what we say to a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    /// What kind; the HTTP status follows from it.
    pub class: ErrorClass,
    /// For people.
    pub message: String,
    /// The field at fault.
    pub param: Option<String>,
    /// A word for programs, e.g. `rate_limit_exceeded`; `None` = what the dialect says for the class.
    pub code: Option<String>,
}

impl ErrorBody {
    /// An error of this class with this message.
    #[must_use]
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), param: None, code: None }
    }
}
