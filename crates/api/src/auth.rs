//! Who is asking: the holder of a virtual key, or of the cookie that stands for one.
//!
//! A browser sends the cookie by itself, so a change that comes with a cookie must also show that
//! it comes from our own page: `SameSite=Strict`, a JSON body (see [`crate::envelope::Json`]), and
//! the check of `Sec-Fetch-Site` or `Origin` here. A key in a header needs none of that.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use signalbox_catalog::{AuthError, Principal};
use signalbox_types::ErrorClass;

use crate::error::ApiError;
use crate::parts::App;

/// The name of the session cookie.
pub(crate) const COOKIE: &str = "signalbox_session";

/// The caller, let in. A handler that takes one needs a key.
#[derive(Debug)]
pub(crate) struct Caller(pub(crate) Principal);

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let principal = principal(&parts.headers, app)?;
        if key(&parts.headers).is_some() {
            return Ok(Self(principal));
        }
        if parts.method != Method::GET && parts.method != Method::HEAD {
            same_origin(&parts.headers)?;
        }
        Ok(Self(principal))
    }
}

/// Whom the key or cookie in the headers stands for now. Waits for nothing, so that a stream can ask
/// again and again.
pub(crate) fn principal(headers: &HeaderMap, app: &App) -> Result<Principal, ApiError> {
    if let Some(key) = key(headers) {
        return Ok(app.catalog.authenticate(key)?);
    }
    let Some(token) = session_token(headers) else {
        return Err(ApiError::from(AuthError::Missing).hint("in a browser, sign in first"));
    };
    app.catalog.session(token).ok_or_else(|| {
        ApiError::new(ErrorClass::Unauthenticated, "the session has ended").hint("sign in again with a virtual key")
    })
}

/// The key in the headers, if there is one.
fn key(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        // Basic belongs to a proxy in front of us: the cookie may still be there.
        scheme.eq_ignore_ascii_case("bearer").then_some(key)
    });
    bearer.or_else(|| text(header::HeaderName::from_static("x-api-key")))
}

/// The session token in the cookies, if there is one.
pub(crate) fn session_token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    })
}

/// Refuses what a page of another site made the browser send.
pub(crate) fn same_origin(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let own = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        // Behind a proxy that ends TLS only the authority is the same.
        (None, Some(origin)) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some() && [text("host"), text("x-forwarded-host")].contains(&authority)
        }
        // No browser: those send one of the two with every change.
        (None, None) => true,
    };
    if own {
        return Ok(());
    }
    Err(ApiError::new(ErrorClass::PermissionDenied, "this change was sent by a page of another site")
        .hint("send a virtual key in `Authorization: Bearer <key>` instead of the browser's cookie"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn finds_the_key() {
        let check = |pairs: &[(&'static str, &'static str)], expect| assert_eq!(key(&headers(pairs)), expect);
        check(&[("authorization", "Bearer sb-1")], Some("sb-1"));
        check(&[("authorization", "bearer sb-1"), ("x-api-key", "sb-2")], Some("sb-1"));
        check(&[("authorization", "Basic dTpw"), ("x-api-key", "sb-2")], Some("sb-2"));
        check(&[("authorization", "Basic dTpw")], None);
        check(&[], None);
    }

    #[test]
    fn finds_the_cookie_among_others() {
        let check = |cookies, expect| assert_eq!(session_token(&headers(&[("cookie", cookies)])), expect);
        check("a=b; signalbox_session=sbs-1;c=d", Some("sbs-1"));
        check("signalbox_session=sbs-1", Some("sbs-1"));
        check("xsignalbox_session=sbs-1", None);
        check("", None);
    }

    #[test]
    fn tells_our_page_from_others() {
        let check = |pairs: &[(&'static str, &'static str)], expect| {
            assert_eq!(same_origin(&headers(pairs)).is_ok(), expect, "{pairs:?}")
        };
        check(&[("host", "box:7300")], true);
        check(&[("host", "box:7300"), ("origin", "http://box:7300")], true);
        check(&[("host", "inner"), ("x-forwarded-host", "box.example"), ("origin", "https://box.example")], true);
        check(&[("host", "box:7300"), ("origin", "http://evil.example")], false);
        check(&[("host", "box:7300"), ("origin", "http://box:8000")], false);
        check(&[("host", "box:7300"), ("origin", "null")], false);
        check(&[("sec-fetch-site", "same-origin"), ("origin", "http://rewritten")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site"), ("host", "a"), ("origin", "http://a")], false);
    }
}
