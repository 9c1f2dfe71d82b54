//! What policies do beside flagging, redacting and blocking: replies, placeholders, calls of tools, and to whom they apply.

use serde_json::{Value, json};
use signalbox_types::{Action, Verdict};

use crate::house::{CHAT, GEMINI, House, MESSAGES, Plan, RESPONSES, question, with};

const PAIRS: [(&str, &str); 8] = [
    (CHAT, "oai/small"),
    (CHAT, "ant/small"),
    (MESSAGES, "ant/small"),
    (MESSAGES, "oai/small"),
    (RESPONSES, "rsp/small"),
    (RESPONSES, "oai/small"),
    (GEMINI, "gem/small"),
    (GEMINI, "oai/small"),
];

async fn house(guard: Value) -> House {
    House::build(Plan { guard, ..Plan::default() }).await
}

fn asking(path: &str, model: &str, text: &str) -> Value {
    let question = question(path, model).to_string();
    serde_json::from_str(&question.replace("What is a signal box?", text)).unwrap()
}

/// How an answer in each dialect says that it has ended well.
fn ends_well(path: &str, text: &str) -> bool {
    match path {
        CHAT => text.contains(r#""finish_reason":"stop""#) && text.contains("[DONE]"),
        MESSAGES => text.contains(r#""stop_reason":"end_turn""#) && text.contains("message_stop"),
        RESPONSES => text.contains("response.completed"),
        _ => text.contains(r#""finishReason":"STOP""#),
    }
}

const REPLY: &str = "Let us talk about trains.";

fn rewriting(on: &str) -> Value {
    json!({"policies": [{"scanner": "words", "on": [on], "action": "rewrite", "reply": REPLY,
        "options": {"words": ["project falcon"]}}]})
}

#[tokio::test]
async fn a_request_is_answered_with_the_reply_and_nobody_is_asked() {
    let house = house(rewriting("input")).await;
    for (path, model) in PAIRS {
        for stream in [false, true] {
            let body = with(asking(path, model, "How is Project Falcon?"), json!({"stream": stream}));
            let answer = house.call(path, &[], &body).await;
            assert_eq!(answer.status, 200, "{path} {model}: {}", answer.text());
            assert_eq!(answer.content(), REPLY, "{path} {model} {stream}: {}", answer.text());
            assert_eq!(answer.header("x-signalbox-verdict"), "block");
            assert!(!stream || ends_well(path, answer.text()), "{path}: {}", answer.text());
        }
    }
    assert!(house.received().await.is_empty());
    for span in house.spans().await {
        assert_eq!((span.verdict, span.findings[0].action), (Some(Verdict::Block), Action::Rewrite));
        assert_eq!(span.output_messages[0].readable(), REPLY);
        assert_eq!(span.input_messages.last().unwrap().readable(), "How is [BLOCKED:word]?");
        assert!(span.error_type.is_none(), "{span:?}");
    }
    // Where nobody reads a reply, the call is refused.
    let answer = house.call("/v1/embeddings", &[], &json!({"model": "oai/embed", "input": "project falcon"})).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test]
async fn an_answer_goes_on_with_the_reply_and_ends_as_answers_do() {
    let house = house(rewriting("output")).await;
    let echo = "All I know of Project Falcon is secret.";
    for (path, model) in PAIRS {
        for stream in [false, true] {
            let body = with(question(path, model), json!({"stream": stream}));
            let answer = house.call(path, &[("x-sim-echo", echo), ("x-sim-split", "7")], &body).await;
            assert_eq!(answer.status, 200, "{path} {model}: {}", answer.text());
            let expected = if stream { format!("All I know of {REPLY}") } else { REPLY.to_owned() };
            assert_eq!(answer.content(), expected, "{path} {model} {stream}: {}", answer.text());
            assert!(!answer.text().contains("secret") && !answer.text().contains("error\":{"), "{}", answer.text());
            assert!(!stream || ends_well(path, answer.text()), "{path} {model}: {}", answer.text());
        }
    }
    for span in house.spans().await {
        assert!(span.output_messages[0].readable().ends_with(REPLY), "{span:?}");
        assert!(span.error_type.is_none() && span.usage.output_tokens.is_some(), "{span:?}");
    }
}

#[tokio::test]
async fn what_is_tokenised_goes_out_as_placeholders_and_comes_back() {
    let policy = json!({"scanner": "pii", "on": ["input"], "action": "tokenise", "rules": ["email_address"]});
    let house = house(json!({ "policies": [policy] })).await;
    let text = "Mail ann@firm.example and bob@firm.example";
    let echo = "Sent to <EMAIL_ADDRESS_2>, then <EMAIL_ADDRESS_1>; <EMAIL_ADDRESS_9> < that.";
    for (path, model) in PAIRS {
        for stream in [false, true] {
            for split in ["1", "5", "100"] {
                let body = with(asking(path, model, text), json!({"stream": stream}));
                let answer = house.call(path, &[("x-sim-echo", echo), ("x-sim-split", split)], &body).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                let expected = "Sent to bob@firm.example, then ann@firm.example; <EMAIL_ADDRESS_9> < that.";
                assert_eq!(answer.content(), expected, "{path} {model} {stream} {split}: {}", answer.text());
            }
        }
    }
    for request in house.received().await {
        let request = request.to_string();
        assert!(request.contains("Mail <EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2>"), "{request}");
        assert!(!request.contains("firm.example"), "{request}");
    }
    for span in house.spans().await {
        assert!(!format!("{span:?}").contains("firm.example"), "{span:?}");
        assert!(span.output_messages[0].readable().starts_with("Sent to <EMAIL_ADDRESS_2>"), "{span:?}");
        assert_eq!(span.verdict, Some(Verdict::Redact));
    }
}

#[tokio::test]
async fn a_conversation_keeps_its_placeholders() {
    let policy = json!({"scanner": "pii", "on": ["input"], "action": "tokenise"});
    let house = house(json!({ "policies": [policy] })).await;
    let say = async |session: &str, text: &str| {
        let headers = [("x-signalbox-session-id", session), ("x-sim-echo", "<EMAIL_ADDRESS_1>")];
        house.call(CHAT, &headers, &asking(CHAT, "oai/small", text)).await.content()
    };
    assert_eq!(say("one", "I am ann@firm.example").await, "ann@firm.example");
    assert_eq!(say("one", "Write to bob@firm.example").await, "ann@firm.example");
    assert_eq!(say("two", "Write to bob@firm.example").await, "bob@firm.example");
}

fn weather(path: &str, city: &Value) -> Value {
    let schema = json!({"type": "object", "properties": {"city": city}, "required": ["city"]});
    match path {
        MESSAGES => json!({"tools": [{"name": "get_weather", "description": "The weather", "input_schema": schema}]}),
        RESPONSES => json!({"tools": [{"type": "function", "name": "get_weather", "parameters": schema}]}),
        GEMINI => json!({"tools": [{"functionDeclarations": [{"name": "get_weather", "parameters": schema}]}]}),
        _ => json!({"tools": [{"type": "function", "function": {"name": "get_weather", "parameters": schema}}]}),
    }
}

#[tokio::test]
async fn a_call_of_a_tool_passes_only_if_it_may() {
    let arguments = json!([{"tool": "get_*", "argument": "city", "values": ["Moria"]}]);
    let policy =
        json!({"scanner": "tool_policy", "on": ["output"], "action": "block", "options": {"arguments": arguments}});
    let house = house(json!({ "policies": [policy] })).await;
    for (path, model) in PAIRS {
        for stream in [false, true] {
            for (city, passes) in [("Bree", true), ("Moria", false)] {
                let tools = weather(path, &json!({"type": "string", "enum": [city]}));
                let body = with(with(question(path, model), tools), json!({"stream": stream}));
                let answer = house.call(path, &[], &body).await;
                if passes {
                    assert_eq!(
                        answer.tool_calls(),
                        [("get_weather".to_owned(), json!({"city": city}))],
                        "{path} {model} {stream}"
                    );
                    continue;
                }
                let text = answer.text();
                assert!(
                    text.contains("rule `denied_value`") && text.contains("argument `city`"),
                    "{path} {model}: {text}"
                );
                // What was asked may be told again; the call itself isn't.
                let calls: Vec<&str> = text.lines().filter(|line| !line.contains("\"enum\"")).collect();
                assert!(!calls.concat().contains("Moria"), "{path} {model} {stream}: {text}");
            }
        }
    }
    for span in house.spans().await {
        let blocked = span.verdict == Some(Verdict::Block);
        assert_eq!(span.findings.iter().any(|finding| finding.scanner == "tool_policy"), blocked, "{span:?}");
    }
}

#[tokio::test]
async fn an_unlisted_tool_is_refused_and_a_listed_one_is_not() {
    let policy = |allow: &str| json!({"policies": [{"scanner": "tool_policy", "on": ["output"], "action": "block", "options": {"allow": [allow]}}]});
    for (allow, passes) in [("get_*", true), ("send_*", false)] {
        let house = house(policy(allow)).await;
        for (path, model) in PAIRS {
            for stream in [false, true] {
                let tools = weather(path, &json!({"type": "string"}));
                let body = with(with(question(path, model), tools), json!({"stream": stream}));
                let text = house.call(path, &[], &body).await.text().to_owned();
                assert_eq!(text.contains("rule `unlisted_tool`"), !passes, "{path} {model} {stream}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_must_be_json_and_thoughts_need_not() {
    let schema = json!({"type": "object", "required": ["city"]});
    let policy = json!({"scanner": "json_schema", "on": ["output"], "action": "block", "options": {"schema": schema}});
    let house = house(json!({ "policies": [policy] })).await;
    for (path, model) in PAIRS {
        for stream in [false, true] {
            for (echo, passes) in [(r#"{"city": "Bree"}"#, true), (r#"{"town": "Bree"}"#, false), ("Bree", false)] {
                let body = with(question(path, model), json!({"stream": stream}));
                let answer = house.call(path, &[("x-sim-echo", echo), ("x-sim-split", "4")], &body).await;
                let text = answer.text();
                if passes {
                    assert_eq!(answer.content(), echo, "{path} {model} {stream}: {text}");
                } else {
                    assert!(text.contains("scanner `json_schema`") && !text.contains("Bree"), "{path} {model}: {text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_policy_is_for_the_calls_that_it_names() {
    let when = "'beta' in tags && endpoint == '/v1/chat/completions' && metadata.tier == 'gold'";
    let policy = json!({"scanner": "words", "on": ["output"], "action": "redact", "when": when, "options": {"words": ["falcon"]}});
    let except = json!({"scanner": "words", "user": "ann", "reason": "She named it."});
    let house = house(json!({"policies": [policy], "exceptions": [except]})).await;
    let say = async |tags: &str, tier: &str, user: &str| {
        let headers = [("x-sim-echo", "a falcon"), ("x-signalbox-tags", tags), ("x-signalbox-user-id", user)];
        let body = with(question(CHAT, "oai/small"), json!({"metadata": {"tier": tier}}));
        house.call(CHAT, &headers, &body).await.content()
    };
    assert_eq!(say("beta", "gold", "bob").await, "a [REDACTED:word]");
    assert_eq!(say("beta", "gold", "ann").await, "a falcon");
    assert_eq!(say("beta", "tin", "bob").await, "a falcon");
    assert_eq!(say("alpha", "gold", "bob").await, "a falcon");
    let flagged: Vec<_> = house.spans().await.into_iter().filter(|span| !span.findings.is_empty()).collect();
    assert_eq!(flagged.len(), 2);
    assert!(flagged.iter().any(|span| span.findings[0].message.contains("an exception: She named it")), "{flagged:?}");
}

#[tokio::test]
async fn a_project_adds_policies_of_its_own() {
    let house = house(json!({"policies": []})).await;
    let project = house.catalog.authenticate(crate::house::KEY).unwrap().project;
    let say = async || {
        let body = question(CHAT, "oai/small");
        house.call(CHAT, &[("x-sim-echo", "a falcon")], &body).await.content()
    };
    assert_eq!(say().await, "a falcon");
    let policy = json!({"scanner": "words", "on": ["output"], "action": "redact", "options": {"words": ["falcon"]}});
    let config = |policy: &Value| serde_json::from_value(json!({ "policies": [policy] })).unwrap();
    house.switch.add_policies(&project, config(&policy)).unwrap();
    assert_eq!(say().await, "a [REDACTED:word]");
    // A new configuration leaves them.
    house.reload(Plan::default()).unwrap();
    assert_eq!(say().await, "a [REDACTED:word]");
    assert!(house.switch.add_policies(&project, config(&json!({"scanner": "wrods"}))).is_err());
    assert_eq!(say().await, "a [REDACTED:word]");
    house.switch.add_policies(&project, serde_json::from_value(json!({"policies": []})).unwrap()).unwrap();
    assert_eq!(say().await, "a falcon");
}
