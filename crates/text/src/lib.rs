#![doc = include_str!("../README.md")]

// Built anew when the profile of calls is counted or left out (`.cargo/rustc`).
const _: Option<&str> = option_env!("SIGNALBOX_PROFILE");

mod highlight;
pub mod json;
mod matcher;
mod query;
mod tokens;

pub use highlight::{Highlight, SNIPPET_CHARS, Snippet, snippet};
pub use matcher::Matcher;
pub use query::{InvalidSearch, Node, Phrase, Term, TextQuery};
pub use tokens::{Kind, TOKENS_VERSION, Tokens};
