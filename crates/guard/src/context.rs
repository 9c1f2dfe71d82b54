//! What is known about the call that a text belongs to.

/// What a scanner may know about the call around a text: see [`Scanner::within`](crate::Scanner::within).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// The system instructions, as they were sent.
    pub system: Vec<&'a str>,
    /// What an answer may rest on: messages of the user, results of tools, documents.
    pub documents: Vec<&'a str>,
}
