//! Virtual keys: made, shown once, revoked.

#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use signalbox_catalog::Key;
use signalbox_types::{KeyId, Timestamp};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// A virtual key, without the key itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct VirtualKey {
    /// Its public id, which spans carry as `key_id`.
    id: KeyId,
    /// The name its maker gave it.
    name: String,
    /// Its last characters.
    last4: String,
    /// When it was made.
    created_at: Timestamp,
    /// The key that made it; absent on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<KeyId>,
    /// When it was revoked; absent while it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Timestamp>,
    /// It is the key (or the key behind the session) that asks.
    current: bool,
}

/// The keys of a project.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct VirtualKeys {
    /// Newest first, revoked ones included.
    keys: Vec<VirtualKey>,
}

/// A key to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateKey {
    /// What it is for.
    #[schema(example = "support-bot production", min_length = 1, max_length = 100)]
    name: String,
}

/// A key that was made just now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CreatedKey {
    /// Its public id.
    id: KeyId,
    /// The name its maker gave it.
    name: String,
    /// The key itself. It is never shown again.
    #[schema(example = "sb-…")]
    key: String,
    /// Its last characters.
    last4: String,
    /// When it was made.
    created_at: Timestamp,
}

impl VirtualKey {
    fn of(key: Key, caller: &KeyId) -> Self {
        Self {
            current: key.id == *caller,
            id: key.id,
            name: key.name,
            last4: key.last4,
            created_at: key.created_at,
            created_by: key.created_by,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// List the keys.
#[utoipa::path(get, path = "/api/v1/keys", operation_id = "list_keys", tag = "Keys", responses((status = 200, description = "The keys of this project.", body = VirtualKeys)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Result<Json<VirtualKeys>, ApiError> {
    let keys = app.catalog.list_keys(&caller.project).await?;
    Ok(Json(VirtualKeys { keys: keys.into_iter().map(|key| VirtualKey::of(key, &caller.key_id)).collect() }))
}

/// Make a key.
///
/// The answer is the only time that the key is shown.
#[utoipa::path(post, path = "/api/v1/keys", operation_id = "create_key", tag = "Keys", request_body = CreateKey, responses((status = 201, description = "The key, this once.", body = CreatedKey)))]
pub(crate) async fn create(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(wanted): Json<CreateKey>,
) -> Result<(StatusCode, Json<CreatedKey>), ApiError> {
    let made = app.catalog.create_key(&caller, &wanted.name).await?;
    let key = made.key.expose().to_owned();
    let answer = CreatedKey { id: made.id, name: made.name, key, last4: made.last4, created_at: made.created_at };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Revoke a key.
///
/// It opens nothing from the moment this is answered, and the sessions that it opened are closed.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", operation_id = "revoke_key", tag = "Keys", params(("id" = String, Path, description = "The key's public id.")), responses(
    (status = 204, description = "Revoked."),
    (status = 404, description = "There is no such key in this project.", body = crate::envelope::ErrorAnswer),
    (status = 409, description = "It is the last key that works.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn revoke(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.catalog.revoke_key(&caller, &KeyId::new(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
