//! What can be done about an incident with what the catalog has.

use std::sync::Arc;

use serde_json::json;
use signalbox_catalog::{Catalog, Principal};
use signalbox_types::seam::BoxFuture;
use signalbox_types::{KeyId, ProjectId};
use signalbox_watch::{Actions, Doer};

/// Actions on the catalog.
#[derive(Debug)]
pub struct CatalogActions(Arc<Catalog>);

impl CatalogActions {
    /// On this catalog.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self(catalog)
    }
}

impl Actions for CatalogActions {
    fn disable_key<'a>(
        &'a self,
        project: &'a ProjectId,
        key: &'a KeyId,
        by: &'a Doer,
    ) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move {
            let by = Principal { project: project.clone(), key_id: by.key.clone(), key_name: by.name.clone() };
            let revoked = self.0.revoke_key(&by, key).await.map_err(|error| error.to_string())?;
            Ok(format!("virtual key `{}` is revoked", revoked.name))
        })
    }

    fn done_by_itself<'a>(&'a self, project: &'a ProjectId, incident: &'a str, action: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let done = self.0.note_by_house(project, "incident", incident, "action", json!({"action": action}));
            if let Err(error) = done.await {
                tracing::error!(incident.id = %incident, "an action that was done can't be written down: {error}");
            }
        })
    }
}
