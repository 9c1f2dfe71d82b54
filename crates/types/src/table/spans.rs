//! `spans`: one row a span.

use std::borrow::Cow;

use super::ColumnType::{Bool, Float, Int, Json, Money as MoneyType, Text, TextList, TextMap, Time};
use super::{Cell, Column, Identity, Record, Retention, Table, cut};
use crate::{Message, Role, Span, Verdict};

/// The table of spans.
pub static SPANS: Table = Table {
    name: "spans",
    doc: "One row for each step of a trace: gateway calls and spans sent by SDKs.",
    columns: COLUMNS,
    time_column: "start_time",
    sort: &["project_id", "start_time"],
    key: &["trace_id", "span_id"],
    identity: Identity::Replaced,
    sums: None,
    retention: Retention::Spans,
};

const COLUMNS: &[Column] = &[
    Column::hot("project_id", Text, "The tenant.").required(),
    Column::hot("trace_id", Text, "W3C trace id, 32 hexadecimal digits.").required(),
    Column::hot("span_id", Text, "W3C span id, 16 hexadecimal digits.").required(),
    Column::hot("parent_span_id", Text, "The span that caused this one; absent on roots."),
    Column::hot("start_time", Time, "When it began.").required(),
    Column::hot("end_time", Time, "When it ended.").required(),
    Column::hot("duration_ms", Float, "How long it took.").required().unit("ms"),
    Column::hot("ttft_ms", Float, "Time to first token (`gen_ai.response.time_to_first_chunk`).").unit("ms"),
    Column::hot("name", Text, "E.g. `chat gpt-4o-mini`.").required().searchable(),
    Column::hot("kind", Text, "llm, embedding, retriever, tool, agent, chain, …").required(),
    Column::hot("operation", Text, "`gen_ai.operation.name`."),
    Column::hot("source", Text, "How it came here: gateway or otlp.").required(),
    Column::hot("status", Text, "unset, ok or error.").required(),
    Column::hot("error_type", Text, "`error.type`, e.g. rate_limited."),
    Column::hot("status_message", Text, "What went wrong.").searchable(),
    Column::hot("http_status", Int, "The status that the caller of the gateway got."),
    Column::hot("provider", Text, "`gen_ai.provider.name`."),
    Column::hot("model", Text, "The model that answered, or else the one asked for."),
    Column::hot("model_requested", Text, "`gen_ai.request.model`."),
    Column::hot("model_used", Text, "`gen_ai.response.model`."),
    Column::hot("response_id", Text, "`gen_ai.response.id`."),
    Column::hot("finish_reasons", TextList, "`gen_ai.response.finish_reasons`."),
    Column::hot("streaming", Bool, "The answer came as a stream.").required(),
    Column::hot("input_tokens", Int, "`gen_ai.usage.input_tokens`, cached ones included.").unit("tokens"),
    Column::hot("output_tokens", Int, "`gen_ai.usage.output_tokens`, reasoning included.").unit("tokens"),
    Column::hot("cache_read_tokens", Int, "`gen_ai.usage.cache_read.input_tokens`.").unit("tokens"),
    Column::hot("cache_write_tokens", Int, "`gen_ai.usage.cache_write.input_tokens`.").unit("tokens"),
    Column::hot("reasoning_tokens", Int, "`gen_ai.usage.reasoning.output_tokens`.").unit("tokens"),
    Column::hot("total_tokens", Int, "Input and output tokens.").unit("tokens"),
    Column::hot("cost", MoneyType, "Cost of the call; absent = unknown, which is not zero.").unit("USD"),
    Column::hot("cost_input", MoneyType, "Cost of uncached input.").unit("USD"),
    Column::hot("cost_cache_read", MoneyType, "Cost of input read from a cache.").unit("USD"),
    Column::hot("cost_cache_write", MoneyType, "Cost of input written to a cache.").unit("USD"),
    Column::hot("cost_output", MoneyType, "Cost of output.").unit("USD"),
    Column::hot("cost_source", Text, "reported by the sender, or priced by us."),
    Column::hot("counted", Bool, "Its tokens and cost count in sums; false where another span tells of the same call.")
        .required(),
    Column::hot("session_id", Text, "`gen_ai.conversation.id` or `session.id`."),
    Column::hot("user_id", Text, "`user.id`."),
    Column::hot("tags", TextList, "Labels."),
    Column::hot("environment", Text, "`deployment.environment.name`."),
    Column::hot("release", Text, "`service.version`."),
    Column::hot("service_name", Text, "`service.name`."),
    Column::hot("prompt_name", Text, "`gen_ai.prompt.name`."),
    Column::hot("prompt_version", Text, "`gen_ai.prompt.version`."),
    Column::hot("agent_name", Text, "`gen_ai.agent.name`."),
    Column::hot("tool_name", Text, "`gen_ai.tool.name`."),
    Column::hot("tool_call_id", Text, "`gen_ai.tool.call.id`."),
    Column::hot("key_id", Text, "The virtual key that made the call or sent the span."),
    Column::hot("verdict", Text, "Strongest guardrail action: allow, flag, redact or block."),
    Column::hot("dialect", Text, "The wire or telemetry dialect it came in."),
    Column::hot("input_preview", Text, "The start of the last thing said to the model."),
    Column::hot("output_preview", Text, "The start of the answer."),
    Column::body("findings", Json, "What the scanners found."),
    Column::body("model_parameters", Json, "`gen_ai.request.*`."),
    Column::body("tools", Json, "`gen_ai.tool.definitions`.").by_hash(),
    Column::body("input_messages", Json, "`gen_ai.input.messages`.").searchable().by_hash(),
    Column::body("output_messages", Json, "`gen_ai.output.messages`.").searchable().by_hash(),
    Column::body(
        "input_messages_known",
        Int,
        "How many of the first input messages earlier calls of the session or trace had said already.",
    ),
    Column::body("input", Json, "Input that is no conversation.").searchable(),
    Column::body("output", Json, "Output that is no conversation.").searchable(),
    Column::body(
        "attributes",
        TextMap,
        "Attributes as sent; a key is addressed as `attributes.key`. What other columns say is not repeated: \
         `signalbox.moved` has where it stands.",
    ),
    Column::body("resource_attributes", TextMap, "Attributes of the sending process."),
    Column::body("events", Json, "Events within the span."),
    Column::body("scope_name", Text, "Instrumentation scope."),
    Column::body("scope_version", Text, "Its version."),
    Column::body("schema_url", Text, "The schema that the sender claims."),
    Column::body("normaliser_version", Int, "Version of the code that normalised the span.").required(),
];

impl Record for Span {
    fn table() -> &'static Table {
        &SPANS
    }

    fn cells<'a>(&'a self, out: &mut Vec<Cell<'a>>) {
        let said = Said {
            tools: Cell::json(!self.tools.is_empty(), &self.tools),
            input: Cell::json(!self.input_messages.is_empty(), &self.input_messages),
            output: Cell::json(!self.output_messages.is_empty(), &self.output_messages),
            known: Cell::Null,
        };
        self.cells_with(said, out);
    }
}

/// The cells of what was said in a span: as it stands, or as a store keeps it.
#[derive(Debug)]
pub struct Said<'a> {
    /// `tools`.
    pub tools: Cell<'a>,
    /// `input_messages`.
    pub input: Cell<'a>,
    /// `output_messages`.
    pub output: Cell<'a>,
    /// `input_messages_known`.
    pub known: Cell<'a>,
}

impl Span {
    /// One cell for each column, with these for what was said.
    pub fn cells_with<'a>(&'a self, said: Said<'a>, out: &mut Vec<Cell<'a>>) {
        let money = |pick: fn(&crate::Cost) -> crate::Money| {
            self.cost.as_ref().map_or(Cell::Null, |cost| Cell::Money(pick(cost)))
        };
        let list =
            |items: &'a [String]| if items.is_empty() { Cell::Null } else { Cell::TextList(Cow::Borrowed(items)) };
        out.extend([
            Cell::text(Some(self.project_id.as_str())),
            Cell::owned(self.trace_id.to_string()),
            Cell::owned(self.span_id.to_string()),
            self.parent_span_id.map_or(Cell::Null, |id| Cell::owned(id.to_string())),
            Cell::Time(self.start_time),
            Cell::Time(self.end_time),
            Cell::Float(self.duration_ms()),
            self.ttft_ms.map_or(Cell::Null, Cell::Float),
            Cell::text(Some(&self.name)),
            Cell::text(Some(self.kind.as_str())),
            Cell::text(self.operation.as_deref()),
            Cell::text(Some(self.source.as_str())),
            Cell::text(Some(self.status.as_str())),
            Cell::text(self.error_type.as_deref()),
            Cell::text(self.status_message.as_deref()),
            Cell::count(self.http_status.map(u64::from)),
            Cell::text(self.provider.as_deref()),
            Cell::text(self.model()),
            Cell::text(self.model_requested.as_deref()),
            Cell::text(self.model_used.as_deref()),
            Cell::text(self.response_id.as_deref()),
            list(&self.finish_reasons),
            Cell::Bool(self.streaming),
            Cell::count(self.usage.input_tokens),
            Cell::count(self.usage.output_tokens),
            Cell::count(self.usage.cache_read_tokens),
            Cell::count(self.usage.cache_write_tokens),
            Cell::count(self.usage.reasoning_tokens),
            Cell::count(self.usage.total()),
        ]);
        out.extend([
            money(|cost| cost.total),
            money(|cost| cost.input),
            money(|cost| cost.cache_read),
            money(|cost| cost.cache_write),
            money(|cost| cost.output),
            Cell::text(self.cost.as_ref().map(|cost| cost.source.as_str())),
            Cell::Bool(self.counted),
            Cell::text(self.session_id.as_deref()),
            Cell::text(self.user_id.as_deref()),
            list(&self.tags),
            Cell::text(self.environment.as_deref()),
            Cell::text(self.release.as_deref()),
            Cell::text(self.service_name.as_deref()),
            Cell::text(self.prompt_name.as_deref()),
            Cell::text(self.prompt_version.as_deref()),
            Cell::text(self.agent_name.as_deref()),
            Cell::text(self.tool_name.as_deref()),
            Cell::text(self.tool_call_id.as_deref()),
            Cell::text(self.key_id.as_ref().map(|key| key.as_str())),
            Cell::text(self.verdict.map(Verdict::as_str)),
            Cell::text(self.dialect.as_deref()),
            preview(self.last_input(), self.input.as_ref()),
            preview(self.output_messages.last(), self.output.as_ref()),
            Cell::json(!self.findings.is_empty(), &self.findings),
            Cell::json(!self.model_parameters.is_empty(), &self.model_parameters),
            said.tools,
            said.input,
            said.output,
            said.known,
            Cell::json(self.input.is_some(), &self.input),
            Cell::json(self.output.is_some(), &self.output),
            Cell::map(&self.attributes),
            Cell::map(&self.resource_attributes),
            Cell::json(!self.events.is_empty(), &self.events),
            Cell::text(self.scope_name.as_deref()),
            Cell::text(self.scope_version.as_deref()),
            Cell::text(self.schema_url.as_deref()),
            Cell::Int(i64::from(self.normaliser_version)),
        ]);
    }

    /// The last thing that somebody other than the application's instructions said.
    fn last_input(&self) -> Option<&Message> {
        let messages = &self.input_messages;
        messages.iter().rev().find(|message| message.role == Role::User).or_else(|| messages.last())
    }
}

fn preview<'a>(message: Option<&Message>, value: Option<&'a serde_json::Value>) -> Cell<'a> {
    let text = match (message, value) {
        (Some(message), _) => message.readable(),
        (None, Some(serde_json::Value::String(text))) => text.clone(),
        (None, Some(value)) => value.to_string(),
        (None, None) => return Cell::Null,
    };
    cut(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProjectId, SpanId, Timestamp, TraceId};

    #[test]
    fn a_cell_for_each_column() {
        let span = Span::new(ProjectId::new("p"), TraceId::new(), SpanId::new(), "chat", Timestamp::from_micros(1));
        let mut cells = Vec::new();
        span.cells(&mut cells);
        assert_eq!(cells.len(), SPANS.columns.len());
        for (cell, column) in cells.iter().zip(SPANS.columns) {
            assert!(column.nullable || *cell != Cell::Null, "{} is absent", column.name);
        }
        assert_eq!(cells[SPANS.position("normaliser_version").unwrap()], Cell::Int(0));
        assert_eq!(cells[SPANS.position("kind").unwrap()], Cell::text(Some("span")));
    }
}
