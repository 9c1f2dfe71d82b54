//! What a stream says, piece by piece.

use signalbox_types::{Part, Usage};

use super::{Charges, Citation, FinishReason, TokenLogprob};
use crate::error::ErrorBody;
use crate::rewrite::{Channel, ChannelKind};

/// One thing that a stream said. `choice` is OpenAI's choice index (always 0 elsewhere); `index`
/// tells running texts of one kind apart: the content block for Anthropic; for OpenAI the tool
/// call's index, and 0 for everything else.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent {
    /// The answer begins. Once per stream.
    Start {
        /// The provider's id of the answer.
        id: Option<String>,
        /// The model that answers.
        model: Option<String>,
    },
    /// More of the answer's text.
    TextDelta {
        /// Choice.
        choice: u32,
        /// Content block.
        index: u32,
        /// What is added.
        text: String,
    },
    /// More of the thinking.
    ReasoningDelta {
        /// Choice.
        choice: u32,
        /// Content block.
        index: u32,
        /// What is added.
        text: String,
    },
    /// The provider's proof for the thinking just given.
    ReasoningSignature {
        /// Choice.
        choice: u32,
        /// Content block.
        index: u32,
        /// To be sent back as it came.
        signature: String,
    },
    /// Thinking that only the provider can read.
    ReasoningEncrypted {
        /// Choice.
        choice: u32,
        /// Content block.
        index: u32,
        /// To be sent back as it came.
        data: String,
    },
    /// More of a refusal.
    RefusalDelta {
        /// Choice.
        choice: u32,
        /// Content block.
        index: u32,
        /// What is added.
        text: String,
    },
    /// The model begins to call a tool.
    ToolCallStart {
        /// Choice.
        choice: u32,
        /// Names this call in later deltas.
        index: u32,
        /// The call's id.
        id: Option<String>,
        /// The tool.
        name: String,
    },
    /// More of a tool call's arguments (pieces of JSON text).
    ToolCallDelta {
        /// Choice.
        choice: u32,
        /// Which call.
        index: u32,
        /// What is added.
        arguments: String,
    },
    /// A part that comes whole and is no text: a picture, code that the provider ran.
    Part {
        /// Choice.
        choice: u32,
        /// All of it.
        part: Part,
    },
    /// A source of the text that was just told, or of earlier text.
    Citation {
        /// Choice.
        choice: u32,
        /// Which, and what rests on it.
        citation: Citation,
    },
    /// How likely the tokens of the text are that comes next.
    Logprobs {
        /// Choice.
        choice: u32,
        /// In order.
        tokens: Vec<TokenLogprob>,
    },
    /// Why the model stopped. Once per choice.
    Finish {
        /// Choice.
        choice: u32,
        /// Why.
        reason: FinishReason,
        /// Which of the caller's stop texts it was, if the provider says.
        stop_sequence: Option<String>,
    },
    /// What was used so far; a later one replaces an earlier one.
    Usage(Usage),
    /// What changes the price of what was used; a later one adds to an earlier one, or replaces what it said.
    Charges(Charges),
    /// The provider failed, perhaps as its first word after HTTP 200.
    Error(ErrorBody),
    /// A sign of life.
    Ping,
    /// The announced end of the stream.
    End,
}

impl StreamEvent {
    /// Which of several answers this is of, if of one.
    #[must_use]
    pub fn choice(&self) -> Option<u32> {
        match self {
            Self::TextDelta { choice, .. }
            | Self::ReasoningDelta { choice, .. }
            | Self::ReasoningSignature { choice, .. }
            | Self::ReasoningEncrypted { choice, .. }
            | Self::RefusalDelta { choice, .. }
            | Self::ToolCallStart { choice, .. }
            | Self::ToolCallDelta { choice, .. }
            | Self::Part { choice, .. }
            | Self::Citation { choice, .. }
            | Self::Logprobs { choice, .. }
            | Self::Finish { choice, .. } => Some(*choice),
            _ => None,
        }
    }

    /// The running text that this adds to, and what it adds.
    #[must_use]
    pub fn delta(&self) -> Option<(Channel, &str)> {
        let (choice, kind, index, text) = match self {
            Self::TextDelta { choice, index, text } => (choice, ChannelKind::Text, index, text),
            Self::ReasoningDelta { choice, index, text } => (choice, ChannelKind::Reasoning, index, text),
            Self::RefusalDelta { choice, index, text } => (choice, ChannelKind::Refusal, index, text),
            Self::ToolCallDelta { choice, index, arguments } => (choice, ChannelKind::ToolArguments, index, arguments),
            _ => return None,
        };
        Some((Channel { choice: *choice, kind, index: *index }, text))
    }

    /// The event that adds `text` to a running text.
    #[must_use]
    pub fn of_delta(channel: Channel, text: String) -> Self {
        let Channel { choice, kind, index } = channel;
        match kind {
            ChannelKind::Text => Self::TextDelta { choice, index, text },
            ChannelKind::Reasoning => Self::ReasoningDelta { choice, index, text },
            ChannelKind::Refusal => Self::RefusalDelta { choice, index, text },
            ChannelKind::ToolArguments => Self::ToolCallDelta { choice, index, arguments: text },
        }
    }
}
