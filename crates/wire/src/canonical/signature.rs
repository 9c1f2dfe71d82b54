//! Whose proof of thinking it is. A signature in the canonical form is Anthropic's as it came; Gemini's stands behind
//! a mark that says so and where it stood, because a model refuses another vendor's, and Gemini wants its own back in
//! the very part that it came with.

/// Where in Gemini's answer a `thoughtSignature` stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the next call of a tool.
    Call,
    /// On the text before it.
    Text,
    /// On the thinking.
    Thought,
    /// In a part of its own that says nothing.
    Alone,
}

const PLACES: [(Place, &str); 4] = [
    (Place::Call, "gemini:call:"),
    (Place::Text, "gemini:text:"),
    (Place::Thought, "gemini:thought:"),
    (Place::Alone, "gemini:alone:"),
];

/// Gemini's signature in the canonical form.
pub(crate) fn of_gemini(place: Place, signature: &str) -> String {
    let mark = PLACES.iter().find(|(one, _)| *one == place).map_or("", |(_, mark)| mark);
    format!("{mark}{signature}")
}

/// Gemini's signature and its place; `None` if it is another vendor's.
pub(crate) fn read_gemini(signature: &str) -> Option<(Place, &str)> {
    PLACES.iter().find_map(|(place, mark)| Some((*place, signature.strip_prefix(mark)?)))
}

/// The signature that belongs to a call of a tool, if it is one.
pub(crate) fn of_call(signature: &str) -> Option<&str> {
    read_gemini(signature).filter(|(place, _)| *place == Place::Call).map(|(_, signature)| signature)
}
