//! What can be done about an incident with what the catalog and the gateway have.

use std::fmt;
use std::sync::Arc;

use serde_json::json;
use signalbox_catalog::{Catalog, Principal};
use signalbox_gateway::Detour as RouteDetour;
use signalbox_types::seam::BoxFuture;
use signalbox_types::{KeyId, ProjectId};
use signalbox_watch::{Actions, Detour, Doer};

/// What is wrong with a detour, if anything.
pub type DetourProblem = dyn Fn(&RouteDetour) -> Option<String> + Send + Sync;

/// The routes of the gateway in force, whose calls can go elsewhere for a while.
#[derive(Clone)]
pub struct RouteActions {
    /// Why they can't go there.
    pub problem: Arc<DetourProblem>,
    /// Has them go there, and all others their own way.
    pub set: Arc<dyn Fn(Vec<RouteDetour>) + Send + Sync>,
}

impl fmt::Debug for RouteActions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteActions").finish_non_exhaustive()
    }
}

/// Actions on the catalog and the routes.
#[derive(Debug)]
pub struct HouseActions {
    catalog: Arc<Catalog>,
    routes: RouteActions,
}

impl HouseActions {
    /// On this catalog and these routes.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>, routes: RouteActions) -> Self {
        Self { catalog, routes }
    }
}

/// As the gateway takes it.
fn as_routed(detour: &Detour) -> RouteDetour {
    let Detour { route, to, targets, since, until, incident, action, .. } = detour.clone();
    let why = format!("{action} (incident {incident})");
    RouteDetour { route, to, targets, since, until, why, incident: Some(incident) }
}

impl Actions for HouseActions {
    fn disable_key<'a>(
        &'a self,
        project: &'a ProjectId,
        key: &'a KeyId,
        by: &'a Doer,
    ) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move {
            let by = Principal { project: project.clone(), key_id: by.key.clone(), key_name: by.name.clone() };
            let revoked = self.catalog.revoke_key(&by, key).await.map_err(|error| error.to_string())?;
            Ok(format!("virtual key `{}` is revoked", revoked.name))
        })
    }

    fn detour_problem(&self, detour: &Detour) -> Option<String> {
        (self.routes.problem)(&as_routed(detour))
    }

    fn set_detours(&self, detours: &[Detour]) {
        (self.routes.set)(detours.iter().map(as_routed).collect());
    }

    fn done_by_itself<'a>(&'a self, project: &'a ProjectId, incident: &'a str, action: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let done = self.catalog.note_by_house(project, "incident", incident, "action", json!({"action": action}));
            if let Err(error) = done.await {
                tracing::error!(incident.id = %incident, "an action that was done can't be written down: {error}");
            }
        })
    }
}
