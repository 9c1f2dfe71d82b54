use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_testkit::ManualClock;
use signalbox_types::ProjectId;

use super::WatchedDocument;
use crate::Catalog;

fn document(kind: &str, id: &str, body: Option<Value>) -> WatchedDocument {
    WatchedDocument { project: ProjectId::new("default"), kind: kind.to_owned(), id: id.to_owned(), body }
}

#[tokio::test]
async fn documents_are_replaced_removed_and_outlive_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Catalog::open(dir.path(), Arc::new(ManualClock::default()));
    let catalog = open().await.unwrap();
    let first = vec![
        document("incident", "1", Some(json!({"status": "open"}))),
        document("message", "1-ops", Some(json!({"tries": 0}))),
        document("state", "errors {}", Some(json!({"phase": "firing"}))),
    ];
    catalog.write_watched(first.clone(), None).await.unwrap();
    let resolved = document("incident", "1", Some(json!({"status": "resolved"})));
    catalog.write_watched(vec![resolved.clone(), document("message", "1-ops", None)], None).await.unwrap();
    drop(catalog);
    let again = open().await.unwrap();
    assert_eq!(again.watched().await.unwrap(), [resolved, first[2].clone()]);
}
