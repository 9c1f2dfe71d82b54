//! What callers may say in the query string of a call.

use std::borrow::Cow;

use http::Uri;
use percent_encoding::percent_decode_str;

/// Where people put credentials. One in a call is the caller's own, and no provider's business.
const CREDENTIALS: &[&str] = &["key", "api_key", "api-key", "apikey", "access_token", "token"];

/// The path with the caller's parameters behind its own. A parameter that the base URL names is the
/// operator's to choose, and a credential is not passed on.
pub(crate) fn with_query<'a>(uri: &'a Uri, query: Option<&str>) -> Cow<'a, Uri> {
    // As a server reads it, for which `%6Bey` is `key`.
    let name = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase()
    };
    let own: Vec<String> = uri.query().unwrap_or_default().split('&').map(name).collect();
    let passes = |pair: &&str| {
        let name = name(pair);
        !pair.is_empty() && !own.contains(&name) && !CREDENTIALS.contains(&name.as_str())
    };
    let passed: Vec<&str> = query.unwrap_or_default().split('&').filter(passes).collect();
    if passed.is_empty() {
        return Cow::Borrowed(uri);
    }
    let joint = if uri.query().is_some() { '&' } else { '?' };
    // It came in a URL, so it fits into one.
    format!("{uri}{joint}{}", passed.join("&")).parse().map_or(Cow::Borrowed(uri), Cow::Owned)
}

/// The path with another behind it, before its parameters.
pub(super) fn below<'a>(uri: &'a Uri, path: Option<&str>) -> Cow<'a, Uri> {
    let Some(path) = path else { return Cow::Borrowed(uri) };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // It came in a path, so it fits into one.
    format!("{}{path}{query}", uri.path()).parse().map_or(Cow::Borrowed(uri), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &'static str, query: Option<&str>, expected: &str) {
        assert_eq!(with_query(&Uri::from_static(uri), query).to_string(), expected, "{query:?}");
    }

    #[test]
    fn the_callers_parameters_follow_the_operators() {
        check("/v1/messages", None, "/v1/messages");
        check("/v1/messages", Some(""), "/v1/messages");
        check("/v1/messages", Some("beta=true"), "/v1/messages?beta=true");
        check("/v1/messages", Some("beta=true&&x=%20y&z"), "/v1/messages?beta=true&x=%20y&z");
        check("/chat?api-version=1", Some("api-version=2&x=1"), "/chat?api-version=1&x=1");
        check("/chat?api-version=1", Some("API-Version=2"), "/chat?api-version=1");
        check("/chat", Some("key=sb-secret&api-key=s&x=1"), "/chat?x=1");
        check("/chat?api-version=1", Some("api%2Dversion=2&%6Bey=s&x%3D=1"), "/chat?api-version=1&x%3D=1");
    }

    #[test]
    fn a_path_below_stands_before_the_parameters() {
        let check = |uri: &'static str, path: Option<&str>, expected: &str| {
            assert_eq!(below(&Uri::from_static(uri), path).to_string(), expected);
        };
        check("/responses", None, "/responses");
        check("/responses", Some("/resp_1/cancel"), "/responses/resp_1/cancel");
        check("/responses?api-version=1", Some("/resp_1"), "/responses/resp_1?api-version=1");
    }
}
