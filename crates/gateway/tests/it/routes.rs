//! Routes: who is asked, in which order, and what the span, the headers and `/metrics` say of it.

use std::future::Future as _;
use std::task::{Context, Waker};
use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use signalbox_gateway::{BreakerState, RouteConfig, Routes};
use signalbox_types::seam::SystemClock;
use signalbox_types::{Span, SpanStatus};
use signalbox_upstream::{Upstream, UpstreamConfig};

use crate::house::{Answer, CHAT, House, MESSAGES, Plan, content, hand_written, http_answer, question, request, with};

/// A house with one route `chat` over these targets.
pub(crate) async fn routed(targets: Value, more: Value, providers: Vec<Value>) -> House {
    let quick = json!({"name": "chat", "targets": targets, "retry": {"attempts": 0}});
    let routes = json!([with(quick, more)]);
    House::build(Plan { routes, providers, ..Plan::default() }).await
}

/// A provider that answers everything so.
pub(crate) async fn hand(name: &str, dialect: &str, status: &str, content_type: &str, body: &str) -> Value {
    let base_url = hand_written(vec![http_answer(status, content_type, body)]).await;
    json!({"name": name, "dialect": dialect, "base_url": base_url, "api_key": "k"})
}

pub(crate) async fn failing(name: &str) -> Value {
    hand(name, "openai_chat", "500 Oops", "application/json", r#"{"error":{"message":"oops","type":"server_error"}}"#)
        .await
}

pub(crate) fn streamed(path: &str) -> Value {
    with(question(path, "chat"), json!({"stream": true}))
}

/// The tries that a span tells of: target and outcome.
pub(crate) fn tries(span: &Span) -> Vec<(String, String)> {
    let tries: Value = serde_json::from_str(&span.attributes["signalbox.route.tries"]).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    tries.as_array().unwrap().iter().map(|one| (text(&one["target"]), text(&one["outcome"]))).collect()
}

pub(crate) fn as_tries(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(target, outcome)| ((*target).to_owned(), (*outcome).to_owned())).collect()
}

#[tokio::test]
async fn the_next_target_answers_where_the_first_one_fails_and_the_span_says_so() {
    for (path, stream) in [(CHAT, false), (CHAT, true), (MESSAGES, false), (MESSAGES, true)] {
        let targets = json!([{"provider": "bad", "model": "m"}, {"provider": "ant", "model": "small"}, {"provider": "oai", "model": "small"}]);
        let house = routed(targets, json!({}), vec![failing("bad").await]).await;
        let answer = house.call(path, &[], &with(question(path, "chat"), json!({"stream": stream}))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(!answer.content().is_empty());
        assert_eq!(answer.header("x-signalbox-route"), "chat");
        assert_eq!(answer.header("x-signalbox-provider"), "ant");
        assert_eq!(answer.header("x-signalbox-attempts"), "2");
        let span = house.only_span().await;
        assert_eq!(span.status, SpanStatus::Ok, "{span:#?}");
        assert_eq!(
            (span.model_requested.as_deref(), span.attributes["signalbox.provider"].as_str()),
            (Some("chat"), "ant")
        );
        assert_eq!(tries(&span), as_tries(&[("bad/m", "upstream_error"), ("ant/small", "answered")]));
        assert_eq!(span.attributes["signalbox.route.name"], "chat");
        assert_eq!(span.attributes["signalbox.route.strategy"], "priority");
        assert_eq!(span.attributes["signalbox.route.reason"], "as listed");
        assert!(span.attributes["signalbox.route.tries"].contains("\"oops\""), "{span:#?}");
        let metrics = house.metrics();
        for line in [
            r#"signalbox_gateway_tries_total{route="chat",provider="bad",outcome="upstream_error",mirror="0"} 1"#,
            r#"signalbox_gateway_tries_total{route="chat",provider="ant",outcome="answered",mirror="0"} 1"#,
            r#"signalbox_gateway_fallbacks_total{route="chat"} 1"#,
        ] {
            assert!(metrics.contains(line), "{line} in {metrics}");
        }
        assert_eq!(house.stats().await["requests"], 1);
    }
}

#[tokio::test]
async fn calls_without_a_route_are_left_alone() {
    let house = House::new().await;
    let answer = house.call(CHAT, &[], &question(CHAT, "oai/small")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-route")), (200, ""));
    assert_eq!(answer.header("x-signalbox-attempts"), "");
    let span = house.only_span().await;
    assert!(!span.attributes.keys().any(|name| name.starts_with("signalbox.route")), "{span:#?}");
}

#[tokio::test]
async fn a_route_may_stand_before_a_model_and_is_listed() {
    let routes = json!([{"name": "oai/small", "targets": [{"provider": "ant", "model": "large"}]}]);
    let house = House::build(Plan { routes, ..Plan::default() }).await;
    let answer = house.call(CHAT, &[], &question(CHAT, "oai/small")).await;
    assert_eq!(answer.header("x-signalbox-provider"), "ant");
    let mut listing = request("/v1/models", &[], "".into());
    *listing.method_mut() = http::Method::GET;
    let models = Answer::read(house.send(listing).await).await.json();
    assert_eq!((&models["data"][0]["id"], &models["data"][0]["owned_by"]), (&json!("oai/small"), &json!("signalbox")));
}

#[tokio::test]
async fn what_a_caller_did_wrong_is_told_at_once() {
    let refusing = r#"{"error":{"message":"bad tool","type":"invalid_request_error","param":"tools"}}"#;
    let bad = hand("bad", "openai_chat", "400 Bad Request", "application/json", refusing).await;
    let house =
        routed(json!([{"provider": "bad", "model": "m"}, {"provider": "oai", "model": "small"}]), json!({}), vec![bad])
            .await;
    let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (400, refusing));
    assert_eq!(house.stats().await["requests"], 0);
}

#[tokio::test]
async fn only_the_failures_that_the_route_names_go_on() {
    let more = json!({"fallback_on": ["rate_limited"]});
    let targets = json!([{"provider": "bad", "model": "m"}, {"provider": "oai", "model": "small"}]);
    let house = routed(targets, more, vec![failing("bad").await]).await;
    assert_eq!(house.call(CHAT, &[], &question(CHAT, "chat")).await.status, 500);
}

#[tokio::test]
async fn what_one_dialect_cannot_say_another_one_may() {
    let house = routed(
        json!([{"provider": "ant", "model": "small"}, {"provider": "oai", "model": "small"}]),
        json!({}),
        vec![],
    )
    .await;
    let answer = house.call(CHAT, &[], &with(question(CHAT, "chat"), json!({"n": 2}))).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-provider")), (200, "oai"), "{}", answer.text());
    assert_eq!(
        tries(&house.only_span().await),
        as_tries(&[("ant/small", "invalid_request"), ("oai/small", "answered")])
    );
}

#[tokio::test]
async fn a_failure_that_may_be_gone_is_tried_again_within_the_budget() {
    let retry = json!({"retry": {"attempts": 2, "base": "1ms", "max": "2ms", "budget": 0.0}});
    let house = routed(json!([{"provider": "oai", "model": "small"}]), retry, vec![]).await;
    let failing = [("x-sim-status", "500")];
    assert_eq!(house.call(CHAT, &failing, &question(CHAT, "chat")).await.header("x-signalbox-attempts"), "1");
    assert_eq!(house.only_span().await.attributes["signalbox.route.retry_budget_spent"], "true");
    let retry = json!({"retry": {"attempts": 2, "base": "1ms", "max": "2ms"}});
    let house = routed(json!([{"provider": "oai", "model": "small"}]), retry, vec![]).await;
    assert_eq!(house.call(CHAT, &failing, &question(CHAT, "chat")).await.header("x-signalbox-attempts"), "3");
    assert_eq!(house.stats().await["requests"], 3);
    let span = house.only_span().await;
    assert!(span.attributes["signalbox.route.tries"].contains(r#""because":"retry""#), "{span:#?}");
}

#[tokio::test]
async fn a_storm_of_failures_costs_few_retries() {
    let more = json!({"retry": {"attempts": 5, "base": "1ms", "max": "1ms", "budget": 0.1}, "breaker": {"failures": 1000, "failure_rate": 1}});
    let house = routed(json!([{"provider": "oai", "model": "small"}]), more, vec![]).await;
    for _ in 0..100 {
        house.call(CHAT, &[("x-sim-status", "500")], &question(CHAT, "chat")).await;
    }
    let asked = house.stats().await["requests"].as_u64().unwrap();
    assert!((110..=121).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_breaker_opens_fails_fast_and_recovers() {
    let more = json!({"breaker": {"failures": 2, "cooldown": "30s"}});
    let house = routed(json!([{"provider": "oai", "model": "small"}]), more, vec![]).await;
    let breaker = || house.gateway.routes()[0].targets[0].breaker;
    for _ in 0..2 {
        assert_eq!(house.call(CHAT, &[("x-sim-status", "500")], &question(CHAT, "chat")).await.status, 500);
    }
    assert_eq!(breaker(), BreakerState::Open);
    assert!(house.metrics().contains(r#"signalbox_gateway_breaker_open{route="chat",target="oai/small"} 1"#));
    let refused = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "30"), "{}", refused.text());
    assert!(refused.text().contains("left alone"), "{}", refused.text());
    assert_eq!(house.stats().await["requests"], 2);
    house.clock.advance(Duration::from_secs(30));
    assert_eq!(breaker(), BreakerState::Probing);
    assert_eq!(house.call(CHAT, &[], &question(CHAT, "chat")).await.status, 200);
    assert_eq!(breaker(), BreakerState::Closed);
    assert!(house.metrics().contains(r#"signalbox_gateway_breaker_open{route="chat",target="oai/small"} 0"#));
    let targets = &house.gateway.routes()[0].targets[0];
    assert_eq!((targets.answered, targets.failed, targets.in_flight), (1, 2, 0));
}

#[tokio::test]
async fn a_slow_target_gets_a_rival_and_the_loser_is_cancelled() {
    let slow = hang().await;
    let providers = vec![json!({"name": "slow", "dialect": "openai_chat", "base_url": slow, "api_key": "k"})];
    let more = json!({"hedge": {"after": "5ms"}});
    let house =
        routed(json!([{"provider": "slow", "model": "m"}, {"provider": "oai", "model": "small"}]), more, providers)
            .await;
    for body in [question(CHAT, "chat"), streamed(CHAT)] {
        let answer = house.call(CHAT, &[], &body).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-provider")), (200, "oai"), "{}", answer.text());
    }
    let spans = house.spans().await;
    assert_eq!(tries(&spans[0]), as_tries(&[("slow/m", "cancelled"), ("oai/small", "answered")]));
    assert!(spans[0].attributes["signalbox.route.tries"].contains(r#""because":"hedge""#));
    assert!(house.gateway.routes()[0].targets.iter().all(|target| target.in_flight == 0));
}

/// A provider that takes every connection and says nothing.
pub(crate) async fn hang() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    format!("http://{address}/v1")
}

#[tokio::test]
async fn a_mirror_gets_copies_that_count_in_no_sum() {
    let more = json!({"mirror": {"provider": "ant", "model": "large"}});
    let house = routed(json!([{"provider": "oai", "model": "small"}]), more, vec![]).await;
    for body in [question(CHAT, "chat"), streamed(CHAT)] {
        let answer = house.call(CHAT, &[], &body).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-provider")), (200, "oai"));
    }
    let spans = house.spans().await;
    let (copies, calls): (Vec<_>, Vec<_>) =
        spans.iter().partition(|span| span.attributes.contains_key("signalbox.route.mirror_of"));
    assert_eq!((copies.len(), calls.len()), (2, 2));
    for copy in copies {
        assert_eq!((copy.counted_before, copy.status), (Some(false), SpanStatus::Ok), "{copy:#?}");
        assert_eq!((copy.model(), copy.attributes["signalbox.provider"].as_str()), (Some("large"), "ant"));
        let call = calls.iter().find(|call| Some(call.span_id) == copy.parent_span_id).unwrap();
        assert_eq!((call.trace_id, call.counted_before), (copy.trace_id, None));
        assert_eq!(call.input_messages, copy.input_messages);
        assert!(copy.usage.output_tokens > Some(0) && !copy.output_messages.is_empty());
    }
    let metrics = house.metrics();
    assert!(metrics.contains(r#"provider="ant",outcome="answered",mirror="1"} 2"#), "{metrics}");
    assert!(!metrics.contains(r#"signalbox_gateway_requests_total{path="/v1/chat/completions",provider="ant""#));
    assert_eq!(house.gateway.metrics().in_flight(), 0);
    // Not a single copy of a sample of none.
    let more = json!({"mirror": {"provider": "ant", "model": "large", "sample": 0}});
    let house = routed(json!([{"provider": "oai", "model": "small"}]), more, vec![]).await;
    house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!(house.spans().await.len(), 1);
}

/// Reads the first content of a stream and hangs up.
async fn hang_up_after_content(house: &House, headers: &[(&str, &str)], body: &Value) {
    let mut response = house.send(request(CHAT, headers, body.to_string().into())).await;
    let mut text = String::new();
    while content(&text).is_empty() {
        let frame = response.body_mut().frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
}

#[tokio::test]
async fn who_hangs_up_cancels_and_an_estimate_is_booked() {
    let house = routed(json!([{"provider": "oai", "model": "small"}]), json!({}), vec![]).await;
    hang_up_after_content(&house, &[("x-sim-stall-after", "3")], &streamed(CHAT)).await;
    let span = house.only_span().await;
    assert_eq!(span.error_type.as_deref(), Some("cancelled"));
    assert_eq!(span.attributes["signalbox.usage.estimated"], "true");
    assert!(span.usage.input_tokens > Some(0) && span.usage.output_tokens > Some(0), "{span:#?}");
    assert!(span.cost.is_some(), "{span:#?}");
    while house.stats().await["cancelled"] == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(house.gateway.routes()[0].targets[0].in_flight, 0);
    // An answer that came to its end is not estimated.
    let house = House::new().await;
    house.call(CHAT, &[], &with(question(CHAT, "oai/small"), json!({"stream": true}))).await;
    assert!(!house.only_span().await.attributes.contains_key("signalbox.usage.estimated"));
}

#[tokio::test]
async fn a_route_that_drains_books_what_the_provider_says() {
    let more = json!({"on_disconnect": "drain"});
    let house = routed(json!([{"provider": "oai", "model": "small"}]), more.clone(), vec![]).await;
    hang_up_after_content(&house, &[("x-sim-chunk-delay-ms", "1")], &streamed(CHAT)).await;
    let span = house.only_span().await;
    assert_eq!(
        (span.status, span.attributes["signalbox.route.drained"].as_str()),
        (SpanStatus::Ok, "true"),
        "{span:#?}"
    );
    assert!(!span.attributes.contains_key("signalbox.usage.estimated"));
    assert!(span.usage.output_tokens > Some(0) && span.finish_reasons == ["stop"]);
    assert_eq!(
        (house.stats().await["finished"].as_u64(), house.stats().await["cancelled"].as_u64()),
        (Some(1), Some(0))
    );

    // Also before the first byte.
    let house = routed(json!([{"provider": "oai", "model": "small"}]), more.clone(), vec![]).await;
    let body = question(CHAT, "chat").to_string();
    let mut serving = Box::pin(house.send(request(CHAT, &[("x-sim-latency-ms", "30")], body.into())));
    while house.stats().await["requests"] == 0 {
        assert!(serving.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::task::yield_now().await;
    }
    drop(serving);
    let span = house.only_span().await;
    assert_eq!(
        (span.status, span.attributes["signalbox.route.drained"].as_str()),
        (SpanStatus::Ok, "true"),
        "{span:#?}"
    );

    // Who stays gets it all, and no mark.
    let house = routed(json!([{"provider": "oai", "model": "small"}]), more, vec![]).await;
    let answer = house.call(CHAT, &[], &streamed(CHAT)).await;
    assert!(answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
    assert!(!house.only_span().await.attributes.contains_key("signalbox.route.drained"));

    // Not for ever.
    let more = json!({"on_disconnect": "drain", "drain_time": "20ms"});
    let house = routed(json!([{"provider": "oai", "model": "small"}]), more, vec![]).await;
    hang_up_after_content(&house, &[("x-sim-stall-after", "3")], &streamed(CHAT)).await;
    let span = house.only_span().await;
    assert_eq!(span.error_type.as_deref(), Some("cancelled"));
    assert_eq!(span.attributes["signalbox.usage.estimated"], "true");
}

#[tokio::test]
async fn calls_wait_in_line_for_a_target_without_room_and_the_line_is_bounded() {
    let targets = json!([{"provider": "oai", "model": "small", "max_concurrency": 1, "max_queue": 1}]);
    let house = routed(targets, json!({}), vec![]).await;
    let first = house.send(request(CHAT, &[], streamed(CHAT).to_string().into())).await;
    let mut second = Box::pin(house.send(request(CHAT, &[], question(CHAT, "chat").to_string().into())));
    assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let status = house.gateway.routes();
    assert_eq!((status[0].targets[0].in_flight, status[0].targets[0].waiting), (1, 1));
    let third = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!((third.status.as_u16(), third.header("retry-after")), (503, "1"), "{}", third.text());
    assert!(third.text().contains("its line is full"), "{}", third.text());
    assert!(house.metrics().contains(r#"signalbox_gateway_route_shed_total{route="chat",reason="line"} 1"#));
    Answer::read(first).await;
    assert_eq!(Answer::read(second.await).await.status, 200);
    // With another target, nobody waits.
    let targets =
        json!([{"provider": "oai", "model": "small", "max_concurrency": 1}, {"provider": "ant", "model": "small"}]);
    let house = routed(targets, json!({}), vec![]).await;
    let first = house.send(request(CHAT, &[], streamed(CHAT).to_string().into())).await;
    let second = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!(
        (first.headers()["x-signalbox-provider"].to_str().unwrap(), second.header("x-signalbox-provider")),
        ("oai", "ant")
    );
}

#[tokio::test]
async fn targets_whose_provider_is_off_are_left_out_with_the_reason() {
    let targets = json!([{"provider": "groq", "model": "m"}, {"provider": "oai", "model": "small"}]);
    let house = routed(targets, json!({}), vec![]).await;
    assert_eq!(house.call(CHAT, &[], &question(CHAT, "chat")).await.header("x-signalbox-provider"), "oai");
    let left = house.only_span().await.attributes["signalbox.route.left"].clone();
    assert!(left.contains("GROQ_API_KEY"), "{left}");
    assert!(house.gateway.routes()[0].targets[0].off.as_ref().unwrap().contains("GROQ_API_KEY"));
}

#[test]
fn a_wrong_configuration_is_refused_with_place_and_hint() {
    let clock = std::sync::Arc::new(SystemClock::new());
    let upstream = Upstream::new(&UpstreamConfig::default(), &|_| None, clock).unwrap();
    let check = |route: Value, path: &str, needle: &str| {
        let routes: Vec<RouteConfig> = serde_json::from_value(json!([route])).unwrap();
        let problems = Routes::compile(&routes, &upstream).unwrap_err();
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(
            texts.iter().any(|text| text.starts_with(&format!("`{path}`: ")) && text.contains(needle)),
            "{texts:?}"
        );
    };
    let sim = json!({"provider": "sim", "model": "small"});
    let target = |more: Value| json!({"name": "a", "targets": [with(sim.clone(), more)]});
    check(json!({"name": "a", "targets": []}), "routes[0].targets", "list at least one");
    check(json!({"name": "a b", "targets": [sim]}), "routes[0].name", "`a b` is no name");
    check(
        target(json!({"provider": "smi"})),
        "routes[0].targets[0].provider",
        "no provider `smi`; did you mean `sim`? configured or on: `sim`",
    );
    check(target(json!({"when": "tier =="})), "routes[0].targets[0].when", "CEL");
    check(target(json!({"when": "tier == 'x'"})), "routes[0].targets[0].when", "it names `tier`; known: model");
    check(target(json!({"weight": -1})), "routes[0].targets[0].weight", "out of range");
    check(target(json!({"weight": 0})), "routes[0].targets", "every `weight` is 0");
    check(target(json!({"max_concurrency": 0})), "routes[0].targets[0].max_concurrency", "no limit");
    check(json!({"name": "a", "targets": [sim, sim]}), "routes[0].targets[1]", "stands twice");
    check(with(target(json!({})), json!({"timeouts": {"try": "0s"}})), "routes[0].timeouts.try", "zero");
    check(with(target(json!({})), json!({"breaker": {"failures": 0}})), "routes[0].breaker.failures", "at least 1");
    check(with(target(json!({})), json!({"retry": {"base": "9s"}})), "routes[0].retry.max", "shorter than `base`");
    check(with(target(json!({})), json!({"retry": {"budget": 2}})), "routes[0].retry.budget", "0 to 1");
    for (strategy, field) in [("complexity", "complexity_up_to"), ("semantic", "examples"), ("experiment", "arm")] {
        check(with(target(json!({})), json!({"strategy": strategy})), "routes[0].strategy", field);
    }
    check(target(json!({"arm": "a"})), "routes[0].targets[0].arm", "strategy: experiment");
    check(target(json!({"complexity_up_to": 2})), "routes[0].targets[0].complexity_up_to", "0 to 1");
    let trial = |arms: Value| {
        with(target(json!({"arm": "a"})), json!({"strategy": "experiment", "experiment": {"arms": arms}}))
    };
    check(trial(json!([{"name": "a"}, {"name": "a"}])), "routes[0].experiment.arms[1].name", "another arm");
    check(
        trial(json!([{"name": "a"}, {"name": "b"}])),
        "routes[0].experiment.arms[1].name",
        "no target is of the arm `b`",
    );
    check(trial(json!([{"name": "a", "weight": 0}])), "routes[0].experiment.arms", "no arm gets");
    check(trial(json!([{"name": "b"}])), "routes[0].targets[0].arm", "there is no arm `a`");
    check(
        with(target(json!({})), json!({"mirror": {"provider": "x", "model": "m"}})),
        "routes[0].mirror.provider",
        "no provider",
    );
    let twice: Vec<RouteConfig> = serde_json::from_value(json!([target(json!({})), target(json!({}))])).unwrap();
    assert!(
        Routes::compile(&twice, &upstream).unwrap_err()[0]
            .to_string()
            .starts_with("`routes[1].name`: there is another")
    );
    assert!(serde_json::from_value::<RouteConfig>(with(target(json!({})), json!({"stratgy": "x"}))).is_err());
}
