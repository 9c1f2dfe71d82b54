use std::sync::Arc;

use http::Request;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use signalbox_catalog::Catalog;
use signalbox_guard::{Guard, GuardConfig};
use signalbox_prices::PriceBook;
use signalbox_testkit::{ManualClock, VecSink};
use signalbox_types::seam::{Clock, SpanSink};
use signalbox_types::{ProjectId, Secret};
use signalbox_upstream::{Upstream, UpstreamConfig};

use super::{What, find};
use crate::owners::Kind;
use crate::{Gateway, GatewayConfig, GatewayParts, ResponseBody, Routes};

const KEY: &str = "sb-test-key-0001";

async fn gateway(folder: &std::path::Path) -> Arc<Gateway> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let catalog = Catalog::open(folder, Arc::clone(&clock)).await.unwrap();
    catalog.bootstrap(Some(Secret::new(KEY.to_owned()))).await.unwrap();
    let config: UpstreamConfig =
        serde_json::from_value(json!({"providers": [{"name": "openai", "kind": "sim", "dialect": "openai_chat"}]}))
            .unwrap();
    Arc::new(Gateway::new(GatewayParts {
        config: GatewayConfig::default(),
        guard: Guard::compile(&GuardConfig::default()).unwrap(),
        catalog: Arc::new(catalog),
        upstream: Arc::new(Upstream::new(&config, &|_| None, Arc::clone(&clock)).unwrap()),
        routes: Routes::default(),
        prices: Arc::new(PriceBook::builtin()),
        sink: Arc::<VecSink>::default() as Arc<dyn SpanSink>,
        clock,
    }))
}

async fn ask(gateway: &Arc<Gateway>, method: &str, path: &str) -> (u16, Value) {
    let body = Full::default().map_err(|never| match never {}).boxed_unsync();
    let request = Request::builder().method(method).uri(path).header("x-api-key", KEY).body(body).unwrap();
    let (head, body) = gateway.serve(request).await.into_parts();
    (head.status.as_u16(), serde_json::from_slice(&read(body).await).unwrap())
}

#[tokio::test]
async fn another_projects_things_are_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(folder.path()).await;
    let (theirs, ours) = (ProjectId::new("theirs"), ProjectId::new("default"));
    gateway.owners.note(Kind::Response, "resp_1", &theirs, &"openai".into());
    gateway.owners.note(Kind::Response, "resp_2", &ours, &"openai".into());
    for (method, below) in [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")] {
        let (status, told) = ask(&gateway, method, &format!("/v1/responses/resp_1{below}")).await;
        assert_eq!(status, 404, "{method} {below}: {told}");
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.contains("no response `resp_1`") && message.contains("restarts"), "{message}");
        let (status, told) = ask(&gateway, method, &format!("/v1/responses/resp_2{below}")).await;
        assert_eq!(status, 200, "{method} {below}: {told}");
    }
    // A provider that is gone keeps nothing any more.
    gateway.owners.note(Kind::Response, "resp_3", &ours, &"gone".into());
    assert_eq!(ask(&gateway, "GET", "/v1/responses/resp_3").await.0, 404);
}

#[expect(clippy::disallowed_methods, reason = "the answers are small")]
async fn read(body: ResponseBody) -> bytes::Bytes {
    body.collect().await.unwrap().to_bytes()
}

#[test]
fn finds_what_is_asked_and_nothing_else() {
    let check = |path: &str, expected: Option<(What, &str)>| {
        assert_eq!(find(path), expected.map(|(what, below)| (what, below.to_owned())), "{path}");
    };
    check("/v1/responses/resp_1", Some((What::Itself, "/resp_1")));
    check("/v1/responses/resp_1/cancel", Some((What::Cancel, "/resp_1/cancel")));
    check("/v1/responses/resp_1/input_items", Some((What::InputItems, "/resp_1/input_items")));
    check("/v1/responses", None);
    check("/v1/responses/", None);
    check("/v1/responses/../files", None);
    check("/v1/responses/%2e%2e", None);
    check("/v1/responses/resp_1/other", None);
    check(&format!("/v1/responses/{}", "a".repeat(300)), None);
}
