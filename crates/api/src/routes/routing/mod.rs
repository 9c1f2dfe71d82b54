//! The routes of the gateway: who answers under which name, and how each target is doing.

#[cfg(test)]
mod tests;

use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::json;
use signalbox_gateway::RouteStatus;
use signalbox_watch::Detour;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

/// Every route of the configuration.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Routes {
    /// In the order of the configuration.
    routes: Vec<RouteStatus>,
}

/// List the routes.
#[utoipa::path(get, path = "/api/v1/routes", operation_id = "list_routes", tag = "House", responses((status = 200, description = "Each with its targets as they are now: health, latency, calls in flight.", body = Routes)))]
pub(crate) async fn list(_: Caller, State(app): State<App>) -> Json<Routes> {
    Json(Routes { routes: (app.routes)() })
}

/// Switch a route back.
///
/// An incident of the caller's project has switched it; from the next call on it goes its own way again.
#[utoipa::path(delete, path = "/api/v1/routes/{name}/detour", operation_id = "switch_route_back", tag = "House",
    params(("name" = String, Path, description = "The route.")),
    responses(
        (status = 200, description = "What it was switched to.", body = Detour),
        (status = 404, description = "No incident of the project has switched it.", body = crate::envelope::ErrorAnswer),
    ))]
pub(crate) async fn switch_back(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Detour>, ApiError> {
    let ended = app.watch.end_detour(&caller.project, &name, &caller.key_name).await?;
    app.catalog.note(&caller, "route", &name, "switch_back", json!({"incident": ended.incident})).await?;
    Ok(Json(ended))
}
