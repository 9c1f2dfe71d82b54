//! What of an answer is lost in a translation. Every value in every recorded answer and stream is changed in turn; where a
//! translation stays the same, the value didn't make it, and stands in `snapshots/left_out.snap`: what no target says, and what
//! some don't. README.md says the same in words. A value that is lost without standing there fails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bytes::BytesMut;
use serde_json::Value;

use crate::canonical::StreamEvent;
use crate::codec::{Codec, StreamStart};
use crate::registry::{ALL, Dialect, codec};
use crate::sse::SseDecoder;

/// The value to put in another's place: for words that are known, another known one.
fn changed(name: &str, value: &Value) -> Option<Value> {
    const WORDS: &[(&str, &[&str])] = &[
        ("finish_reason", &["length", "MAX_TOKENS"]),
        ("stop_reason", &["max_tokens"]),
        ("stopReason", &["max_tokens"]),
        ("finishReason", &["MAX_TOKENS"]),
        ("status", &["incomplete"]),
    ];
    Some(match value {
        Value::String(text) => {
            let words = WORDS.iter().find(|(of, _)| *of == name).map(|(_, words)| *words);
            let upper = text.chars().all(|char| !char.is_ascii_lowercase());
            let other =
                words.map(|words| words.iter().copied().find(|word| word.chars().any(char::is_uppercase) == upper));
            match other {
                Some(other) => other?.into(),
                // Texts that are data in Base64, or JSON, must stay that.
                None => format!("Zm9v{text}").into(),
            }
        }
        Value::Number(number) if number.is_f64() => (number.as_f64()? - 0.125).into(),
        Value::Number(number) => (number.as_u64()? + 1).into(),
        Value::Bool(flag) => (!flag).into(),
        _ => return None,
    })
}

/// Every value of a body: its path and the body with another one in its place.
fn mutations(body: &Value) -> Vec<(String, Value)> {
    fn walk(at: &Value, pointer: &str, found: &mut Vec<String>) {
        match at {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| {
                    walk(value, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), found);
                });
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, value)| walk(value, &format!("{pointer}/{index}"), found));
            }
            Value::Null => {}
            _ => found.push(pointer.to_owned()),
        }
    }
    let mut found = Vec::new();
    walk(body, "", &mut found);
    let mutate = |pointer: &String| {
        let mut body = body.clone();
        let name = pointer.rsplit('/').next()?;
        let value = body.pointer_mut(pointer)?;
        *value = changed(name, value).filter(|other| other != value)?;
        Some((pointer.trim_start_matches('/').replace('/', "."), body))
    };
    found.iter().filter_map(mutate).collect()
}

fn fixtures(kind: &str, ending: &str) -> Vec<(&'static dyn Codec, PathBuf)> {
    let dialects = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dialects");
    let mut found = Vec::new();
    for dialect in ALL.iter().map(|codec| codec.dialect()) {
        let folder = dialects.join(dialect.as_str()).join("fixtures").join(kind);
        let files = std::fs::read_dir(folder).into_iter().flatten();
        let files = files.map(|file| file.unwrap().path()).filter(|path| path.extension().unwrap() == ending);
        found.extend(files.map(|path| (codec(dialect), path)));
    }
    found
}

/// What each target says of a body; an error is said, too.
type Said = Vec<(Dialect, String)>;

fn of_answer(from: &dyn Codec, body: &[u8]) -> Option<Said> {
    let response = from.decode_response(body).ok()?;
    let say = |target: &&dyn Codec| match target.encode_response(&response) {
        Ok(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Err(error) => error.to_string(),
    };
    Some(ALL.iter().map(|target| (target.dialect(), say(target))).collect())
}

fn of_stream(from: &dyn Codec, body: &[u8]) -> Option<Said> {
    let mut sse = SseDecoder::new();
    sse.push(body).unwrap();
    let mut decoder = from.decode_stream();
    let mut events: Vec<StreamEvent> = Vec::new();
    while let Some(event) = sse.next().or_else(|| sse.finish()) {
        events.extend(decoder.event(&event).ok()?);
    }
    let end = decoder.finish().map_or_else(
        |error| error.to_string(),
        |more| {
            events.extend(more);
            String::new()
        },
    );
    let say = |target: &&dyn Codec| {
        let start =
            StreamStart { id: "signalbox-1".into(), model: "asked-for".into(), created: 1, include_usage: true };
        let mut encoder = target.encode_stream(&start);
        let mut out = BytesMut::new();
        events.iter().for_each(|event| encoder.event(event, &mut out));
        String::from_utf8(out.to_vec()).unwrap() + &end
    };
    Some(ALL.iter().map(|target| (target.dialect(), say(target))).collect())
}

/// A target that refuses the whole answer loses nothing in silence.
fn refused(said: &str) -> bool {
    said.contains("can't be sent to a provider") || said.contains("that can't be said to a caller")
}

/// Whose value it is and where it stands (`*` is any place in a list, `~` an event of a stream) → who doesn't say it.
type Lost = BTreeMap<String, BTreeSet<Dialect>>;

/// Compares what is said before and after; notes what stayed the same.
fn note(from: Dialect, path: &str, before: &Said, after: Option<Said>, lost: &mut Lost) {
    // What can't be read any more was read.
    let Some(after) = after else { return };
    for ((target, before), (_, after)) in before.iter().zip(after) {
        if *target != from && *before == after && !refused(before) {
            let path: Vec<&str> =
                path.split('.').map(|part| if part.parse::<usize>().is_ok() { "*" } else { part }).collect();
            lost.entry(format!("{from} {}", path.join("."))).or_default().insert(*target);
        }
    }
}

#[test]
fn no_value_of_an_answer_is_lost_in_silence() {
    let mut lost = Lost::new();
    for (from, path) in fixtures("response", "json") {
        let body: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let before = of_answer(from, body.to_string().as_bytes()).unwrap();
        for (field, other) in mutations(&body) {
            note(from.dialect(), &field, &before, of_answer(from, other.to_string().as_bytes()), &mut lost);
        }
    }
    for (from, path) in fixtures("stream", "sse") {
        let whole = std::fs::read_to_string(&path).unwrap();
        let before = of_stream(from, whole.as_bytes()).unwrap();
        for (number, line) in whole.lines().enumerate() {
            let Some(Ok(data)) = line.strip_prefix("data: ").map(serde_json::from_str::<Value>) else { continue };
            let with = |other: &Value| -> String {
                let lines = whole.lines().enumerate();
                lines
                    .map(|(at, line)| if at == number { format!("data: {other}\n") } else { format!("{line}\n") })
                    .collect()
            };
            for (field, other) in mutations(&data) {
                let after = of_stream(from, with(&other).as_bytes());
                note(from.dialect(), &format!("~.{field}"), &before, after, &mut lost);
            }
        }
    }
    let names = |targets: &BTreeSet<Dialect>| match targets.len() + 1 == ALL.len() {
        true => "nobody says it".to_owned(),
        false => targets.iter().map(|target| target.as_str()).collect::<Vec<_>>().join(", "),
    };
    let lines: Vec<String> = lost.iter().map(|(value, targets)| format!("{value}: {}", names(targets))).collect();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("left_out", lines.join("\n"));
    });
}

#[test]
fn every_value_is_changed_once() {
    let body = serde_json::json!({"a": [{"b": "x", "n": null}], "finish_reason": "stop", "stop_reason": "max_tokens"});
    let found: Vec<String> = mutations(&body).into_iter().map(|(path, _)| path).collect();
    assert_eq!(found, ["a.0.b", "finish_reason"]);
    assert_eq!(mutations(&body)[1].1["finish_reason"], "length");
}
