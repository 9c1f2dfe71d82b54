use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use signalbox_testkit::builders::{llm_span, span_id, trace_id};
use signalbox_types::{Message, Role, Span, SpanKind};

use crate::tests::house::{Answer, House};

const GOLD: &str = "/api/v1/datasets/gold";

async fn house() -> House {
    let house = House::new().await;
    house.post("/api/v1/datasets", &json!({"name": "gold", "description": "The gold set."})).await.ok();
    house
}

async fn commit(house: &House, change: Value) -> Answer {
    house.post(&format!("{GOLD}/versions"), &change).await
}

async fn patch(house: &House, change: Value) -> Answer {
    let request = house.request(Method::PATCH, GOLD).header(header::AUTHORIZATION, format!("Bearer {}", house.key));
    house.send(request.header(header::CONTENT_TYPE, "application/json").body(change.to_string().into()).unwrap()).await
}

async fn send_file(house: &House, params: &str, file: &'static str) -> Answer {
    let request = house.request(Method::POST, &format!("{GOLD}/import?{params}"));
    house.send(request.header("x-api-key", &house.key).body(Body::from(file)).unwrap()).await
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

fn refused(answer: &Answer, status: StatusCode, problem: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let whole = answer.text();
    assert!(whole.contains(problem), "{whole}");
}

#[tokio::test]
async fn a_dataset_is_made_changed_and_deleted() {
    let house = house().await;
    let list = house.get("/api/v1/datasets").await.ok();
    assert_eq!(list["datasets"][0]["name"], "gold");
    assert_eq!(list["datasets"][0]["latest"], Value::Null);
    let again = house.post("/api/v1/datasets", &json!({"name": "gold"})).await;
    refused(&again, StatusCode::CONFLICT, "there is a dataset `gold` already");
    let wrong = house.post("/api/v1/datasets", &json!({"name": "a b"})).await;
    refused(&wrong, StatusCode::BAD_REQUEST, "`name`: expected 1 to 100 letters");

    let changed = patch(&house, json!({"description": "Better.", "schema": {"required": ["input"]}})).await.ok();
    assert_eq!((&changed["description"], &changed["schema"]), (&json!("Better."), &json!({"required": ["input"]})));
    let breaks = commit(&house, json!({"add": [{"output": "x"}]})).await;
    refused(&breaks, StatusCode::BAD_REQUEST, "doesn't satisfy the dataset's schema");
    let changed = patch(&house, json!({"schema": null})).await.ok();
    assert_eq!((&changed["description"], &changed["schema"]), (&json!("Better."), &Value::Null));

    assert_eq!(house.delete(GOLD).await.status, StatusCode::NO_CONTENT);
    let gone = house.get(GOLD).await;
    refused(&gone, StatusCode::NOT_FOUND, "there is no dataset `gold`");
    assert!(gone.json()["error"]["hint"].as_str().unwrap().contains("dataset list"));
}

#[tokio::test]
async fn items_are_committed_read_and_compared() {
    let house = house().await;
    let items = json!([{"id": "a", "input": "1", "split": "test"}, {"id": "b", "input": {"messages": ["x"]}}]);
    let one = commit(&house, json!({"add": items, "message": "Begin"})).await.ok();
    assert_eq!((&one["items"], &one["author_name"]), (&json!(2), &json!("First key")));
    let base = one["id"].as_str().unwrap();
    let change = json!({"base": base, "replace": [{"id": "b", "input": {"messages": ["y"]}}], "remove": ["a"],
        "put": [{"id": "c", "input": "3"}]});
    let two = commit(&house, change.clone()).await.ok();
    refused(&commit(&house, change).await, StatusCode::CONFLICT, "`main` is at version");
    refused(&commit(&house, json!({})).await, StatusCode::BAD_REQUEST, "nothing is changed");
    let error = commit(&house, json!({"add": [{"input": "x"}, {"id": []}]})).await;
    assert_eq!(error.json()["error"]["field"], "add[1]");

    let items = house.get(&format!("{GOLD}/items?limit=1")).await.ok();
    assert_eq!((ids(&items), &items["next_cursor"], &items["version"]["id"]), (vec!["b"], &json!("1"), &two["id"]));
    let rest = house.get(&format!("{GOLD}/items?limit=1&cursor=1")).await.ok();
    assert_eq!((ids(&rest), &rest["next_cursor"]), (vec!["c"], &Value::Null));
    let old = house.get(&format!("{GOLD}/items?version={}&split=test&text=1", base.get(..10).unwrap())).await.ok();
    assert_eq!(old["items"][0]["fields"], json!({"input": "1", "split": "test"}));
    let item = house.get(&format!("{GOLD}/items/b")).await.ok();
    assert_eq!(item["fields"]["input"]["messages"][0], "y");
    refused(&house.get(&format!("{GOLD}/items/a")).await, StatusCode::NOT_FOUND, "has no item `a`");
    refused(&house.get(&format!("{GOLD}/items?version=v9")).await, StatusCode::NOT_FOUND, "no version, branch or tag");
    refused(&house.get(&format!("{GOLD}/items?limit=0")).await, StatusCode::BAD_REQUEST, "expected 1 to 1000");
    refused(&house.get(&format!("{GOLD}/items?cursor=x")).await, StatusCode::BAD_REQUEST, "next_cursor");

    let diff = house.get(&format!("{GOLD}/diff")).await.ok();
    assert_eq!((&diff["added"], &diff["removed"], &diff["changed"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(diff["items"][0]["fields"], json!([{"path": "input.messages[0]", "before": "x", "after": "y"}]));
    assert_eq!(
        diff["items"][2],
        json!({"id": "a", "difference": "removed", "before": {"input": "1", "split": "test"}, "fields": []})
    );
    let first = house.get(&format!("{GOLD}/diff?to={base}")).await.ok();
    assert_eq!((&first["from"], &first["added"]), (&Value::Null, &json!(2)));
    let versions = house.get(&format!("{GOLD}/versions?limit=1")).await.ok();
    assert_eq!(versions["versions"][0]["id"], two["id"]);
    let cursor = versions["next_cursor"].as_str().unwrap();
    let versions = house.get(&format!("{GOLD}/versions?branch=main&cursor={cursor}")).await.ok();
    assert_eq!((&versions["versions"][0]["id"], &versions["next_cursor"]), (&one["id"], &Value::Null));
}

#[tokio::test]
async fn branches_and_tags_are_set_and_deleted() {
    let house = house().await;
    let one = commit(&house, json!({"add": [{"id": "a", "input": "1"}]})).await.ok();
    house.put(&format!("{GOLD}/tags/v1"), &json!({"version": "main"})).await.ok();
    house.put(&format!("{GOLD}/branches/try"), &json!({"version": "v1"})).await.ok();
    commit(&house, json!({"branch": "try", "add": [{"id": "b", "input": "2"}]})).await.ok();
    let moved = house.put(&format!("{GOLD}/tags/v1"), &json!({"version": "try"})).await;
    refused(&moved, StatusCode::CONFLICT, "tags don't move");
    let shown = house.get(GOLD).await.ok();
    assert_eq!(shown["tags"][0]["version"], one["id"]);
    assert_eq!(shown["branches"].as_array().unwrap().len(), 2);
    assert_eq!(house.delete(&format!("{GOLD}/branches/try")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.delete(&format!("{GOLD}/tags/v1")).await.status, StatusCode::NO_CONTENT);
    refused(&house.delete(&format!("{GOLD}/branches/main")).await, StatusCode::BAD_REQUEST, "`main` stays");
}

#[tokio::test]
async fn files_come_in_and_go_out() {
    let house = house().await;
    let csv = "key,question,answer\n1,\"Where, when?\",Here\n2,Why?,\"[\"\"a\"\", 1]\"\n";
    let params = "format=csv&split=test&rename=key:id,question:input,answer:reference";
    let done = send_file(&house, params, csv).await.ok();
    assert_eq!((&done["items"], &done["changed"], &done["version"]["added"]), (&json!(2), &json!(true), &json!(2)));
    assert_eq!(send_file(&house, params, csv).await.ok()["changed"], false);
    let jsonl = "{\"id\": 2, \"input\": \"Why?\", \"n\": 1.0}\n\n{\"id\": \"3\", \"input\": \"New\"}\n";
    let done = send_file(&house, "format=jsonl&mode=mirror&message=Mirrored", jsonl).await.ok();
    assert_eq!((&done["version"]["removed"], &done["version"]["message"]), (&json!(1), &json!("Mirrored")));

    let out = house.get(&format!("{GOLD}/export?format=jsonl")).await;
    assert_eq!(out.text(), "{\"id\":\"2\",\"input\":\"Why?\",\"n\":1}\n{\"id\":\"3\",\"input\":\"New\"}\n");
    assert!(out.header("content-disposition").contains("gold-"));
    let out = house.get(&format!("{GOLD}/export?format=csv&version=main")).await;
    assert_eq!(out.text(), "id,input,n\r\n2,Why?,1\r\n3,New,\r\n");
    let first = house.get(&format!("{GOLD}/versions")).await.ok()["versions"][1]["id"].as_str().unwrap().to_owned();
    let out = house.get(&format!("{GOLD}/export?format=csv&version={first}&split=test")).await;
    assert!(out.text().starts_with("id,split,input,reference\r\n1,test,\"Where, when?\",Here\r\n"), "{}", out.text());

    refused(
        &send_file(&house, "format=jsonl", "{}\n{\"a\":1}\n").await,
        StatusCode::BAD_REQUEST,
        "line 1: it says nothing",
    );
    let twice = send_file(&house, "format=csv", "id,input\n1,a\n1,b\n").await;
    refused(&twice, StatusCode::BAD_REQUEST, "line 3: the id `1` stands there twice");
    refused(&send_file(&house, "format=csv&rename=x", "a\n1\n").await, StatusCode::BAD_REQUEST, "`rename`");
    refused(&send_file(&house, "format=csv&base=", "input\n1\n").await, StatusCode::CONFLICT, "no version");
    let shown = house.get(&format!("{GOLD}/items")).await.ok();
    assert_eq!(ids(&shown), ["2", "3"], "what was refused changes nothing");
}

fn call(house: &House, n: u64) -> Span {
    let begin = house.now().minus(Duration::from_secs(60));
    let mut span = llm_span("default", n, "sim/small", begin, 0);
    span.input_messages = vec![Message::text(Role::User, "Where is my parcel?")];
    span.output_messages = vec![Message::text(Role::Assistant, "At the post office.")];
    span.user_id = Some("ann".to_owned());
    span
}

#[tokio::test]
async fn traces_become_items_once() {
    let house = house().await;
    let mut retriever = call(&house, 1);
    retriever.span_id = span_id(7);
    retriever.kind = SpanKind::Retriever;
    (retriever.input_messages, retriever.output_messages) = (Vec::new(), Vec::new());
    retriever.start_time = house.now().minus(Duration::from_secs(90));
    retriever.end_time = house.now().minus(Duration::from_secs(80));
    retriever.output = Some(json!([{"page_content": "Parcels wait at the post office."}]));
    let mut silent = call(&house, 2);
    (silent.input_messages, silent.output_messages) = (Vec::new(), Vec::new());
    house.append(vec![retriever, call(&house, 1), silent]).await;

    let path = format!("{GOLD}/from-traces");
    let span = json!({"trace_id": trace_id(1), "span_id": span_id(1)});
    let preview = house.post(&path, &json!({"spans": [span], "preview": true, "output_is_reference": true})).await.ok();
    let item = &preview["items"][0];
    assert_eq!(
        (&item["input"], &item["output"], &item["reference"], &item["context"]),
        (
            &json!("Where is my parcel?"),
            &json!("At the post office."),
            &json!("At the post office."),
            &json!(["Parcels wait at the post office."])
        )
    );
    assert_eq!((&item["source"]["user_id"], &item["source"]["trace_id"]), (&json!("ann"), &json!(trace_id(1))));
    assert_eq!(preview["version"], Value::Null);
    let done = house.post(&path, &json!({"spans": [span], "split": "test"})).await.ok();
    assert_eq!((&done["added"], &done["known"], &done["version"]["items"]), (&json!(1), &json!(0), &json!(1)));
    let question = json!({"filter": {"field": "kind", "op": "=", "value": "llm"}});
    let again = house.post(&path, &json!({"query": question})).await.ok();
    assert_eq!((&again["added"], &again["known"], &again["silent"]), (&json!(0), &json!(1), &json!(1)));
    let shown = house.get(&format!("{GOLD}/items")).await.ok();
    assert_eq!((ids(&shown)[0], &shown["items"][0]["split"]), (span_id(1).to_string().as_str(), &json!("test")));

    let nothing = house.post(&path, &json!({"spans": [{"trace_id": trace_id(2), "span_id": span_id(2)}]})).await;
    refused(&nothing, StatusCode::BAD_REQUEST, "no item can be made");
    let missing = house.post(&path, &json!({"spans": [{"trace_id": trace_id(9)}]})).await;
    refused(&missing, StatusCode::NOT_FOUND, "there is no trace");
    refused(&house.post(&path, &json!({})).await, StatusCode::BAD_REQUEST, "expected 1 to 1000");

    // Who is forgotten, is forgotten here too.
    let erased = house.post("/api/v1/erasures", &json!({"user_id": "ann"})).await.ok();
    assert!(erased["other_rows"].as_u64().unwrap() >= 1);
    let shown = house.get(&format!("{GOLD}/items")).await.ok();
    assert_eq!(shown["items"][0]["fields"], Value::Null);
    assert_eq!(house.get(&format!("{GOLD}/export?format=jsonl")).await.text(), "");
}
