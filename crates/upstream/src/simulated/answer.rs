//! What the simulated model answers, before any dialect.

use serde_json::{Value, json};

use super::directives::Directives;
use super::request::{Asked, Choice, Format, Speaker, Tool, Turn};
use super::schema;
use super::text::{Digest, Random, cut, estimate, keywords, pieces, prose, quotes, sentences};

/// More context than this is not read for quotes: long prompts must not make the simulator slow.
const MAX_CONTEXT_BYTES: usize = 32 << 10;
/// Providers cache prefixes from this length on, in steps of the next.
const CACHE_FROM_TOKENS: u64 = 1024;
const CACHE_STEP_TOKENS: u64 = 128;

#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// The model's name as it is reported.
    pub(crate) model: &'a str,
    /// Makes the ids.
    pub(crate) digest: u64,
    pub(crate) thinking: Option<String>,
    pub(crate) text: String,
    pub(crate) calls: Vec<Call<'a>>,
    pub(crate) finish: Finish<'a>,
    pub(crate) usage: SimUsage,
}

#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) digest: u64,
    pub(crate) name: &'a str,
    pub(crate) arguments: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish<'a> {
    Stop,
    StopSequence(&'a str),
    Length,
    ToolCalls,
}

/// `input` includes what was cached, `output` includes the reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SimUsage {
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

pub(crate) fn answer<'a>(asked: &'a Asked<'_>, directives: &Directives) -> Result<Answer<'a>, String> {
    let model: &str = asked.model.strip_prefix("sim/").unwrap_or(&asked.model);
    if model == "embed" {
        return Err("model: `embed` makes embeddings; for chat use `small` or `large`".to_owned());
    }
    let large = model.contains("large");
    let digest = digest(asked, model, directives.options.seed);
    let mut random = Random::new(digest);
    let question = asked.turns.iter().rev().find(|turn| turn.speaker == Speaker::User);
    let question = question.map_or("", |turn| ending(&turn.text));
    let topics = keywords(question, 6);

    let calls = calls(asked, directives, &topics, &mut random);
    let reasoning = if large { 16 + random.below(200) } else { 0 };
    let length = match directives.options.tokens {
        Some(tokens) => u64::from(tokens),
        None if large => 60 + random.below(140),
        None => 20 + random.below(100),
    };
    let mut text = match &directives.echo {
        Some(echo) => echo.clone(),
        None if !calls.is_empty() => String::new(),
        None => compose(asked, question, &topics, length, &mut random),
    };

    let mut finish = if calls.is_empty() { Finish::Stop } else { Finish::ToolCalls };
    for stop in asked.stop.iter().filter(|stop| !stop.0.is_empty()) {
        if let Some(place) = text.find(&*stop.0) {
            text.truncate(place);
            finish = Finish::StopSequence(&stop.0);
        }
    }
    let limit = asked.max_tokens.unwrap_or(u64::MAX);
    let reasoning = reasoning.min(limit / 2);
    let (kept, mut output) = cut(&text, limit - reasoning);
    if kept.len() < text.len() {
        let kept = kept.len();
        text.truncate(kept);
        finish = Finish::Length;
    }
    output += reasoning;
    output += calls.iter().map(|call| 4 + pieces(&call.arguments).count() as u64).sum::<u64>();
    let thinking = asked.thinking.then(|| {
        let mut thinking = "Let me think about this.".to_owned();
        prose(&mut thinking, &topics, reasoning.max(16), &mut random);
        thinking
    });
    let usage = usage(asked, directives, digest, output, reasoning);
    Ok(Answer { model, digest, thinking, text, calls, finish, usage })
}

fn digest(asked: &Asked<'_>, model: &str, seed: u64) -> u64 {
    let mut digest = Digest::new(seed);
    digest.add(model);
    for turn in &asked.turns {
        digest.add(match turn.speaker {
            Speaker::System => "s",
            Speaker::User => "u",
            Speaker::Assistant => "a",
            Speaker::Tool => "t",
        });
        digest.add(&turn.text);
    }
    for tool in &asked.tools {
        digest.add(&tool.name.0);
    }
    digest.finish()
}

/// The end of a long text, where the question stands when documents stand before it.
fn ending(text: &str) -> &str {
    const ENOUGH: usize = 600;
    if text.len() <= ENOUGH {
        return text;
    }
    let last = text.rsplit("\n\n").map(str::trim).find(|paragraph| !paragraph.is_empty()).unwrap_or(text);
    if last.len() <= ENOUGH { last } else { first_bytes(last, ENOUGH) }
}

fn first_bytes(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

fn calls<'a>(asked: &'a Asked<'_>, directives: &Directives, topics: &[&str], random: &mut Random) -> Vec<Call<'a>> {
    let count = directives.tool_calls.unwrap_or(1);
    if asked.tools.is_empty() || asked.choice == Choice::None || count == 0 {
        return Vec::new();
    }
    let since_question = asked.turns.iter().rev().take_while(|turn| turn.speaker != Speaker::User);
    let rounds = since_question.filter(|turn| turn.calls > 0).count();
    if rounds >= directives.tool_steps.unwrap_or(1) {
        return Vec::new();
    }
    let fitting = |tool: &Tool<'_>| {
        let about =
            format!("{} {}", tool.name.0.replace('_', " "), tool.description.as_ref().map_or("", |text| &text.0));
        let about = about.to_lowercase();
        topics.iter().filter(|topic| about.contains(&topic.to_lowercase())).count()
    };
    let mut ranked: Vec<&Tool<'_>> = asked.tools.iter().collect();
    ranked.sort_by_cached_key(|tool| match &asked.choice {
        Choice::Named(name) => usize::from(*name != tool.name.0),
        _ => usize::MAX - fitting(tool),
    });
    let start = if matches!(asked.choice, Choice::Named(_)) { 0 } else { rounds };
    let chosen = ranked.iter().cycle().skip(start).take(count.min(16));
    chosen
        .map(|tool| {
            let schema: Value = tool
                .parameters
                .and_then(|schema| serde_json::from_str(schema.get()).ok())
                .unwrap_or_else(|| json!({"type": "object"}));
            let arguments = match schema::value(&schema, topics, random) {
                Value::Object(object) => Value::Object(object).to_string(),
                _ => "{}".to_owned(),
            };
            Call { digest: random.next(), name: &tool.name.0, arguments }
        })
        .collect()
}

fn compose(asked: &Asked<'_>, question: &str, topics: &[&str], tokens: u64, random: &mut Random) -> String {
    match &asked.format {
        Format::Text => {}
        Format::Schema(schema) => {
            let schema: Value = serde_json::from_str(schema.get()).unwrap_or_default();
            return schema::value(&schema, topics, random).to_string();
        }
        Format::Json => {
            let mut text = String::new();
            prose(&mut text, topics, tokens, random);
            let confidence = (random.fraction() * 40.0 + 60.0).round() / 100.0;
            return json!({ "answer": text, "topics": topics, "confidence": confidence }).to_string();
        }
    }
    let mut text = String::new();
    if let Some(result) = asked.turns.last().filter(|turn| turn.speaker == Speaker::Tool) {
        let excerpt = first_bytes(result.text.trim(), 240);
        text = format!("I looked it up. The result is: {excerpt}");
        if !excerpt.ends_with(['.', '!', '?']) {
            text.push('.');
        }
    } else if let Some(summary) = summary(asked) {
        return summary;
    } else if let Some(quoted) = quoted(asked, question) {
        text = quoted;
    }
    let wanted = tokens.saturating_sub(estimate(text.len()));
    if text.is_empty() || wanted > 20 {
        prose(&mut text, topics, tokens, random);
    }
    text
}

/// Where someone wants a summary: the first sentence of the material and two more.
fn summary(asked: &Asked<'_>) -> Option<String> {
    let last = asked.turns.iter().rev().find(|turn| turn.speaker == Speaker::User)?;
    let says_so = |turn: &Turn<'_>| {
        let start = first_bytes(&turn.text, 400).to_ascii_lowercase();
        start.contains("summar") || start.contains("tl;dr")
    };
    if last.text.len() < 200 || !asked.turns.iter().any(|turn| turn.speaker != Speaker::Assistant && says_so(turn)) {
        return None;
    }
    let material = first_bytes(&last.text, MAX_CONTEXT_BYTES);
    let material: Vec<&str> = sentences(material)
        .filter(|sentence| sentence.len() > 25 && !sentence.to_lowercase().contains("summar"))
        .collect();
    let picks = [0, material.len() / 3, material.len() * 2 / 3];
    let mut text = "Summary:".to_owned();
    for (place, pick) in picks.iter().enumerate() {
        if place == 0 || picks.get(place - 1) != Some(pick) {
            text.push(' ');
            text.push_str(first_bytes(material.get(*pick)?, 300));
        }
    }
    Some(text)
}

/// Where documents stand in the prompt: what they say about the question.
fn quoted(asked: &Asked<'_>, question: &str) -> Option<String> {
    const MARKS: [&str; 8] = ["context", "document", "source", "passage", "<doc", "[1]", "excerpt", "knowledge"];
    for turn in asked.turns.iter().rev().filter(|turn| matches!(turn.speaker, Speaker::System | Speaker::User)) {
        if turn.text.len() < 120 {
            continue;
        }
        let context = first_bytes(&turn.text, MAX_CONTEXT_BYTES);
        let lower = context.to_ascii_lowercase();
        if !MARKS.iter().any(|mark| lower.contains(mark)) {
            continue;
        }
        // The question itself is no source.
        let context = context.strip_suffix(question).unwrap_or(context);
        let found = quotes(context, question, 2);
        if !found.is_empty() {
            return Some(format!("According to the documents: {}", found.join(" ")));
        }
    }
    None
}

fn of_turn(turn: &Turn<'_>) -> u64 {
    4 + estimate(turn.text.len())
}

/// How many tokens a request has.
pub(crate) fn input_tokens(asked: &Asked<'_>) -> u64 {
    let tools = asked.tools.iter().map(|tool| {
        let text = tool.description.as_ref().map_or(0, |text| text.0.len());
        let schema = tool.parameters.map_or(0, |schema| schema.get().len());
        8 + estimate(tool.name.0.len() + text + schema)
    });
    3 + asked.turns.iter().map(of_turn).sum::<u64>() + tools.sum::<u64>()
}

fn usage(asked: &Asked<'_>, directives: &Directives, digest: u64, output: u64, reasoning: u64) -> SimUsage {
    let input = input_tokens(asked);
    // All but the last turn may have been seen before: surely if the model has answered in this conversation.
    let prefix = (input - asked.turns.last().map_or(0, of_turn)) / CACHE_STEP_TOKENS * CACHE_STEP_TOKENS;
    let seen = asked.turns.iter().any(|turn| turn.speaker == Speaker::Assistant) || digest.is_multiple_of(4);
    let cachable = prefix >= CACHE_FROM_TOKENS;
    let cache_read = match directives.cached_tokens {
        Some(tokens) => tokens.min(input),
        None if cachable && seen => prefix,
        None => 0,
    };
    let cache_write = if cachable && cache_read == 0 && digest % 4 == 1 { prefix } else { 0 };
    SimUsage { input, cache_read, cache_write, output, reasoning }
}

#[cfg(test)]
mod tests {
    use super::super::request;
    use super::*;

    fn check(body: &Value, directives: &Directives, holds: impl Fn(&Answer<'_>) -> bool) {
        let body = body.to_string();
        let asked = request::openai(body.as_bytes()).unwrap();
        let made = answer(&asked, directives).unwrap();
        assert!(holds(&made), "{made:?}");
        let again = answer(&asked, directives).unwrap();
        assert_eq!((made.digest, &made.text), (again.digest, &again.text), "not deterministic");
    }

    fn chat(model: &str, system: &str, user: &str) -> Value {
        json!({"model": model, "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}]})
    }

    #[test]
    fn quotes_documents_and_tool_results() {
        let documents = "Use only these documents.\n[1] Returns are accepted within 30 days of delivery. \
                         [2] Gift cards never expire. [3] We deliver to all of Europe by courier.";
        check(&chat("sim/small", documents, "How many days do I have for returns?"), &Directives::default(), |made| {
            made.text.contains("Returns are accepted within 30 days of delivery.")
        });
        let mut body = chat("small", "You help.", "What is the weather in Oslo?");
        let messages = body["messages"].as_array_mut().unwrap();
        messages.push(json!({"role": "assistant", "tool_calls": [{"id": "c"}], "content": null}));
        messages.push(json!({"role": "tool", "tool_call_id": "c", "content": "{\"celsius\": 4}"}));
        body["tools"] = json!([{"type": "function", "function": {"name": "weather"}}]);
        check(&body, &Directives::default(), |made| made.calls.is_empty() && made.text.contains("{\"celsius\": 4}"));
        let two_steps = Directives { tool_steps: Some(2), ..Directives::default() };
        check(&body, &two_steps, |made| made.calls.len() == 1 && made.finish == Finish::ToolCalls);
    }

    #[test]
    fn calls_the_tool_that_fits_with_valid_arguments() {
        let mut body = chat("small", "You help.", "Please refund order 4711");
        body["tools"] = json!([
            {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}},
            {"type": "function", "function": {"name": "issue_refund", "description": "Refund an order", "parameters":
                {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}}},
        ]);
        check(&body, &Directives::default(), |made| {
            let arguments: Value = serde_json::from_str(&made.calls[0].arguments).unwrap();
            made.calls[0].name == "issue_refund" && arguments["order_id"].is_string()
        });
        body["tool_choice"] = json!({"type": "function", "function": {"name": "get_weather"}});
        check(&body, &Directives::default(), |made| made.calls[0].name == "get_weather");
        body["tool_choice"] = json!("none");
        check(&body, &Directives::default(), |made| made.calls.is_empty());
        body["tool_choice"] = json!("required");
        let both = Directives { tool_calls: Some(2), ..Directives::default() };
        check(&body, &both, |made| made.calls.len() == 2 && made.calls[0].name != made.calls[1].name);
    }

    #[test]
    fn limits_and_stops_are_honest() {
        let mut body = chat("large", "", "Tell me about railways");
        body["max_tokens"] = json!(10);
        check(&body, &Directives::default(), |made| {
            made.finish == Finish::Length && made.usage.output == 10 && made.usage.reasoning == 5
        });
        let echo = Directives { echo: Some("one two STOP three".to_owned()), ..Directives::default() };
        let mut body = chat("small", "", "hi");
        check(&body, &echo, |made| made.text == "one two STOP three" && made.usage.output == 4);
        body["stop"] = json!(["STOP"]);
        check(&body, &echo, |made| made.text == "one two " && made.finish == Finish::StopSequence("STOP"));
    }

    #[test]
    fn structured_answers_are_json() {
        let mut body = chat("small", "", "Is this review about railways positive?");
        body["response_format"] = json!({"type": "json_object"});
        check(&body, &Directives::default(), |made| {
            serde_json::from_str::<Value>(&made.text).unwrap()["answer"].is_string()
        });
        body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "x", "schema":
            {"type": "object", "properties": {"label": {"enum": ["positive", "negative"]}}, "required": ["label"]}}});
        check(&body, &Directives::default(), |made| {
            serde_json::from_str::<Value>(&made.text).unwrap()["label"].as_str().unwrap().ends_with("tive")
        });
    }

    #[test]
    fn seed_model_and_messages_change_the_answer() {
        let of = |body: Value, seed: u64| {
            let mut directives = Directives::default();
            directives.options.seed = seed;
            let body = body.to_string();
            answer(&request::openai(body.as_bytes()).unwrap(), &directives).unwrap().text
        };
        let base = of(chat("small", "", "Tell me about railways"), 0);
        assert_ne!(base, of(chat("small", "", "Tell me about railways"), 1));
        assert_ne!(base, of(chat("large", "", "Tell me about railways"), 0));
        assert_ne!(base, of(chat("small", "", "Tell me about stations"), 0));
        assert_eq!(base, of(chat("sim/small", "", "Tell me about railways"), 0));
        assert!(base.contains("railways"), "{base}");
    }

    #[test]
    fn long_prefixes_are_cached_in_a_conversation() {
        let long = "Background knowledge. ".repeat(400);
        let mut body = chat("small", &long, "And now?");
        body["messages"].as_array_mut().unwrap().insert(1, json!({"role": "assistant", "content": "Hello."}));
        check(&body, &Directives::default(), |made| {
            made.usage.cache_read >= 1024 && made.usage.cache_read < made.usage.input && made.usage.cache_write == 0
        });
    }
}
