//! Bodies that come packed, of callers and of providers: whoever is behind sees what they hold.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::Method;
use serde_json::{Value, json};
use signalbox_gateway::GatewayConfig;

use crate::house::{Answer, CHAT, House, MESSAGES, Plan, hand_written, inner_secret, question, request, secret, with};

const ALL: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

/// Packed piece by piece, each so that it can be read at once.
fn packed(packing: &str, pieces: &[&str]) -> Vec<Bytes> {
    fn all<W: Write>(writer: &mut W, pieces: &[&str], taken: impl Fn(&mut W) -> Vec<u8>) -> Vec<Bytes> {
        let mut sent = Vec::new();
        for piece in pieces {
            writer.write_all(piece.as_bytes()).unwrap();
            writer.flush().unwrap();
            sent.push(taken(writer).into());
        }
        sent
    }
    let level = Compression::default();
    let (mut sent, last) = match packing {
        "gzip" => {
            let mut writer = GzEncoder::new(Vec::new(), level);
            (all(&mut writer, pieces, |writer| std::mem::take(writer.get_mut())), writer.finish().unwrap())
        }
        "deflate" => {
            let mut writer = ZlibEncoder::new(Vec::new(), level);
            (all(&mut writer, pieces, |writer| std::mem::take(writer.get_mut())), writer.finish().unwrap())
        }
        "br" => {
            let mut writer = brotli::CompressorWriter::new(Vec::new(), 4_096, 5, 22);
            (all(&mut writer, pieces, |writer| std::mem::take(writer.get_mut())), writer.into_inner())
        }
        _ => {
            let mut writer = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
            (all(&mut writer, pieces, |writer| std::mem::take(writer.get_mut())), writer.finish().unwrap())
        }
    };
    sent.push(last.into());
    sent
}

fn whole(packing: &str, text: &str) -> Bytes {
    packed(packing, &[text]).concat().into()
}

/// A provider that packs what nobody asked it to.
async fn packs(status: &str, content_type: &str, packing: &str, body: Vec<Bytes>) -> String {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-encoding: {packing}\r\nconnection: close\r\n\r\n"
    );
    hand_written([vec![head.into()], body].concat()).await
}

async fn house_of(base_url: String, guard: Value) -> House {
    let provider = json!({"name": "pak", "dialect": "openai_chat", "base_url": base_url, "api_key": "k"});
    House::build(Plan { providers: vec![provider], guard, ..Plan::default() }).await
}

fn delta(text: &str) -> String {
    let delta = json!({"id": "c", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    format!("data: {delta}\n\n")
}

const END: &str =
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

async fn asked(house: &House, path: &str, stream: bool) -> Answer {
    house.call(path, &[], &with(question(path, "pak/m"), json!({"stream": stream}))).await
}

#[tokio::test]
async fn callers_may_pack_what_they_send() {
    let house = House::new().await;
    for packing in ALL {
        for (path, model) in [(CHAT, "oai/small"), (MESSAGES, "oai/small"), (CHAT, "ant/large")] {
            let body = whole(packing, &question(path, model).to_string());
            let length = body.len().to_string();
            let headers = [("content-encoding", packing), ("content-length", length.as_str())];
            let answer = house.call_bytes(path, &headers, body).await;
            assert_eq!(answer.status, 200, "{packing}: {}", answer.text());
            let received = house.received().await.pop().unwrap();
            assert_eq!(received["headers"]["content-encoding"], Value::Null);
            assert!(received["body"].to_string().contains("What is a signal box?"), "{packing}: {received}");
        }
    }
    for span in house.spans().await {
        assert_eq!(span.input_messages[0].readable(), "What is a signal box?");
    }
}

#[tokio::test]
async fn limits_are_about_what_is_in_a_body() {
    let config = GatewayConfig { max_body_bytes: 20_000, max_passed_bytes: 30_000, ..GatewayConfig::default() };
    let house = House::build(Plan { config, ..Plan::default() }).await;
    let bomb = with(question(CHAT, "oai/small"), json!({"padding": " ".repeat(4 << 20)})).to_string();
    for packing in ALL {
        let body = whole(packing, &bomb);
        assert!(body.len() < 20_000, "{packing} {}", body.len());
        let answer = house.call_bytes(CHAT, &[("content-encoding", packing)], body.clone()).await;
        assert_eq!(answer.status, 413, "{packing}: {}", answer.text());
        assert!(answer.text().contains("20000 bytes"), "{}", answer.text());
        // What is passed on unread has a limit of its own.
        let headers = [("content-encoding", packing), ("content-type", "application/octet-stream")];
        let answer = house.call_bytes("/providers/oai/sim/echo", &headers, body).await;
        assert_eq!(answer.status, 413, "{packing}: {}", answer.text());
        assert!(answer.text().contains("30000 bytes"), "{}", answer.text());
    }
    assert_eq!(house.call(CHAT, &[], &question(CHAT, "oai/small")).await.status, 200);
}

#[tokio::test]
async fn what_is_passed_on_unread_is_passed_on_unpacked() {
    let house = House::new().await;
    let headers = [("content-encoding", "gzip"), ("content-type", "application/octet-stream")];
    let body = whole("gzip", &"track ".repeat(1_000));
    let answer = house.call_bytes("/providers/oai/sim/echo", &headers, body).await;
    assert_eq!(answer.json()["bytes"], 6_000, "{}", answer.text());
    let received = house.received().await.pop().unwrap();
    assert_eq!(received["headers"]["content-encoding"], Value::Null, "{received}");
}

#[tokio::test]
async fn what_is_not_packed_as_it_says_is_the_callers_fault() {
    let house = House::new().await;
    let good = whole("gzip", &question(CHAT, "oai/small").to_string());
    for (path, headers) in [(CHAT, "application/json"), ("/providers/oai/sim/echo", "application/octet-stream")] {
        for body in [good.slice(..good.len() / 2), Bytes::from_static(b"{\"model\": \"oai/small\"}")] {
            let headers = [("content-encoding", "gzip"), ("content-type", headers)];
            let answer = house.call_bytes(path, &headers, body).await;
            assert_eq!(answer.status, 400, "{path}: {}", answer.text());
            assert!(answer.text().contains("can't be unpacked"), "{path}: {}", answer.text());
        }
    }
    let answer = house.call_bytes(MESSAGES, &[("content-encoding", "gzip")], good.slice(..20)).await;
    assert_eq!(answer.json()["error"]["type"], "invalid_request_error", "{}", answer.text());
}

#[tokio::test]
async fn packed_answers_are_read_in_every_packing() {
    let answer = json!({"id": "c", "object": "chat.completion", "model": "m", "created": 1, "choices": [{"index": 0,
        "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}})
    .to_string();
    for packing in ALL {
        let base_url = packs("200 OK", "application/json", packing, vec![whole(packing, &answer)]).await;
        let house = house_of(base_url, json!({"policies": []})).await;
        for path in [CHAT, MESSAGES] {
            let answer = asked(&house, path, false).await;
            assert_eq!((answer.status.as_u16(), &*answer.content()), (200, "Hello"), "{packing} {}", answer.text());
            assert_eq!(answer.header("content-encoding"), "");
        }
        let through = house.call("/providers/pak/anything", &[], &json!({})).await;
        assert_eq!((through.text(), through.header("content-encoding")), (&*answer, ""), "{packing}");
        for span in house.spans().await {
            assert_eq!(span.usage.input_tokens, Some(3), "{packing}: {span:?}");
        }
    }
    let refused = json!({"error": {"message": "No credits left", "type": "billing"}}).to_string();
    let base_url = packs("402 No", "application/json", "br", vec![whole("br", &refused)]).await;
    let answer = asked(&house_of(base_url, json!({"policies": []})).await, CHAT, false).await;
    assert_eq!(answer.json()["error"]["message"], "No credits left", "{}", answer.text());
}

#[tokio::test]
async fn packed_streams_are_read_event_by_event_and_guarded() {
    let (secret, inner) = (secret(), inner_secret());
    let (first, second) = secret.split_at(20);
    let events = [delta("Hello "), delta(first), delta(second), delta(" there"), END.to_owned()];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let guard = json!({"policies": [{"scanner": "secrets", "on": ["output"], "action": "redact"}]});
    for packing in ALL {
        let base_url = packs("200 OK", "text/event-stream", packing, packed(packing, &events)).await;
        let house = house_of(base_url, guard.clone()).await;
        for path in [CHAT, MESSAGES] {
            let answer = asked(&house, path, true).await;
            assert_eq!(answer.status, 200, "{packing}: {}", answer.text());
            assert!(answer.content().starts_with("Hello ") && answer.content().ends_with(" there"), "{packing}");
            assert!(!answer.text().contains(&inner), "{packing}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_packed_stream_that_breaks_says_so_in_the_callers_dialect() {
    let events = [delta("Hello"), delta(" there"), END.to_owned()];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    for packing in ALL {
        let mut cut = packed(packing, &events);
        cut.truncate(1);
        let mut broken = cut.clone();
        broken.push(Bytes::from_static(&[0xff; 64]));
        for (body, told) in [(cut, "ends in the middle"), (broken, packing)] {
            let base_url = packs("200 OK", "text/event-stream", packing, body).await;
            let house = house_of(base_url, json!({"policies": []})).await;
            for path in [CHAT, MESSAGES] {
                let answer = asked(&house, path, true).await;
                assert_eq!(answer.content(), "Hello", "{packing}: {}", answer.text());
                let last = answer.events().pop().unwrap();
                assert!(last["error"]["message"].as_str().unwrap().contains(told), "{packing} {path}: {last}");
                assert!(!answer.text().contains("[DONE]") && !answer.text().contains("message_stop"));
            }
            for span in house.spans().await {
                assert_eq!(span.error_type.as_deref(), Some("upstream_error"), "{packing}");
            }
        }
    }
}

#[tokio::test]
async fn what_nobody_can_unpack_is_told_or_passed_on() {
    let base_url = packs("200 OK", "application/json", "compress", vec![Bytes::from_static(b"\x1f\x9d x")]).await;
    let house = house_of(base_url, json!({"policies": []})).await;
    let answer = asked(&house, CHAT, false).await;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("content-encoding: compress"), "{}", answer.text());
    let through = house.call("/providers/pak/anything", &[], &json!({})).await;
    assert_eq!((&*through.body, through.header("content-encoding")), (&b"\x1f\x9d x"[..], "compress"));
    // A part of a packed body can't be unpacked alone.
    let part = whole("gzip", "a whole").slice(..15);
    let base_url = packs("206 Partial Content", "application/octet-stream", "gzip", vec![part.clone()]).await;
    let house = house_of(base_url, json!({"policies": []})).await;
    let mut call = request("/providers/pak/file", &[("range", "bytes=0-14")], Bytes::new());
    *call.method_mut() = Method::GET;
    let answer = Answer::read(house.send(call).await).await;
    assert_eq!((answer.status.as_u16(), answer.body.clone(), answer.header("content-encoding")), (206, part, "gzip"));
}
