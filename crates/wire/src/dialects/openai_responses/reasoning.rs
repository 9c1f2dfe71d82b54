//! Thinking ⇄ reasoning items. `encrypted_content` is OpenAI's own proof; that of another vendor stands there behind a
//! mark, so that it comes back and goes to nobody else.

use std::borrow::Cow;

use signalbox_types::Part;

use crate::canonical::signature;
use crate::error::WireError;
use crate::json::{Object, Path};
use crate::write::Writer;

/// Before Anthropic's signature.
const SIGNED: &str = "anthropic:signed:";
/// Before thinking that only Anthropic can read.
const REDACTED: &str = "anthropic:redacted:";
/// Between the parts of a summary.
pub(super) const BREAK: &str = "\n\n";

/// Signature and encrypted thinking in the canonical form.
pub(super) type Proof = (Option<String>, Option<String>);

pub(super) fn decode(item: &Object<'_>, path: Path<'_>) -> Result<Part, WireError> {
    let mut texts = Vec::new();
    // The reasoning itself is told by open models only, its summary by OpenAI's.
    for name in ["summary", "content"] {
        let list = path.key(name);
        for (index, node) in item.children(name, path)?.into_iter().enumerate() {
            texts.extend(node.object(list.index(index))?.text("text", list.index(index))?);
        }
    }
    let (id, encrypted) = (item.text("id", path)?, item.text("encrypted_content", path)?);
    let (signature, encrypted) = proof(id.as_deref().unwrap_or_default(), encrypted.as_deref().unwrap_or_default());
    let content = texts.join(BREAK);
    Ok(Part::Reasoning { content, signature, encrypted })
}

/// What an item's id and encrypted content prove.
pub(super) fn proof(id: &str, encrypted: &str) -> Proof {
    if let Some(theirs) = encrypted.strip_prefix(SIGNED) {
        return (Some(theirs.to_owned()), None);
    }
    if let Some(theirs) = encrypted.strip_prefix(REDACTED) {
        return (None, Some(theirs.to_owned()));
    }
    let ours = (!id.is_empty() || !encrypted.is_empty()).then(|| signature::of_openai(id, encrypted));
    match signature::read_gemini(encrypted) {
        Some(_) => (Some(encrypted.to_owned()), None),
        None => (ours, None),
    }
}

/// Id and encrypted content, where there are any.
pub(super) fn read<'a>(
    signature: Option<&'a str>,
    encrypted: Option<&'a str>,
) -> (Option<&'a str>, Option<Cow<'a, str>>) {
    if let Some(data) = encrypted {
        return (None, Some(format!("{REDACTED}{data}").into()));
    }
    let Some(signature) = signature else { return (None, None) };
    match signature::read_openai(signature) {
        Some((id, encrypted)) => (
            Some(id).filter(|id| !id.is_empty()),
            Some(encrypted.into()).filter(|text: &Cow<'_, str>| !text.is_empty()),
        ),
        None if signature::is_of_anthropic(signature) => (None, Some(format!("{SIGNED}{signature}").into())),
        None => (None, Some(signature.into())),
    }
}

pub(super) fn encode(w: &mut Writer, id: Option<&str>, text: &str, encrypted: Option<&str>) {
    w.object(|w| encode_fields(w, id, text, encrypted));
}

pub(super) fn encode_fields(w: &mut Writer, id: Option<&str>, text: &str, encrypted: Option<&str>) {
    w.field_if("id", id);
    w.field("type", "reasoning");
    w.list_field("summary", |w| {
        if !text.is_empty() {
            w.object(|w| summary_part(w, text));
        }
    });
    w.field_if("encrypted_content", encrypted);
}

pub(super) fn summary_part(w: &mut Writer, text: &str) {
    w.field("type", "summary_text");
    w.field("text", text);
}
