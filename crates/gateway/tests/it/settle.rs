//! A call is settled once, however it ends.

use std::future::Future as _;
use std::sync::Arc;
use std::task::{Context, Waker};

use http_body_util::BodyExt as _;
use serde_json::json;
use signalbox_gateway::GatewayConfig;
use signalbox_testkit::VecSink;

use crate::house::{Answer, CHAT, House, MESSAGES, Plan, content, question, request, with};

/// What the simulated provider saw: `(requests, finished, cancelled)`.
async fn seen(house: &House) -> (u64, u64, u64) {
    let stats = house.stats().await;
    let get = |name: &str| stats[name].as_u64().unwrap();
    (get("requests"), get("finished"), get("cancelled"))
}

async fn until_cancelled(house: &House) {
    while seen(house).await.2 == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn hanging_up_mid_stream_cancels_upstream_and_keeps_what_came() {
    for (path, model) in [(CHAT, "oai/small"), (CHAT, "ant/small"), (MESSAGES, "ant/small"), (MESSAGES, "oai/small")] {
        let house = House::new().await;
        let body = with(question(path, model), json!({"stream": true})).to_string();
        let mut response = house.send(request(path, &[("x-sim-stall-after", "3")], body.into())).await;
        let mut text = String::new();
        while content(&text).is_empty() {
            let frame = response.body_mut().frame().await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
        drop(response);
        let span = house.only_span().await;
        assert_eq!(span.error_type.as_deref(), Some("cancelled"), "{span:#?}");
        assert_eq!(span.http_status, Some(200));
        // What came may be more than what was read of it.
        assert!(span.output_messages[0].readable().starts_with(&content(&text)), "{text} {span:#?}");
        until_cancelled(&house).await;
        assert_eq!(house.gateway.metrics().in_flight(), 0);
        assert!(house.metrics().contains(r#"error_type="cancelled"} 1"#), "{}", house.metrics());
    }
}

#[tokio::test]
async fn hanging_up_before_the_first_byte_cancels_upstream() {
    let house = House::new().await;
    let body = question(CHAT, "oai/small").to_string();
    let mut serving = Box::pin(house.send(request(CHAT, &[("x-sim-latency-ms", "600000")], body.into())));
    while seen(&house).await.0 == 0 {
        let waker = Waker::noop();
        assert!(serving.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        tokio::task::yield_now().await;
    }
    drop(serving);
    let span = house.only_span().await;
    assert_eq!(span.error_type.as_deref(), Some("cancelled"), "{span:#?}");
    assert_eq!(span.http_status, None);
    // Under the name that answers have, not the one that the caller wrote.
    assert_eq!(span.model(), Some("small"));
    assert_eq!(span.input_messages[0].readable(), "What is a signal box?");
    assert!(house.metrics().contains(r#"status="499",error_type="cancelled"} 1"#), "{}", house.metrics());
}

#[tokio::test]
async fn what_finds_no_room_is_shed_and_counted() {
    let house = House::build(Plan { sink: Arc::new(VecSink::with_capacity(1)), ..Plan::default() }).await;
    for _ in 0..3 {
        assert_eq!(house.call(CHAT, &[], &question(CHAT, "oai/small")).await.status, 200);
    }
    assert_eq!(house.spans().await.len(), 1);
    assert_eq!(house.gateway.metrics().shed_spans(), 2);
    assert!(house.metrics().contains(r#"signalbox_gateway_shed_spans_total{reason="span_queue"} 2"#));

    let config = GatewayConfig { settle_queue_bytes: 0, ..GatewayConfig::default() };
    let house = House::build(Plan { config, ..Plan::default() }).await;
    for _ in 0..50 {
        assert_eq!(house.call(CHAT, &[], &question(CHAT, "oai/small")).await.status, 200);
    }
    let kept = house.spans().await.len() as u64;
    assert_eq!(kept + house.gateway.metrics().shed_spans(), 50);
}

#[tokio::test]
async fn draining_waits_for_streams_in_flight() {
    let house = House::new().await;
    let body = with(question(CHAT, "oai/small"), json!({"stream": true})).to_string();
    let response = house.send(request(CHAT, &[("x-sim-chunk-delay-ms", "1")], body.into())).await;
    let gateway = Arc::clone(&house.gateway);
    let draining = tokio::spawn(async move { gateway.drain().await });
    tokio::task::yield_now().await;
    assert!(!draining.is_finished());
    let answer = Answer::read(response).await;
    assert!(answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
    draining.await.unwrap();
    assert_eq!(house.sink.spans().len(), 1);
}

#[tokio::test]
async fn many_calls_at_once_are_each_settled_once() {
    let house = Arc::new(House::new().await);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..60 {
        let house = Arc::clone(&house);
        calls.spawn(async move {
            let path = if number % 2 == 0 { CHAT } else { MESSAGES };
            let model = if number % 3 == 0 { "oai/small" } else { "ant/small" };
            let body = with(question(path, model), json!({"stream": number % 5 == 0}));
            if number % 7 == 0 {
                drop(house.send(request(path, &[], body.to_string().into())).await);
            } else {
                assert_eq!(house.call(path, &[], &body).await.status, 200);
            }
        });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
    let spans = house.spans().await;
    assert_eq!(spans.len(), 60);
    let ids: std::collections::HashSet<_> = spans.iter().map(|span| span.span_id).collect();
    assert_eq!(ids.len(), 60);
    assert_eq!(house.gateway.metrics().shed_spans(), 0);
}

/// A request body that trips a fault within a stage.
struct Tripping;

impl http_body::Body for Tripping {
    type Data = bytes::Bytes;
    type Error = signalbox_gateway::BoxError;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, signalbox_gateway::BoxError>>> {
        panic!("tripped on purpose")
    }
}

#[tokio::test]
async fn a_fault_in_a_stage_is_a_500_and_takes_nothing_else_down() {
    let house = House::new().await;
    let mut call = request(CHAT, &[], "".into());
    *call.body_mut() = Tripping.boxed_unsync();
    let answer = Answer::read(house.send(call).await).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-should-retry")), (500, "false"), "{}", answer.text());
    assert_eq!(house.call(CHAT, &[], &question(CHAT, "oai/small")).await.status, 200);
    let classes: Vec<_> = house.spans().await.iter().map(|span| span.error_type.clone()).collect();
    assert_eq!(classes, [Some("internal".to_owned()), None]);
    assert_eq!(house.gateway.metrics().in_flight(), 0);
}

#[derive(Debug)]
struct TrippingSink;

impl signalbox_types::seam::SpanSink for TrippingSink {
    fn try_emit(&self, _: signalbox_types::Span) -> Result<(), signalbox_types::seam::Full> {
        panic!("tripped on purpose")
    }
}

#[tokio::test]
async fn a_fault_while_writing_down_is_counted_and_the_next_call_is_written() {
    let house = House::with_sink(Arc::new(TrippingSink)).await;
    for _ in 0..2 {
        assert_eq!(house.call(CHAT, &[], &question(CHAT, "oai/small")).await.status, 200);
    }
    house.gateway.drain().await;
    assert!(house.metrics().contains(r#"signalbox_gateway_shed_spans_total{reason="fault"} 2"#), "{}", house.metrics());
}
