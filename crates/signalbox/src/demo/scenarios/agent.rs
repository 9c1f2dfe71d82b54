//! An agent with tools, in the Anthropic dialect, until it needs no tool any more. Instrumented by
//! the OpenTelemetry GenAI conventions.

use anyhow::Result;
use serde_json::{Value, json};

use super::Headers;
use crate::demo::client::Client;
use crate::demo::otlp::{self, Step};
use crate::demo::random::Random;
use crate::demo::{Release, words};

const AGENT: &str = "operations-agent";
const MOST_TURNS: usize = 5;

pub(in crate::demo) async fn run(client: &Client, release: Release, random: &mut Random) -> Result<()> {
    let user = *random.pick(words::USERS);
    let session = format!("agent-{:08x}", random.next() as u32);
    let task = *random.pick(words::TASKS);
    let mut root = Step::root(&format!("invoke_agent {AGENT}"));
    root.set("gen_ai.operation.name", "invoke_agent");
    root.set("gen_ai.agent.name", AGENT);
    root.set("gen_ai.conversation.id", session.as_str());
    root.set("user.id", user);
    root.set(
        "gen_ai.input.messages",
        json!([{"role": "user", "parts": [{"type": "text", "content": task}]}]).to_string(),
    );
    let mut messages = vec![json!({"role": "user", "content": task})];
    let mut spans = Vec::new();
    for turn in 0..MOST_TURNS {
        // The last turns get no tools: a demo agent must come to an end.
        let tools = if turn < 1 + random.below(3) as usize { tools() } else { json!([]) };
        let mut call = json!({"model": "sim/large", "max_tokens": 400, "system": "You complete tasks for the operations team. Use tools, then answer.", "messages": messages});
        if tools.as_array().is_some_and(|tools| !tools.is_empty()) {
            call["tools"] = tools;
        }
        let headers = Headers::new(user, &session, AGENT, release)
            .with("traceparent", root.traceparent())
            .with("anthropic-version", "2023-06-01")
            .mood(release, random);
        let reply = client.post("/v1/messages", &call, &headers.as_slice()).await?;
        if !reply.status.is_success() {
            root.fail(&format!("the model answered {}", reply.status));
            break;
        }
        let answer = reply.json()?;
        messages.push(json!({"role": "assistant", "content": answer["content"]}));
        let calls: Vec<&Value> =
            answer["content"].as_array().into_iter().flatten().filter(|block| block["type"] == "tool_use").collect();
        if calls.is_empty() {
            root.set(
                "gen_ai.output.messages",
                json!([{"role": "assistant", "parts": [{"type": "text", "content": answer["content"][0]["text"]}]}])
                    .to_string(),
            );
            break;
        }
        let mut results = Vec::new();
        for call in calls {
            results.push(use_tool(&root, call, random, &mut spans).await);
        }
        messages.push(json!({"role": "user", "content": results}));
    }
    spans.push(root.end());
    otlp::send(client, AGENT, release.name, "opentelemetry.instrumentation.genai.demo", spans).await
}

async fn use_tool(root: &Step, call: &Value, random: &mut Random, spans: &mut Vec<Value>) -> Value {
    let name = call["name"].as_str().unwrap_or("tool");
    let mut step = root.child(&format!("execute_tool {name}"));
    step.set("gen_ai.operation.name", "execute_tool");
    step.set("gen_ai.tool.name", name);
    step.set("gen_ai.tool.call.id", call["id"].as_str().unwrap_or_default());
    step.set("gen_ai.tool.call.arguments", call["input"].to_string());
    Client::pause(20 + random.below(220)).await;
    let failed = random.chance(0.05);
    let result = match (failed, name) {
        (true, _) => "connection reset by peer".to_owned(),
        (_, "search_orders") => {
            json!({"order": 48213, "status": "packed", "carrier": "DPD", "expected": "Thursday"}).to_string()
        }
        (_, "get_weather") => json!({"city": "Lisbon", "high_c": 19, "rain": "light"}).to_string(),
        _ => json!({"free": ["Tuesday 10:00", "Wednesday 15:30"]}).to_string(),
    };
    if failed {
        step.set("error.type", "ConnectionResetError");
        step.fail(&result);
    } else {
        step.set("gen_ai.tool.call.result", result.as_str());
    }
    spans.push(step.end());
    json!({"type": "tool_result", "tool_use_id": call["id"], "content": result, "is_error": failed})
}

fn tools() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!([
        {"name": "search_orders", "description": "Look an order up.", "input_schema": {"type": "object", "properties": {"order_id": text("The order's number.")}, "required": ["order_id"]}},
        {"name": "get_weather", "description": "The forecast for a city.", "input_schema": {"type": "object", "properties": {"city": text("The city.")}, "required": ["city"]}},
        {"name": "find_slot", "description": "Free slots in a calendar.", "input_schema": {"type": "object", "properties": {"person": text("Whose calendar."), "day": text("Which day.")}, "required": ["person"]}},
    ])
}
