//! Credentials of providers that the catalog keeps: put in, changed and deleted, never shown.

#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use signalbox_catalog::{Credential, Principal};
use signalbox_types::{ErrorClass, KeyId, Secret, Timestamp};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// A credential that the catalog keeps, without its value.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StoredCredential {
    /// What the configuration calls it: `credentials: [{name: main, catalog: <name>}]` of a provider.
    #[schema(example = "openai-main")]
    name: String,
    /// The end of its value, to tell values apart.
    last4: String,
    /// When the value was set.
    set_at: Timestamp,
    /// The virtual key that set it.
    set_by: KeyId,
    /// Why it can't be used, if it can't.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// Providers that are configured to use it.
    used_by: Vec<String>,
}

/// All of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StoredCredentials {
    /// By name.
    credentials: Vec<StoredCredential>,
    /// Names that the configuration has and nobody has set.
    wanted: Vec<String>,
}

/// A value to keep.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetCredential {
    /// The credential itself. It is encrypted, and no answer ever holds it.
    #[schema(value_type = String, example = "sk-…")]
    value: Secret,
}

/// List the stored credentials.
#[utoipa::path(get, path = "/api/v1/credentials", operation_id = "list_credentials", tag = "House", responses(
    (status = 200, description = "Without their values.", body = StoredCredentials),
    (status = 403, description = "It is not the first key.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Result<Json<StoredCredentials>, ApiError> {
    only_first(&app, &caller).await?;
    let used = used(&app);
    let stored: Vec<StoredCredential> =
        app.catalog.credentials().into_iter().map(|one| StoredCredential::of(one, &used)).collect();
    let mut wanted: Vec<String> = used.into_iter().map(|(name, _)| name).collect();
    wanted.retain(|name| stored.iter().all(|one| one.name != *name));
    wanted.sort();
    wanted.dedup();
    Ok(Json(StoredCredentials { credentials: stored, wanted }))
}

/// Set a credential.
///
/// Makes it or exchanges its value. Calls that begin after the answer go out with it; nothing has to be restarted. Signalbox
/// needs a key to encrypt it with: `SIGNALBOX_CREDENTIALS_KEY`.
#[utoipa::path(put, path = "/api/v1/credentials/{name}", operation_id = "set_credential", tag = "House", params(("name" = String, Path, description = "What the configuration calls it.")), request_body = SetCredential, responses(
    (status = 200, description = "It is kept, and in force.", body = StoredCredential),
    (status = 403, description = "It is not the first key.", body = crate::envelope::ErrorAnswer),
    (status = 409, description = "There is no key to encrypt it with.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn set(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(wanted): Json<SetCredential>,
) -> Result<Json<StoredCredential>, ApiError> {
    only_first(&app, &caller).await?;
    let set = app.catalog.set_credential(&caller, &name, &wanted.value).await?;
    Ok(Json(StoredCredential::of(set, &used(&app))))
}

/// Delete a credential.
///
/// Providers that use it are off from then on.
#[utoipa::path(delete, path = "/api/v1/credentials/{name}", operation_id = "delete_credential", tag = "House", params(("name" = String, Path, description = "What the configuration calls it.")), responses(
    (status = 204, description = "It is gone."),
    (status = 403, description = "It is not the first key.", body = crate::envelope::ErrorAnswer),
    (status = 404, description = "There is none of that name.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn delete(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    only_first(&app, &caller).await?;
    app.catalog.delete_credential(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl StoredCredential {
    fn of(one: Credential, used: &[(String, String)]) -> Self {
        let used_by = used.iter().filter(|(name, _)| *name == one.name).map(|(_, provider)| provider.clone()).collect();
        Self {
            name: one.name,
            last4: one.last4,
            set_at: one.set_at,
            set_by: one.set_by,
            fault: one.fault.map(|fault| fault.to_string()),
            used_by,
        }
    }
}

/// Names in the catalog, each with a provider that uses it.
fn used(app: &App) -> Vec<(String, String)> {
    let providers = (app.providers)();
    let of = |provider: signalbox_upstream::ProviderStatus| {
        let name = provider.name;
        let own = provider.credentials.into_iter().filter_map(|one| one.catalog);
        own.map(|credential| (credential, name.clone())).collect::<Vec<_>>()
    };
    let mut used: Vec<(String, String)> = providers.into_iter().flat_map(of).collect();
    used.dedup();
    used
}

/// The calls of all projects go out with them.
async fn only_first(app: &App, caller: &Principal) -> Result<(), ApiError> {
    if app.catalog.is_first_key(caller).await? {
        return Ok(());
    }
    let message = "credentials are for the calls of all projects, and this key opens one";
    let error = ApiError::new(ErrorClass::PermissionDenied, message);
    Err(error.hint("ask with the first key, the one that `signalbox up` printed at its first start"))
}
