//! Base URLs: as people write them, and as calls need them.

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use signalbox_wire::Dialect;

use crate::client::Place;

/// A base URL in the pieces that calls need.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) origin: Uri,
    pub(crate) host: HeaderValue,
    pub(crate) path: String,
    pub(crate) query: String,
}

impl Base {
    /// `Err` is what is wrong and what to write. With a dialect, the path is mended as people mean it.
    pub(crate) fn parse(url: &str, dialect: Option<Dialect>) -> Result<Self, (String, String)> {
        let hint = || "write it like `https://api.example.com/v1`".to_owned();
        let shown: String = url.split(['?', '#']).next().unwrap_or_default().chars().take(100).collect();
        let Ok(uri) = url.parse::<Uri>() else { return Err((format!("`{shown}` is no URL"), hint())) };
        let authority = uri.authority().filter(|_| matches!(uri.scheme_str(), Some("http" | "https")));
        let Some(authority) = authority else {
            return Err((format!("`{shown}` does not begin with http:// or https:// and a host"), hint()));
        };
        if authority.as_str().contains('@') {
            return Err(("it holds a user name or password".to_owned(), "use `api_key` or `headers`".to_owned()));
        }
        let host = HeaderValue::try_from(authority.as_str()).map_err(|_| (format!("`{shown}` is no URL"), hint()))?;
        let path = uri.path().trim_end_matches('/');
        let path = match dialect {
            // OpenAI's SDKs want `/v1` in the base URL, and people forget it.
            Some(Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::OpenaiResponses) if path.is_empty() => {
                "/v1"
            }
            // Google's SDKs add it.
            Some(Dialect::Gemini) if path.is_empty() => "/v1beta",
            // Cohere's SDKs add theirs.
            Some(Dialect::CohereV2) => path.strip_suffix("/v2").unwrap_or(path),
            // Anthropic's SDKs add it, and people write it.
            Some(Dialect::AnthropicMessages) => path.strip_suffix("/v1").unwrap_or(path),
            _ => path,
        };
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let origin = Uri::builder()
            .scheme(uri.scheme().cloned().unwrap_or(Scheme::HTTPS))
            .authority(authority.clone())
            .path_and_query(PathAndQuery::from_static("/"))
            .build()
            .map_err(|_| (format!("`{shown}` is no URL"), hint()))?;
        Ok(Self { origin, host, path: path.to_owned(), query })
    }

    pub(crate) fn join(&self, path: &str) -> Result<Place, String> {
        let (path, own) = path.split_once('?').unwrap_or((path, ""));
        // What the base URL says of a parameter wins.
        let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        let given: Vec<&str> = self.query.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty()).collect();
        let own =
            own.split('&').filter(|pair| !pair.is_empty() && !given.iter().any(|other| name(other) == name(pair)));
        let pairs: Vec<&str> = own.chain(given.iter().copied()).collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        // At the host's root.
        let (base, path) = match path.strip_prefix('/').filter(|path| path.starts_with('/')) {
            Some(path) => ("", path),
            None => (self.path.as_str(), path),
        };
        Place::parse(&format!("{base}{path}{query}")).map_err(|_| "its path is no URL path".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Paths;

    fn check(url: &str, dialect: Dialect, chat: &str) {
        let base = Base::parse(url, Some(dialect)).unwrap();
        let place = base.join(&Paths::of(dialect).chat).unwrap();
        assert_eq!(place.uri("m").unwrap().to_string(), chat, "{url}");
    }

    #[test]
    fn base_urls_as_people_write_them() {
        check("http://127.0.0.1:11434", Dialect::OpenaiChat, "/v1/chat/completions");
        check("http://127.0.0.1:11434/", Dialect::OpenaiChat, "/v1/chat/completions");
        check("https://api.openai.com/v1/", Dialect::OpenaiChat, "/v1/chat/completions");
        check(
            "https://example.com/openai?api-version=1",
            Dialect::OpenaiChat,
            "/openai/chat/completions?api-version=1",
        );
        check("https://api.anthropic.com", Dialect::AnthropicMessages, "/v1/messages");
        check("https://api.anthropic.com/v1", Dialect::AnthropicMessages, "/v1/messages");
        check("https://generativelanguage.googleapis.com", Dialect::Gemini, "/v1beta/models/m:generateContent");
        check("https://example.com/v1/?x=1", Dialect::Gemini, "/v1/models/m:generateContent?x=1");
        check("https://proxy.example/anthropic", Dialect::AnthropicMessages, "/anthropic/v1/messages");
    }

    #[test]
    fn a_parameter_of_the_base_url_wins_over_the_paths() {
        let join = |url: &str| {
            let place = Base::parse(url, None).unwrap().join("/chat?api-version=2024-10-21&x=1").unwrap();
            place.uri("m").unwrap().to_string()
        };
        assert_eq!(join("https://r.example"), "/chat?api-version=2024-10-21&x=1");
        assert_eq!(join("https://r.example?API-version=2025-04-01"), "/chat?x=1&API-version=2025-04-01");
    }

    #[test]
    fn some_paths_are_at_the_root_of_the_host() {
        let base = Base::parse("https://api.cohere.ai/compatibility/v1?x=1", None).unwrap();
        let uri = |path: &str| base.join(path).unwrap().uri("m").unwrap().to_string();
        assert_eq!(
            (uri("//v2/rerank"), uri("/rerank")),
            ("/v2/rerank?x=1".to_owned(), "/compatibility/v1/rerank?x=1".to_owned())
        );
    }

    #[test]
    fn base_urls_that_are_wrong() {
        for url in ["", "api.openai.com/v1", "ftp://x/y", "http://", "https://user:secret@x/v1", "http://a b"] {
            let (message, hint) = Base::parse(url, Some(Dialect::OpenaiChat)).unwrap_err();
            assert!(!message.contains("secret") && !hint.contains("secret"), "{message}");
        }
    }
}
