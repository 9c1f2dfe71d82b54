//! Answers that a policy blocks: an error, unless the route says that another target is asked then.

use serde_json::{Value, json};
use signalbox_types::{SpanStatus, Verdict};

use crate::house::{CHAT, House, MESSAGES, Plan, inner_secret, question, secret, with};
use crate::routes::{as_tries, hand, tries};

/// A provider whose answers hold a secret.
async fn leaky() -> Value {
    let answer = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": format!("The key is {}", secret())}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}});
    let provider = hand("leaky", "openai_chat", "200 OK", "application/json", &answer.to_string()).await;
    with(provider, json!({"kind": "openai"}))
}

async fn house(targets: Value, more: Value) -> House {
    let guard = json!({"policies": [{"scanner": "secrets", "on": ["output"], "action": "block"}]});
    let route = with(json!({"name": "chat", "targets": targets, "retry": {"attempts": 2, "base": "1ms"}}), more);
    House::build(Plan { routes: json!([route]), providers: vec![leaky().await], guard, ..Plan::default() }).await
}

fn both() -> Value {
    json!([{"provider": "leaky", "model": "gpt-4o-mini"}, {"provider": "oai", "model": "small"}])
}

#[tokio::test]
async fn by_default_what_is_blocked_is_an_error_and_is_paid() {
    let house = house(both(), json!({})).await;
    let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-attempts")), (400, "1"), "{}", answer.text());
    assert!(answer.text().contains("blocked by a guardrail") && !answer.text().contains(&inner_secret()));
    let span = house.only_span().await;
    assert_eq!((span.error_type.as_deref(), span.verdict), (Some("guardrail_blocked"), Some(Verdict::Block)));
    assert_eq!(tries(&span), as_tries(&[("leaky/gpt-4o-mini", "answered")]));
    // 1,000 tokens at 0.15 and 100 at 0.6 dollars per million.
    assert_eq!((span.usage.total(), span.cost.unwrap().total.to_string().as_str()), (Some(1_100), "0.00021"));
}

#[tokio::test]
async fn where_a_route_says_so_the_next_target_is_asked() {
    for path in [CHAT, MESSAGES] {
        let house = house(both(), json!({"fallback_on": ["guardrail"]})).await;
        let answer = house.call(path, &[], &question(path, "chat")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!((answer.header("x-signalbox-provider"), answer.header("x-signalbox-attempts")), ("oai", "2"));
        assert_eq!(answer.header("x-signalbox-verdict"), "", "what was found is not in this answer");
        assert!(!answer.content().is_empty() && !answer.text().contains(&inner_secret()));
        let span = house.only_span().await;
        assert_eq!((span.status, span.verdict, span.findings.len()), (SpanStatus::Ok, Some(Verdict::Allow), 0));
        let expected = [("leaky/gpt-4o-mini", "guardrail_blocked"), ("oai/small", "answered")];
        assert_eq!(tries(&span), as_tries(&expected), "{path}");
        assert!(!format!("{span:?}").contains(&inner_secret()));
        // What nobody got to see is paid, too.
        assert!(span.usage.total().unwrap() > 1_100, "{:?}", span.usage);
        assert!(span.cost.unwrap().total.as_picos() > 210_000_000, "{:?}", span.cost);
        assert_eq!(answer.header("x-signalbox-cost-usd"), span.cost.unwrap().total.to_string());
        // That it is blocked is no failure of its target.
        let status = house.gateway.routes().remove(0).targets;
        assert_eq!((status[0].failed, status[0].answered, status[0].in_flight), (0, 1, 0));
        assert!(
            house.metrics().contains(r#"signalbox_gateway_fallbacks_total{route="chat"} 1"#),
            "{}",
            house.metrics()
        );
    }
}

#[tokio::test]
async fn alone_a_target_is_asked_again_as_often_as_the_route_says() {
    let only = json!([{"provider": "leaky", "model": "gpt-4o-mini"}]);
    let house = house(only, json!({"fallback_on": ["guardrail"]})).await;
    let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-attempts")), (400, "3"), "{}", answer.text());
    let span = house.only_span().await;
    assert_eq!(tries(&span), as_tries(&[("leaky/gpt-4o-mini", "guardrail_blocked"); 3]));
    assert_eq!((span.verdict, span.findings.len()), (Some(Verdict::Block), 1), "{:?}", span.findings);
    assert_eq!((span.usage.total(), span.cost.unwrap().total.to_string().as_str()), (Some(3_300), "0.00063"));
}

#[tokio::test]
async fn a_failure_after_it_is_told_as_it_is() {
    let targets = json!([{"provider": "leaky", "model": "gpt-4o-mini"}, {"provider": "oai", "model": "small"}]);
    let house = house(targets, json!({"fallback_on": ["guardrail"]})).await;
    let answer = house.call(CHAT, &[("x-sim-status", "503")], &question(CHAT, "chat")).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    let span = house.only_span().await;
    assert_eq!((span.error_type.as_deref(), span.verdict), (Some("upstream_overloaded"), Some(Verdict::Allow)));
    assert_eq!((span.usage.total(), span.output_messages.len()), (Some(1_100), 0));
}

#[tokio::test]
async fn what_of_a_stream_went_out_is_not_taken_back() {
    let house = house(json!([{"provider": "oai", "model": "small"}]), json!({"fallback_on": ["guardrail"]})).await;
    let echo = format!("The key is {} and more", secret());
    let body = with(question(CHAT, "chat"), json!({"stream": true}));
    let answer = house.call(CHAT, &[("x-sim-echo", &echo)], &body).await;
    assert_eq!(answer.status, 200);
    let last = answer.events().pop().unwrap();
    assert!(last["error"]["message"].as_str().unwrap().contains("blocked by a guardrail"), "{last}");
    assert_eq!(tries(&house.only_span().await), as_tries(&[("oai/small", "answered")]));
}
