//! The providers: which are on, and what would switch the others on.

#[cfg(test)]
mod tests;

use axum::extract::State;
use serde::Serialize;
use signalbox_upstream::ProviderStatus;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::parts::App;

/// Every provider that Signalbox knows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Providers {
    /// In the order of the registry.
    providers: Vec<ProviderStatus>,
}

/// List the providers.
#[utoipa::path(get, path = "/api/v1/providers", operation_id = "list_providers", tag = "House", responses((status = 200, description = "Those that are on and those that are off.", body = Providers)))]
pub(crate) async fn list(_: Caller, State(app): State<App>) -> Json<Providers> {
    Json(Providers { providers: app.upstream.providers() })
}
