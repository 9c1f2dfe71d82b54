//! What a text rests on, and how likely its tokens were ⇄ canonical. Places are told within a part of the content.

use serde_json::Value;

use crate::canonical::notes::{length, moved, openai_logprobs, owned};
use crate::canonical::{Citation, Notes, Source};
use crate::dialects::openai_chat::citations::{encode_fields, of_annotation};
use crate::error::WireError;
use crate::json::{Node, Object, Path};
use crate::write::Writer;

/// An annotation of a part before which `before` characters stand.
pub(super) fn decode(value: &Value, before: u64) -> Option<Citation> {
    let mut citation = match value.get("type").and_then(Value::as_str)? {
        "url_citation" => of_annotation(value)?,
        // Files that it searched, and those that its own tools made.
        "file_citation" | "container_file_citation" | "file_path" => {
            let title = owned(value, "filename");
            let source = Source::Document { index: 0, place: None, file_id: Some(owned(value, "file_id")?) };
            let range = crate::canonical::notes::range(value, "start_index", "end_index");
            Citation { range, source, title, quote: None }
        }
        _ => return None,
    };
    citation.range = citation.range.map(|range| moved(range, before));
    Some(citation)
}

/// Adds what an item of an answer says of its texts; `said` counts their characters.
pub(super) fn read_item(item: &Object<'_>, path: Path<'_>, said: &mut u64, notes: &mut Notes) -> Result<(), WireError> {
    let Some(content) = item.get("content").filter(|node| node.is_list()) else { return Ok(()) };
    let path = path.key("content");
    for (index, node) in content.list(path)?.into_iter().enumerate() {
        let part = node.object(path.index(index))?;
        let told = part.get("annotations").and_then(Node::read::<Vec<Value>>).unwrap_or_default();
        notes.citations.extend(told.iter().filter_map(|one| decode(one, *said)));
        notes.logprobs.extend(openai_logprobs(part.get("logprobs")));
        *said += length(&part.str("text").unwrap_or_default());
    }
    Ok(())
}

/// It has words for this source: pages of the web, and uploaded files.
pub(super) fn is_said(citation: &Citation) -> bool {
    matches!(citation.source, Source::Url(_) | Source::Document { file_id: Some(_), .. })
}

/// An annotation of a part before which `before` characters stand, and which has `length` of them.
pub(super) fn encode(w: &mut Writer, citation: &Citation, before: u64, length: u64) {
    match &citation.source {
        Source::Url(url) => {
            let within = |at: u64| at.saturating_sub(before).min(length);
            let range = citation.range.as_ref().map(|range| within(range.start)..within(range.end));
            w.field("type", "url_citation");
            encode_fields(w, &Citation { range, ..citation.clone() }, url, length);
        }
        Source::Document { index, file_id: Some(file_id), .. } => {
            w.field("type", "file_citation");
            w.field("file_id", file_id);
            w.field("filename", citation.title.as_deref().unwrap_or(file_id));
            w.field("index", index);
        }
        Source::Document { .. } | Source::Result { .. } => {}
    }
}
