//! What a text rests on ⇄ canonical. A citation belongs to a block here, all of which rests on it.

use std::ops::Range;

use serde_json::Value;

use crate::canonical::notes::{owned, range, str_of};
use crate::canonical::{Citation, Place, Source};
use crate::write::Writer;

/// A citation of a text that stands at `place`. One that says no location still names its source.
pub(super) fn decode(value: &Value, place: Range<u64>) -> Citation {
    let location = value.get("location");
    let of = |kind: &str| location.and_then(|location| location.get(kind));
    let document = |kind: &str, place: fn(Range<u64>) -> Place| {
        let location = of(kind)?;
        let index = location.get("documentIndex").and_then(Value::as_u64).unwrap_or(0);
        Some(Source::Document { index, place: range(location, "start", "end").map(place), file_id: None })
    };
    let web = || Some(Source::Url(owned(of("web")?, "url")?));
    let result = || {
        let location = of("searchResultLocation")?;
        let index = location.get("searchResultIndex").and_then(Value::as_u64).unwrap_or(0);
        let source = owned(value, "source").unwrap_or_default();
        if source.starts_with("https://") || source.starts_with("http://") {
            return Some(Source::Url(source));
        }
        Some(Source::Result { source, index, blocks: range(location, "start", "end").unwrap_or(0..1) })
    };
    let source = document("documentChar", Place::Chars)
        .or_else(|| document("documentPage", Place::Pages))
        .or_else(|| document("documentChunk", Place::Blocks))
        .or_else(web)
        .or_else(result)
        .unwrap_or_else(|| {
            let source = owned(value, "source").or_else(|| owned(value, "title")).unwrap_or_default();
            Source::Result { source, index: 0, blocks: 0..1 }
        });
    let told = value.get("sourceContent").and_then(Value::as_array);
    let quote: String = told.into_iter().flatten().filter_map(|one| str_of(one, "text")).collect();
    Citation {
        range: Some(place),
        source,
        title: owned(value, "title"),
        quote: Some(quote).filter(|it| !it.is_empty()),
    }
}

pub(super) fn encode_fields(w: &mut Writer, citation: &Citation) {
    w.field_if("title", citation.title.as_ref());
    if let Source::Result { source, .. } | Source::Url(source) = &citation.source {
        w.field("source", source);
    }
    if let Some(quote) = &citation.quote {
        w.list_field("sourceContent", |w| w.object(|w| w.field("text", quote)));
    }
    let within = |w: &mut Writer, name: &str, index: u64, range: &Range<u64>| {
        w.field(name, &index);
        w.field("start", &range.start);
        w.field("end", &range.end);
    };
    w.object_field("location", |w| match &citation.source {
        Source::Url(url) => w.object_field("web", |w| w.field("url", url)),
        Source::Document { index, place: None, .. } => {
            w.object_field("documentChar", |w| within(w, "documentIndex", *index, &(0..0)));
        }
        Source::Document { index, place: Some(Place::Chars(range)), .. } => {
            w.object_field("documentChar", |w| within(w, "documentIndex", *index, range));
        }
        Source::Document { index, place: Some(Place::Pages(range)), .. } => {
            w.object_field("documentPage", |w| within(w, "documentIndex", *index, range));
        }
        Source::Document { index, place: Some(Place::Blocks(range)), .. } => {
            w.object_field("documentChunk", |w| within(w, "documentIndex", *index, range));
        }
        Source::Result { index, blocks, .. } => {
            w.object_field("searchResultLocation", |w| within(w, "searchResultIndex", *index, blocks));
        }
    });
}
