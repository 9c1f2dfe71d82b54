//! What an answer rests on ⇄ canonical: OpenAI's annotations, and the plain lists of those who imitate it.

use serde_json::Value;

use crate::canonical::notes::{owned, range, str_of};
use crate::canonical::{Citation, Source};
use crate::json::{Node, Object};
use crate::write::Writer;

/// The annotations of a message or a delta.
pub(super) fn annotations(message: &Object<'_>) -> Vec<Citation> {
    let list = message.get("annotations").and_then(Node::read::<Vec<Value>>).unwrap_or_default();
    list.iter().filter_map(|one| of_annotation(one.get("url_citation").unwrap_or(one))).collect()
}

/// The Responses API has the same fields, one floor higher.
pub(crate) fn of_annotation(value: &Value) -> Option<Citation> {
    let source = Source::Url(owned(value, "url")?);
    let range = range(value, "start_index", "end_index").filter(|range| range.end > 0);
    // OpenRouter adds the words of the page.
    Some(Citation { range, source, title: owned(value, "title"), quote: owned(value, "content") })
}

/// Perplexity and xAI list the pages beside the answer; where they are called by number in its text, `[1]` is the first.
pub(super) fn listed(root: &Object<'_>) -> Vec<Citation> {
    let list = |name: &str| root.get(name).and_then(Node::read::<Vec<Value>>).unwrap_or_default();
    let results = list("search_results");
    let found = |url: &str| results.iter().find(|result| str_of(result, "url") == Some(url));
    let citation = |url: &str| Citation {
        range: None,
        source: Source::Url(url.to_owned()),
        title: found(url).and_then(|result| owned(result, "title")),
        quote: found(url).and_then(|result| owned(result, "snippet")),
    };
    let urls = list("citations");
    if urls.is_empty() {
        return results.iter().filter_map(|result| str_of(result, "url")).map(citation).collect();
    }
    urls.iter().filter_map(Value::as_str).map(citation).collect()
}

/// Only pages of the web can be said; `length`: how many characters the answer has.
pub(super) fn encode(w: &mut Writer, citations: &[Citation], length: u64) {
    if !citations.iter().any(|one| matches!(one.source, Source::Url(_))) {
        return;
    }
    w.list_field("annotations", |w| {
        for citation in citations {
            let Source::Url(url) = &citation.source else { continue };
            w.object(|w| {
                w.field("type", "url_citation");
                w.object_field("url_citation", |w| encode_fields(w, citation, url, length));
            });
        }
    });
}

/// The fields that both of OpenAI's dialects have. Without a place, all of the text rests on it.
pub(crate) fn encode_fields(w: &mut Writer, citation: &Citation, url: &str, length: u64) {
    let range = citation.range.clone().unwrap_or(0..length);
    w.field("start_index", &range.start);
    w.field("end_index", &range.end);
    w.field("title", citation.title.as_deref().unwrap_or(url));
    w.field("url", url);
}
