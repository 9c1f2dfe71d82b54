//! Watching with documents in the house's catalog and a channel whose other side takes everything, or nothing.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::json;
use signalbox_catalog::Catalog;
use signalbox_types::ProjectId;
use signalbox_types::seam::{BoxFuture, Clock, EventStore};
use signalbox_watch::{Http, HttpAnswer, HttpRequest, Watch, WatchParts};

use crate::{CatalogActions, CatalogChanges, CatalogDocuments};

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
        node: "box-1".to_owned(),
        project: ProjectId::new("default"),
        store,
        clock,
        keep: Arc::new(CatalogDocuments::new(Arc::clone(&catalog))),
        http: Arc::new(OtherSide),
    };
    let watch = Watch::open(parts).await.unwrap().with_changes(Arc::new(CatalogChanges::new(Arc::clone(&catalog))));
    Arc::new(watch.with_actions(Arc::new(CatalogActions::new(catalog))))
}
