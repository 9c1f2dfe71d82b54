//! Watching with documents in the house's catalog and a channel whose other side takes everything, or nothing.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::json;
use signalbox_catalog::Catalog;
use signalbox_gateway::{Detour, Routes};
use signalbox_types::ProjectId;
use signalbox_types::seam::{BoxFuture, Clock, Embedder, EventStore};
use signalbox_watch::{Http, HttpAnswer, HttpRequest, Watch, WatchParts};

use crate::{CatalogChanges, CatalogDocuments, HouseActions, RouteActions};

#[derive(Debug)]
struct OtherSide;

impl Http for OtherSide {
    fn post(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpAnswer, String>> {
        let status = if request.url.expose().contains("gone") { 404 } else { 200 };
        Box::pin(async move { Ok(HttpAnswer { status, retry_after_s: None, body: Bytes::new() }) })
    }
}

pub(super) async fn open(
    store: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    catalog: Arc<Catalog>,
    routes: Arc<Routes>,
    embedder: Arc<dyn Embedder>,
) -> Arc<Watch> {
    let hook = |name: &str| json!({"name": name, "via": {"webhook": {"url": format!("https://hook.example/{name}")}}});
    let count = json!({"measures": [{"fn": "count"}]});
    let config = json!({
        "starter": false,
        "channels": [
            hook("ops"),
            hook("gone"),
            {"name": "prom", "via": {"alertmanager": {"webhook_token": "a-token-of-alertmanager"}}},
        ],
        "monitors": [
            {"name": "configured", "query": count, "condition": {"threshold": {"above": 1_000_000}}},
            {"name": "crowd", "query": count, "window": "1m", "delay": "0s", "condition": {"threshold": {"above": 50}},
             "actions": [
                {"name": "Only the small one", "switch_route": {"route": "chat", "targets": ["sim/small"]}},
                {"name": "To nowhere", "switch_route": {"route": "chat", "to": "nowhere"}},
            ]},
        ],
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
    let known = Arc::clone(&routes);
    let routes = RouteActions {
        problem: Arc::new(move |detour: &Detour| known.detour_problem(detour)),
        set: Arc::new(move |detours| routes.set_detours(detours)),
    };
    Arc::new(watch.with_actions(Arc::new(HouseActions::new(catalog, routes))).with_embedder(embedder))
}
