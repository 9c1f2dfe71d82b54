use std::sync::Arc;

use serde_json::json;
use signalbox_testkit::ManualClock;

use crate::{Catalog, CatalogError};

#[tokio::test]
async fn rules_have_versions_a_history_and_progress_that_outlives_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Catalog::open(dir.path(), Arc::new(ManualClock::default()));
    let catalog = open().await.unwrap();
    let key = catalog.bootstrap(None).await.unwrap().unwrap();
    let by = catalog.authenticate(key.key.expose()).unwrap();

    let first = catalog.save_online_rule(&by, "a", 0, json!({"on": true})).await.unwrap();
    assert_eq!((first.version, &first.progress), (1, &json!({})));
    let taken = catalog.save_online_rule(&by, "a", 0, json!({})).await.unwrap_err();
    assert_eq!(taken, CatalogError::Outdated { base: 0, found: 1 });
    let kept = vec![
        (by.project.clone(), "a".to_owned(), json!({"day": 7})),
        (by.project.clone(), "gone".to_owned(), json!({"day": 7})),
    ];
    catalog.keep_online_progress(kept).await.unwrap();
    let second = catalog.save_online_rule(&by, "a", 1, json!({"on": false})).await.unwrap();
    assert_eq!((second.version, &second.progress), (2, &json!({"day": 7})), "a change keeps how far it has come");
    drop(catalog);

    let catalog = open().await.unwrap();
    assert_eq!(catalog.online_rules(&by.project).await.unwrap(), [second.clone()]);
    assert_eq!(catalog.all_online_rules().await.unwrap(), [(by.project.clone(), second)]);
    catalog.delete_online_rule(&by, "a").await.unwrap();
    let gone = catalog.delete_online_rule(&by, "a").await.unwrap_err();
    assert_eq!(gone, CatalogError::UnknownRule("a".to_owned()));
    assert_eq!(catalog.online_rules(&by.project).await.unwrap(), []);
    // The ids of scores have the version in them: a number is never used twice.
    let third = catalog.save_online_rule(&by, "a", 0, json!({})).await.unwrap();
    assert_eq!((third.version, third.progress), (3, json!({})));

    let history = catalog.online_rule_history(&by.project, "a", 10).await.unwrap();
    let actions: Vec<&str> = history.iter().map(|change| change.action.as_str()).collect();
    assert_eq!(actions, ["create", "delete", "change", "create"]);
    assert_eq!((&history[2].before, &history[2].after), (&Some(json!({"on": true})), &Some(json!({"on": false}))));
    assert_eq!(catalog.online_rule_history(&by.project, "b", 10).await.unwrap(), []);
}
