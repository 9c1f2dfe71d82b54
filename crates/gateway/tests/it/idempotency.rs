//! The same call, sent again with the same `Idempotency-Key`: one call to the provider, one answer for all.

use std::task::{Context, Waker};
use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use signalbox_gateway::GatewayConfig;

use crate::house::{Answer, CHAT, GEMINI, House, MESSAGES, Plan, question, request, with};

const ONCE: (&str, &str) = ("idempotency-key", "order-1");

async fn asked(house: &House) -> Value {
    house.stats().await["requests"].clone()
}

#[tokio::test]
async fn who_asks_again_gets_the_kept_answer() {
    let house = House::new().await;
    for (path, model) in [(CHAT, "oai/small"), (CHAT, "ant/large"), (MESSAGES, "ant/large"), (GEMINI, "gem/small")] {
        let key = format!("{path} {model}");
        let headers = [("idempotency-key", key.as_str())];
        let before = asked(&house).await.as_u64().unwrap();
        let first = house.call(path, &headers, &question(path, model)).await;
        let second = house.call(path, &headers, &question(path, model)).await;
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200), "{}", second.text());
        assert_eq!(first.body, second.body);
        assert_eq!((first.header("x-signalbox-idempotency"), second.header("x-signalbox-idempotency")), ("", "kept"));
        assert_eq!(first.header("content-type"), second.header("content-type"));
        for name in ["x-signalbox-provider", "x-signalbox-model", "x-signalbox-cost-usd"] {
            assert!(!first.header(name).is_empty(), "{name}");
            assert_eq!(second.header(name), first.header(name), "{name}");
        }
        assert_eq!(asked(&house).await.as_u64().unwrap(), before + 1);
        let spans = house.spans().await;
        let [.., one, again] = spans.as_slice() else { panic!("two spans") };
        assert_eq!(again.attributes["signalbox.idempotency"], "kept");
        assert_eq!(again.attributes["signalbox.idempotency.trace_id"], one.trace_id.to_string());
        assert_eq!((again.usage.output_tokens, &again.cost), (None, &None));
        assert!(one.usage.output_tokens > Some(0));
    }
    // Not for ever.
    house.clock.advance(Duration::from_secs(600));
    let before = asked(&house).await;
    house.call(CHAT, &[("idempotency-key", "/v1/chat/completions oai/small")], &question(CHAT, "oai/small")).await;
    assert_ne!(asked(&house).await, before);
}

#[tokio::test]
async fn who_asks_meanwhile_waits_for_the_one_answer() {
    let house = House::new().await;
    let headers = [ONCE, ("x-sim-latency-ms", "20")];
    let body = question(CHAT, "oai/small");
    let calls = (0..8).map(|_| house.call(CHAT, &headers, &body));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body));
    let joined = answers.iter().filter(|answer| answer.header("x-signalbox-idempotency") == "joined").count();
    assert_eq!((joined, asked(&house).await), (7, json!(1)));
    // Failures are told to those who wait, and are nobody's later.
    let failing = [("idempotency-key", "order-2"), ("x-sim-latency-ms", "20"), ("x-sim-status", "500")];
    let calls = (0..4).map(|_| house.call(CHAT, &failing, &body));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.status == 500), "{answers:?}");
    assert_eq!(asked(&house).await, json!(2));
    assert_eq!(house.call(CHAT, &[("idempotency-key", "order-2")], &body).await.status, 200);
    let spans = house.spans().await;
    let failed = spans.iter().filter(|span| span.error_type.as_deref() == Some("upstream_error")).count();
    assert_eq!((spans.len(), failed), (13, 4));
}

#[tokio::test]
async fn whoever_waits_makes_the_call_when_the_first_caller_hangs_up() {
    let house = House::new().await;
    let headers = [ONCE, ("x-sim-latency-ms", "30")];
    let body = question(CHAT, "oai/small");
    let mut first = Box::pin(house.send(request(CHAT, &headers, body.to_string().into())));
    while asked(&house).await == 0 {
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::task::yield_now().await;
    }
    let mut second = Box::pin(house.send(request(CHAT, &headers, body.to_string().into())));
    assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(first);
    let answer = Answer::read(second.await).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-idempotency")), (200, ""), "{}", answer.text());
    assert_eq!(asked(&house).await, 2);
}

#[tokio::test]
async fn who_waits_for_the_same_call_waits_no_longer_than_it_said() {
    let house = House::new().await;
    let body = question(CHAT, "oai/small");
    let slow = [ONCE, ("x-sim-latency-ms", "60000")];
    let mut first = Box::pin(house.send(request(CHAT, &slow, body.to_string().into())));
    while asked(&house).await == 0 {
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::task::yield_now().await;
    }
    let headers = [ONCE, ("x-signalbox-timeout-ms", "20")];
    let second = house.call(CHAT, &headers, &body);
    let second = tokio::time::timeout(Duration::from_secs(10), second).await.unwrap();
    assert_eq!(second.status, 504, "{}", second.text());
    assert!(second.text().contains("x-signalbox-timeout-ms"), "{}", second.text());
    assert_eq!(asked(&house).await, 1);
}

#[tokio::test]
async fn who_has_no_patience_fails_alone() {
    let house = House::new().await;
    let body = question(CHAT, "oai/small");
    let hasty = [ONCE, ("x-sim-latency-ms", "60000"), ("x-signalbox-timeout-ms", "200")];
    let mut first = Box::pin(house.call(CHAT, &hasty, &body));
    while asked(&house).await == 0 {
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::task::yield_now().await;
    }
    let both = futures_util::future::join(first, house.call(CHAT, &[ONCE], &body));
    let (first, second) = tokio::time::timeout(Duration::from_secs(10), both).await.unwrap();
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (504, 200), "{}", second.text());
    assert_eq!((second.header("x-signalbox-idempotency"), asked(&house).await), ("", json!(2)));
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_project() {
    let house = House::new().await;
    for (path, model) in [(CHAT, "oai/small"), (MESSAGES, "ant/large")] {
        let headers = [("idempotency-key", path)];
        house.call(path, &headers, &question(path, model)).await;
        let other = with(question(path, model), json!({"temperature": 0.5}));
        let answer = house.call(path, &headers, &other).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains("another request"), "{}", answer.text());
    }
    // The same path of another provider is another request, too.
    let more = json!({"name": "more", "kind": "sim", "dialect": "openai_chat", "base_url": format!("http://{}/v1", house.simulator)});
    let two = House::build(Plan { providers: vec![more], ..Plan::default() }).await;
    for (name, status) in [("oai", 200), ("more", 422)] {
        let path = format!("/providers/{name}/chat/completions");
        let answer = two.call(&path, &[ONCE], &question(CHAT, "small")).await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text());
    }
    let long = "x".repeat(256);
    let answer = house.call(CHAT, &[("idempotency-key", &long)], &question(CHAT, "oai/small")).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test]
async fn a_key_stands_for_the_headers_that_change_an_answer_and_for_who_asks() {
    let house = House::new().await;
    let (chat, messages) = (question(CHAT, "oai/small"), question(MESSAGES, "ant/large"));
    house.call(CHAT, &[ONCE, ("x-signalbox-tags", "a")], &chat).await;
    house.call(MESSAGES, &[("idempotency-key", "m"), ("anthropic-beta", "one")], &messages).await;
    for (path, headers, body, status) in [
        (
            CHAT,
            vec![ONCE, ("x-signalbox-tags", "a"), ("user-agent", "another"), ("x-stainless-retry-count", "1")],
            &chat,
            200,
        ),
        (CHAT, vec![ONCE, ("x-signalbox-tags", "a"), ("x-signalbox-timeout-ms", "9000")], &chat, 200),
        (CHAT, vec![ONCE, ("x-signalbox-tags", "b")], &chat, 422),
        (CHAT, vec![ONCE, ("x-signalbox-tags", "a"), ("openai-beta", "x")], &chat, 422),
        (MESSAGES, vec![("idempotency-key", "m"), ("anthropic-beta", "one")], &messages, 200),
        (MESSAGES, vec![("idempotency-key", "m"), ("anthropic-beta", "two")], &messages, 422),
    ] {
        let answer = house.call(path, &headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {}", answer.text());
    }
    let principal = house.catalog.authenticate(crate::house::KEY).unwrap();
    let other = house.catalog.create_key(&principal, "other").await.unwrap().key;
    let mut asked = request(CHAT, &[ONCE, ("x-signalbox-tags", "a")], chat.to_string().into());
    asked.headers_mut().insert("authorization", format!("Bearer {}", other.expose()).parse().unwrap());
    assert_eq!(Answer::read(house.send(asked).await).await.status, 422);
}

#[tokio::test]
async fn a_refusal_does_not_outlive_the_configuration_that_made_it() {
    let house = House::new().await;
    let body = question(CHAT, "chat");
    for _ in 0..2 {
        assert_eq!(house.call(CHAT, &[ONCE], &body).await.status, 404);
    }
    let route = json!([{"name": "chat", "targets": [{"provider": "oai", "model": "small"}]}]);
    house.reload(Plan { routes: route, ..Plan::default() }).unwrap();
    let answer = house.call(CHAT, &[ONCE], &body).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-idempotency")), (200, ""), "{}", answer.text());
    // An answer does: it was made, and paid for.
    house.reload(Plan::default()).unwrap();
    let answer = house.call(CHAT, &[ONCE], &body).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-idempotency")), (200, "kept"), "{}", answer.text());
}

#[tokio::test]
async fn mistakes_are_kept_and_streams_are_not() {
    let house = House::new().await;
    for _ in 0..2 {
        let answer = house.call(CHAT, &[ONCE], &question(CHAT, "nobody/m")).await;
        assert_eq!(answer.status, 404);
    }
    assert_eq!(house.spans().await[1].attributes["signalbox.idempotency"], "kept");
    let body = with(question(CHAT, "oai/small"), json!({"stream": true}));
    for _ in 0..2 {
        let answer = house.call(CHAT, &[("idempotency-key", "stream")], &body).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-idempotency")), (200, ""));
    }
    // With no room for answers, calls that run are still waited for.
    let config = GatewayConfig { idempotency_bytes: 0, ..GatewayConfig::default() };
    let house = House::build(Plan { config, ..Plan::default() }).await;
    for _ in 0..2 {
        let answer = house.call(CHAT, &[ONCE], &question(CHAT, "oai/small")).await;
        assert_eq!(answer.header("x-signalbox-idempotency"), "");
    }
    let calls = (0..2).map(|_| house.send(request(CHAT, &[ONCE], question(CHAT, "oai/small").to_string().into())));
    for response in futures_util::future::join_all(calls).await {
        response.into_body().collect().await.unwrap();
    }
    assert_eq!(asked(&house).await, 3);
}
