//! Whose proof of thinking it is. A signature in the canonical form is Anthropic's as it came; those of others stand
//! behind a mark, because a model refuses another vendor's: Gemini's with where it stood, for it wants its own back in
//! the very part that it came with; OpenAI's with the id of the item.

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

const OPENAI: &str = "openai:";

/// OpenAI's proof in the canonical form: the id of the reasoning item and its encrypted content, of which one may be
/// empty.
pub(crate) fn of_openai(id: &str, encrypted: &str) -> String {
    format!("{OPENAI}{id}:{encrypted}")
}

/// Id and encrypted content; `None` if it is another vendor's.
pub(crate) fn read_openai(signature: &str) -> Option<(&str, &str)> {
    signature.strip_prefix(OPENAI)?.split_once(':')
}

/// Anthropic's stand without a mark.
pub(crate) fn is_of_anthropic(signature: &str) -> bool {
    read_gemini(signature).is_none() && read_openai(signature).is_none()
}
