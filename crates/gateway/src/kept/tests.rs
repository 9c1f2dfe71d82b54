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

use super::{Owner, find, named, only_theirs};
use crate::owners::{Kind, Whose};
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
    ask_with(gateway, method, path, bytes::Bytes::new()).await
}

async fn ask_with(gateway: &Arc<Gateway>, method: &str, path: &str, body: bytes::Bytes) -> (u16, Value) {
    let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
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
        assert!(message.contains("no response `resp_1`") && message.contains("365 days"), "{message}");
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
    let check = |path: &str, expected: Option<(&str, Option<&str>)>| {
        let found = find(path).map(|(shelf, below)| (shelf.path, below));
        assert_eq!(found, expected.map(|(path, below)| (path, below.map(str::to_owned))), "{path}");
    };
    check("/v1/responses/resp_1", Some(("/v1/responses/{id}", Some("/resp_1"))));
    check("/v1/responses/resp_1/cancel", Some(("/v1/responses/{id}/cancel", Some("/resp_1/cancel"))));
    check("/v1/responses/resp_1/input_items", Some(("/v1/responses/{id}/input_items", Some("/resp_1/input_items"))));
    check("/v1/files", Some(("/v1/files", None)));
    check("/v1/files/file-1/content", Some(("/v1/files/{id}/content", Some("/file-1/content"))));
    check("/v1/batches/batch_1/cancel", Some(("/v1/batches/{id}/cancel", Some("/batch_1/cancel"))));
    check("/v1/responses", None);
    check("/v1/responses/", None);
    check("/v1/files/../batches", None);
    check("/v1/filesystem", None);
    check("/v1/responses/%2e%2e", None);
    check("/v1/responses/resp_1/other", None);
    check(&format!("/v1/responses/{}", "a".repeat(300)), None);
}

#[tokio::test]
async fn files_and_batches_are_of_their_project_too() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(folder.path()).await;
    let (theirs, openai) = (ProjectId::new("theirs"), Arc::from("openai"));
    gateway.owners.note(Kind::File, "file-1", &theirs, &openai);
    gateway.owners.note(Kind::Batch, "batch_1", &theirs, &openai);
    for (method, path) in [
        ("GET", "/v1/files/file-1"),
        ("DELETE", "/v1/files/file-1"),
        ("GET", "/v1/files/file-1/content"),
        ("GET", "/v1/batches/batch_1"),
        ("POST", "/v1/batches/batch_1/cancel"),
        // Nor on another way to the same thing.
        ("GET", "/providers/openai/files/file-1"),
        ("GET", "/providers/openai/v1/files/file-1/content"),
    ] {
        let (status, told) = ask(&gateway, method, path).await;
        let message = told["error"]["message"].as_str().unwrap();
        assert_eq!(status, 404, "{method} {path}: {told}");
        assert!(message.contains("that a key of this project made"), "{message}");
    }
    let body = bytes::Bytes::from_static(br#"{"input_file_id":"file-1","endpoint":"/v1/chat/completions"}"#);
    let (status, told) = ask_with(&gateway, "POST", "/v1/batches", body).await;
    assert_eq!(status, 404, "{told}");
}

#[tokio::test]
async fn lists_hold_nothing_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(folder.path()).await;
    let (ours, theirs) = (ProjectId::new("default"), ProjectId::new("theirs"));
    let openai: Arc<str> = "openai".into();
    gateway.owners.note(Kind::File, "file-2", &theirs, &openai);
    let owner = Owner { gateway: &gateway, project: &ours, provider: &openai, is_only: true };
    let (files, _) = find("/v1/files").unwrap();
    let list = br#"{"object":"list","data":[{"id":"file-1"},{"id":"file-2"}],"first_id":"file-1","last_id":"file-2","has_more":false}"#;
    let left: Value =
        serde_json::from_slice(&only_theirs(files, false, list.as_slice().into(), &owner).unwrap()).unwrap();
    assert_eq!((&left["data"], &left["last_id"]), (&json!([{"id": "file-1"}]), &json!("file-1")));
    // Where nothing has to go, not a byte changes.
    let list = bytes::Bytes::from_static(br#"{ "data": [ {"id":"file-1"} ] }"#);
    assert_eq!(only_theirs(files, false, list.clone(), &owner).unwrap(), list);
    // Nor a bare list; and what can't be read passes only where nobody else can have made any of it.
    let bare = br#"[{"id":"file-1"},{"id":"file-2"}]"#;
    let left = only_theirs(files, false, bare.as_slice().into(), &owner).unwrap();
    assert_eq!(left, r#"[{"id":"file-1"}]"#);
    for list in [br#"{"data":{"data":[{"id":"file-2"}]}}"#.as_slice(), b"file-2"] {
        let owner = |is_only| Owner { gateway: &gateway, project: &ours, provider: &openai, is_only };
        assert_eq!(only_theirs(files, false, list.into(), &owner(true)).unwrap(), list);
        assert!(only_theirs(files, false, list.into(), &owner(false)).is_err());
    }
    // What came of a batch is its project's.
    let (batch, _) = find("/v1/batches/batch_1").unwrap();
    let told = br#"{"id":"batch_1","output_file_id":"file-9","error_file_id":null}"#;
    only_theirs(batch, false, told.as_slice().into(), &owner).unwrap();
    assert_eq!(gateway.owners.find(Kind::File, "file-9", &ours), Whose::Yours(openai));
    assert_eq!(gateway.owners.find(Kind::File, "file-9", &theirs), Whose::Anothers);
}

#[tokio::test]
async fn an_escaped_id_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway(folder.path()).await;
    let ours = ProjectId::new("default");
    gateway.owners.note(Kind::File, "file-1", &ours, &"openai".into());
    gateway.owners.note(Kind::File, "file-2", &ProjectId::new("theirs"), &"openai".into());
    let openai = gateway.upstream.provider("openai").unwrap().provider;
    for (path, expected) in [
        ("/v1/files/file-1/url", false),
        ("/v1/files/file-2/url", true),
        ("/v1/files/file%2D2/url", true),
        ("/v1/files/%66ile-2/url", true),
        ("/v1/files%2Ffile-2/url", true),
        ("/v1/files", false),
    ] {
        let body = Full::new(bytes::Bytes::new()).map_err(|never| match never {}).boxed_unsync();
        let request = Request::get(format!("/providers/openai{path}")).body(body).unwrap();
        let through = crate::through::find(&request, &gateway.upstream).unwrap();
        assert_eq!(through.is_anothers(&openai, &gateway.owners, &ours), expected, "{path}");
    }
}

#[tokio::test]
async fn who_made_what_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (ProjectId::new("default"), ProjectId::new("theirs"));
    let (openai, azure): (Arc<str>, Arc<str>) = ("openai".into(), "azure".into());
    let first = gateway(folder.path()).await;
    first.keep_owners().await.unwrap();
    for number in 0..50 {
        first.owners.note(Kind::Response, &format!("resp_{number}"), &ours, &openai);
    }
    first.owners.note(Kind::File, "file-1", &theirs, &azure);
    first.owners.note(Kind::File, "file-1", &ours, &openai);
    // Nothing of it is closed: this is where the process is killed.
    first.owners.written().await;
    let second = gateway(folder.path()).await;
    second.keep_owners().await.unwrap();
    assert_eq!(second.owners.find(Kind::Response, "resp_49", &ours), Whose::Yours(Arc::clone(&openai)));
    assert_eq!(second.owners.find(Kind::Response, "resp_0", &theirs), Whose::Anothers);
    assert_eq!(second.owners.find(Kind::File, "file-1", &ours), Whose::Yours(openai));
    assert_eq!(second.owners.find(Kind::File, "file-1", &theirs), Whose::Yours(azure));
    assert_eq!(second.owners.find(Kind::Batch, "file-1", &ours), Whose::Unknown);
    // Without it, nobody is waited for.
    gateway(folder.path()).await.owners.written().await;
}

#[test]
fn what_a_body_names_is_found_at_any_depth() {
    let body = json!({
        "previous_response_id": "resp_1", "training_file": "file-1",
        "input": [{"content": [{"type": "input_file", "file_id": "file-2"}, {"text": "file_id"}]}],
        "tool_resources": {"code_interpreter": {"file_ids": ["file-3", 4]}}, "validation_file": null,
    });
    let mut found = named(body.to_string().as_bytes());
    found.sort_by(|left, right| left.2.cmp(&right.2));
    let expected = [
        ("training_file", Kind::File, "file-1"),
        ("file_id", Kind::File, "file-2"),
        ("file_ids", Kind::File, "file-3"),
        ("previous_response_id", Kind::Response, "resp_1"),
    ];
    assert_eq!(found, expected.map(|(field, kind, id)| (field, kind, id.to_owned())));
    assert!(named(b"no json").is_empty() && named(b"[[1]]").is_empty());
}

#[tokio::test]
async fn what_holds_the_results_of_a_batch_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let ours = ProjectId::new("default");
    let first = gateway(folder.path()).await;
    first.keep_owners().await.unwrap();
    first.owners.note(Kind::Results, "file-1", &ours, &"openai".into());
    first.owners.written().await;
    let second = gateway(folder.path()).await;
    second.keep_owners().await.unwrap();
    assert_eq!(second.owners.find(Kind::Results, "file-1", &ours), Whose::Yours("openai".into()));
    assert_eq!(second.owners.find(Kind::Results, "file-2", &ours), Whose::Unknown);
}
