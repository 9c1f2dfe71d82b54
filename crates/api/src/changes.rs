//! What people changed through the API, as incidents see it: out of the catalog's history.

use std::sync::Arc;

use signalbox_catalog::{Catalog, Change};
use signalbox_types::seam::BoxFuture;
use signalbox_types::{ProjectId, Timestamp};
use signalbox_watch::{Changes, Marker, MarkerKind};

/// Changes that are read: the latest.
const MOST: u32 = 500;

/// The history of the catalog.
#[derive(Debug)]
pub struct CatalogChanges(Arc<Catalog>);

impl CatalogChanges {
    /// Of this catalog.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self(catalog)
    }
}

impl Changes for CatalogChanges {
    fn between<'a>(
        &'a self,
        project: &'a ProjectId,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Marker>, String>> {
        Box::pin(async move {
            let history = self.0.history(project, MOST).await.map_err(|error| error.to_string())?;
            let within = history.into_iter().filter(|change| from <= change.time && change.time < to);
            Ok(within.filter_map(marker).collect())
        })
    }
}

/// What may change how calls go; who looked at an incident or made a data set is none of it.
fn marker(change: Change) -> Option<Marker> {
    let kind = match (change.resource.as_str(), change.action.as_str()) {
        ("policies", _) => MarkerKind::Policy,
        ("credential", _) => MarkerKind::Credential,
        ("key", "revoke" | "change") => MarkerKind::Key,
        _ => return None,
    };
    let name = change.after.as_ref().or(change.before.as_ref()).and_then(|value| value.get("name")?.as_str());
    let name = name.unwrap_or(&change.resource_id);
    let title = match kind {
        MarkerKind::Policy => format!("guardrail policies changed (version {})", change.resource_id),
        MarkerKind::Credential => format!("credential of `{name}`: {}", change.action),
        _ => format!("virtual key `{name}`: {}", change.action),
    };
    Some(Marker {
        id: format!("history-{}-{}-{}", change.resource, change.resource_id, change.time.as_micros()),
        at: change.time,
        kind,
        title,
        labels: [("action".to_owned(), change.action)].into(),
        url: None,
        by: change.actor.map(|key| key.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;
    use signalbox_types::ProjectId;
    use signalbox_watch::Changes as _;

    use super::CatalogChanges;
    use crate::tests::house::House;

    #[tokio::test]
    async fn what_changes_calls_is_told_and_nothing_else() {
        let house = House::new().await;
        let before = house.now();
        house.clock.advance(Duration::from_secs(60));
        let made = house.post("/api/v1/keys", &json!({"name": "shop"})).await.ok();
        let id = made["id"].as_str().unwrap().to_owned();
        let revoked = house.delete(&format!("/api/v1/keys/{id}")).await;
        assert!(revoked.status.is_success(), "{}", revoked.text());
        let changes = CatalogChanges::new(Arc::clone(&house.catalog));
        let project = ProjectId::new("default");
        let later = house.now().plus(Duration::from_secs(1));
        let found = changes.between(&project, before, later).await.unwrap();
        assert_eq!(found.iter().map(|one| one.title.as_str()).collect::<Vec<_>>(), ["virtual key `shop`: revoke"]);
        assert!(found[0].by.is_some());
        assert_eq!(changes.between(&project, before, house.now()).await.unwrap(), []);
    }
}
