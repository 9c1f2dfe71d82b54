//! Signing in: a key, once, for a cookie.

#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use signalbox_catalog::{Principal, SESSION_LIFETIME};
use signalbox_types::{KeyId, ProjectId, Secret};

use crate::auth::{self, COOKIE, Caller};
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// Who is signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Session {
    /// The project that the key opens.
    project: ProjectId,
    /// The key's public id.
    key_id: KeyId,
    /// The key's name.
    key_name: String,
}

/// What to sign in with.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// A virtual key.
    #[schema(value_type = String, format = Password, example = "sb-…")]
    key: Secret,
}

impl From<Principal> for Session {
    fn from(principal: Principal) -> Self {
        Self { project: principal.project, key_id: principal.key_id, key_name: principal.key_name }
    }
}

/// Sign in.
///
/// Sets the cookie `signalbox_session` (HttpOnly, SameSite=Strict), which lasts 30 days.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "sign_in", tag = "Session", security(()), request_body = SignIn, responses(
    (status = 200, description = "Signed in.", body = Session, headers(("Set-Cookie" = String, description = "The session."))),
    (status = 401, description = "The key is unknown or revoked.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn open(
    State(app): State<App>,
    headers: HeaderMap,
    Json(sign_in): Json<SignIn>,
) -> Result<Response, ApiError> {
    auth::same_origin(&headers)?;
    let principal = app
        .catalog
        .authenticate(sign_in.key.expose())
        .map_err(|error| ApiError { field: Some("key".to_owned()), ..error.into() })?;
    let token = app.catalog.open_session(&principal).await?;
    let cookie = cookie(token.expose(), SESSION_LIFETIME.as_secs(), &headers)?;
    Ok(([(header::SET_COOKIE, cookie)], Json(Session::from(principal))).into_response())
}

/// Who am I?
#[utoipa::path(get, path = "/api/v1/session", operation_id = "show_session", tag = "Session", responses((status = 200, description = "The holder of this key or cookie.", body = Session)))]
pub(crate) async fn show(Caller(caller): Caller) -> Json<Session> {
    Json(caller.into())
}

/// Sign out.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "sign_out", tag = "Session", security(()), responses((status = 204, description = "Signed out, also if nobody was signed in.")))]
pub(crate) async fn close(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    auth::same_origin(&headers)?;
    if let Some(token) = auth::session_token(&headers) {
        app.catalog.close_session(token).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", 0, &headers)?)]).into_response())
}

fn cookie(token: &str, max_age_s: u64, headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    // A browser drops a `Secure` cookie that came over plain HTTP, which is how a laptop serves us.
    let secure = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::from_str(&text).map_err(|error| ApiError::internal(&error))?;
    value.set_sensitive(true);
    Ok(value)
}
