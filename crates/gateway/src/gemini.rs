//! What is Google's own about a call: the model and what is asked stand in the path, the key perhaps in the query, and
//! a stream is a JSON list unless the query asks for events.

use http::HeaderMap;
use http::header::HeaderValue;
use percent_encoding::percent_decode_str;

/// Where a key may stand that is no `Authorization`.
const KEY: &str = "x-goog-api-key";
/// Both versions of the API have the same methods.
const VERSIONS: [&str; 2] = ["/v1beta/", "/v1/"];

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Generate,
    Stream,
    CountTokens,
    Embed,
    BatchEmbed,
}

const METHODS: [(Method, &str, &str); 5] = [
    (Method::Generate, "generateContent", "/v1beta/models/{model}:generateContent"),
    (Method::Stream, "streamGenerateContent", "/v1beta/models/{model}:streamGenerateContent"),
    (Method::CountTokens, "countTokens", "/v1beta/models/{model}:countTokens"),
    (Method::Embed, "embedContent", "/v1beta/models/{model}:embedContent"),
    (Method::BatchEmbed, "batchEmbedContents", "/v1beta/models/{model}:batchEmbedContents"),
];

impl Method {
    /// The path for records, messages and metrics: without the model.
    pub(crate) fn path(self) -> &'static str {
        METHODS.iter().find(|(method, ..)| *method == self).map_or("", |(_, _, path)| path)
    }
}

/// The names of the methods.
pub(crate) fn methods() -> impl Iterator<Item = (Method, &'static str)> {
    METHODS.iter().map(|(method, name, _)| (*method, *name))
}

/// What stands behind a model's name in a path, and is no method that there is. Models may have a `:` in their names, too.
pub(crate) fn unknown_method(path: &str) -> Option<&str> {
    let (_, name) = path.rsplit_once(':')?;
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_word && !METHODS.iter().any(|(_, known, _)| *known == name)).then_some(name)
}

/// Whether a path is of Google's API and no other: whatever is below `/v1beta`, and the methods of models below `/v1`.
pub(crate) fn handles(path: &str) -> bool {
    path.starts_with("/v1beta/") || find(path).is_some()
}

/// Method and model of a path.
pub(crate) fn find(path: &str) -> Option<(Method, String)> {
    let rest = VERSIONS.iter().find_map(|version| path.strip_prefix(version)?.strip_prefix("models/"))?;
    let (model, name) = rest.rsplit_once(':')?;
    let (method, ..) = METHODS.iter().find(|(_, known, _)| *known == name)?;
    Some((*method, percent_decode_str(model).decode_utf8_lossy().into_owned()))
}

/// What Google's parameters say; the others are left in the query.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// The caller's key. It is taken out, so that nothing can pass it on or write it down.
    key: Option<String>,
    /// `alt=sse`.
    pub(crate) events: bool,
    pub(crate) rest: Option<String>,
}

impl Query {
    pub(crate) fn read(query: Option<&str>) -> Self {
        let mut read = Self::default();
        let mut rest: Vec<&str> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match percent_decode_str(name).decode_utf8_lossy().as_ref() {
                "key" => read.key = Some(percent_decode_str(value).decode_utf8_lossy().into_owned()),
                "alt" | "$alt" => read.events = value == "sse",
                _ => rest.push(pair),
            }
        }
        read.rest = (!rest.is_empty()).then(|| rest.join("&"));
        read
    }

    /// Puts the key where all keys are looked for.
    pub(crate) fn give_key(&self, headers: &mut HeaderMap) {
        if headers.contains_key(KEY) {
            return;
        }
        if let Some(mut key) = self.key.as_deref().and_then(|key| HeaderValue::from_str(key).ok()) {
            key.set_sensitive(true);
            headers.insert(KEY, key);
        }
    }
}

/// Whether a caller of a path that Google's API shares with others is Google's.
pub(crate) fn is_of_google(headers: &HeaderMap, query: Option<&str>) -> bool {
    headers.contains_key(KEY) || Query::read(query).key.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_method_and_model() {
        let check = |path: &str, expected: Option<(Method, &str)>| {
            let expected = expected.map(|(method, model)| (method, model.to_owned()));
            assert_eq!(find(path), expected, "{path}");
        };
        check("/v1beta/models/gemini-2.5-pro:generateContent", Some((Method::Generate, "gemini-2.5-pro")));
        check("/v1/models/m:streamGenerateContent", Some((Method::Stream, "m")));
        check("/v1beta/models/sim/small:countTokens", Some((Method::CountTokens, "sim/small")));
        check("/v1beta/models/sim%2Fsmall:embedContent", Some((Method::Embed, "sim/small")));
        check("/v1beta/models/ollama/llama3:8b:generateContent", Some((Method::Generate, "ollama/llama3:8b")));
        check("/v1beta/models/m:predict", None);
        check("/v1/models/m", None);
        assert!(handles("/v1beta/cachedContents") && !handles("/v1/models/m") && !handles("/v1/chat/completions"));
    }

    #[test]
    fn takes_key_and_format_out_of_the_query() {
        let check = |query: &str, key: Option<&str>, events, rest: Option<&str>| {
            let expected = Query { key: key.map(str::to_owned), events, rest: rest.map(str::to_owned) };
            assert_eq!(Query::read(Some(query)), expected, "{query}");
        };
        check("alt=sse&key=sb-1", Some("sb-1"), true, None);
        check("%24alt=json&x=1&ke%79=sb%2D1&y", Some("sb-1"), false, Some("x=1&y"));
        check("", None, false, None);
    }
}
