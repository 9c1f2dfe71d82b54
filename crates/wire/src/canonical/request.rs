//! A whole request.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use signalbox_types::{Message, Part, Role, ToolDefinition};

use crate::error::WireError;
use crate::registry::Dialect;

/// A request in no particular dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// The model as the caller wrote it.
    pub model: String,
    /// The conversation, system messages included, in order.
    pub messages: Vec<Message>,
    /// What the caller calls each message, for errors: `system`, `messages[2]`.
    pub origins: Vec<String>,
    /// Tools that the caller runs.
    pub tools: Vec<ToolDefinition>,
    /// Tools that only the caller's dialect knows (run by the provider, free-form, …).
    pub other_tools: Vec<OtherTool>,
    /// Which tools the model may or must call.
    pub tool_choice: Option<ToolChoice>,
    /// The model may call several tools at once.
    pub parallel_tool_calls: Option<bool>,
    /// The limit of output tokens, reasoning included.
    pub max_tokens: Option<u64>,
    /// As written.
    pub temperature: Option<Number>,
    /// As written.
    pub top_p: Option<Number>,
    /// As written.
    pub top_k: Option<u64>,
    /// As written.
    pub seed: Option<Number>,
    /// As written.
    pub presence_penalty: Option<Number>,
    /// As written.
    pub frequency_penalty: Option<Number>,
    /// The caller wants to know how likely each token was, and so many of the likeliest in its place.
    pub logprobs: Option<u64>,
    /// How many answers are wanted (OpenAI `n`).
    pub answers: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// The answer shall come as a stream.
    pub stream: bool,
    /// The caller wants usage in the stream.
    pub stream_usage: bool,
    /// Who is called knows the limit of output tokens only by OpenAI's older name, `max_tokens`.
    pub old_max_tokens: bool,
    /// The caller's user.
    pub user: Option<String>,
    /// The caller's labels for the call.
    pub metadata: Map<String, Value>,
    /// The shape that the answer must have.
    pub response_format: Option<ResponseFormat>,
    /// How much to think.
    pub reasoning: Option<Reasoning>,
    /// Hints of single parts, by index of message and part.
    pub part_hints: BTreeMap<(usize, usize), PartHints>,
    /// Where the caller wants prompt caching to cut, on tools.
    pub cache_marks: Vec<(CachePlace, Value)>,
    /// Fields that only the caller's dialect knows.
    pub extras: Extras,
}

impl ChatRequest {
    /// An empty request from a dialect.
    #[must_use]
    pub fn new(dialect: Dialect, model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            messages: Vec::new(),
            origins: Vec::new(),
            tools: Vec::new(),
            other_tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            max_tokens: None,
            temperature: None,
            top_p: None,
            top_k: None,
            seed: None,
            presence_penalty: None,
            frequency_penalty: None,
            logprobs: None,
            answers: None,
            stop: Vec::new(),
            stream: false,
            stream_usage: false,
            old_max_tokens: false,
            user: None,
            metadata: Map::new(),
            response_format: None,
            reasoning: None,
            part_hints: BTreeMap::new(),
            cache_marks: Vec::new(),
            extras: Extras { dialect, fields: Map::new() },
        }
    }

    /// Adds a message that the caller calls so.
    pub(crate) fn push(&mut self, message: Message, origin: impl ToString) {
        self.messages.push(message);
        self.origins.push(origin.to_string());
    }

    /// Adds a message of parts with their hints.
    pub(crate) fn push_hinted(&mut self, role: Role, hinted: Hinted, origin: impl ToString) {
        let message = self.messages.len();
        let mut parts = Vec::with_capacity(hinted.len());
        for (index, (part, hints)) in hinted.into_iter().enumerate() {
            if hints != PartHints::default() {
                self.part_hints.insert((message, index), hints);
            }
            parts.push(part);
        }
        self.push(Message { role, parts, name: None, finish_reason: None }, origin);
    }

    /// Adds what a dialect says in one turn. Answers of tools are a message of their own in the canonical form, before
    /// what the user adds.
    pub(crate) fn push_turn(&mut self, role: Role, hinted: Hinted, origin: impl ToString + Copy) {
        let is_answer = |(part, _): &(Part, PartHints)| matches!(part, Part::ToolCallResponse { .. });
        let (answers, others): (Hinted, Hinted) = hinted.into_iter().partition(is_answer);
        let answered = !answers.is_empty();
        if answered {
            self.push_hinted(Role::Tool, answers, origin);
        }
        if !others.is_empty() || !answered {
            self.push_hinted(role, others, origin);
        }
    }

    /// What the caller calls a message.
    pub(crate) fn origin(&self, message: usize) -> String {
        self.origins.get(message).cloned().unwrap_or_else(|| format!("messages[{message}]"))
    }

    /// What the caller calls a setting that OpenAI's callers know by the plain name, and Gemini's by the other.
    pub(crate) fn name_of<'a>(&self, plain: &'a str, gemini: &'a str) -> &'a str {
        match (self.extras.dialect, plain) {
            (Dialect::Gemini, _) => gemini,
            (Dialect::AnthropicMessages, "parallel_tool_calls") => "tool_choice.disable_parallel_tool_use",
            (Dialect::AnthropicMessages | Dialect::CohereV2, "stop") => "stop_sequences",
            (Dialect::BedrockConverse, "stop") => "inferenceConfig.stopSequences",
            (Dialect::BedrockConverse, "temperature") => "inferenceConfig.temperature",
            (Dialect::BedrockConverse, "tool_choice") => "toolConfig.toolChoice",
            (Dialect::BedrockConverse, "tools") => "toolConfig.tools",
            (Dialect::BedrockConverse, "top_k") => "additionalModelRequestFields.top_k",
            (Dialect::BedrockConverse, "top_p") => "inferenceConfig.topP",
            (Dialect::CohereV2, "top_k") => "k",
            (Dialect::CohereV2, "top_p") => "p",
            _ => plain,
        }
    }

    /// What the caller calls the wish to have the model think.
    pub(crate) fn reasoning_name(&self) -> &'static str {
        match self.extras.dialect {
            Dialect::AnthropicMessages | Dialect::CohereV2 => "thinking",
            Dialect::BedrockConverse => "additionalModelRequestFields",
            Dialect::Gemini => "generationConfig.thinkingConfig",
            Dialect::OpenaiResponses => "reasoning.effort",
            Dialect::OpenaiChat | Dialect::OpenaiCompletions => "reasoning_effort",
        }
    }

    /// What the caller calls what a message holds.
    pub(crate) fn content_name(&self, message: usize) -> String {
        let content = if self.extras.dialect == Dialect::Gemini { "parts" } else { "content" };
        format!("{}.{content}", self.origin(message))
    }

    /// What the caller calls the id of the call that a tool's answer is for.
    pub(crate) fn call_id_name(&self, message: usize) -> String {
        let id = match self.extras.dialect {
            Dialect::AnthropicMessages => "content.tool_use_id",
            Dialect::BedrockConverse => "content.toolResult.toolUseId",
            Dialect::Gemini => "parts.functionResponse.id",
            Dialect::OpenaiResponses => "call_id",
            Dialect::CohereV2 | Dialect::OpenaiChat | Dialect::OpenaiCompletions => "tool_call_id",
        };
        format!("{}.{id}", self.origin(message))
    }

    /// What the caller calls the shape that the answer must have.
    pub(crate) fn format_name(&self) -> &'static str {
        let has = |field: &str| self.extras.fields.contains_key(field);
        match self.extras.dialect {
            Dialect::AnthropicMessages => "output_config",
            Dialect::BedrockConverse => "outputConfig",
            Dialect::Gemini if has("generationConfig.responseJsonSchema") => "generationConfig.responseJsonSchema",
            Dialect::Gemini if has("generationConfig.responseSchema") => "generationConfig.responseSchema",
            Dialect::Gemini => "generationConfig.responseMimeType",
            Dialect::OpenaiResponses => "text.format",
            Dialect::CohereV2 | Dialect::OpenaiChat | Dialect::OpenaiCompletions => "response_format",
        }
    }

    /// What a dialect without seed, weights and several answers has no word for, unless it is what happens anyway.
    pub(crate) fn refuse_weights(&self, target: Dialect) -> Result<(), WireError> {
        let refuse = |field: &str, hint: &str| Err(target.lacks(field, hint));
        if self.seed.is_some() {
            return refuse(self.name_of("seed", "generationConfig.seed"), "it has no seed; leave it out");
        }
        let penalties = [
            (&self.presence_penalty, self.name_of("presence_penalty", "generationConfig.presencePenalty")),
            (&self.frequency_penalty, self.name_of("frequency_penalty", "generationConfig.frequencyPenalty")),
        ];
        for (penalty, field) in penalties {
            if penalty.as_ref().and_then(Number::as_f64).is_some_and(|penalty| penalty != 0.0) {
                return refuse(field, "it can't weigh tokens; leave it out");
            }
        }
        if self.answers.is_some_and(|answers| answers != 1) {
            let field = self.name_of("n", "generationConfig.candidateCount");
            return refuse(field, "it gives one answer per call; send the call several times");
        }
        Ok(())
    }

    /// What a dialect says that tells no token probabilities.
    pub(crate) fn refuse_logprobs(&self, target: Dialect) -> Result<(), WireError> {
        if self.logprobs.is_none() {
            return Ok(());
        }
        let field = match self.extras.dialect {
            Dialect::Gemini => "generationConfig.responseLogprobs",
            Dialect::OpenaiResponses => "include",
            _ => "logprobs",
        };
        Err(target.lacks(field, "it tells no token probabilities; leave it out"))
    }

    pub(crate) fn hints(&self, message: usize, part: usize) -> Option<&PartHints> {
        self.part_hints.get(&(message, part))
    }
}

/// A tool of the caller's dialect only, as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherTool {
    /// Its place in the caller's list.
    pub position: usize,
    /// As it came.
    pub definition: Value,
}

impl OtherTool {
    /// What kind of tool it is.
    pub(crate) fn kind(&self) -> &str {
        super::kind_of(&self.definition)
    }
}

/// Which tools the model may or must call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// None.
    None,
    /// At least one, whichever.
    Required,
    /// This one.
    Named(String),
}

/// The shape that an answer must have.
#[derive(Debug, Clone, PartialEq)]
pub enum ResponseFormat {
    /// Some JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema {
        /// The schema's name.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The JSON Schema.
        schema: Value,
        /// It must fit exactly.
        strict: Option<bool>,
    },
}

/// How hard to think, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Hardly.
    Minimal,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// As much as it can.
    Max,
}

/// How much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reasoning {
    /// Not at all.
    Off,
    /// In words.
    Effort(Effort),
    /// Up to this many tokens.
    Budget(u64),
    /// The model decides, perhaps guided by a word.
    Adaptive(Option<Effort>),
}

impl Effort {
    /// The thinking budget in tokens that stands for this word (README.md has the table).
    #[must_use]
    pub fn budget(self) -> u64 {
        match self {
            Self::Minimal => 1_024,
            Self::Low => 2_048,
            Self::Medium => 8_192,
            Self::High => 16_384,
            Self::Max => 32_768,
        }
    }

    /// The word that stands for a thinking budget in tokens.
    #[must_use]
    pub fn of_budget(tokens: u64) -> Self {
        match tokens {
            0..=4_096 => Self::Low,
            4_097..=12_288 => Self::Medium,
            _ => Self::High,
        }
    }
}

impl Reasoning {
    /// What OpenAI's word for the effort means; `None` for one that is not known.
    pub(crate) fn of_openai_word(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::Off,
            "minimal" => Self::Effort(Effort::Minimal),
            "low" => Self::Effort(Effort::Low),
            "medium" => Self::Effort(Effort::Medium),
            "high" => Self::Effort(Effort::High),
            "xhigh" | "max" => Self::Effort(Effort::Max),
            _ => return None,
        })
    }

    /// OpenAI's word for this, if one must be said to who was called in another dialect.
    pub(crate) fn openai_word(self, caller: Dialect) -> Option<&'static str> {
        let effort = match self {
            Self::Adaptive(None) => return None,
            // For Anthropic's callers "off" is just the default; models that don't think refuse the field.
            Self::Off if caller == Dialect::AnthropicMessages => return None,
            Self::Off => return Some("none"),
            Self::Effort(effort) | Self::Adaptive(Some(effort)) => effort,
            Self::Budget(tokens) => Effort::of_budget(tokens),
        };
        Some(match effort {
            Effort::Minimal => "minimal",
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Max => "xhigh",
        })
    }
}

/// Parts with their hints, before they are a message.
pub(crate) type Hinted = Vec<(Part, PartHints)>;

/// What a part carries beside its content. None of it changes what is said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartHints {
    /// Prompt caching shall cut after this part (Anthropic `cache_control`).
    pub cache_control: Option<Value>,
    /// A document's name or title.
    pub file_name: Option<String>,
    /// How closely to look at a picture (OpenAI `detail`).
    pub image_detail: Option<String>,
    /// What an uploaded file is (Gemini `mimeType`).
    pub mime_type: Option<String>,
}

/// A place outside the messages where prompt caching may cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePlace {
    /// After the tool with this index in `tools`.
    Tool(usize),
}

/// Top-level fields that no canonical field stands for. A codec of the same dialect writes them
/// back; another one drops those that are harmless and refuses the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Extras {
    /// Whose fields these are.
    pub dialect: Dialect,
    /// As they came.
    pub fields: Map<String, Value>,
}
