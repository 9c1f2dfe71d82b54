//! The one record of a thing that happened: a call through the gateway, a span from an SDK.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Cost, ErrorClass, Finding, KeyId, Message, ProjectId, SpanId, Timestamp, ToolDefinition, TraceId, Usage, Verdict,
};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in storage and API.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The one of this name.
            #[must_use]
            pub fn find(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

pub(crate) use named;

named!(
    /// What kind of step a span is.
    SpanKind {
        /// A call of a language model (a *generation*).
        Llm = "llm",
        /// Text to vectors.
        Embedding = "embedding",
        /// Search for documents.
        Retriever = "retriever",
        /// Order documents by relevance.
        Reranker = "reranker",
        /// A tool ran.
        Tool = "tool",
        /// An agent ran.
        Agent = "agent",
        /// Glue between steps.
        Chain = "chain",
        /// A whole workflow.
        Workflow = "workflow",
        /// A task in a workflow.
        Task = "task",
        /// A guardrail looked at something.
        Guardrail = "guardrail",
        /// A metric or judge ran.
        Evaluator = "evaluator",
        /// Agent memory was read or written.
        Memory = "memory",
        /// A Model Context Protocol call.
        Mcp = "mcp",
        /// An agent made a plan.
        Plan = "plan",
        /// A prompt was rendered.
        Prompt = "prompt",
        /// A point in time.
        Event = "event",
        /// Anything else.
        #[default]
        Span = "span",
    }
);
named!(
    /// How a span ended.
    SpanStatus {
        /// Nobody said.
        #[default]
        Unset = "unset",
        /// Well.
        Ok = "ok",
        /// Badly: see `error_type` and `status_message`.
        Error = "error",
    }
);
named!(
    /// How a span came here.
    SpanSource {
        /// A call through our gateway.
        #[default]
        Gateway = "gateway",
        /// OpenTelemetry protocol.
        Otlp = "otlp",
    }
);

/// Something that happened within a span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SpanEvent {
    /// When.
    pub time: Timestamp,
    /// What.
    pub name: String,
    /// Details.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schema(value_type = Object)]
    pub attributes: serde_json::Map<String, Value>,
}

/// A step of a trace, with OpenTelemetry GenAI meaning whatever dialect it came in.
/// `(project_id, trace_id, span_id)` names it; of two with the same name the later one counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The tenant.
    pub project_id: ProjectId,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The step that caused it; `None` for the root.
    pub parent_span_id: Option<SpanId>,
    /// E.g. `chat gpt-4o-mini`.
    pub name: String,
    /// What kind of step.
    pub kind: SpanKind,
    /// `gen_ai.operation.name`: chat, embeddings, execute_tool, …
    pub operation: Option<String>,
    /// How it came here.
    pub source: SpanSource,
    /// When it began.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Timestamp,
    /// Time to the first token (first content chunk) in milliseconds.
    pub ttft_ms: Option<f64>,
    /// How it ended.
    pub status: SpanStatus,
    /// `error.type`: for gateway calls one of [`ErrorClass`].
    pub error_type: Option<String>,
    /// What went wrong, for people.
    pub status_message: Option<String>,
    /// `gen_ai.provider.name`.
    pub provider: Option<String>,
    /// `gen_ai.request.model`, as the caller wrote it.
    pub model_requested: Option<String>,
    /// `gen_ai.response.model`.
    pub model_used: Option<String>,
    /// `gen_ai.response.id`.
    pub response_id: Option<String>,
    /// `gen_ai.response.finish_reasons`.
    pub finish_reasons: Vec<String>,
    /// The answer came as a stream.
    pub streaming: bool,
    /// Tokens.
    pub usage: Usage,
    /// Cost; `None` = unknown, which is not zero.
    pub cost: Option<Cost>,
    /// Usage and cost count in sums: see [`crate::CountOnce`], by which the store sets it.
    pub counted: bool,
    /// How it counted when it was stored before, for a version that replaces that one; not stored.
    pub counted_before: Option<bool>,
    /// `gen_ai.conversation.id` / `session.id`.
    pub session_id: Option<String>,
    /// `user.id`.
    pub user_id: Option<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// `deployment.environment.name`.
    pub environment: Option<String>,
    /// `service.version` or what the sender calls its release.
    pub release: Option<String>,
    /// `service.name`.
    pub service_name: Option<String>,
    /// `gen_ai.prompt.name`.
    pub prompt_name: Option<String>,
    /// `gen_ai.prompt.version`.
    pub prompt_version: Option<String>,
    /// `gen_ai.agent.name`.
    pub agent_name: Option<String>,
    /// `gen_ai.tool.name`.
    pub tool_name: Option<String>,
    /// `gen_ai.tool.call.id`.
    pub tool_call_id: Option<String>,
    /// The virtual key that made the call or sent the span.
    pub key_id: Option<KeyId>,
    /// The strongest guardrail action, on gateway calls.
    pub verdict: Option<Verdict>,
    /// What the scanners found.
    pub findings: Vec<Finding>,
    /// HTTP status that the caller got, on gateway calls.
    pub http_status: Option<u16>,
    /// `gen_ai.request.*` parameters: temperature, max_tokens, …
    pub model_parameters: serde_json::Map<String, Value>,
    /// `gen_ai.tool.definitions`.
    pub tools: Vec<ToolDefinition>,
    /// `gen_ai.input.messages`, system instructions first.
    pub input_messages: Vec<Message>,
    /// `gen_ai.output.messages`.
    pub output_messages: Vec<Message>,
    /// What went in, where it is no conversation (tool arguments, a query).
    pub input: Option<Value>,
    /// What came out, where it is no conversation (tool result, documents).
    pub output: Option<Value>,
    /// Everything that has no column, and what was read from: kept so that old spans can be
    /// normalised again. Values are text; other types as JSON.
    pub attributes: BTreeMap<String, String>,
    /// Attributes of the sending process.
    pub resource_attributes: BTreeMap<String, String>,
    /// Events.
    pub events: Vec<SpanEvent>,
    /// Instrumentation scope.
    pub scope_name: Option<String>,
    /// Its version.
    pub scope_version: Option<String>,
    /// The schema that the sender claims.
    pub schema_url: Option<String>,
    /// The telemetry dialect that was recognised, or the gateway's caller dialect.
    pub dialect: Option<String>,
    /// Version of the code that made this span out of what was sent.
    pub normaliser_version: u32,
}

impl Span {
    /// A span with nothing but its name and times.
    #[must_use]
    pub fn new(
        project_id: ProjectId,
        trace_id: TraceId,
        span_id: SpanId,
        name: impl Into<String>,
        start: Timestamp,
    ) -> Self {
        Self {
            project_id,
            trace_id,
            span_id,
            parent_span_id: None,
            name: name.into(),
            kind: SpanKind::Span,
            operation: None,
            source: SpanSource::Gateway,
            start_time: start,
            end_time: start,
            ttft_ms: None,
            status: SpanStatus::Unset,
            error_type: None,
            status_message: None,
            provider: None,
            model_requested: None,
            model_used: None,
            response_id: None,
            finish_reasons: Vec::new(),
            streaming: false,
            usage: Usage::default(),
            cost: None,
            counted: false,
            counted_before: None,
            session_id: None,
            user_id: None,
            tags: Vec::new(),
            environment: None,
            release: None,
            service_name: None,
            prompt_name: None,
            prompt_version: None,
            agent_name: None,
            tool_name: None,
            tool_call_id: None,
            key_id: None,
            verdict: None,
            findings: Vec::new(),
            http_status: None,
            model_parameters: serde_json::Map::new(),
            tools: Vec::new(),
            input_messages: Vec::new(),
            output_messages: Vec::new(),
            input: None,
            output: None,
            attributes: BTreeMap::new(),
            resource_attributes: BTreeMap::new(),
            events: Vec::new(),
            scope_name: None,
            scope_version: None,
            schema_url: None,
            dialect: None,
            normaliser_version: 0,
        }
    }

    /// How long it took, in milliseconds with a fraction.
    #[must_use]
    pub fn duration_ms(&self) -> f64 {
        self.end_time.since(self.start_time).as_micros() as f64 / 1_000.0
    }

    /// The model that answered, or else the one asked for.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model_used.as_deref().or(self.model_requested.as_deref())
    }

    /// About how much memory its texts take, in bytes: for bounds, not for accounts.
    #[must_use]
    pub fn approximate_bytes(&self) -> usize {
        let messages = self.input_messages.iter().chain(&self.output_messages);
        let said: usize = messages.flat_map(|message| &message.parts).map(crate::Part::approximate_bytes).sum();
        let attributes = self.attributes.iter().chain(&self.resource_attributes);
        let told: usize = attributes.map(|(key, value)| key.len() + value.len()).sum();
        size_of::<Self>() + said + told
    }

    /// Marks it as failed.
    pub fn fail(&mut self, class: ErrorClass, message: impl Into<String>) {
        self.status = SpanStatus::Error;
        self.error_type = Some(class.as_str().to_owned());
        self.status_message = Some(message.into());
    }
}
