//! What is known about the call that a text belongs to.

use serde_json::{Map, Value};

/// What a scanner may know about the call around a text: see [`Scanner::within`](crate::Scanner::within).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// The system instructions, as they were sent.
    pub system: Vec<&'a str>,
    /// What an answer may rest on: messages of the user, results of tools, documents.
    pub documents: Vec<&'a str>,
    /// Those of the documents that nobody vouches for: what tools gave back.
    pub untrusted: Vec<&'a str>,
    /// What is known beside its texts.
    pub facts: Facts,
}

/// What is known about a call beside its texts: what `when`, samples, exceptions and expressions go by. Empty where the
/// caller says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The name of its key.
    pub key: String,
    /// The id of its project.
    pub project: String,
    /// The model as the caller wrote it, which may be the name of a route.
    pub model: String,
    /// The route by which it is answered, if it is one.
    pub route: String,
    /// The path that was called: `/v1/messages`.
    pub endpoint: String,
    /// The answer shall come as a stream.
    pub stream: bool,
    /// Whom the caller acts for.
    pub user: String,
    /// Which conversation it is of.
    pub session: String,
    /// `production`, `staging`.
    pub environment: String,
    /// What the caller marks it with.
    pub tags: Vec<String>,
    /// The caller's `metadata`.
    pub metadata: Map<String, Value>,
    /// A number that is spread evenly and the same for all calls of a trace: it draws samples.
    pub lot: u64,
    /// When, in Unix seconds. At 0, what ends some day has not ended; at 0, too, nothing that ends is in force.
    pub now: i64,
}
