//! The hours before the demo began, as spans that an application exports late.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use signalbox_types::{Timestamp, TraceId};

use super::client::Client;
use super::otlp::{self, Step};
use super::random::Random;
use super::words;

const HOURS: u64 = 6;
const TRACES: usize = 900;
const BATCH: usize = 100;

/// Sends it; `progress` hears how many of how many traces are there.
pub(super) async fn send(client: &Client, random: &mut Random, progress: impl Fn(usize, usize)) -> Result<()> {
    let begin = otlp::now().minus(Duration::from_secs(HOURS * 3_600));
    let mut spans = Vec::new();
    for number in 0..TRACES {
        // More in the later hours, as a product that grows.
        let place = (number as f64 / TRACES as f64).sqrt();
        let start = begin.plus(Duration::from_secs_f64(place * HOURS as f64 * 3_600.0));
        trace(start, random, &mut spans);
        if spans.len() >= BATCH || number + 1 == TRACES {
            otlp::send(
                client,
                "support-assistant",
                "2.2.0",
                "opentelemetry.instrumentation.genai.demo",
                std::mem::take(&mut spans),
            )
            .await?;
            progress(number + 1, TRACES);
        }
    }
    Ok(())
}

fn trace(start: Timestamp, random: &mut Random, spans: &mut Vec<Value>) {
    let (user, question) = (*random.pick(words::USERS), *random.pick(words::QUESTIONS));
    let session = format!("past-{:06x}", random.below(1 << 18));
    let answer = random.pick(words::DOCUMENTS).1;
    let model = if random.chance(0.65) { "sim/small" } else { "sim/large" };
    let tail = if random.chance(0.04) { 2_500.0 } else { 0.0 };
    let took_ms = 420.0 + 380.0 * random.exponential() + tail;
    let end = start.plus(Duration::from_secs_f64(took_ms / 1_000.0));
    let failed = random.chance(0.03);

    let mut root = Step::at(TraceId::new(), None, "invoke_agent support-assistant", start);
    root.set("gen_ai.operation.name", "invoke_agent");
    root.set("gen_ai.agent.name", "support-assistant");
    root.set("gen_ai.conversation.id", session.as_str());
    root.set("user.id", user);
    let mut call =
        Step::at(root.trace_id, Some(root.span_id), &format!("chat {model}"), start.plus(Duration::from_millis(12)));
    call.set("gen_ai.operation.name", "chat");
    call.set("gen_ai.provider.name", "sim");
    call.set("gen_ai.request.model", model);
    call.set("gen_ai.response.model", model.trim_start_matches("sim/"));
    call.set("gen_ai.conversation.id", session.as_str());
    call.set("user.id", user);
    call.set("gen_ai.input.messages", message("user", question));
    root.set("gen_ai.input.messages", message("user", question));
    if failed {
        call.set("error.type", "rate_limited");
        call.fail("the provider answered 429");
        root.fail("the model could not answer");
    } else {
        let input = 600 + random.below(1_800);
        call.set("gen_ai.output.messages", message("assistant", answer));
        root.set("gen_ai.output.messages", message("assistant", answer));
        call.set("gen_ai.usage.input_tokens", input);
        call.set("gen_ai.usage.cache_read.input_tokens", input / 2);
        call.set("gen_ai.usage.output_tokens", 60 + random.below(200));
        call.set("gen_ai.response.finish_reasons", json!(["stop"]));
        call.set("gen_ai.response.time_to_first_chunk", took_ms / 1_000.0 * 0.35);
    }
    spans.push(call.end_at(end));
    spans.push(root.end_at(end.plus(Duration::from_millis(6))));
}

fn message(role: &str, text: &str) -> String {
    json!([{"role": role, "parts": [{"type": "text", "content": text}]}]).to_string()
}
