//! What a text rests on, and how likely its tokens were ⇄ canonical.

use serde_json::Value;
use signalbox_types::Message;

use crate::canonical::notes::{bytes_of, length, moved, owned, range, str_of, text_of};
use crate::canonical::{Citation, Source, TokenLogprob};
use crate::write::Writer;

/// A citation, one for each of its sources; `before`: the characters that stand before the content block it is of.
pub(super) fn decode(value: &Value, before: u64) -> Vec<Citation> {
    let place = range(value, "start", "end").map(|range| moved(range, before));
    let sources = value.get("sources").and_then(Value::as_array);
    let cited = sources.into_iter().flatten().filter_map(|source| {
        let id = owned(source, "id")?;
        let told = source.get("document").or_else(|| source.get("tool_output")).unwrap_or(&Value::Null);
        let url = ["url", "uri", "link"].iter().find_map(|name| owned(told, name));
        let url = url.filter(|url| url.starts_with("https://") || url.starts_with("http://"));
        let source = url.map_or_else(
            || {
                // Those that Cohere makes itself end with the number.
                let index = id.rsplit(':').next().and_then(|number| number.parse().ok()).unwrap_or(0);
                Source::Result { source: id.clone(), index, blocks: 0..1 }
            },
            Source::Url,
        );
        let quote = ["snippet", "text", "content", "data"].iter().find_map(|name| owned(told, name));
        Some(Citation { range: place.clone(), source, title: owned(told, "title"), quote })
    });
    cited.collect()
}

/// Writes a citation of an answer whose text is `text`.
pub(super) fn encode_fields(w: &mut Writer, citation: &Citation, text: &str) {
    let place = citation.range.clone().unwrap_or_else(|| 0..length(text));
    w.field("start", &place.start);
    w.field("end", &place.end);
    w.field("text", text.get(bytes_of(text, &place)).unwrap_or_default());
    w.list_field("sources", |w| {
        w.object(|w| {
            let (kind, content, id) = match &citation.source {
                Source::Url(url) => ("document", "document", url.clone()),
                Source::Document { index, file_id, .. } => {
                    ("document", "document", file_id.clone().unwrap_or_else(|| format!("doc:{index}")))
                }
                Source::Result { source, .. } => ("tool", "tool_output", source.clone()),
            };
            w.field("type", kind);
            w.field("id", &id);
            w.object_field(content, |w| {
                w.field_if("title", citation.title.as_ref());
                w.field_if("snippet", citation.quote.as_ref());
                if let Source::Url(url) = &citation.source {
                    w.field("url", url);
                }
            });
        });
    });
    w.field("type", "TEXT_CONTENT");
}

/// A chunk of text is one token here; of several tokens, their probability together.
pub(super) fn logprobs(value: Option<&Value>) -> Vec<TokenLogprob> {
    let of = |value: &Value| {
        let logprobs = value.get("logprobs")?.as_array()?;
        let token = str_of(value, "text")?.to_owned();
        Some(TokenLogprob {
            token,
            logprob: logprobs.iter().filter_map(Value::as_f64).sum(),
            bytes: None,
            top: Vec::new(),
        })
    };
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(of).collect(),
        Some(one) => of(one).into_iter().collect(),
        None => Vec::new(),
    }
}

pub(super) fn encode_logprob(w: &mut Writer, token: &TokenLogprob) {
    w.field("text", &token.token);
    // Numbers of tokens are a vocabulary's own.
    w.list_field("token_ids", |_| {});
    w.field("logprobs", &[token.logprob]);
}

/// Writes the list of a whole answer.
pub(super) fn encode(w: &mut Writer, citations: &[Citation], message: &Message) {
    if citations.is_empty() {
        return;
    }
    let text = text_of(message);
    w.list_field("citations", |w| {
        citations.iter().for_each(|citation| w.object(|w| encode_fields(w, citation, &text)));
    });
}
