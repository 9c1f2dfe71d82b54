//! What vectors are for: models that tell it apart embed a question otherwise than its answer.

use super::Form;

/// What vectors are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be found.
    Document,
    /// To find.
    Query,
    /// To be compared.
    Similarity,
    /// To be told apart by classes.
    Classification,
    /// To be grouped.
    Clustering,
}

/// Each with its word for Cohere, Gemini, Jina and Voyage.
const WORDS: [(Purpose, [Option<&str>; 4]); 5] = [
    (
        Purpose::Document,
        [Some("search_document"), Some("RETRIEVAL_DOCUMENT"), Some("retrieval.passage"), Some("document")],
    ),
    (Purpose::Query, [Some("search_query"), Some("RETRIEVAL_QUERY"), Some("retrieval.query"), Some("query")]),
    (Purpose::Similarity, [None, Some("SEMANTIC_SIMILARITY"), Some("text-matching"), None]),
    (Purpose::Classification, [Some("classification"), Some("CLASSIFICATION"), Some("classification"), None]),
    (Purpose::Clustering, [Some("clustering"), Some("CLUSTERING"), Some("separation"), None]),
];

impl Purpose {
    /// The word for it, if the form has one.
    pub(crate) fn word(self, form: Form) -> Option<&'static str> {
        let place = match form {
            Form::Cohere => 0,
            Form::Gemini => 1,
            Form::Jina => 2,
            Form::Voyage => 3,
            Form::Openai => return None,
        };
        WORDS.iter().find(|(purpose, _)| *purpose == self).and_then(|(_, words)| *words.get(place)?)
    }

    /// What a word of any form means.
    pub(crate) fn find(word: &str) -> Option<Self> {
        WORDS.iter().find(|(_, words)| words.contains(&Some(word))).map(|(purpose, _)| *purpose)
    }
}
