//! The providers: which are on, and what would switch the others on.

#[cfg(test)]
mod tests;

use axum::extract::State;
use serde::Serialize;
use signalbox_gateway::TargetStatus;
use signalbox_upstream::ProviderStatus;

use crate::auth::Caller;
use crate::envelope::Json;
use crate::parts::App;

/// A provider, and how the routes that go to it see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Provider {
    #[serde(flatten)]
    status: ProviderStatus,
    /// Its models as targets of routes: breaker, latency, calls in flight.
    routed: Vec<Routed>,
}

/// A target of a route.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Routed {
    /// The route's name.
    route: String,
    #[serde(flatten)]
    target: TargetStatus,
}

/// Every provider that Signalbox knows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Providers {
    /// In the order of the registry.
    providers: Vec<Provider>,
}

/// List the providers.
#[utoipa::path(get, path = "/api/v1/providers", operation_id = "list_providers", tag = "House", responses((status = 200, description = "Those that are on and those that are off.", body = Providers)))]
pub(crate) async fn list(_: Caller, State(app): State<App>) -> Json<Providers> {
    let routes = (app.routes)();
    let providers = (app.providers)().into_iter().map(|status| {
        let targets = routes.iter().flat_map(|route| route.targets.iter().map(move |target| (route, target)));
        let own = targets.filter(|(_, target)| target.provider == status.name);
        let routed = own.map(|(route, target)| Routed { route: route.name.clone(), target: target.clone() }).collect();
        Provider { status, routed }
    });
    Json(Providers { providers: providers.collect() })
}
