use std::sync::Arc;

use serde_json::json;
use signalbox_testkit::ManualClock;
use signalbox_types::seam::Clock;

use crate::{Catalog, CatalogError};

#[tokio::test]
async fn versions_are_kept_and_changes_of_an_old_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let catalog = Catalog::open(dir.path(), Arc::clone(&clock)).await.unwrap();
    let key = catalog.bootstrap(None).await.unwrap().unwrap();
    let by = catalog.authenticate(key.key.expose()).unwrap();
    assert_eq!(catalog.policy_sets(&by.project, 10).await.unwrap(), []);

    let first = catalog.save_policy_set(&by, 0, " A start. ", json!({"policies": [1]})).await.unwrap();
    assert_eq!((first.version, first.rationale.as_str(), &first.made_by), (1, "A start.", &by.key_id));
    let second = catalog.save_policy_set(&by, 1, "More.", json!({"policies": [1, 2]})).await.unwrap();
    let stale = catalog.save_policy_set(&by, 1, "Mine.", json!({})).await.unwrap_err();
    assert_eq!(stale, CatalogError::Outdated { base: 1, found: 2 });
    let unsaid = catalog.save_policy_set(&by, 2, "  ", json!({})).await.unwrap_err();
    assert!(unsaid.to_string().contains("say why"), "{unsaid}");

    let history = catalog.history(&by.project, 10).await.unwrap();
    let change = &history[0];
    assert_eq!((change.resource.as_str(), change.resource_id.as_str()), ("policies", "2"));
    assert_eq!(change.before, Some(json!({"policies": [1]})));
    assert_eq!(change.after, Some(json!({"rationale": "More.", "config": {"policies": [1, 2]}})));
    drop(catalog);

    let again = Catalog::open(dir.path(), clock).await.unwrap();
    assert_eq!(again.policy_sets(&by.project, 10).await.unwrap(), [second.clone(), first]);
    assert_eq!(again.latest_policy_sets().await.unwrap(), [(by.project, second)]);
}
