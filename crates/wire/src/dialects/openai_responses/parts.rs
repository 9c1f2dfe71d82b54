//! Content parts and answers of tools ⇄ canonical.

use std::borrow::Cow;

use serde_json::{Value, json};
use signalbox_types::{Modality, Part};

use super::DIALECT;
use crate::canonical::{Hinted, PartHints, no_counterpart};
use crate::dialects::anthropic_messages::media_part;
use crate::dialects::openai_chat::input_audio;
use crate::error::WireError;
use crate::json::{Node, Object, Path};
use crate::media::{data_url, part_of_url, plain_text};
use crate::write::Writer;

pub(super) const CONTENT: &str = "a string or a list of content parts";

pub(super) fn decode_content(content: Node<'_>, path: Path<'_>) -> Result<Hinted, WireError> {
    if content.is_text() {
        return Ok(vec![(Part::Text { content: content.unescape().into_owned() }, PartHints::default())]);
    }
    if !content.is_list() {
        return Err(path.invalid(CONTENT, content.kind()));
    }
    content.list(path)?.into_iter().enumerate().map(|(index, node)| decode_part(node, path.index(index))).collect()
}

fn decode_part(node: Node<'_>, path: Path<'_>) -> Result<(Part, PartHints), WireError> {
    let fields = node.object(path)?;
    let mut hints = PartHints::default();
    let kind = fields.required_text("type", path, "the kind of content, e.g. `input_text`")?;
    let part = match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            Part::Text { content: fields.required_text("text", path, "a string")? }
        }
        "refusal" => Part::Refusal { content: fields.required_text("refusal", path, "a string")? },
        "input_image" => {
            hints.image_detail = fields.text("detail", path)?.map(Cow::into_owned);
            match fields.text("file_id", path)? {
                Some(file_id) => {
                    // That it is a picture is told by this.
                    hints.image_detail.get_or_insert_with(|| "auto".to_owned());
                    Part::File { file_id: file_id.into_owned() }
                }
                None => {
                    const EXPECTED: &str = "a link or a data URL; or a `file_id` beside it";
                    part_of_url(fields.required_text("image_url", path, EXPECTED)?.into(), Modality::Image)
                }
            }
        }
        "input_file" => decode_file(&fields, path, &mut hints)?,
        "input_audio" => input_audio(&fields, path)?,
        _ => Part::Other(node.value(path)?),
    };
    Ok((part, hints))
}

fn decode_file(fields: &Object<'_>, path: Path<'_>, hints: &mut PartHints) -> Result<Part, WireError> {
    hints.file_name = fields.text("filename", path)?.map(Cow::into_owned);
    if let Some(file_id) = fields.text("file_id", path)? {
        return Ok(Part::File { file_id: file_id.into_owned() });
    }
    if let Some(url) = fields.text("file_url", path)? {
        return Ok(part_of_url(url, Modality::Document));
    }
    const EXPECTED: &str = "a data URL, or base64 text of a PDF; or a `file_id` or `file_url` beside it";
    let data = fields.required_text("file_data", path, EXPECTED)?;
    Ok(if data.starts_with("data:") {
        part_of_url(data.into(), Modality::Document)
    } else {
        Part::Blob { mime_type: Some("application/pdf".into()), modality: Modality::Document, content: data }
    })
}

/// What a tool answered: a text, or content as Anthropic writes it, which all dialects read.
pub(super) fn decode_answer(output: Node<'_>, path: Path<'_>) -> Result<Value, WireError> {
    if output.is_text() {
        return Ok(Value::String(output.unescape().into_owned()));
    }
    if !output.is_list() {
        return Err(path.invalid(CONTENT, output.kind()));
    }
    let mut items = Vec::new();
    for (index, node) in output.list(path)?.into_iter().enumerate() {
        let (part, hints) = decode_part(node, path.index(index))?;
        let title = hints.file_name;
        let source = match &part {
            Part::Text { content } => {
                items.push(json!({"type": "text", "text": content}));
                continue;
            }
            Part::Blob { mime_type, content, .. } => {
                json!({"type": "base64", "media_type": mime_type.as_deref().unwrap_or("image/png"), "data": content})
            }
            Part::Uri { uri, .. } => json!({"type": "url", "url": uri}),
            _ => {
                items.push(node.value(path.index(index))?);
                continue;
            }
        };
        let is_image =
            matches!(&part, Part::Blob { modality: Modality::Image, .. } | Part::Uri { modality: Modality::Image, .. });
        let mut block = json!({"type": if is_image { "image" } else { "document" }, "source": source});
        if let Some(title) = title {
            block["title"] = title.into();
        }
        items.push(block);
    }
    Ok(Value::Array(items))
}

/// The `output` of a tool's answer.
pub(super) fn encode_answer(
    w: &mut Writer,
    response: &Value,
    is_error: bool,
    ours: bool,
    field: &str,
) -> Result<(), WireError> {
    let marked = |text: &str| match is_error && !text.to_lowercase().starts_with("error") {
        true => format!("Error: {text}"),
        false => text.to_owned(),
    };
    let items = match response {
        Value::Array(items) => items,
        Value::String(text) => {
            w.field("output", &marked(text));
            return Ok(());
        }
        Value::Null => {
            w.field("output", if is_error { "Error" } else { "" });
            return Ok(());
        }
        other => {
            w.field("output", &marked(&other.to_string()));
            return Ok(());
        }
    };
    let mut result = Ok(());
    w.list_field("output", |w| {
        if is_error {
            text_part(w, "input_text", "Error:");
        }
        result = items.iter().try_for_each(|item| {
            if let Some(text) = item.get("text").and_then(Value::as_str) {
                text_part(w, "input_text", text);
                return Ok(());
            }
            match media_part(item) {
                Some(part) => {
                    let title = item.get("title").and_then(Value::as_str).map(str::to_owned);
                    let hints = PartHints { file_name: title, ..PartHints::default() };
                    encode_part(w, &part, Some(&hints), field)
                }
                None if ours => {
                    w.item(item);
                    Ok(())
                }
                None => {
                    let kind = item.get("type").and_then(Value::as_str).unwrap_or("unknown");
                    Err(DIALECT.lacks(field, format!("a tool's answer of type `{kind}` has no counterpart there")))
                }
            }
        });
    });
    result
}

pub(super) fn text_part(w: &mut Writer, kind: &str, text: &str) {
    w.object(|w| {
        w.field("type", kind);
        w.field(if kind == "refusal" { kind } else { "text" }, text);
    });
}

/// Anything but texts.
pub(super) fn encode_part(
    w: &mut Writer,
    part: &Part,
    hints: Option<&PartHints>,
    field: &str,
) -> Result<(), WireError> {
    let image = |w: &mut Writer, name: &str, place: &str| {
        w.object(|w| {
            w.field("type", "input_image");
            w.field("detail", hints.and_then(|hints| hints.image_detail.as_deref()).unwrap_or("auto"));
            w.field(name, place);
        });
    };
    let name = hints.and_then(|hints| hints.file_name.as_deref());
    let file = |w: &mut Writer, field: &str, place: &str, name: Option<&str>| {
        w.object(|w| {
            w.field("type", "input_file");
            w.field_if("filename", name);
            w.field(field, place);
        });
    };
    match part {
        Part::Blob { mime_type, modality: Modality::Image, content } => {
            image(w, "image_url", &data_url(mime_type.as_deref().unwrap_or("image/png"), content));
        }
        Part::Uri { modality: Modality::Image, uri, .. } => image(w, "image_url", uri),
        Part::Uri { modality: Modality::Document, uri, .. } => file(w, "file_url", uri, name),
        Part::Blob { mime_type, modality: Modality::Document, content } => {
            match plain_text(mime_type.as_deref(), content) {
                // A plain text is just text, as in chat completions.
                Some(text) => {
                    let text = name.map_or_else(|| text.clone(), |name| format!("{name}\n\n{text}"));
                    text_part(w, "input_text", &text);
                }
                None => {
                    let mime_type = mime_type.as_deref().unwrap_or("application/pdf");
                    file(w, "file_data", &data_url(mime_type, content), name.or(Some("document.pdf")));
                }
            }
        }
        Part::Blob { .. } | Part::Uri { .. } => {
            return Err(DIALECT.lacks(field, "it takes text, images and documents, no sound and no video"));
        }
        Part::File { .. } => {
            return Err(DIALECT.lacks(field, "a file uploaded to one provider is unknown to another; send it inline"));
        }
        Part::Other(value) => return Err(DIALECT.lacks(field, no_counterpart(value))),
        _ => return Err(DIALECT.lacks(field, "this can't stand in a message there")),
    }
    Ok(())
}

/// What only this dialect's own callers can mean.
pub(super) fn encode_own(w: &mut Writer, part: &Part, hints: Option<&PartHints>) -> bool {
    match part {
        Part::Other(value) => w.item(value),
        Part::File { file_id } => w.object(|w| match hints.and_then(|hints| hints.image_detail.as_ref()) {
            Some(detail) => {
                w.field("type", "input_image");
                w.field("detail", detail);
                w.field("file_id", file_id);
            }
            None => {
                w.field("type", "input_file");
                w.field("file_id", file_id);
            }
        }),
        Part::Blob { mime_type, modality: Modality::Audio, content } => w.object(|w| {
            let format = mime_type.as_deref().and_then(|mime_type| mime_type.strip_prefix("audio/")).unwrap_or("wav");
            w.field("type", "input_audio");
            w.object_field("input_audio", |w| {
                w.field("data", content);
                w.field("format", format);
            });
        }),
        _ => return false,
    }
    true
}
