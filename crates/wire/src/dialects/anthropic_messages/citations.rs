//! What a text rests on ⇄ canonical. A citation belongs to a text block here, all of which rests on it.

use std::ops::Range;

use serde_json::Value;

use crate::canonical::notes::{owned, range, str_of};
use crate::canonical::{Citation, Place, Source};
use crate::write::Writer;

/// A citation of a text that stands at `place`; `None` for a kind that the API will add.
pub(super) fn decode(value: &Value, place: Range<u64>) -> Option<Citation> {
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    let document = |within: Option<Place>| {
        let file_id = owned(value, "file_id");
        Some(Source::Document { index: number("document_index").unwrap_or(0), place: within, file_id })
    };
    let blocks = || range(value, "start_block_index", "end_block_index");
    let source = match str_of(value, "type")? {
        "web_search_result_location" => Source::Url(owned(value, "url")?),
        "char_location" => document(range(value, "start_char_index", "end_char_index").map(Place::Chars))?,
        "page_location" => document(range(value, "start_page_number", "end_page_number").map(Place::Pages))?,
        "content_block_location" => document(blocks().map(Place::Blocks))?,
        "search_result_location" => {
            let source = owned(value, "source")?;
            // What the caller's own search found on the web.
            if source.starts_with("https://") || source.starts_with("http://") {
                Source::Url(source)
            } else {
                let index = number("search_result_index").unwrap_or(0);
                Source::Result { source, index, blocks: blocks().unwrap_or(0..1) }
            }
        }
        _ => return None,
    };
    let title = owned(value, "title").or_else(|| owned(value, "document_title"));
    Some(Citation { range: Some(place), source, title, quote: owned(value, "cited_text") })
}

pub(super) fn encode_fields(w: &mut Writer, citation: &Citation) {
    let title = &citation.title;
    let quote = citation.quote.as_deref().unwrap_or_default();
    let located = |w: &mut Writer, kind: &str| {
        w.field("type", kind);
        w.field("cited_text", quote);
    };
    let ends = |w: &mut Writer, start: &str, end: &str, range: &Range<u64>| {
        w.field(start, &range.start);
        w.field(end, &range.end);
    };
    match &citation.source {
        Source::Url(url) => {
            located(w, "web_search_result_location");
            w.field("url", url);
            w.field("title", title);
            // The proof of another provider's search would be none here; the SDKs want the field.
            w.field("encrypted_index", "");
        }
        Source::Document { index, place, file_id } => {
            match place {
                None => located(w, "char_location"),
                Some(Place::Chars(_)) => located(w, "char_location"),
                Some(Place::Pages(_)) => located(w, "page_location"),
                Some(Place::Blocks(_)) => located(w, "content_block_location"),
            }
            w.field("document_index", index);
            w.field("document_title", title);
            w.field("file_id", file_id);
            match place {
                None => ends(w, "start_char_index", "end_char_index", &(0..0)),
                Some(Place::Chars(range)) => ends(w, "start_char_index", "end_char_index", range),
                Some(Place::Pages(range)) => ends(w, "start_page_number", "end_page_number", range),
                Some(Place::Blocks(range)) => ends(w, "start_block_index", "end_block_index", range),
            }
        }
        Source::Result { source, index, blocks } => {
            located(w, "search_result_location");
            w.field("source", source);
            w.field("title", title);
            w.field("search_result_index", index);
            ends(w, "start_block_index", "end_block_index", blocks);
        }
    }
}
