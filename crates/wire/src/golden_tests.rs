//! Every fixture × every target dialect, found by glob. `INSTA_UPDATE=always` accepts, then read the diff.

use std::fmt::Write as _;
use std::path::Path;

use bytes::BytesMut;

use crate::accumulate::Accumulator;
use crate::canonical::{ChatResponse, StreamEvent};
use crate::codec::{Codec, StreamStart};
use crate::error::WireError;
use crate::registry::{ALL, Dialect, codec};
use crate::sse::SseDecoder;

/// The codec whose folder a fixture stands in.
fn codec_of(path: &Path) -> &'static dyn Codec {
    let folder = path.ancestors().nth(3).unwrap().file_name().unwrap().to_str().unwrap();
    codec(Dialect::find(folder).unwrap())
}

fn pretty(bytes: &[u8]) -> String {
    serde_json::to_string_pretty(&serde_json::from_slice::<serde_json::Value>(bytes).unwrap()).unwrap()
}

fn check(path: &Path, what: impl Fn(&'static dyn Codec, &[u8]) -> String) {
    let codec = codec_of(path);
    let kind = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let text = what(codec, &std::fs::read(path).unwrap());
    insta::with_settings!({ snapshot_suffix => "", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("{kind}.{}.{stem}", codec.dialect()), text);
    });
}

fn each_target(mut say: impl FnMut(&'static dyn Codec) -> String) -> String {
    let mut text = String::new();
    for target in ALL {
        write!(text, "\n== {} ==\n{}\n", target.dialect(), say(*target)).unwrap();
    }
    text
}

fn or_error(result: Result<bytes::Bytes, WireError>) -> String {
    result.map_or_else(|error| format!("error: {error}"), |bytes| pretty(&bytes))
}

fn describe(response: &ChatResponse) -> String {
    let messages = serde_json::to_string_pretty(&response.messages).unwrap();
    let ChatResponse { id, model, finish_reasons, stop_sequence, usage, .. } = response;
    format!("id {id:?}, model {model:?}, {finish_reasons:?}, stop sequence {stop_sequence:?}\n{usage:?}\n{messages}")
}

#[test]
fn requests() {
    insta::glob!("dialects/*/fixtures/request/*.json", |path| check(path, |codec, body| {
        let request = codec.decode_request(body).unwrap();
        let slots = codec.texts(body).unwrap();
        let texts: Vec<String> = slots.iter().map(|slot| format!("{:?}: {:?}", slot.role, slot.text)).collect();
        format!("{}\n{}", texts.join("\n"), each_target(|target| or_error(target.encode_request(&request))))
    }));
}

#[test]
fn responses() {
    insta::glob!("dialects/*/fixtures/response/*.json", |path| check(path, |codec, body| {
        let mut response = codec.decode_response(body).unwrap();
        let described = describe(&response);
        format!("{described}\n{}", each_target(|target| or_error(target.encode_answer(&mut response, &start()))))
    }));
}

#[test]
fn streams() {
    insta::glob!("dialects/*/fixtures/stream/*.sse", |path| check(path, |codec, body| {
        let (events, end) = decode(codec, body);
        let mut accumulator = Accumulator::new();
        events.iter().for_each(|event| accumulator.event(event));
        let error = accumulator.error().map_or_else(String::new, |error| format!("{error:?}\n"));
        let end = end.map_or_else(|error| format!("end: {error}\n"), |()| String::new());
        let translated = each_target(|target| encode(target, &events));
        format!("{error}{end}{}\n{translated}", describe(&accumulator.finish()))
    }));
}

#[test]
fn errors() {
    insta::glob!("dialects/*/fixtures/error/*.json", |path| check(path, |codec, body| {
        let status = path.file_name().unwrap().to_str().unwrap().split_once('_').unwrap().0.parse().unwrap();
        let error = codec.decode_error(status, body);
        let targets = each_target(|target| pretty(&target.encode_error(&error)));
        format!("{error:#?}\nstatus for the caller: {}\n{targets}", error.class.status())
    }));
}

fn decode(codec: &dyn Codec, bytes: &[u8]) -> (Vec<StreamEvent>, Result<(), WireError>) {
    let mut sse = SseDecoder::new();
    sse.push(bytes).unwrap();
    let mut decoder = codec.decode_stream();
    let mut events = Vec::new();
    while let Some(event) = sse.next().or_else(|| sse.finish()) {
        events.extend(decoder.event(&event).unwrap());
    }
    let end = decoder.finish().map(|more| events.extend(more));
    (events, end)
}

/// A call that nothing is known of but what the provider may leave out.
fn start() -> StreamStart {
    StreamStart { id: "signalbox-1".into(), model: "asked-for".into(), created: 1_700_000_000, include_usage: true }
}

fn encode(codec: &dyn Codec, events: &[StreamEvent]) -> String {
    let mut encoder = codec.encode_stream(&start());
    encoder.took(1_200);
    let mut out = BytesMut::new();
    events.iter().for_each(|event| encoder.event(event, &mut out));
    String::from_utf8(out.to_vec()).unwrap()
}
