//! Watching with documents in memory and a channel whose other side takes everything, or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use serde_json::{Value, json};
use signalbox_catalog::Catalog;
use signalbox_types::ProjectId;
use signalbox_types::seam::{BoxFuture, Clock, EventStore};
use signalbox_watch::{Http, HttpAnswer, HttpRequest, Keep, Key, Watch, WatchParts};

use crate::{CatalogActions, CatalogChanges};

#[derive(Debug, Default)]
struct Documents(std::sync::Mutex<BTreeMap<Key, Value>>);

impl Keep for Documents {
    fn load(&self) -> BoxFuture<'_, Result<Vec<(Key, Value)>, String>> {
        let all = self.0.lock().unwrap().clone().into_iter().collect();
        Box::pin(async { Ok(all) })
    }

    fn write(&self, changes: Vec<(Key, Option<Value>)>) -> BoxFuture<'_, Result<(), String>> {
        for (key, value) in changes {
            let mut documents = self.0.lock().unwrap();
            match value {
                Some(value) => documents.insert(key, value),
                None => documents.remove(&key),
            };
        }
        Box::pin(async { Ok(()) })
    }
}

#[derive(Debug)]
struct OtherSide;

impl Http for OtherSide {
    fn post(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, String>> {
        let status = if request.url.expose().contains("gone") { 404 } else { 200 };
        Box::pin(async move { Ok(HttpAnswer { status, retry_after_s: None, body: Bytes::new() }) })
    }
}

pub(super) async fn open(store: Arc<dyn EventStore>, clock: Arc<dyn Clock>, catalog: Arc<Catalog>) -> Arc<Watch> {
    let hook = |name: &str| json!({"name": name, "via": {"webhook": {"url": format!("https://hook.example/{name}")}}});
    let config = json!({
        "starter": false,
        "channels": [
            hook("ops"),
            hook("gone"),
            {"name": "prom", "via": {"alertmanager": {"webhook_token": "a-token-of-alertmanager"}}},
        ],
        "monitors": [{
            "name": "configured", "query": {"measures": [{"fn": "count"}]}, "condition": {"threshold": {"above": 1_000_000}}
        }],
    });
    let parts = WatchParts {
        config: serde_json::from_value(config).unwrap(),
        project: ProjectId::new("default"),
        store,
        clock,
        keep: Arc::new(Documents::default()),
        http: Arc::new(OtherSide),
    };
    let watch = Watch::open(parts).await.unwrap().with_changes(Arc::new(CatalogChanges::new(Arc::clone(&catalog))));
    Arc::new(watch.with_actions(Arc::new(CatalogActions::new(catalog))))
}
