//! Room: bodies, time, calls at once.

use http_body_util::BodyExt as _;
use serde_json::json;
use signalbox_gateway::GatewayConfig;

use crate::house::{Answer, CHAT, House, MESSAGES, Plan, Slow, question, request, with};

async fn with_config(config: GatewayConfig) -> House {
    House::build(Plan { config, ..Plan::default() }).await
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused() {
    let house = with_config(GatewayConfig { max_body_bytes: 1_000, ..GatewayConfig::default() }).await;
    let body = with(question(CHAT, "sim/small"), json!({"padding": "x".repeat(2_000)})).to_string();
    let long = body.len().to_string();
    for headers in [vec![], vec![("content-length", long.as_str())]] {
        let answer = house.call_bytes(CHAT, &headers, body.clone().into()).await;
        assert_eq!(answer.status, 413, "{}", answer.text());
        assert!(answer.text().contains("1000 bytes"), "{}", answer.text());
    }
    let answer = house.call_bytes(MESSAGES, &[], body.into()).await;
    assert_eq!(answer.json()["error"]["type"], "request_too_large");
    for span in house.spans().await {
        assert_eq!(span.error_type.as_deref(), Some("request_too_large"));
    }
}

#[tokio::test]
async fn bodies_that_are_packed_in_unknown_ways_are_refused_with_a_reason() {
    let house = House::new().await;
    for packing in ["compress", "gzip, gzip"] {
        let answer = house.call(CHAT, &[("content-encoding", packing)], &json!({})).await;
        assert_eq!(answer.status, 415);
        assert!(answer.text().contains(&format!("content-encoding: {packing}")), "{}", answer.text());
        assert!(answer.text().contains("gzip, deflate, br or zstd"), "{}", answer.text());
    }
}

#[tokio::test]
async fn slow_callers_get_408() {
    let house = with_config(GatewayConfig { body_timeout_ms: 30, ..GatewayConfig::default() }).await;
    let mut call = request(CHAT, &[], "".into());
    *call.body_mut() = Slow.boxed_unsync();
    let answer = Answer::read(house.send(call).await).await;
    assert_eq!(answer.status, 408, "{}", answer.text());
    assert_eq!(house.only_span().await.error_type.as_deref(), Some("request_timeout"));
}

#[tokio::test]
async fn calls_over_the_limit_are_asked_to_come_again() {
    let house = with_config(GatewayConfig { max_in_flight: 1, ..GatewayConfig::default() }).await;
    let body = with(question(CHAT, "oai/small"), json!({"stream": true}));
    let first = house.send(request(CHAT, &[], body.to_string().into())).await;
    assert_eq!(house.gateway.metrics().in_flight(), 1);
    let refused = house.call(CHAT, &[], &body).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"));
    Answer::read(first).await;
    assert_eq!(house.call(CHAT, &[], &body).await.status, 200);
    let classes: Vec<_> = house.spans().await.iter().map(|span| span.error_type.clone()).collect();
    assert_eq!(classes, [Some("overloaded".to_owned()), None, None]);
}

#[tokio::test]
async fn memory_for_bodies_is_bounded() {
    let house = with_config(GatewayConfig { max_buffered_bytes: 2_000, ..GatewayConfig::default() }).await;
    let long = with(question(CHAT, "oai/small"), json!({"padding": "x".repeat(2_000)}));
    let (short, echo) = (question(CHAT, "oai/small"), "word ".repeat(600));
    let claude = question(CHAT, "ant/small");
    // What comes back counts, too, and no target is blamed.
    for (headers, body) in
        [(&[][..], &long), (&[("x-sim-echo", &*echo)][..], &short), (&[("x-sim-echo", &*echo)][..], &claude)]
    {
        for _ in 0..3 {
            let answer = house.call(CHAT, headers, body).await;
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert!(answer.text().contains("in memory"), "{}", answer.text());
        }
    }
    house.gateway.drain().await;
    assert_eq!(house.call(CHAT, &[], &question(CHAT, "oai/small")).await.status, 200);
}

#[tokio::test]
async fn answers_over_the_limit_are_a_fault_of_the_provider() {
    let house = with_config(GatewayConfig { max_answer_bytes: 50, ..GatewayConfig::default() }).await;
    let answer = house.call(CHAT, &[], &question(CHAT, "oai/small")).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
}

#[tokio::test]
async fn long_messages_are_recorded_in_part() {
    let house = with_config(GatewayConfig { max_recorded_bytes: 40, ..GatewayConfig::default() }).await;
    let body = with(question(CHAT, "oai/small"), json!({"stream": true}));
    let echo = "word ".repeat(40);
    let answer = house.call(CHAT, &[("x-sim-echo", &echo)], &body).await;
    assert_eq!(answer.content().trim(), echo.trim());
    let recorded = house.only_span().await.output_messages[0].readable();
    assert!(recorded.len() < 100, "{recorded}");
}

#[tokio::test]
async fn long_prompts_are_served_like_short_ones() {
    let house = House::guarded().await;
    let text = "All trains stop here. ".repeat(40_000);
    for (path, model) in [(CHAT, "oai/small"), (MESSAGES, "oai/small")] {
        let messages = json!({"messages": [{"role": "user", "content": text}]});
        let answer = house.call(path, &[], &with(question(path, model), messages)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for span in house.spans().await {
        assert_eq!(span.input_messages[0].readable(), text);
    }
}
