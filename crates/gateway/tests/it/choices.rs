//! Which target of a route gets a call, by what the call is.

use std::time::Duration;

use serde_json::json;

use crate::house::{CHAT, House, MESSAGES, question, with};
use crate::routes::{as_tries, failing, hand, routed, tries};

#[tokio::test]
async fn long_calls_go_where_there_is_room() {
    let targets = json!([{"provider": "oai", "model": "small", "context_tokens": 1000}, {"provider": "ant", "model": "large", "context_tokens": 5000}]);
    let house = routed(targets, json!({}), vec![]).await;
    let long = |bytes: usize| json!({"model": "chat", "messages": [{"role": "user", "content": "x".repeat(bytes)}]});
    for (bytes, provider) in [(100, "oai"), (8_000, "ant")] {
        let answer = house.call(CHAT, &[], &long(bytes)).await;
        assert_eq!(answer.header("x-signalbox-provider"), provider, "{}", answer.text());
    }
    let answer = house.call(CHAT, &[], &long(40_000)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["code"], "context_length_exceeded", "{}", answer.text());
    assert!(answer.text().contains("more than its 5000"), "{}", answer.text());
    let spans = house.spans().await;
    assert!(spans[1].attributes["signalbox.route.left"].contains("more than its 1000"), "{:#?}", spans[1]);
}

#[tokio::test]
async fn a_provider_that_finds_a_call_too_long_can_hand_it_on() {
    let refusing =
        r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#;
    let bad = hand("bad", "openai_chat", "400 Bad Request", "application/json", refusing).await;
    let targets = json!([{"provider": "bad", "model": "m"}, {"provider": "oai", "model": "small"}]);
    let house = routed(targets, json!({"fallback_on": ["context_length"]}), vec![bad]).await;
    assert_eq!(house.call(CHAT, &[], &question(CHAT, "chat")).await.header("x-signalbox-provider"), "oai");
}

#[tokio::test]
async fn conditions_choose_by_what_the_caller_says() {
    let targets = json!([
        {"provider": "ant", "model": "large", "when": "metadata.tier == 'gold' || user == 'ann'"},
        {"provider": "oai", "model": "small"},
    ]);
    let house = routed(targets, json!({}), vec![]).await;
    for (extra, headers, provider) in [
        (json!({"metadata": {"tier": "gold"}}), vec![], "ant"),
        (json!({"metadata": {"tier": "lead"}}), vec![], "oai"),
        (json!({}), vec![("x-signalbox-user-id", "ann")], "ant"),
        (json!({}), vec![], "oai"),
    ] {
        let answer = house.call(CHAT, &headers, &with(question(CHAT, "chat"), extra)).await;
        assert_eq!(answer.header("x-signalbox-provider"), provider, "{}", answer.text());
    }
    assert!(house.spans().await[1].attributes["signalbox.route.left"].contains("`when` is not true"));
}

#[tokio::test]
async fn sessions_stick_and_turns_are_even() {
    let targets = json!([{"provider": "oai", "model": "small"}, {"provider": "ant", "model": "small"}]);
    let house = routed(targets.clone(), json!({"strategy": "sticky"}), vec![]).await;
    let mut seen = std::collections::HashSet::new();
    for session in 0..12 {
        let session = format!("s{session}");
        let mut own = std::collections::HashSet::new();
        for _ in 0..3 {
            let answer = house.call(CHAT, &[("x-signalbox-session-id", &session)], &question(CHAT, "chat")).await;
            own.insert(answer.header("x-signalbox-provider").to_owned());
        }
        assert_eq!(own.len(), 1);
        seen.extend(own);
    }
    assert_eq!(seen.len(), 2);
    let house = routed(targets, json!({"strategy": "round_robin"}), vec![]).await;
    let mut providers = Vec::new();
    for _ in 0..4 {
        providers.push(house.call(CHAT, &[], &question(CHAT, "chat")).await.header("x-signalbox-provider").to_owned());
    }
    assert_eq!(providers, ["oai", "ant", "oai", "ant"]);
}

#[tokio::test]
async fn the_cheapest_by_the_price_book_is_asked_first() {
    let providers = |address: &str| {
        let base_url = format!("http://{address}/v1");
        vec![json!({"name": "real", "kind": "openai", "base_url": base_url, "api_key": "k"})]
    };
    let other = House::new().await;
    let targets = json!([{"provider": "real", "model": "gpt-4o"}, {"provider": "real", "model": "gpt-4o-mini"}]);
    let house = routed(targets, json!({"strategy": "cheapest"}), providers(&other.simulator)).await;
    let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!(answer.header("x-signalbox-model"), "gpt-4o-mini", "{}", answer.text());
}

#[tokio::test]
async fn what_a_model_lacks_is_asked_of_another_one() {
    let targets = json!([
        {"provider": "oai", "model": "small", "lacks": ["tools", "images", "structured_output"]},
        {"provider": "ant", "model": "large"},
    ]);
    let house = routed(targets, json!({}), vec![]).await;
    let tool = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let schema =
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object", "properties": {}}}});
    let picture = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]);
    for (extra, provider) in [
        (json!({}), "oai"),
        (json!({"tools": tool}), "ant"),
        (json!({"response_format": schema}), "ant"),
        (json!({"messages": [{"role": "user", "content": picture}]}), "ant"),
        (json!({"messages": [{"role": "user", "content": "say \"tools\""}]}), "oai"),
    ] {
        let answer = house.call(CHAT, &[], &with(question(CHAT, "chat"), extra.clone())).await;
        assert_eq!(answer.header("x-signalbox-provider"), provider, "{extra}: {}", answer.text());
    }
    let tool = json!([{"name": "f", "input_schema": {"type": "object"}}]);
    let answer = house.call(MESSAGES, &[], &with(question(MESSAGES, "chat"), json!({"tools": tool}))).await;
    assert_eq!(answer.header("x-signalbox-provider"), "ant", "{}", answer.text());
    assert!(house.spans().await[1].attributes["signalbox.route.left"].contains("needs `tools`"));
}

#[tokio::test]
async fn embeddings_go_to_who_has_them() {
    let targets = json!([{"provider": "ant", "model": "small"}, {"provider": "oai", "model": "embed"}]);
    let house = routed(targets, json!({}), vec![]).await;
    let answer = house.call("/v1/embeddings", &[], &json!({"model": "chat", "input": "x"})).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-provider")), (200, "oai"), "{}", answer.text());
    assert!(house.only_span().await.attributes["signalbox.route.left"].contains("no embeddings endpoint"));
}

#[tokio::test]
async fn figures_of_long_ago_are_told_with_their_age() {
    let house = routed(json!([{"provider": "oai", "model": "small"}]), json!({}), vec![]).await;
    let target = || house.gateway.routes().remove(0).targets.remove(0);
    assert_eq!((target().latency_ms, target().latency_age_ms), (None, None));
    house.call(CHAT, &[], &question(CHAT, "chat")).await;
    house.call(CHAT, &[], &crate::routes::streamed(CHAT)).await;
    let before = target();
    assert!(before.latency_ms.is_some() && before.first_content_ms.is_some(), "{before:?}");
    house.clock.advance(Duration::from_secs(3_600));
    let later = target();
    assert_eq!((later.latency_ms, later.first_content_ms), (before.latency_ms, before.first_content_ms));
    for age in [later.latency_age_ms, later.first_content_age_ms] {
        assert!(age.is_some_and(|age| age >= 3_600_000), "{later:?}");
    }
}

#[tokio::test]
async fn a_route_may_be_named_by_the_path() {
    let targets = json!([{"provider": "bad", "model": "m"}, {"provider": "ant", "model": "small"}]);
    let house = routed(targets, json!({}), vec![failing("bad").await]).await;
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "What is a signal box?"}]}]});
    for method in ["generateContent", "streamGenerateContent?alt=sse"] {
        let answer = house.call(&format!("/v1beta/models/chat:{method}"), &[], &body).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-provider")), (200, "ant"), "{}", answer.text());
        assert!(answer.text().contains("\"candidates\""), "{}", answer.text());
    }
    for span in house.spans().await {
        assert_eq!(tries(&span), as_tries(&[("bad/m", "upstream_error"), ("ant/small", "answered")]));
        assert_eq!(span.model_requested.as_deref(), Some("chat"));
    }
}

#[tokio::test]
async fn who_is_back_after_failures_gets_its_share_little_by_little() {
    let targets = json!([{"provider": "oai", "model": "small", "weight": 2}, {"provider": "ant", "model": "small"}]);
    let more = json!({"breaker": {"failures": 1, "cooldown": "10s", "slow_start": "100s"}});
    let house = routed(targets, more, vec![]).await;
    let weight = || house.gateway.routes()[0].targets[0].weight_now;
    assert_eq!(weight(), 2.0);
    house.call(CHAT, &[("x-sim-status", "500")], &question(CHAT, "chat")).await;
    house.clock.advance(Duration::from_secs(10));
    assert_eq!(house.call(CHAT, &[], &question(CHAT, "chat")).await.header("x-signalbox-provider"), "oai");
    // A tenth at first, so that it can show that it is well.
    for (seconds, expected) in [(0, 0.2), (5, 0.2), (45, 1.0), (50, 2.0), (100, 2.0)] {
        house.clock.advance(Duration::from_secs(seconds));
        assert!((weight() - expected).abs() < 1e-9, "{} after {seconds} s more", weight());
    }
    assert_eq!(house.gateway.routes()[0].targets[1].weight_now, 1.0);
}

#[tokio::test]
async fn an_unwell_provider_is_asked_only_if_nobody_else_can_be() {
    let sick = with(failing("sick").await, json!({"probe": {"every": "3ms", "failures": 1}}));
    let targets = json!([{"provider": "sick", "model": "m"}, {"provider": "oai", "model": "small"}]);
    let house = routed(targets, json!({}), vec![sick.clone()]).await;
    let unwell = |house: &House| house.gateway.routes()[0].targets[0].unwell.clone();
    while unwell(&house).is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(unwell(&house).unwrap().contains("HTTP status 500"), "{:?}", unwell(&house));
    let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!((answer.header("x-signalbox-provider"), answer.header("x-signalbox-attempts")), ("oai", "1"));
    let span = house.only_span().await;
    assert_eq!(tries(&span), as_tries(&[("oai/small", "answered")]));
    assert!(span.attributes["signalbox.route.left"].contains("asked whether it is well"), "{span:#?}");

    // Alone, it gets the call all the same: what a probe asks for is not what a call does.
    let house = routed(json!([{"provider": "sick", "model": "m"}]), json!({}), vec![sick]).await;
    while unwell(&house).is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(house.call(CHAT, &[], &question(CHAT, "chat")).await.status, 500);
    assert_eq!(tries(&house.only_span().await), as_tries(&[("sick/m", "upstream_error")]));
}
