//! What OpenAI keeps of responses: they are fetched, cancelled and deleted by their id, which only the provider knows.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_asked_and_nothing_else() {
        let check = |path: &str, expected: Option<(What, &str)>| {
            assert_eq!(find(path), expected.map(|(what, below)| (what, below.to_owned())), "{path}");
        };
        check("/v1/responses/resp_1", Some((What::Itself, "/resp_1")));
        check("/v1/responses/resp_1/cancel", Some((What::Cancel, "/resp_1/cancel")));
        check("/v1/responses/resp_1/input_items", Some((What::InputItems, "/resp_1/input_items")));
        check("/v1/responses", None);
        check("/v1/responses/", None);
        check("/v1/responses/../files", None);
        check("/v1/responses/%2e%2e", None);
        check("/v1/responses/resp_1/other", None);
        check(&format!("/v1/responses/{}", "a".repeat(300)), None);
    }
}
