//! What OpenAI keeps of responses: they are fetched, cancelled and deleted by their id, which only the provider knows.

#[cfg(test)]
mod tests;

use http::Method;

const PATH: &str = "/v1/responses/";
/// Longer than any id.
const MOST: usize = 256;

/// What is asked of a response that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The response itself: to have it, or to have it deleted.
    Itself,
    Cancel,
    InputItems,
}

const ALL: [(What, &str, &str); 3] = [
    (What::Itself, "", "/v1/responses/{id}"),
    (What::Cancel, "/cancel", "/v1/responses/{id}/cancel"),
    (What::InputItems, "/input_items", "/v1/responses/{id}/input_items"),
];

impl What {
    /// The path for records, messages and metrics: without the id.
    pub(crate) fn path(self) -> &'static str {
        ALL.iter().find(|(what, ..)| *what == self).map_or("", |(_, _, path)| path)
    }

    pub(crate) fn methods(self) -> &'static [Method] {
        match self {
            Self::Itself => &[Method::GET, Method::DELETE],
            Self::Cancel => &[Method::POST],
            Self::InputItems => &[Method::GET],
        }
    }

    /// The word for the record.
    pub(crate) fn operation(self, method: &Method) -> &'static str {
        match self {
            Self::Itself if *method == Method::DELETE => "response.delete",
            Self::Itself => "response.retrieve",
            Self::Cancel => "response.cancel",
            Self::InputItems => "response.input_items",
        }
    }
}

/// What a path asks, and what stands in it behind the path of all responses.
pub(crate) fn find(path: &str) -> Option<(What, String)> {
    let rest = path.strip_prefix(PATH)?;
    let (id, behind) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (what, ..) = ALL.iter().find(|(_, known, _)| *known == behind)?;
    // It goes into the path of the provider, where other letters may lead elsewhere.
    let is_id = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    (!id.is_empty() && id.len() <= MOST && id.chars().all(is_id)).then(|| (*what, format!("/{rest}")))
}

/// The id in what stands behind the path of all responses.
pub(crate) fn id(below: &str) -> Option<&str> {
    below.strip_prefix('/')?.split('/').next().filter(|id| !id.is_empty())
}

/// The response that a request goes on from.
pub(crate) fn previous_response(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Request {
        previous_response_id: Option<String>,
    }
    serde_json::from_slice::<Request>(body).ok()?.previous_response_id
}
