//! What is told of a batch by whoever is asked how it is doing.

use serde::Deserialize;
use serde_json::value::RawValue;
use signalbox_types::{Cost, Money, Timestamp, Usage};
use signalbox_wire::batch::LineKind;
use signalbox_wire::canonical::Charges;

use super::{Batch, Bearer, Used, span};
use crate::Gateway;
use crate::call::Call;
use crate::owners::Kind;

/// As OpenAI tells of one, and those that follow it.
#[derive(Deserialize)]
struct Told {
    id: String,
    status: String,
    #[serde(default)]
    output_file_id: Option<String>,
    #[serde(default)]
    completed_at: Option<i64>,
    #[serde(default)]
    expired_at: Option<i64>,
    #[serde(default)]
    cancelled_at: Option<i64>,
    #[serde(default)]
    endpoint: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    usage: Option<ToldUsage>,
    #[serde(default)]
    request_counts: Option<Counts>,
}

#[derive(Deserialize)]
struct ToldUsage {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    input_tokens_details: Option<InputDetails>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

#[derive(Deserialize, Default, Clone, Copy)]
struct Counts {
    #[serde(default)]
    completed: u64,
    #[serde(default)]
    failed: u64,
}

impl ToldUsage {
    fn usage(&self) -> Usage {
        Usage {
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cache_read_tokens: self.input_tokens_details.as_ref().and_then(|details| details.cached_tokens),
            cache_write_tokens: None,
            reasoning_tokens: self.output_tokens_details.as_ref().and_then(|details| details.reasoning_tokens),
        }
    }
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

/// Takes note of a batch that is over, or of each of a list, for when its results are fetched; and writes down what it used,
/// if that is told.
pub(crate) fn told(call: &Call, gateway: &Gateway, body: &[u8]) {
    match serde_json::from_slice::<List<'_>>(body) {
        Ok(list) => list.data.iter().for_each(|one| one_told(call, gateway, one.get().as_bytes())),
        Err(_) => one_told(call, gateway, body),
    }
}

fn one_told(call: &Call, gateway: &Gateway, body: &[u8]) {
    let Ok(told) = serde_json::from_slice::<Told>(body) else { return };
    let is_over = matches!(told.status.as_str(), "completed" | "expired" | "cancelled");
    let Some(file) = told.output_file_id.as_deref().filter(|_| is_over) else { return };
    let Some(bearer) = Bearer::of(call, file) else { return };
    let done = told.completed_at.or(told.expired_at).or(told.cancelled_at);
    let done = done.and_then(|seconds| seconds.checked_mul(1_000_000)).map(Timestamp::from_micros);
    gateway.owners.note(Kind::Results, file, &bearer.results.project, &bearer.results.provider);
    gateway.batches.note(&bearer.results, |batch| (batch.id, batch.done) = (told.id.clone(), done));
    let batch = gateway.batches.get(&bearer.results);
    // It is asked for again and again.
    if !batch.is_booked && book(gateway, &bearer, &batch, &told, done.unwrap_or(call.started)) {
        gateway.batches.note(&bearer.results, |batch| batch.is_booked = true);
    }
}

/// Gives true if there is something to book.
fn book(gateway: &Gateway, bearer: &Bearer, batch: &Batch, told: &Told, time: Timestamp) -> bool {
    let (Some(model), Some(usage)) = (&told.model, told.usage.as_ref().map(ToldUsage::usage)) else { return false };
    // Who counts in the results only tells of nothing here.
    if usage.total().unwrap_or(0) == 0 {
        return false;
    }
    let counts = told.request_counts.unwrap_or_default();
    let used = Used {
        model: model.clone(),
        kind: match told.endpoint.as_deref().unwrap_or_default() {
            "/v1/embeddings" => LineKind::Embeddings,
            "/v1/completions" => LineKind::Completion,
            "/v1/chat/completions" | "/v1/responses" => LineKind::Chat,
            _ => LineKind::Other,
        },
        usage,
        cost: cost(gateway, bearer, model, &usage, counts.completed.max(1)),
        requests: counts.completed,
        failed: counts.failed,
    };
    if let Some(span) = span(bearer, batch, 0, &used, time) {
        gateway.settler.emit(span);
    }
    true
}

/// As if each call had used as much as the others: a long context costs more, but not many short ones.
fn cost(gateway: &Gateway, bearer: &Bearer, model: &str, usage: &Usage, calls: u64) -> Option<Cost> {
    let part = |of: fn(u64, u64) -> u64| Usage {
        input_tokens: usage.input_tokens.map(|tokens| of(tokens, calls)),
        output_tokens: usage.output_tokens.map(|tokens| of(tokens, calls)),
        cache_read_tokens: usage.cache_read_tokens.map(|tokens| of(tokens, calls)),
        cache_write_tokens: usage.cache_write_tokens.map(|tokens| of(tokens, calls)),
        reasoning_tokens: usage.reasoning_tokens.map(|tokens| of(tokens, calls)),
    };
    let price = |usage: &Usage| gateway.settler.batch_cost(&bearer.otel_name, model, usage, Charges::default());
    let (each, rest) = (price(&part(|tokens, calls| tokens / calls))?, price(&part(|tokens, calls| tokens % calls))?);
    let all = |money: Money| Money::from_picos(money.as_picos().saturating_mul(i128::from(calls)));
    let each = Cost {
        input: all(each.input),
        cache_read: all(each.cache_read),
        cache_write: all(each.cache_write),
        output: all(each.output),
        total: all(each.total),
        source: each.source,
    };
    Some(each.plus(&rest))
}
