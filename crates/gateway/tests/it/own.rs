//! Calls on our own behalf: no virtual key, and else like everybody's.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};
use signalbox_types::seam::{Completer as _, Completion, Embedder as _};
use signalbox_types::{ErrorClass, Message, ProjectId, Role};

use crate::house::{CHAT, House, Plan, inner_secret, question, request, secret};
use crate::routes::{as_tries, failing, hand, routed, tries};

fn ask(model: &str, text: &str) -> Completion {
    Completion {
        model: model.to_owned(),
        messages: vec![Message::text(Role::System, "You judge."), Message::text(Role::User, text)],
        schema: None,
        temperature: Some(0.0),
        max_tokens: None,
        seed: None,
        metadata: BTreeMap::from([("signalbox.judge".to_owned(), "helpfulness".to_owned())]),
    }
}

fn schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["reasoning", "verdict"],
        "properties": {"reasoning": {"type": "string"}, "verdict": {"type": "string", "enum": ["yes", "no"]}},
    })
}

#[tokio::test]
async fn every_dialect_answers_and_the_span_is_the_projects() {
    let house = House::new().await;
    let project = ProjectId::new("another");
    for model in ["oai/small", "ant/large", "gem/small", "bed/small", "coh/small", "rsp/small"] {
        let asked = Completion { schema: Some(schema()), ..ask(model, "Is it good?") };
        let told = house.switch.complete(&project, asked).await.unwrap();
        assert!(!told.text.is_empty(), "{model}");
        if model == "oai/small" {
            // The simulated provider reads no schema in the other dialects.
            let answer: Value = serde_json::from_str(&told.text).unwrap();
            assert!(matches!(answer["verdict"].as_str(), Some("yes" | "no")), "{answer}");
        }
        assert!(told.usage.output_tokens > Some(0) && told.cost.is_some(), "{model}: {told:?}");
        let span = house.spans().await.pop().unwrap();
        assert_eq!((&span.project_id, Some(span.trace_id)), (&project, told.trace_id));
        assert_eq!(span.cost.map(|cost| cost.total.to_string()), told.cost.map(|cost| cost.to_string()));
        assert_eq!(span.attributes["signalbox.own"], "true");
        assert_eq!(span.attributes["signalbox.judge"], "helpfulness");
        assert_eq!(span.key_id.unwrap().as_str(), "signalbox");
        assert_eq!(span.input_messages.len(), 2);
        assert_eq!(span.model_parameters["temperature"], 0, "{model}");
    }
}

#[tokio::test]
async fn routes_try_again_elsewhere_for_them_too() {
    let targets = json!([{"provider": "bad", "model": "m"}, {"provider": "ant", "model": "small"}]);
    let house = routed(targets, json!({}), vec![failing("bad").await]).await;
    let told = house.switch.complete(&ProjectId::new("p"), ask("chat", "Well?")).await.unwrap();
    assert!(!told.text.is_empty());
    let span = house.only_span().await;
    assert_eq!(tries(&span), as_tries(&[("bad/m", "upstream_error"), ("ant/small", "answered")]));
}

#[tokio::test]
async fn what_goes_wrong_has_its_class_and_its_words() {
    let busy = r#"{"error":{"message":"slow down","type":"requests"}}"#;
    let busy = hand("busy", "openai_chat", "429 Slow\r\nretry-after: 7", "application/json", busy).await;
    let declines = r#"{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":null,"refusal":"No."}}]}"#;
    let declines = hand("shy", "openai_chat", "200 OK", "application/json", declines).await;
    let guard = json!({"policies": [{"scanner": "secrets", "on": ["input"], "action": "block"}]});
    let house = House::build(Plan { providers: vec![busy, declines], guard, ..Plan::default() }).await;
    let project = ProjectId::new("p");
    let asked = |model: &str, text: &str| {
        let (house, project, ask) = (&house, &project, ask(model, text));
        async move { house.switch.complete(project, ask).await.unwrap_err() }
    };
    let error = asked("busy/m", "x").await;
    assert_eq!(
        (error.class, error.retry_after_s, error.message.as_str()),
        (ErrorClass::RateLimited, Some(7), "slow down")
    );
    assert_eq!(asked("nobody/m", "x").await.class, ErrorClass::NotFound);
    let error = asked("shy/m", "x").await;
    assert_eq!(error.message, "the model declined to answer: No.");
    let error = asked("oai/small", &format!("Is {} good?", secret())).await;
    assert_eq!(error.class, ErrorClass::GuardrailBlocked);
    assert!(!error.message.contains(&inner_secret()), "{error}");
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn texts_are_embedded_by_whoever_has_embeddings_and_the_span_is_the_projects() {
    let house = House::new().await;
    let project = ProjectId::new("another");
    for model in ["oai/embed", "gem/embed", "coh/embed"] {
        let asked = texts(&["refund for my order", "the refund of my order", "weather in Oslo"]);
        let told = house.switch.embed(&project, model, &asked).await.unwrap();
        assert_eq!(told.vectors.len(), 3, "{model}");
        let like = |one: usize, other: usize| -> f64 {
            told.vectors[one].iter().zip(&told.vectors[other]).map(|(one, other)| one * other).sum()
        };
        assert!(like(0, 1) > like(0, 2) + 0.3, "{model}: {} {}", like(0, 1), like(0, 2));
        let span = house.spans().await.pop().unwrap();
        assert_eq!(span.project_id, project);
        assert_eq!(span.attributes["signalbox.own"], "true");
        assert_eq!(span.key_id.unwrap().as_str(), "signalbox");
        assert_eq!(span.cost.map(|cost| cost.total.to_string()), told.cost.map(|cost| cost.to_string()), "{model}");
    }
}

#[tokio::test]
async fn what_goes_wrong_with_embeddings_has_its_class_and_its_words() {
    let busy = r#"{"error":{"message":"slow down","type":"requests"}}"#;
    let busy = hand("busy", "openai_chat", "429 Slow\r\nretry-after: 7", "application/json", busy).await;
    let few = r#"{"object":"list","model":"m","data":[],"usage":{"prompt_tokens":1,"total_tokens":1}}"#;
    let few = hand("few", "openai_chat", "200 OK", "application/json", few).await;
    let guard = json!({"policies": [{"scanner": "secrets", "on": ["input"], "action": "block"}]});
    let house = House::build(Plan { providers: vec![busy, few], guard, ..Plan::default() }).await;
    let project = ProjectId::new("p");
    let asked = |model: &str, text: &str| {
        let (house, project, model, texts) = (&house, &project, model.to_owned(), vec![text.to_owned()]);
        async move { house.switch.embed(project, &model, &texts).await.unwrap_err() }
    };
    let error = asked("busy/m", "x").await;
    assert_eq!(
        (error.class, error.retry_after_s, error.message.as_str()),
        (ErrorClass::RateLimited, Some(7), "slow down")
    );
    assert_eq!(asked("nobody/m", "x").await.class, ErrorClass::NotFound);
    assert_eq!(asked("few/m", "x").await.class, ErrorClass::UpstreamError);
    let error = asked("oai/embed", &format!("Is {} good?", secret())).await;
    assert_eq!(error.class, ErrorClass::GuardrailBlocked);
    assert!(!error.message.contains(&inner_secret()), "{error}");
    let before = house.spans().await.len();
    let error = house.switch.embed(&project, "oai/embed", &[]).await.unwrap_err();
    assert_eq!((error.class, house.spans().await.len()), (ErrorClass::InvalidRequest, before), "nobody is asked");
}

#[tokio::test]
async fn nobody_outside_can_be_one() {
    let house = House::new().await;
    for name in ["x-signalbox-own", "signalbox-own", "x-signalbox-internal"] {
        for key in ["Bearer signalbox", ""] {
            let mut request = request(CHAT, &[(name, "true")], question(CHAT, "oai/small").to_string().into());
            request.headers_mut().insert("authorization", key.parse().unwrap());
            assert_eq!(house.send(request).await.status(), StatusCode::UNAUTHORIZED, "{name}");
        }
    }
}
