//! What must hold for any input: any chunking, any garbage, any conversation.

use std::path::PathBuf;
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use signalbox_types::{Message, Part, Role, ToolDefinition};

use crate::accumulate::Accumulator;
use crate::canonical::{ChatRequest, FinishReason, StreamEvent};
use crate::codec::{Codec, StreamStart};
use crate::registry::{ALL, Dialect, codec};
use crate::rewrite::{Channel, EventRewriter, StreamRewriter, TextFilter};
use crate::sse::{SseDecoder, SseEvent};

type Fixture = (&'static dyn Codec, PathBuf, Vec<u8>);

static FIXTURES: LazyLock<Vec<Fixture>> = LazyLock::new(|| {
    let mut found = Vec::new();
    for codec in ALL {
        let folder = format!("{}/src/dialects/{}/fixtures", env!("CARGO_MANIFEST_DIR"), codec.dialect());
        for kind in std::fs::read_dir(folder).unwrap() {
            for file in std::fs::read_dir(kind.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                found.push((*codec, path.clone(), std::fs::read(path).unwrap()));
            }
        }
    }
    found.sort_by(|one, other| one.1.cmp(&other.1));
    found
});

fn split(bytes: &[u8], cuts: &[usize]) -> Vec<SseEvent> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let mut decoder = SseDecoder::new();
    let mut events = Vec::new();
    for pair in cuts.windows(2) {
        decoder.push(&bytes[pair[0]..pair[1]]).unwrap();
        events.extend(std::iter::from_fn(|| decoder.next()));
    }
    events.extend(std::iter::from_fn(|| decoder.finish()));
    events
}

/// Every way into the crate with these bytes; only that it returns is checked.
fn read_everything(codec: &'static dyn Codec, bytes: &[u8]) {
    let shared = Bytes::copy_from_slice(bytes);
    let _ = codec.peek(bytes);
    let _ = codec.with_model(&shared, "other");
    let _ = codec.texts(bytes);
    let _ = codec.response_texts(bytes);
    let _ = codec.ask_for_usage(&shared);
    let _ = crate::embeddings::peek(bytes);
    let _ = crate::embeddings::texts(bytes);
    let _ = crate::embeddings::gemini_peek(bytes);
    let _ = crate::embeddings::gemini_texts(bytes);
    use crate::embeddings::Form;
    const FORMS: [Form; 5] = [Form::Cohere, Form::Gemini, Form::Jina, Form::Openai, Form::Voyage];
    for (from, to) in FORMS.iter().flat_map(|from| FORMS.iter().map(move |to| (*from, *to))) {
        let Ok(request) = crate::embeddings::decode_request(from, bytes) else { continue };
        let _ = crate::embeddings::encode_request(to, &request);
        if let Ok(answer) = crate::embeddings::decode(to, bytes) {
            let _ = crate::embeddings::encode(from, &answer, &request);
        }
    }
    let _ = crate::rerank::to_voyage(bytes, "m");
    let _ = crate::rerank::of_voyage(bytes);
    let _ = crate::without_probabilities(bytes);
    let _ = crate::anthropic_in_cloud(bytes, "v", false);
    for form in [crate::along::Form::Json, crate::along::Form::Multipart] {
        let along = crate::along::Along { form, texts: &["prompt", "input"], names_model: false };
        let _ = along.peek(bytes);
        let _ = along.texts(bytes);
    }
    let _ = crate::along::usage(bytes);
    let _ = codec.decode_error(500, bytes);
    if let Ok(request) = codec.decode_request(bytes) {
        ALL.iter().for_each(|target| drop(target.encode_request(&request)));
    }
    if let Ok(response) = codec.decode_response(bytes) {
        ALL.iter().for_each(|target| drop(target.encode_response(&response)));
    }
    let mut decoder = codec.decode_stream();
    let mut encoders: Vec<_> = ALL.iter().map(|target| target.encode_stream(&StreamStart::default())).collect();
    let mut rewriter = StreamRewriter::new(codec);
    let mut out = BytesMut::new();
    for event in split(bytes, &[]).iter().chain([&SseEvent::new(None, bytes)]) {
        let _ = rewriter.event(event, &mut HoldAll::default());
        for event in decoder.event(event).unwrap_or_default() {
            encoders.iter_mut().for_each(|encoder| encoder.event(&event, &mut out));
        }
    }
    let _ = decoder.finish();
    encoders.iter_mut().for_each(|encoder| encoder.finish(&mut out));
}

/// Gives nothing until the text ends.
#[derive(Default)]
struct HoldAll(std::collections::BTreeMap<Channel, String>);

impl TextFilter for HoldAll {
    fn push(&mut self, channel: Channel, delta: &str) -> String {
        self.0.entry(channel).or_default().push_str(delta);
        String::new()
    }

    fn close(&mut self, channel: Channel) -> String {
        self.0.remove(&channel).unwrap_or_default()
    }
}

struct Identity;

impl TextFilter for Identity {
    fn push(&mut self, _: Channel, delta: &str) -> String {
        delta.to_owned()
    }

    fn close(&mut self, _: Channel) -> String {
        String::new()
    }
}

fn told(codec: &'static dyn Codec, bytes: &[u8]) -> Vec<Message> {
    let mut decoder = codec.decode_stream();
    let mut accumulator = Accumulator::new();
    for event in split(bytes, &[]) {
        decoder.event(&event).unwrap().iter().for_each(|event| accumulator.event(event));
    }
    accumulator.finish().messages
}

fn encoded(target: &'static dyn Codec, events: &[StreamEvent]) -> BytesMut {
    let mut encoder = target.encode_stream(&StreamStart::default());
    let mut out = BytesMut::new();
    events.iter().for_each(|event| encoder.event(event, &mut out));
    encoder.finish(&mut out);
    out
}

fn sse_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("\n"),
        Just("\r\n"),
        Just("\r"),
        Just("data: "),
        Just("data:"),
        Just("event: x"),
        Just(": c"),
        Just("é🚀"),
        Just("\u{FEFF}"),
        Just("{\"a\":1}"),
        Just("\n\n"),
    ];
    vec(piece, 0..30).prop_map(|pieces| pieces.concat().into_bytes())
}

fn text() -> impl Strategy<Value = String> {
    "[a-zé🚀\"\\\\\n\u{0}-\u{1f} ]{1,12}"
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        text().prop_map(|content| Part::Text { content }),
        "[A-Za-z0-9+/]{4,8}".prop_map(|content| Part::Blob {
            mime_type: Some("image/png".into()),
            modality: signalbox_types::Modality::Image,
            content
        }),
        "[a-z]{1,8}".prop_map(|name| Part::Uri {
            mime_type: None,
            modality: signalbox_types::Modality::Image,
            uri: format!("https://example.com/{name}.png")
        }),
    ]
}

/// What a user says, what the model thought, said and called, and what the tools answered.
fn turn() -> impl Strategy<Value = Vec<Message>> {
    let thinking = proptest::option::of((".{0,6}", "[a-zA-Z0-9=]{1,12}"));
    let calls = vec(("[a-z_]{1,8}", text(), text()), 0..3);
    (vec(part(), 1..3), thinking, text(), calls).prop_map(|(said, thinking, answer, calls)| {
        let message = |role, parts| Message { role, parts, name: None, finish_reason: None };
        let mut parts = Vec::new();
        if let Some((content, signature)) = thinking {
            parts.push(Part::Reasoning { content, signature: Some(signature), encrypted: None });
        }
        parts.push(Part::Text { content: answer });
        let mut answers = Vec::new();
        for (number, (name, argument, response)) in calls.into_iter().enumerate() {
            let id = Some(format!("call_{number}"));
            parts.push(Part::ToolCall { id: id.clone(), name, arguments: json!({"a": argument, "n": [1, 2.5, null]}) });
            answers.push(Part::ToolCallResponse { id, response: response.into(), is_error: false });
        }
        let mut messages = vec![message(Role::User, said), message(Role::Assistant, parts)];
        if !answers.is_empty() {
            messages.push(message(Role::Tool, answers));
        }
        messages
    })
}

fn request() -> impl Strategy<Value = ChatRequest> {
    (proptest::option::of(text()), vec(turn(), 1..4), any::<bool>()).prop_map(|(system, turns, tools)| {
        let mut request = ChatRequest::new(Dialect::AnthropicMessages, "m");
        request.max_tokens = Some(100);
        request.user = Some("u".into());
        request.messages.extend(system.map(|system| Message::text(Role::System, system)));
        request.messages.extend(turns.into_iter().flatten());
        if tools {
            request.tools = vec![ToolDefinition {
                name: "f".into(),
                description: Some("does".into()),
                parameters: json!({"type": "object", "properties": {"z": {}, "a": {}}}),
                strict: None,
            }];
        }
        request
    })
}

/// All but the one that knows nothing but one text.
fn converses(codec: &dyn Codec) -> bool {
    codec.dialect() != Dialect::OpenaiCompletions
}

/// Answers of one turn stand in one message or in several: the same conversation.
fn flat(messages: &[Message]) -> Vec<(Role, Part)> {
    messages.iter().flat_map(|message| message.parts.iter().map(|part| (message.role, part.clone()))).collect()
}

/// Gemini wants to be told what a link leads to; its ending says it.
fn untyped(mut parts: Vec<(Role, Part)>) -> Vec<(Role, Part)> {
    for (_, part) in &mut parts {
        if let Part::Uri { mime_type, .. } = part {
            *mime_type = None;
        }
    }
    parts
}

/// Thinking of earlier turns stays with the vendor whose model thought it.
fn without_thinking(messages: &[Message]) -> Vec<Message> {
    let mut kept = messages.to_vec();
    kept.iter_mut().for_each(|message| message.parts.retain(|part| !matches!(part, Part::Reasoning { .. })));
    kept
}

/// Bedrock fetches from its own store only.
fn with_links_for(target: &dyn Codec, request: &ChatRequest) -> ChatRequest {
    let mut request = request.clone();
    if target.dialect() == Dialect::BedrockConverse {
        for part in request.messages.iter_mut().flat_map(|message| &mut message.parts) {
            if let Part::Uri { uri, .. } = part {
                *uri = uri.replace("https://example.com/", "s3://bucket/");
            }
        }
    }
    request
}

fn stream() -> impl Strategy<Value = Vec<StreamEvent>> {
    let delta = prop_oneof![
        text().prop_map(|text| StreamEvent::TextDelta { choice: 0, index: 0, text }),
        text().prop_map(|text| StreamEvent::ReasoningDelta { choice: 0, index: 0, text }),
        Just(StreamEvent::Ping),
        (0..3_u32, text()).prop_map(|(index, arguments)| StreamEvent::ToolCallDelta { choice: 0, index, arguments }),
    ];
    vec(delta, 0..20).prop_map(|deltas| {
        let mut events = vec![StreamEvent::Start { id: Some("id".into()), model: Some("m".into()) }];
        let mut begun = Vec::new();
        for delta in deltas {
            if let StreamEvent::ToolCallDelta { index, .. } = delta
                && !begun.contains(&index)
            {
                begun.push(index);
                let id = Some(format!("call_{index}"));
                events.push(StreamEvent::ToolCallStart { choice: 0, index, id, name: "f".into() });
            }
            events.push(delta);
        }
        events.push(StreamEvent::Finish { choice: 0, reason: FinishReason::Stop, stop_sequence: None });
        events.push(StreamEvent::End);
        events
    })
}

/// Every block starts, goes on and stops before the next one does, with indices from 0 upwards.
fn assert_blocks_do_not_overlap(bytes: &[u8]) {
    let mut open = None;
    let mut next = 0;
    for event in split(bytes, &[]) {
        let Ok(data) = serde_json::from_slice::<serde_json::Value>(&event.data) else { continue };
        match data["type"].as_str().unwrap() {
            "content_block_start" => {
                assert_eq!((open, data["index"].as_u64()), (None, Some(next)));
                open = Some(next);
            }
            "content_block_delta" => assert_eq!(data["index"].as_u64(), open),
            "content_block_stop" => {
                assert_eq!(data["index"].as_u64(), open.take());
                next += 1;
            }
            _ => {}
        }
    }
    assert_eq!(open, None);
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(bytes in sse_text(), cuts in vec(any::<usize>(), 0..8)) {
        let whole = split(&bytes, &[]);
        prop_assert_eq!(&split(&bytes, &cuts), &whole);
        let every_byte: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(&split(&bytes, &every_byte), &whole);
        let raw: Vec<u8> = whole.iter().flat_map(|event| event.raw.to_vec()).collect();
        let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(&bytes);
        prop_assert!(bytes.starts_with(&raw));
    }

    #[test]
    fn decoders_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        ALL.iter().for_each(|codec| read_everything(*codec, &bytes));
    }

    #[test]
    fn decoders_never_panic_on_damaged_bodies(which in any::<prop::sample::Index>(), at in any::<usize>(), with in vec(any::<u8>(), 0..4), gone in 0..6_usize) {
        let (_, _, bytes) = which.get(&FIXTURES);
        let at = at % bytes.len();
        let damaged = [&bytes[..at], &with, &bytes[(at + gone).min(bytes.len())..]].concat();
        ALL.iter().for_each(|codec| read_everything(*codec, &damaged));
    }

    #[test]
    fn texts_stand_where_they_say(request in request(), new in text()) {
        for codec in ALL.iter().filter(|codec| converses(**codec)) {
            let body = codec.encode_request(&with_links_for(*codec, &request)).unwrap();
            let slots = codec.texts(&body).unwrap();
            prop_assert!(!slots.is_empty());
            for slot in &slots {
                let literal: String = serde_json::from_slice(&body[slot.range.clone()]).unwrap();
                prop_assert_eq!(&literal, &slot.text);
            }
            let edits: Vec<_> = slots.iter().map(|slot| slot.edit(&new)).collect();
            let edited = crate::splice(&body, &edits);
            let again = codec.texts(&edited).unwrap();
            prop_assert_eq!(again.len(), slots.len());
            prop_assert!(again.iter().all(|slot| slot.is_name || slot.text == new));
            // And back: what was outside of the texts has not changed.
            let back: Vec<_> = again.iter().zip(&slots).map(|(now, then)| (now.range.clone(), body[then.range.clone()].to_vec())).collect();
            prop_assert_eq!(crate::splice(&edited, &back), body);
        }
    }

    #[test]
    fn a_request_survives_the_other_dialect(request in request()) {
        let here = codec(Dialect::AnthropicMessages);
        let first = here.decode_request(&here.encode_request(&request).unwrap()).unwrap();
        prop_assert_eq!(flat(&first.messages), flat(&request.messages));
        for there in [codec(Dialect::CohereV2), codec(Dialect::Gemini), codec(Dialect::OpenaiChat), codec(Dialect::OpenaiResponses)] {
            let mut crossed = there.decode_request(&there.encode_request(&first).unwrap()).unwrap();
            // Gemini's callers say it in the path.
            crossed.model = "m".into();
            prop_assert_eq!(untyped(flat(&crossed.messages)), flat(&without_thinking(&request.messages)));
            let back = here.decode_request(&here.encode_request(&crossed).unwrap()).unwrap();
            prop_assert_eq!(&back.messages, &without_thinking(&first.messages));
            prop_assert_eq!(&back.tools, &request.tools);
            prop_assert_eq!(serde_json::to_string(&back.tools).unwrap(), serde_json::to_string(&request.tools).unwrap());
            prop_assert_eq!(back.max_tokens, request.max_tokens);
        }
    }

    #[test]
    fn a_request_survives_bedrock_with_its_thinking(request in request()) {
        let (here, there) = (codec(Dialect::AnthropicMessages), codec(Dialect::BedrockConverse));
        let request = with_links_for(there, &request);
        let first = here.decode_request(&here.encode_request(&request).unwrap()).unwrap();
        let crossed = there.decode_request(&there.encode_request(&first).unwrap()).unwrap();
        prop_assert_eq!(untyped(flat(&crossed.messages)), flat(&request.messages));
        let back = here.decode_request(&here.encode_request(&ChatRequest { model: "m".into(), ..crossed.clone() }).unwrap()).unwrap();
        prop_assert_eq!(flat(&back.messages), flat(&request.messages));
        prop_assert_eq!(crossed.max_tokens, request.max_tokens);
        if !request.tools.is_empty() {
            prop_assert_eq!(serde_json::to_string(&crossed.tools).unwrap(), serde_json::to_string(&request.tools).unwrap());
        }
    }

    #[test]
    fn a_stream_survives_every_dialect(events in stream()) {
        let mut direct = Accumulator::new();
        events.iter().for_each(|event| direct.event(event));
        let expect = flat(&direct.finish().messages);
        for target in ALL.iter().filter(|codec| converses(**codec)) {
            let bytes = encoded(*target, &events);
            prop_assert_eq!(&flat(&told(*target, &bytes)), &expect);
            if target.dialect() == Dialect::AnthropicMessages {
                assert_blocks_do_not_overlap(&bytes);
            }
        }
    }

    #[test]
    fn held_back_text_always_gets_out(events in stream()) {
        for target in ALL.iter().filter(|codec| converses(**codec)) {
            let bytes = encoded(*target, &events);
            let mut rewriter = StreamRewriter::new(*target);
            let mut filter = HoldAll::default();
            let mut out = BytesMut::new();
            for event in split(&bytes, &[]) {
                out.extend_from_slice(&rewriter.event(&event, &mut filter));
            }
            prop_assert!(filter.0.is_empty());
            let joined = |messages: &[Message]| messages.iter().map(Message::readable).collect::<Vec<_>>();
            prop_assert_eq!(joined(&told(*target, &out)), joined(&told(*target, &bytes)));
        }
        let mut filter = HoldAll::default();
        let filtered = EventRewriter::default().events(events.clone(), &mut filter);
        prop_assert!(filter.0.is_empty());
        let (mut before, mut after) = (Accumulator::new(), Accumulator::new());
        events.iter().for_each(|event| before.event(event));
        filtered.iter().for_each(|event| after.event(event));
        prop_assert_eq!(flat(&after.finish().messages), flat(&before.finish().messages));
    }
}

#[test]
fn a_filter_that_changes_nothing_changes_no_byte() {
    for (codec, path, bytes) in FIXTURES.iter() {
        let mut rewriter = StreamRewriter::new(*codec);
        let events = split(bytes, &[]);
        let raw: Vec<u8> = events.iter().flat_map(|event| event.raw.to_vec()).collect();
        let out: Vec<u8> = events.iter().flat_map(|event| rewriter.event(event, &mut Identity).to_vec()).collect();
        assert_eq!(raw, out, "{}", path.display());
    }
}

#[test]
fn every_cut_of_every_stream_is_noticed_or_harmless() {
    for (codec, path, bytes) in FIXTURES.iter() {
        if path.extension().is_none_or(|extension| extension != "sse") || path.ends_with("error_first.sse") {
            continue;
        }
        let whole = told(*codec, bytes);
        for end in 0..bytes.len() {
            let mut decoder = codec.decode_stream();
            let mut accumulator = Accumulator::new();
            for event in split(&bytes[..end], &[]) {
                decoder.event(&event).unwrap().iter().for_each(|event| accumulator.event(event));
            }
            if decoder.finish().is_ok() {
                assert_eq!(accumulator.finish().messages, whole, "{} cut at {end}", path.display());
            }
        }
    }
}
