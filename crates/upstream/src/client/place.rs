//! Where an operation is, below the base URL: the same for every call, or with the model in the path.

use std::borrow::Cow;

use http::Uri;
use http::uri::InvalidUri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::Operation;

/// What a model's name may hold as it is. A `/` would lead elsewhere.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');
const MODEL: &str = "{model}";

#[derive(Debug, Clone)]
pub(crate) enum Place {
    Fixed(Uri),
    /// What stands before and behind the model.
    Model(String, String),
}

impl Place {
    pub(crate) fn parse(path: &str) -> Result<Self, InvalidUri> {
        let Some((before, behind)) = path.split_once(MODEL) else { return path.parse().map(Self::Fixed) };
        let place = Self::Model(before.to_owned(), behind.to_owned());
        place.uri("m").map(|_| ()).and(Ok(place))
    }

    pub(crate) fn uri(&self, model: &str) -> Result<Cow<'_, Uri>, InvalidUri> {
        match self {
            Self::Fixed(uri) => Ok(Cow::Borrowed(uri)),
            Self::Model(before, behind) => {
                format!("{before}{}{behind}", utf8_percent_encode(model, PLAIN)).parse().map(Cow::Owned)
            }
        }
    }
}

/// Where the operations of a provider are.
#[derive(Debug)]
pub(crate) struct Places {
    /// Absent where there are no chats.
    pub(crate) chat: Option<Place>,
    pub(crate) chat_stream: Option<Place>,
    pub(crate) others: Vec<(Operation, Place)>,
}

impl Places {
    pub(crate) fn find(&self, operation: Operation, stream: bool) -> Option<&Place> {
        match operation {
            Operation::Chat if stream => self.chat_stream.as_ref().or(self.chat.as_ref()),
            Operation::Chat => self.chat.as_ref(),
            other => self.others.iter().find(|(operation, _)| *operation == other).map(|(_, place)| place),
        }
    }

    /// The operation of a path.
    pub(crate) fn at(&self, path: &str) -> Option<Operation> {
        let is_it = |place: &Place| matches!(place, Place::Fixed(uri) if uri.path() == path);
        if self.chat.as_ref().is_some_and(is_it) {
            return Some(Operation::Chat);
        }
        self.others.iter().find(|(_, place)| is_it(place)).map(|(operation, _)| *operation)
    }
}

/// The path and the query of a base URL.
#[derive(Debug, Default)]
pub(crate) struct Root {
    pub(crate) path: String,
    /// With its question mark, or empty.
    pub(crate) query: String,
}

impl Root {
    /// Where a path leads that callers write behind it. People write the end of the base URL again, since their SDKs
    /// begin with it (`/v1/files` for a base URL that ends in `/v1`): it is there once. None for what would lead out of it.
    pub(crate) fn through(&self, path: &str) -> Option<Uri> {
        let decoded = percent_decode_str(path).decode_utf8().ok()?;
        let leads_out = decoded.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."));
        // What is decoded twice somewhere is not to be trusted.
        let is_twice = decoded.contains("%2e") || decoded.contains("%2E");
        if !path.starts_with('/') || leads_out || is_twice || decoded.chars().any(char::is_control) {
            return None;
        }
        let own: Vec<&str> = self.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let asked: Vec<&str> = path.split('/').skip(1).collect();
        let overlaps = |start: &usize| own.get(*start..).is_some_and(|end| asked.starts_with(end));
        let start = (0..own.len()).find(overlaps).unwrap_or(own.len());
        let base: String = own.iter().take(start).map(|segment| format!("/{segment}")).collect();
        format!("{base}{path}{}", self.query).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_base_url() {
        let check = |base: &str, path: &str, expected: Option<&str>| {
            let root = Root { path: base.to_owned(), query: String::new() };
            assert_eq!(root.through(path).map(|uri| uri.to_string()).as_deref(), expected, "{base} {path}");
        };
        check("/v1", "/files", Some("/v1/files"));
        check("/v1", "/v1/files", Some("/v1/files"));
        check("/openai/v1", "/v1/files", Some("/openai/v1/files"));
        check("/openai/v1", "/openai/v1/files", Some("/openai/v1/files"));
        check("", "/v1/messages", Some("/v1/messages"));
        check("/v1beta", "/v1beta/models/m:countTokens", Some("/v1beta/models/m:countTokens"));
        check("/v1", "/files/a%20b", Some("/v1/files/a%20b"));
        for path in [
            "files",
            "/../admin",
            "/a/..",
            "/%2e%2e/admin",
            "/a%2f..%2fb",
            "/a\\..",
            "/%252e%252e/x",
            "/a%0d%0ab",
            "/.",
        ] {
            check("/v1", path, None);
        }
        let root = Root { path: "/v1".to_owned(), query: "?api-version=1".to_owned() };
        assert_eq!(root.through("/files").unwrap().to_string(), "/v1/files?api-version=1");
    }

    #[test]
    fn a_model_stays_within_its_segment() {
        let place = Place::parse("/v1beta/models/{model}:generateContent").unwrap();
        let check = |model: &str, expected: &str| assert_eq!(place.uri(model).unwrap().to_string(), expected);
        check("gemini-2.5-pro", "/v1beta/models/gemini-2.5-pro:generateContent");
        check("../files?x=1#y", "/v1beta/models/..%2Ffiles%3Fx%3D1%23y:generateContent");
        check("mödel 1%", "/v1beta/models/m%C3%B6del%201%25:generateContent");
        assert_eq!(Place::parse("/v1/x").unwrap().uri("m").unwrap().to_string(), "/v1/x");
    }
}
