//! What the simulated provider answers where there is no conversation.

use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Value, json};
use signalbox_upstream::simulated::SimOptions;
use signalbox_upstream::{Operation, UpstreamCall};

use super::simulated::{Socket, in_process, whole};
use super::support::call;

#[tokio::test]
async fn what_has_no_dialect_is_answered_small_and_the_same_each_time() {
    let upstream = in_process();
    let send = async |model: &str, operation: Operation, body: &str, content_type: Option<&'static str>| {
        let mut call = UpstreamCall { operation, ..call(body) };
        call.content_type = content_type.map(HeaderValue::from_static);
        let reply = upstream.send(&upstream.resolve(model).unwrap(), call).await.unwrap();
        let kind = reply.headers["content-type"].to_str().unwrap().to_owned();
        (kind, reply.body.read_all(1 << 20).await.unwrap())
    };
    let json = async |operation: Operation, body: &str| -> Value {
        serde_json::from_slice(&send("sim/small", operation, body, None).await.1).unwrap()
    };
    let completed = json(Operation::Completions, r#"{"model":"small","prompt":["Signals","Points"]}"#).await;
    assert_eq!(completed["choices"][1]["index"], 1);
    assert!(completed["usage"]["total_tokens"].as_u64().unwrap() > 10);
    let judged = json(Operation::Moderations, r#"{"input":["hello","I kill you"]}"#).await;
    assert_eq!((&judged["results"][0]["flagged"], &judged["results"][1]["flagged"]), (&json!(false), &json!(true)));
    let drawn = json(Operation::Images, r#"{"prompt":"A signal box","n":2}"#).await;
    assert!(drawn["data"][1]["b64_json"].as_str().unwrap().starts_with("iVBORw0KGgo"));
    let (kind, wav) = send("sim/small", Operation::Speech, r#"{"input":"Mind the gap","voice":"a"}"#, None).await;
    assert_eq!((kind.as_str(), &wav[..4], &wav[8..16], wav.len()), ("audio/wav", &b"RIFF"[..], &b"WAVEfmt "[..], 124));
    let form = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nabcd\r\n--b--\r\n";
    let (_, said) = send("sim/small", Operation::Transcriptions, form, Some("multipart/form-data; boundary=b")).await;
    let said: Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(said["text"], "Someone speaks for 4 bytes.");
    let body = r#"{"model":"m","messages":[{"role":"user","content":"How do railway signals work?"}]}"#;
    let (_, counted) = send("sim-anthropic/small", Operation::CountTokens, body, None).await;
    assert!(serde_json::from_slice::<Value>(&counted).unwrap()["input_tokens"].as_u64().unwrap() > 5);
}

#[tokio::test]
async fn what_is_kept_is_made_of_its_id() {
    for upstream in [in_process(), Socket::start(SimOptions::default()).await.upstream] {
        let ask = async |method: http::Method, below: &str| {
            let call = UpstreamCall {
                method,
                below: Some(below.to_owned()),
                ..UpstreamCall::new(Operation::Responses, Bytes::new())
            };
            let reply = upstream.send(&upstream.resolve("sim/small").unwrap(), call).await.unwrap();
            (reply.status.as_u16(), whole(reply).await)
        };
        assert_eq!(ask(http::Method::GET, "/resp_1").await.1["id"], "resp_1");
        assert_eq!(ask(http::Method::DELETE, "/resp_1").await.1["deleted"], true);
        assert_eq!(ask(http::Method::POST, "/resp_1/cancel").await.1["status"], "cancelled");
        assert_eq!(ask(http::Method::GET, "/resp_1/input_items").await.1["data"][0]["role"], "user");
        assert_eq!(ask(http::Method::GET, "/nothing").await.0, 404);
    }
}
