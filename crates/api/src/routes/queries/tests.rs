use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use signalbox_types::seam::{BoxFuture, BoxStream, Erase, Erased, EventStore, StoreError, StoreStats};
use signalbox_types::{Answer, Events, ProjectId, Query, Span};
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::tests::house::House;

/// A store that never answers, and knows how many wait for it.
#[derive(Debug, Default)]
struct Endless {
    waiting: AtomicUsize,
    changed: Notify,
}

impl Endless {
    async fn wait(&self) -> Result<Answer, StoreError> {
        struct Waiter<'a>(&'a Endless);
        impl Drop for Waiter<'_> {
            fn drop(&mut self) {
                self.0.waiting.fetch_sub(1, Ordering::SeqCst);
                self.0.changed.notify_one();
            }
        }
        let _waiter = Waiter(self);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_one();
        std::future::pending().await
    }

    async fn until(&self, waiting: usize) {
        while self.waiting.load(Ordering::SeqCst) != waiting {
            self.changed.notified().await;
        }
    }
}

impl EventStore for Endless {
    fn append(&self, _: Events) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn query<'a>(&'a self, _: &'a ProjectId, _: &'a Query) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(self.wait())
    }

    fn sql<'a>(&'a self, _: &'a ProjectId, _: &'a str) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(self.wait())
    }

    fn watch(&self, _: &ProjectId) -> BoxStream<Arc<Span>> {
        Box::pin(futures_util::stream::empty())
    }

    fn erase<'a>(&'a self, _: &'a ProjectId, _: &'a Erase) -> BoxFuture<'a, Result<Erased, StoreError>> {
        Box::pin(async { Ok(Erased::default()) })
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }
}

/// Sends it and lets it wait.
fn ask(house: &House, path: &str, id: Option<&str>, body: &Value) -> tokio::task::JoinHandle<(StatusCode, Value)> {
    let mut request = house.request(Method::POST, path).header("x-api-key", &house.key);
    request = request.header(header::CONTENT_TYPE, "application/json");
    if let Some(id) = id {
        request = request.header("x-signalbox-query-id", id);
    }
    let request = request.body(Body::from(body.to_string())).unwrap();
    let router = house.router.clone();
    tokio::spawn(async move {
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    })
}

async fn listed(house: &House) -> Vec<Value> {
    house.get("/api/v1/queries").await.ok()["queries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_running_query_is_listed_and_can_be_cancelled() {
    let store = Arc::new(Endless::default());
    let house = House::on(Arc::<Endless>::clone(&store)).await;
    assert!(listed(&house).await.is_empty());
    let sql =
        ask(&house, "/api/v1/sql", Some("nightly-1"), &json!({ "sql": format!("SELECT 1 -- {}", "x".repeat(500)) }));
    store.until(1).await;
    let query = ask(&house, "/api/v1/query", None, &json!({ "measures": [{ "fn": "count" }] }));
    store.until(2).await;

    let list = listed(&house).await;
    assert_eq!(list.len(), 2);
    let named = list.iter().find(|query| query["id"] == "nightly-1").unwrap();
    assert_eq!((&named["kind"], &named["started_at"]), (&json!("sql"), &json!(house.now().to_string())));
    assert_eq!(named["text"].as_str().unwrap().chars().count(), 201, "shortened, with a mark");
    let other = list.iter().find(|query| query["kind"] == "query").unwrap();
    assert!(other["text"].as_str().unwrap().contains("\"fn\":\"count\""), "{other}");

    assert_eq!(house.delete("/api/v1/queries/nightly-1").await.status, StatusCode::NO_CONTENT);
    let (status, answer) = sql.await.unwrap();
    assert_eq!((status.as_u16(), &answer["error"]["type"]), (499, &json!("cancelled")));
    assert_eq!(answer["error"]["message"], "the query `nightly-1` was cancelled by `DELETE /api/v1/queries/nightly-1`");
    store.until(1).await;
    let id = other["id"].as_str().unwrap();
    assert_eq!(house.delete(&format!("/api/v1/queries/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(query.await.unwrap().0.as_u16(), 499);
    store.until(0).await;
    assert!(listed(&house).await.is_empty());
    let gone = house.delete("/api/v1/queries/nightly-1").await;
    assert_eq!(
        (gone.status, gone.message().as_str()),
        (StatusCode::NOT_FOUND, "no query `nightly-1` runs in this project")
    );
}

#[tokio::test]
async fn who_hangs_up_stops_the_work() {
    let store = Arc::new(Endless::default());
    let house = House::on(Arc::<Endless>::clone(&store)).await;
    for path in ["/api/v1/query", "/api/v1/sql", "/api/v1/traces"] {
        let body = if path.ends_with("sql") { json!({ "sql": "SELECT 1" }) } else { json!({}) };
        let method = if path.ends_with("traces") { Method::GET } else { Method::POST };
        let request =
            house.request(method, path).header("x-api-key", &house.key).header("content-type", "application/json");
        let asked = house.router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap());
        tokio::select! {
            _ = asked => panic!("{path}: it never answers"),
            () = store.until(1) => {}
        }
        // The request is dropped with its connection.
        store.until(0).await;
        assert!(listed(&house).await.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn names_belong_to_a_project_and_stand_for_one_query() {
    let store = Arc::new(Endless::default());
    let house = House::on(Arc::<Endless>::clone(&store)).await;
    let first = ask(&house, "/api/v1/query", Some("mine"), &json!({}));
    store.until(1).await;
    let (status, answer) = ask(&house, "/api/v1/query", Some("mine"), &json!({})).await.unwrap();
    assert_eq!((status, &answer["error"]["field"]), (StatusCode::CONFLICT, &json!("x-signalbox-query-id")));
    let (status, answer) = ask(&house, "/api/v1/query", Some("no spaces"), &json!({})).await.unwrap();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["error"]["message"].as_str().unwrap().contains("1 to 64 letters"), "{answer}");

    let running = crate::running::Running::default();
    assert!(!running.cancel(&ProjectId::new("other"), "mine"));
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    store.until(0).await;
}

#[tokio::test]
async fn an_answer_names_its_query() {
    let house = House::new().await;
    let request = house.request(Method::POST, "/api/v1/query").header("x-api-key", &house.key);
    let request = request.header(header::CONTENT_TYPE, "application/json").header("x-signalbox-query-id", "mine");
    assert_eq!(house.send(request.body("{}".into()).unwrap()).await.header("x-signalbox-query-id"), "mine");
    assert_eq!(house.post("/api/v1/query", &json!({})).await.header("x-signalbox-query-id").len(), 16);
}
