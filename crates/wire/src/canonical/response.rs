//! A whole answer.

use std::fmt;

use signalbox_types::{Message, Usage};

use super::{Charges, Notes};
use crate::error::WireError;
use crate::registry::Dialect;

/// Why a model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishReason {
    /// It was done.
    Stop,
    /// It wrote one of the caller's stop texts.
    StopSequence,
    /// It reached the limit of output tokens, or of its context.
    Length,
    /// It wants tools to be called.
    ToolCalls,
    /// It refused, or a filter of the provider did.
    ContentFilter,
    /// The provider paused a long turn; send the answer back to go on.
    Pause,
    /// Another word of the provider.
    Other(String),
}

impl FinishReason {
    /// The word for the record (`gen_ai.response.finish_reasons`).
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop | Self::StopSequence => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Pause => "pause",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An answer in no particular dialect.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatResponse {
    /// The provider's id of it.
    pub id: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// When, in Unix seconds, if the provider says.
    pub created: Option<i64>,
    /// The answer; several if the caller asked for `n` of them. Each has its `finish_reason` set.
    pub messages: Vec<Message>,
    /// Why each of them ended; as long as `messages`.
    pub finish_reasons: Vec<FinishReason>,
    /// What each of them says about its text; shorter than `messages` where the rest says nothing.
    pub notes: Vec<Notes>,
    /// Which of the caller's stop texts ended it, if the provider says.
    pub stop_sequence: Option<String>,
    /// What was used.
    pub usage: Usage,
    /// What changes the price of that.
    pub charges: Charges,
    /// How many milliseconds it took, for callers that are told.
    pub latency_ms: Option<u64>,
}

impl ChatResponse {
    /// Nothing stays where no answer says anything about its text.
    pub(crate) fn forget_empty_notes(&mut self) {
        if self.notes.iter().all(Notes::is_empty) {
            self.notes.clear();
        }
    }

    /// What an answer says about its text.
    pub(crate) fn notes(&self, message: usize) -> &Notes {
        static NONE: Notes = Notes { citations: Vec::new(), logprobs: Vec::new() };
        self.notes.get(message).unwrap_or(&NONE)
    }

    /// The answer, for a dialect that has exactly one.
    pub(crate) fn only_answer(&self, target: Dialect) -> Result<&Message, WireError> {
        match self.messages.as_slice() {
            [message] => Ok(message),
            messages => {
                let hint = format!("it has exactly one answer, the provider gave {}", messages.len());
                Err(target.lacks("choices", hint))
            }
        }
    }
}
