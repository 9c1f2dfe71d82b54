//! The key of a sender, wherever its exporter puts it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use signalbox_catalog::{AuthError, Catalog, Principal};

/// Headers whose whole value is a key. Other tools' exporters are configured with their own.
const PLAIN: &[&str] = &["x-signalbox-key", "x-secret-key", "x-api-key", "api_key", "api-key", "dd-api-key"];

/// Who sends this: the first key that opens something.
pub(crate) fn authenticate(headers: &HeaderMap, catalog: &Catalog) -> Result<Principal, AuthError> {
    let mut worst = AuthError::Missing;
    for key in keys(headers) {
        match catalog.authenticate(&key) {
            Ok(principal) => return Ok(principal),
            Err(AuthError::Missing) => {}
            // Says more than "unknown": it was a key of ours.
            Err(AuthError::Revoked) => worst = AuthError::Revoked,
            Err(AuthError::Unknown) if worst == AuthError::Missing => worst = AuthError::Unknown,
            Err(AuthError::Unknown) => {}
        }
    }
    Err(worst)
}

fn keys(headers: &HeaderMap) -> Vec<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let mut keys = Vec::new();
    if let Some(credentials) = text(AUTHORIZATION.as_str()) {
        authorization(credentials, &mut keys);
    }
    if let Some(credentials) = text("helicone-auth") {
        authorization(credentials, &mut keys);
    }
    keys.extend(PLAIN.iter().filter_map(|name| text(name)).map(str::to_owned));
    keys
}

/// `Bearer <key>`, `Basic <base64 of public:secret>`, or the key alone (Logfire, Opik).
fn authorization(credentials: &str, keys: &mut Vec<String>) {
    // Some SDKs send what is in OTEL_EXPORTER_OTLP_HEADERS without decoding it.
    let credentials = credentials.replacen("%20", " ", 1);
    let Some((scheme, rest)) = credentials.split_once(' ') else {
        keys.push(credentials);
        return;
    };
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest.trim()).or_else(|_| STANDARD_NO_PAD.decode(rest.trim()));
        let Some(pair) = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok()) else { return };
        // Langfuse: `pk:sk`. Whichever half is ours.
        match pair.split_once(':') {
            Some((public, secret)) => keys.extend([secret.to_owned(), public.to_owned()]),
            None => keys.push(pair),
        }
    } else {
        keys.push(rest.trim().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn wherever_the_key_stands() {
        let check = |headers: &[(&str, &str)], expected: &[&str]| {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
                .collect();
            assert_eq!(keys(&headers), expected, "{headers:?}");
        };
        check(&[("authorization", "Bearer k")], &["k"]);
        check(&[("authorization", "bearer  k ")], &["k"]);
        check(&[("authorization", "Bearer%20k")], &["k"]);
        check(&[("authorization", "k")], &["k"]);
        check(&[("authorization", "Basic cGs6c2s=")], &["sk", "pk"]);
        check(&[("authorization", "Basic cGs6c2s")], &["sk", "pk"]);
        check(&[("authorization", "Basic cGs6")], &["", "pk"]);
        check(&[("authorization", "Basic ~")], &[]);
        check(&[("x-api-key", "a"), ("x-secret-key", "s")], &["s", "a"]);
        check(&[("api_key", "k")], &["k"]);
        check(&[("dd-api-key", "k")], &["k"]);
        check(&[("helicone-auth", "Bearer k")], &["k"]);
        check(&[("x-signalbox-key", "k"), ("authorization", "Bearer other")], &["other", "k"]);
        check(&[], &[]);
    }
}
