//! Requests that are passed along as they are, and are none of a dialect's conversations: moderations, pictures, speech.
//! What stages need to read of them.

use signalbox_types::{Role, Usage};

use crate::codec::{Peek, TextSlot};
use crate::error::WireError;
use crate::json::{Body, Object, Path};
use crate::multipart::{self, Field};

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object.
    Json,
    /// A form with files.
    Multipart,
}

/// What there is to know about a kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Along {
    /// How it is written.
    pub form: Form,
    /// The fields that hold its texts.
    pub texts: &'static [&'static str],
    /// It must name a model.
    pub names_model: bool,
}

impl Along {
    /// The facts that stages need. Without a model, its name is empty and stands nowhere.
    ///
    /// # Errors
    /// It is not written so, or doesn't name the model that it must name.
    pub fn peek(self, bytes: &[u8]) -> Result<Peek, WireError> {
        let mut peek = nothing();
        match self.form {
            Form::Json => {
                let body = Body::parse(bytes)?;
                let root = body.object()?;
                if self.names_model || root.get("model").is_some() {
                    (peek.model, peek.model_range) = root.model(&body)?;
                }
                peek.stream = root.flag("stream", Path::Root)?.unwrap_or(false) || streams_speech(&root);
                peek.user = root.text("user", Path::Root)?.map(std::borrow::Cow::into_owned);
            }
            Form::Multipart => {
                let fields = multipart::fields(bytes)?;
                let model = fields.iter().find(|field| field.name == "model" && !field.range.is_empty());
                match model {
                    Some(field) => {
                        peek.model = text(bytes, field)?.trim().to_owned();
                        peek.model_range = field.range.clone();
                    }
                    None if self.names_model => {
                        return Err(Path::Root.key("model").missing("the name of a model"));
                    }
                    None => {}
                }
                let stream = fields.iter().find(|field| field.name == "stream");
                peek.stream = stream.is_some_and(|field| bytes.get(field.range.clone()) == Some(b"true"));
            }
        }
        Ok(peek)
    }

    /// The texts that a scanner may look at.
    ///
    /// # Errors
    /// As [`Along::peek`].
    pub fn texts(self, bytes: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
        let mut found = Vec::new();
        match self.form {
            Form::Json => {
                let body = Body::parse(bytes)?;
                let root = body.object()?;
                for name in self.texts {
                    found.extend(root.leaf_slots(name, Role::User, &body));
                }
            }
            Form::Multipart => {
                let fields = multipart::fields(bytes)?;
                for field in fields.iter().filter(|field| !field.is_file && self.texts.contains(&field.name)) {
                    text(bytes, field)?;
                    found.push(bare(bytes, field.range.clone())?);
                }
            }
        }
        found.sort_by_key(|slot| slot.range.start);
        Ok(found)
    }
}

/// How a body is written of which nothing else is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// JSON.
    Json,
    /// A form with files.
    Form,
    /// Text.
    Text,
    /// Nothing that can be read.
    Other,
}

impl Shape {
    /// By what its sender says that it is. Says it nothing, it is what it looks like.
    #[must_use]
    pub fn of(content_type: Option<&str>, body: &[u8]) -> Self {
        let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        // Servers often read JSON whatever it is called.
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if kind.contains("json") || matches!(first, Some(b'{' | b'[')) {
            Self::Json
        } else if kind.starts_with("multipart/") {
            Self::Form
        } else if kind.starts_with("text/") || kind.contains("xml") || kind == "application/x-www-form-urlencoded" {
            Self::Text
        } else {
            Self::Other
        }
    }

    /// The texts of a body, each with its place. In JSON every string is one, but for keys and for what is data in Base64;
    /// in a form, every field that is no file.
    ///
    /// # Errors
    /// It is not written so.
    pub fn texts(self, bytes: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
        match self {
            // Lines of JSON, too.
            Self::Json if Body::parse(bytes).is_err() => Ok(vec![bare(bytes, 0..bytes.len())?]),
            Self::Json => {
                let body = Body::parse(bytes)?;
                let leaves = body.root().leaf_texts().into_iter().filter(|leaf| !is_data(leaf.raw()));
                Ok(leaves.map(|leaf| body.slot(Role::User, leaf)).collect())
            }
            Self::Form => {
                let fields = multipart::fields(bytes)?;
                fields.iter().filter(|field| !field.is_file).map(|field| bare(bytes, field.range.clone())).collect()
            }
            Self::Text => Ok(vec![bare(bytes, 0..bytes.len())?]),
            Self::Other => Ok(Vec::new()),
        }
    }
}

/// The facts that there may be in a body of which nothing is known: model and whether a stream is wanted. They stand
/// nowhere, since nothing is changed.
#[must_use]
pub fn glance(bytes: &[u8]) -> Peek {
    let lenient = Along { form: Form::Json, texts: &[], names_model: false };
    let mut peek = lenient.peek(bytes).unwrap_or_else(|_| nothing());
    peek.model_range = 0..0;
    peek
}

fn nothing() -> Peek {
    Peek {
        model: String::new(),
        model_range: 0..0,
        stream: false,
        wants_stream_usage: false,
        user: None,
        metadata: serde_json::Map::new(),
        max_tokens: None,
    }
}

fn bare(bytes: &[u8], range: std::ops::Range<usize>) -> Result<TextSlot<'_>, WireError> {
    let text = std::str::from_utf8(bytes.get(range.clone()).unwrap_or_default())
        .map_err(|_| Path::Root.invalid("a text", "bytes that are no UTF-8"))?;
    Ok(TextSlot { role: Role::User, text: text.into(), range, signed: false, is_name: false, is_bare: true })
}

/// Longer than anything that is said without a space.
const LONG: usize = 2_048;

fn is_data(literal: &str) -> bool {
    let data = literal.trim_matches('"');
    let data = data.strip_prefix("data:").and_then(|uri| uri.split_once(";base64,")).map_or(data, |(_, data)| data);
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    data.len() > LONG && data.bytes().all(is_base64)
}

/// Speech is streamed as events by another name.
fn streams_speech(root: &Object<'_>) -> bool {
    root.str("stream_format").is_some_and(|format| format == "sse")
}

fn text<'a>(bytes: &'a [u8], field: &Field<'_>) -> Result<&'a str, WireError> {
    std::str::from_utf8(bytes.get(field.range.clone()).unwrap_or_default())
        .map_err(|_| Path::Root.key(field.name).invalid("a text", "bytes that are no UTF-8"))
}

/// The texts of what was heard: JSON, or the text itself.
///
/// # Errors
/// It is neither.
pub fn answer_texts(bytes: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
    const LISTS: [(&str, &str); 2] = [("segments", "text"), ("words", "word")];
    let Ok(body) = Body::parse(bytes) else {
        let text = std::str::from_utf8(bytes).map_err(|_| Path::Root.invalid("a text", "bytes that are no UTF-8"))?;
        let (role, range) = (Role::Assistant, 0..bytes.len());
        let slot = TextSlot { role, text: text.into(), range, signed: false, is_name: false, is_bare: true };
        return Ok(vec![slot]);
    };
    let root = body.object()?;
    let mut found = root.leaf_slots("text", Role::Assistant, &body);
    for (list, field) in LISTS {
        for (index, node) in root.children(list, Path::Root)?.into_iter().enumerate() {
            let item = node.object(Path::Root.key(list).index(index))?;
            found.extend(item.leaf_slots(field, Role::Assistant, &body));
        }
    }
    found.sort_by_key(|slot| slot.range.start);
    Ok(found)
}

/// What an answer, or one event of it, says that was used.
#[must_use]
pub fn usage(body: &[u8]) -> Usage {
    let Ok(root) = Body::parse(body).and_then(|body| body.object()) else { return Usage::default() };
    let Ok(Some(usage)) = root.child("usage", Path::Root) else {
        return billed(&root).map_or_else(Usage::default, |units| units.0);
    };
    let details = usage.child("input_tokens_details", Path::Root).ok().flatten();
    let output_tokens = count(&usage, "output_tokens").or_else(|| count(&usage, "completion_tokens"));
    // Who only reads says only how much in all.
    let all_input = || output_tokens.is_none().then(|| count(&usage, "total_tokens")).flatten();
    Usage {
        input_tokens: count(&usage, "input_tokens").or_else(|| count(&usage, "prompt_tokens")).or_else(all_input),
        output_tokens,
        cache_read_tokens: details.as_ref().and_then(|details| count(details, "cached_tokens")),
        ..Usage::default()
    }
}

/// The searches that an answer says it is billed for, as Cohere counts.
#[must_use]
pub fn search_units(body: &[u8]) -> Option<u64> {
    billed(&Body::parse(body).ok()?.object().ok()?)?.1
}

/// How many pictures an answer holds.
#[must_use]
pub fn images(body: &[u8]) -> u64 {
    let root = Body::parse(body).and_then(|body| body.object());
    let list = root.and_then(|root| root.children("data", Path::Root));
    list.map_or(0, |list| list.len() as u64)
}

/// How long the sound was that an answer heard, in milliseconds, if it says so.
#[must_use]
pub fn heard(body: &[u8]) -> Option<u64> {
    let root = Body::parse(body).ok()?.object().ok()?;
    let usage = root.child("usage", Path::Root).ok().flatten();
    let seconds = usage.and_then(|usage| usage.get("seconds")).or_else(|| root.get("duration"))?.read::<f64>()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float casts to the nearest")]
    (seconds >= 0.0).then(|| (seconds * 1_000.0).round() as u64)
}

/// What Cohere bills for: tokens and searches.
fn billed(root: &Object<'_>) -> Option<(Usage, Option<u64>)> {
    let units = root.child("meta", Path::Root).ok()??.child("billed_units", Path::Root).ok()??;
    let usage = Usage {
        input_tokens: count(&units, "input_tokens"),
        output_tokens: count(&units, "output_tokens"),
        ..Usage::default()
    };
    Some((usage, count(&units, "search_units")))
}

/// Some write whole numbers with a point.
fn count(object: &Object<'_>, name: &str) -> Option<u64> {
    let node = object.get(name)?;
    let whole =
        || node.read::<f64>().filter(|number| *number >= 0.0 && number.fract() == 0.0).map(|number| number as u64);
    node.read::<u64>().or_else(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEECH: Along = Along { form: Form::Json, texts: &["input", "instructions"], names_model: true };
    const HEARD: Along = Along { form: Form::Multipart, texts: &["prompt"], names_model: true };
    const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"prompt\"\r\n\r\nRIFF\r\n--b\r\n\
                        Content-Disposition: form-data; name=\"model\"\r\n\r\noai/whisper-1\r\n--b\r\n\
                        Content-Disposition: form-data; name=\"prompt\"\r\n\r\nA key\r\n--b--\r\n";

    #[test]
    fn counts_what_is_not_told_in_tokens() {
        assert_eq!(images(br#"{"data":[{"url":"a"},{"b64_json":"b"}]}"#), 2);
        assert_eq!(images(b"RIFF"), 0);
        assert_eq!(heard(br#"{"text":"a","usage":{"type":"duration","seconds":3}}"#), Some(3_000));
        assert_eq!(heard(br#"{"text":"a","duration":1.25}"#), Some(1_250));
        assert_eq!(heard(br#"{"text":"a"}"#), None);
    }

    #[test]
    fn reads_json() {
        let body = br#"{"model":"oai/tts-1","input":"Mind the gap","voice":"alloy","instructions":"Slowly","stream_format":"sse"}"#;
        let peek = SPEECH.peek(body).unwrap();
        assert_eq!((peek.model.as_str(), &body[peek.model_range]), ("oai/tts-1", &br#""oai/tts-1""#[..]));
        assert!(peek.stream);
        let texts: Vec<String> = SPEECH.texts(body).unwrap().iter().map(|slot| slot.text.to_string()).collect();
        assert_eq!(texts, ["Mind the gap", "Slowly"]);
        assert_eq!(SPEECH.peek(b"{}").unwrap_err().to_string(), "`model` is missing: expected the name of a model");
        let lenient = Along { names_model: false, ..SPEECH };
        assert_eq!(lenient.peek(b"{}").unwrap().model, "");
    }

    #[test]
    fn reads_forms_and_edits_them_as_they_are() {
        let peek = HEARD.peek(FORM.as_bytes()).unwrap();
        assert_eq!((peek.model.as_str(), FORM.get(peek.model_range)), ("oai/whisper-1", Some("oai/whisper-1")));
        let slots = HEARD.texts(FORM.as_bytes()).unwrap();
        assert_eq!(slots.len(), 1);
        let edited = crate::splice(&FORM.into(), &[slots[0].edit("[\"x\"]")]);
        assert_eq!(edited, FORM.replace("A key", "[\"x\"]"));
        assert!(HEARD.peek(b"--b--\r\n").is_err());
    }

    #[test]
    fn what_is_unknown_is_read_by_its_shape() {
        let check = |kind: Option<&str>, body: &str, expect: (Shape, &[&str])| {
            let shape = Shape::of(kind, body.as_bytes());
            let texts = shape.texts(body.as_bytes()).unwrap();
            let texts: Vec<&str> = texts.iter().map(|slot| slot.text.as_ref()).collect();
            assert_eq!((shape, texts.as_slice()), expect, "{body}");
        };
        let json = r#"{"key":["a",{"b":"c\u0064"}],"n":1}"#;
        check(Some("application/json; charset=utf-8"), json, (Shape::Json, &["a", "cd"]));
        check(Some("application/octet-stream"), json, (Shape::Json, &["a", "cd"]));
        check(None, "", (Shape::Other, &[]));
        // A mark that some write before their UTF-8, and that others skip.
        check(None, "\u{feff}[\"a\"]", (Shape::Json, &["\u{feff}[\"a\"]"]));
        let lines = "{\"a\":\"b\"}\n{\"a\":\"c\"}\n";
        check(Some("application/jsonl"), lines, (Shape::Json, &[lines]));
        check(Some("text/plain"), "Mind the gap", (Shape::Text, &["Mind the gap"]));
        check(Some("multipart/form-data; boundary=b"), FORM, (Shape::Form, &["oai/whisper-1", "A key"]));
        check(Some("audio/wav"), "RIFF", (Shape::Other, &[]));
        let picture = format!(r#"{{"image":"data:image/png;base64,{}","say":"b"}}"#, "A".repeat(3_000));
        check(None, &picture, (Shape::Json, &["b"]));
        assert!(Shape::Text.texts(b"\xff").is_err());
    }

    #[test]
    fn a_glance_finds_the_model_or_nothing() {
        let check = |body: &str, expect: (&str, bool)| {
            let peek = glance(body.as_bytes());
            assert_eq!((peek.model.as_str(), peek.stream), expect, "{body}");
        };
        check(r#"{"model":"m","stream":true}"#, ("m", true));
        check(r#"{"model":7}"#, ("", false));
        check("[]", ("", false));
        check("RIFF", ("", false));
    }

    #[test]
    fn what_was_heard_is_found_in_every_form() {
        let check = |body: &str, expect: &[&str]| {
            let found = answer_texts(body.as_bytes()).unwrap();
            assert_eq!(found.iter().map(|slot| slot.text.as_ref()).collect::<Vec<_>>(), expect, "{body}");
        };
        check(r#"{"text":"a","segments":[{"id":1,"text":"b"}],"words":[{"word":"c","start":0}]}"#, &["a", "b", "c"]);
        check("Mind the gap\n", &["Mind the gap\n"]);
    }

    #[test]
    fn usage_is_read_where_there_is_some() {
        let check = |body: &str, expect: (Option<u64>, Option<u64>)| {
            let usage = usage(body.as_bytes());
            assert_eq!((usage.input_tokens, usage.output_tokens), expect, "{body}");
        };
        check(r#"{"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}"#, (Some(3), Some(4)));
        check(r#"{"usage":{"prompt_tokens":3}}"#, (Some(3), None));
        check(r#"{"usage":{"total_tokens":3}}"#, (Some(3), None));
        check(r#"{"meta":{"billed_units":{"input_tokens":3.0}}}"#, (Some(3), None));
        check(r#"{"meta":{"billed_units":{"search_units":2}}}"#, (None, None));
        assert_eq!(search_units(br#"{"meta":{"billed_units":{"search_units":2}}}"#), Some(2));
        check(r#"{"usage":{"type":"duration","seconds":9}}"#, (None, None));
        check(r#"{"usage":null}"#, (None, None));
        check("RIFF", (None, None));
    }
}
