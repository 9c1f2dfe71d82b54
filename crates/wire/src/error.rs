//! What can be wrong with a body, and errors on their way to a caller.

use signalbox_types::ErrorClass;

use crate::json::{Body, Path};
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
    /// A key that is read stands twice in one object. Parsers disagree on which one counts, so a scanner and
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

impl Dialect {
    /// What the caller's field asks for can't be said in this dialect.
    pub(crate) fn lacks(self, field: impl Into<String>, hint: impl Into<String>) -> WireError {
        WireError::Unsupported { field: field.into(), dialect: self, hint: hint.into() }
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

    /// A stream went on with something that the caller's dialect has no words for.
    pub(crate) fn unsaid(dialect: Dialect) -> Self {
        let message =
            format!("the provider answered with content that can't be said to a caller that speaks `{dialect}`");
        Self::new(ErrorClass::UpstreamError, message)
    }
}

/// Whether a whole answer, of whatever dialect, tells an error and is none.
///
/// # Errors
/// It is no JSON object.
pub fn tells_error(body: &[u8]) -> Result<bool, WireError> {
    let root = Body::parse(body)?.root();
    // That a field stands twice is the matter of who reads it.
    if root.is_object() { Ok(root.has("error")) } else { Err(Path::Root.invalid("an object", root.kind())) }
}

/// The longest message of a provider that is passed on, in characters.
const LONGEST_MESSAGE: usize = 2_000;
/// The longest excerpt of a body that is no error of any known shape, in characters.
const LONGEST_EXCERPT: usize = 200;

/// What an error body says, whatever the provider. The shapes overlap so far that one lenient
/// reader serves every dialect: `{"error":{message,type,param,code}}`, `{"error":"text"}`, the same
/// in a list (Gemini), `{"message":…}`, `{"detail":…}` (FastAPI), or no JSON at all.
pub(crate) fn read(status: u16, body: &[u8]) -> ErrorBody {
    let body = Body::parse(body).ok().map(|body| body.root()).ok_or(body);
    let found = body.ok().and_then(|root| {
        let root = if root.is_list() { root.list(Path::Root).ok()?.first().copied()? } else { root };
        root.object(Path::Root).ok()
    });
    let excerpt = || match body {
        Ok(root) => root.raw().to_owned(),
        Err(bytes) => String::from_utf8_lossy(bytes.get(..4_096).unwrap_or(bytes)).into_owned(),
    };
    let Some(root) = found else { return unknown(status, &excerpt()) };
    let inner = root.get("error").filter(|node| node.is_object()).and_then(|node| node.object(Path::Root).ok());
    let fields = inner.as_ref().unwrap_or(&root);
    let message = ["message", "error", "detail", "Message"].iter().find_map(|name| fields.str(name));
    let kind = fields.str("type").filter(|kind| kind != "error");
    let code = fields.get("code").map(|code| match code.is_text() {
        true => code.unescape().into_owned(),
        false => code.raw().to_owned(),
    });
    let Some(message) = message.filter(|message| !message.is_empty()) else { return unknown(status, &excerpt()) };
    let class = class_of(status, kind.as_deref(), code.as_deref());
    let message = presentable(&message, LONGEST_MESSAGE);
    ErrorBody {
        class,
        // The provider means us: callers must not think that it is their own key.
        message: match class {
            ErrorClass::UpstreamAuth => format!("the provider refused the gateway's credential: {message}"),
            _ => message,
        },
        param: fields.str("param").map(std::borrow::Cow::into_owned),
        code,
    }
}

fn unknown(status: u16, excerpt: &str) -> ErrorBody {
    let excerpt = presentable(excerpt, LONGEST_EXCERPT);
    let message = if excerpt.is_empty() {
        format!("the provider answered with status {status} and no explanation")
    } else {
        format!("the provider answered with status {status}: {excerpt}")
    };
    ErrorBody::new(class_of(status, None, None), message)
}

fn class_of(status: u16, kind: Option<&str>, code: Option<&str>) -> ErrorClass {
    // A status of success says nothing: then it is an error within a stream, and the words count.
    let known = match status {
        400 | 405 | 409 | 415 | 422 => Some(ErrorClass::InvalidRequest),
        401 | 403 => Some(ErrorClass::UpstreamAuth),
        402 => Some(ErrorClass::RateLimited),
        404 => Some(ErrorClass::NotFound),
        408 | 504 => Some(ErrorClass::UpstreamTimeout),
        413 => Some(ErrorClass::RequestTooLarge),
        429 => Some(ErrorClass::RateLimited),
        503 | 529 => Some(ErrorClass::UpstreamOverloaded),
        _ => None,
    };
    known.or_else(|| class_of_word(kind?)).or_else(|| class_of_word(code?)).unwrap_or(ErrorClass::UpstreamError)
}

fn class_of_word(word: &str) -> Option<ErrorClass> {
    Some(match word {
        "invalid_request_error" | "invalid_prompt" | "400" => ErrorClass::InvalidRequest,
        "authentication_error" | "permission_error" | "invalid_api_key" | "401" | "403" => ErrorClass::UpstreamAuth,
        "not_found_error" | "model_not_found" | "404" => ErrorClass::NotFound,
        "request_too_large" | "413" => ErrorClass::RequestTooLarge,
        "rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" | "tokens" | "requests" | "429" => {
            ErrorClass::RateLimited
        }
        "timeout_error" | "504" => ErrorClass::UpstreamTimeout,
        "overloaded_error" | "overloaded" | "503" | "529" => ErrorClass::UpstreamOverloaded,
        _ => return None,
    })
}

/// A provider's text, fit to be shown: short, on one line, and without the operator's credentials,
/// which some providers repeat when they refuse them.
fn presentable(text: &str, longest: usize) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        // Quotes and the like may stand around a key, so pieces are looked at, not words.
        for piece in word.split_inclusive(|char: char| !is_of_key(char)) {
            let bare = piece.trim_end_matches(|char: char| !is_of_key(char));
            if bare.len() > 10 && KEY_PREFIXES.iter().any(|prefix| bare.starts_with(prefix)) {
                out.push_str("[key]");
                out.extend(piece.chars().skip(bare.chars().count()));
            } else {
                out.push_str(piece);
            }
        }
    }
    match out.char_indices().nth(longest) {
        Some((end, _)) => {
            out.truncate(end);
            out.push('…');
            out
        }
        None => out,
    }
}

/// Providers print keys with stars in the middle.
fn is_of_key(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '*')
}

const KEY_PREFIXES: &[&str] = &["sk-", "sk_", "gsk_", "xai-", "AIza", "pplx-"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_no_error_for_what_stands_in_it_twice() {
        for (body, told) in [
            (r#"{"id":"a","id":"b","usage":{},"usage":{},"choices":[]}"#, false),
            (r#"{"error":null,"choices":[{"error":"no"}]}"#, false),
            (r#"{"error":null,"error":{"message":"m"}}"#, true),
            (r#" {"\u0065rror":"e"} "#, true),
        ] {
            assert_eq!(tells_error(body.as_bytes()).unwrap(), told, "{body}");
        }
        for body in ["[]", "\"error\"", "null", "", "{\"error\":", "<html>"] {
            assert!(tells_error(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn reads_every_shape_of_error() {
        let check = |status: u16, body: &str, class: ErrorClass, message: &str| {
            let found = read(status, body.as_bytes());
            assert_eq!((found.class, found.message.as_str()), (class, message), "{body}");
        };
        use ErrorClass as C;
        check(
            429,
            r#"{"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}"#,
            C::RateLimited,
            "slow",
        );
        check(
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            C::UpstreamOverloaded,
            "Overloaded",
        );
        check(
            200,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            C::UpstreamOverloaded,
            "Overloaded",
        );
        check(200, r#"{"error":{"message":"boom","code":429}}"#, C::RateLimited, "boom");
        check(400, r#"[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]"#, C::InvalidRequest, "bad");
        check(500, r#"{"error":"model crashed"}"#, C::UpstreamError, "model crashed");
        check(422, r#"{"detail":"field required"}"#, C::InvalidRequest, "field required");
        check(
            422,
            r#"{"detail":[{"loc":["body"]}]}"#,
            C::InvalidRequest,
            r#"the provider answered with status 422: {"detail":[{"loc":["body"]}]}"#,
        );
        check(
            502,
            "<html>\n<h1>Bad Gateway</h1>",
            C::UpstreamError,
            "the provider answered with status 502: <html> <h1>Bad Gateway</h1>",
        );
        check(503, "", C::UpstreamOverloaded, "the provider answered with status 503 and no explanation");
        check(
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-abcd1234efgh. See…"}}"#,
            C::UpstreamAuth,
            "the provider refused the gateway's credential: Incorrect API key provided: [key]. See…",
        );
    }

    #[test]
    fn no_key_gets_through() {
        let check = |text: &str, expect: &str| assert_eq!(presentable(text, 100), expect);
        check(r#"{"key":"sk-ant-api03-abc","x":1}"#, r#"{"key":"[key]","x":1}"#);
        check("key 'gsk_12345678' and sk-abc****************xyz.", "key '[key]' and [key].");
        check("risk-averse sk-short ask-me-anything-now", "risk-averse sk-short ask-me-anything-now");
    }

    #[test]
    fn cuts_long_garbage() {
        let message = read(500, "é".repeat(100_000).as_bytes()).message;
        assert!(message.chars().count() < 300 && message.ends_with('…'), "{message}");
    }
}
