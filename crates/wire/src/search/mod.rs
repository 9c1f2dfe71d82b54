//! Searching the web: a tool that some providers run themselves. OpenAI's two APIs, Anthropic and Gemini have it, each in
//! words of its own; the rest has not. What is asked for in one is said in another as far as that has words for it.
//!
//! What an answer tells of a search is the question (and, with Anthropic, what was found: sealed, so that only Anthropic
//! can read it). Sources of the text are citations everywhere, and no affair of this module.

mod said;
mod tool;

#[cfg(test)]
mod tests;

pub(crate) use said::{Encoder, in_request, in_response};
pub(crate) use tool::{is_said_by_tool, other_tools};

/// What Anthropic calls the tool, whatever its version.
pub(crate) const NAME: &str = "web_search";
