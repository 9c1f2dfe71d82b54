#![doc = include_str!("../README.md")]

mod highlight;
pub mod json;
mod matcher;
mod query;
mod tokens;

pub use highlight::{Highlight, SNIPPET_CHARS, Snippet, snippet};
pub use matcher::Matcher;
pub use query::{InvalidSearch, Node, Phrase, Term, TextQuery};
pub use tokens::{Kind, TOKENS_VERSION, Tokens};
