//! Routes that judge a call by its words, or divide callers into arms.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::house::{CHAT, House, MESSAGES, Plan, question, with};
use crate::routes::{as_tries, failing, routed, tries};

fn asked(path: &str, text: &str) -> Value {
    with(question(path, "chat"), json!({"messages": [{"role": "user", "content": text}]}))
}

#[tokio::test]
async fn plain_questions_go_to_the_small_model_and_hard_ones_to_the_large() {
    let targets = json!([
        {"provider": "ant", "model": "large"},
        {"provider": "oai", "model": "small", "complexity_up_to": 0.2},
    ]);
    let house = routed(targets, json!({"strategy": "complexity"}), vec![]).await;
    for (path, text, provider) in [
        (CHAT, "What is the capital of France?", "oai"),
        (MESSAGES, "What is the capital of France?", "oai"),
        (CHAT, "Prove that there are infinitely many primes, step by step.", "ant"),
        (MESSAGES, "Implement a lock-free queue and analyse its complexity.", "ant"),
    ] {
        let answer = house.call(path, &[], &asked(path, text)).await;
        assert_eq!(answer.header("x-signalbox-provider"), provider, "{text}: {}", answer.text());
    }
    // What has no words is asked of whom is listed first.
    let answer = house.call("/v1/embeddings", &[], &json!({"model": "chat", "input": "x"})).await;
    assert_eq!(answer.header("x-signalbox-provider"), "oai", "{}", answer.text());
    let spans = house.spans().await;
    let reasons: Vec<&str> = spans.iter().map(|span| span.attributes["signalbox.route.reason"].as_str()).collect();
    assert_eq!(reasons[0], "complexity 0.00: nothing about it looks hard");
    assert!(reasons[2].contains("2 demanding words"), "{reasons:?}");
    assert!(reasons[4].contains("nothing to judge it by"), "{reasons:?}");
}

#[tokio::test]
async fn questions_go_to_the_target_whose_examples_they_are_like() {
    let targets = json!([
        {"provider": "ant", "model": "large", "examples": ["Fix this compiler error", "Write a test for my function"]},
        {"provider": "gem", "model": "small", "examples": ["I want a refund", "Where is my invoice?"]},
        {"provider": "oai", "model": "small"},
    ]);
    let house = routed(targets, json!({"strategy": "semantic"}), vec![]).await;
    for (text, provider) in [
        ("please send me the invoice of may", "gem"),
        ("why do I get this compiler error", "ant"),
        ("what will the weather be in Oslo", "oai"),
    ] {
        let answer = house.call(CHAT, &[], &asked(CHAT, text)).await;
        assert_eq!(answer.header("x-signalbox-provider"), provider, "{text}: {}", answer.text());
    }
    // What was said before the question doesn't count.
    let turns = json!({"messages": [
        {"role": "user", "content": "Fix this compiler error"}, {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "I want a refund for it"},
    ]});
    let answer = house.call(CHAT, &[], &with(question(CHAT, "chat"), turns)).await;
    assert_eq!(answer.header("x-signalbox-provider"), "gem", "{}", answer.text());
    let spans = house.spans().await;
    let reason = |span: usize| spans[span].attributes["signalbox.route.reason"].clone();
    assert!(reason(0).starts_with("like its examples: 0."), "{}", reason(0));
    assert!(reason(2).starts_with("like no example (at best 0.0"), "{}", reason(2));
}

fn experiment(sticky_by: &str) -> Value {
    json!({
        "strategy": "experiment",
        "experiment": {"sticky_by": sticky_by, "arms": [{"name": "old", "weight": 3}, {"name": "new"}]},
    })
}

#[tokio::test]
async fn a_caller_stays_in_its_arm_and_span_and_answer_name_it() {
    let targets = json!([{"provider": "oai", "model": "small", "arm": "old"}, {"provider": "ant", "model": "small", "arm": "new"}]);
    let house = routed(targets, experiment("user"), vec![]).await;
    let mut arms: HashMap<String, usize> = HashMap::new();
    for user in 0..40 {
        let user = format!("user-{user}");
        let mut own = HashSet::new();
        for path in [CHAT, MESSAGES] {
            let answer = house.call(path, &[("x-signalbox-user-id", &user)], &question(path, "chat")).await;
            let arm = answer.header("x-signalbox-arm").to_owned();
            assert_eq!(answer.header("x-signalbox-provider"), if arm == "old" { "oai" } else { "ant" });
            own.insert(arm);
        }
        assert_eq!(own.len(), 1, "{user}: {own:?}");
        *arms.entry(own.into_iter().next().unwrap()).or_default() += 1;
    }
    assert!((2..=20).contains(&arms["new"]), "{arms:?}");
    let status = house.gateway.routes().remove(0);
    let calls: Vec<_> = status.arms.iter().map(|arm| (arm.name.as_str(), arm.calls)).collect();
    assert_eq!(calls, [("old", 2 * arms["old"] as u64), ("new", 2 * arms["new"] as u64)]);
    for span in house.spans().await {
        let provider = if span.attributes["signalbox.route.arm"] == "old" { "oai" } else { "ant" };
        assert_eq!(span.attributes["signalbox.provider"], provider);
        assert!(!span.attributes.contains_key("signalbox.route.arm_answered"));
    }
}

#[tokio::test]
async fn an_arm_that_fails_hands_over_and_the_span_says_which_one_answered() {
    let targets =
        json!([{"provider": "bad", "model": "m", "arm": "new"}, {"provider": "oai", "model": "small", "arm": "old"}]);
    let more = json!({
        "strategy": "experiment",
        "experiment": {"sticky_by": "key", "arms": [{"name": "new", "weight": 1}, {"name": "old", "weight": 0}]},
    });
    let house = routed(targets, more, vec![failing("bad").await]).await;
    let answer = house.call(CHAT, &[], &question(CHAT, "chat")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-arm")), (200, "new"), "{}", answer.text());
    let span = house.only_span().await;
    assert_eq!(tries(&span), as_tries(&[("bad/m", "upstream_error"), ("oai/small", "answered")]));
    assert_eq!(span.attributes["signalbox.route.order"], r#"["bad/m","oai/small"]"#);
    assert_eq!(span.attributes["signalbox.route.arm"], "new");
    assert_eq!(span.attributes["signalbox.route.arm_answered"], "old");
}

#[tokio::test]
async fn who_names_no_user_is_drawn_and_arms_outlive_a_change() {
    let targets = json!([{"provider": "oai", "model": "small", "arm": "old"}, {"provider": "oai", "model": "small", "arm": "new"}]);
    let house = routed(targets.clone(), experiment("user"), vec![]).await;
    for _ in 0..60 {
        house.call(CHAT, &[], &question(CHAT, "chat")).await;
    }
    let calls =
        |house: &House| -> Vec<u64> { house.switch.current().routes()[0].arms.iter().map(|arm| arm.calls).collect() };
    let before = calls(&house);
    assert!(before[0] > before[1] && before[1] > 0 && before[0] + before[1] == 60, "{before:?}");
    let route = with(json!({"name": "chat", "targets": targets}), experiment("session"));
    house.reload(Plan { routes: json!([route]), ..Plan::default() }).unwrap();
    assert_eq!(calls(&house), before);
}
