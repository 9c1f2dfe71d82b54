//! The routes of the gateway: who answers under which name, and how each target is doing.

#[cfg(test)]
mod tests;

use axum::extract::State;
use serde::Serialize;
use signalbox_gateway::RouteStatus;

use crate::auth::Caller;
use crate::envelope::Json;
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
