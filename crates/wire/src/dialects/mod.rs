//! One folder per dialect, same rooms in each.

pub(crate) mod anthropic_messages;
pub(crate) mod gemini;
pub(crate) mod openai_chat;
pub(crate) mod openai_completions;
pub(crate) mod openai_responses;
