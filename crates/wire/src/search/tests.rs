use bytes::BytesMut;
use serde_json::{Value, json};

use crate::codec::StreamStart;
use crate::lenient::encode_leniently;
use crate::registry::{Dialect, codec};
use crate::rewrite::{Channel, EventRewriter, TextFilter};
use crate::sse::SseDecoder;

fn asked(from: Dialect, to: Dialect, body: &Value) -> (Value, Vec<String>) {
    let mut request = codec(from).decode_request(body.to_string().as_bytes()).unwrap();
    request.model = "m".into();
    let (bytes, dropped) = encode_leniently(codec(to), &mut request).unwrap();
    (serde_json::from_slice(&bytes).unwrap(), dropped)
}

/// The tools that are sent, and the settings that a lenient route leaves out.
fn check(from: Dialect, tool: &Value, to: Dialect, tools: &Value, dropped: &[&str]) {
    let body = match from {
        Dialect::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "tools": [tool]}),
        Dialect::OpenaiResponses => json!({"model": "m", "input": "Hi", "tools": [tool]}),
        Dialect::OpenaiChat => {
            json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "web_search_options": tool})
        }
        _ => json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "tools": [tool]}),
    };
    let (said, left_out) = asked(from, to, &body);
    assert_eq!((&said["tools"], left_out), (tools, dropped.iter().map(|name| (*name).to_owned()).collect()), "{tool}");
}

#[test]
fn each_says_the_search_in_its_own_words() {
    use Dialect::{AnthropicMessages as A, CohereV2, Gemini as G, OpenaiChat as C, OpenaiResponses as R};
    let anthropic = json!({"type": "web_search_20250305", "name": "web_search"});
    let (openai, google) = (json!({"type": "web_search"}), json!({"googleSearch": {}}));
    for (from, tool) in [(A, &anthropic), (R, &openai), (G, &google), (C, &json!({}))] {
        for (to, said) in [(A, &anthropic), (R, &openai), (G, &google)] {
            if from != to {
                check(from, tool, to, &json!([said]), &[]);
            }
        }
        let field = if from == C { super::tool::OPTIONS } else { "tools[0]" };
        check(from, tool, CohereV2, &Value::Null, &[field]);
    }
}

#[test]
fn settings_that_cant_be_said_are_left_out_by_name_and_no_others() {
    use Dialect::{AnthropicMessages as A, Gemini as G, OpenaiChat as C, OpenaiResponses as R};
    let here = json!({"type": "approximate", "city": "London", "country": "GB"});
    let tool = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 5,
        "allowed_domains": ["a.com"], "user_location": here});
    let said = json!([{"type": "web_search", "filters": {"allowed_domains": ["a.com"]}, "user_location": here}]);
    check(A, &tool, R, &said, &["tools[0].max_uses"]);
    let all = ["tools[0].max_uses", "tools[0].allowed_domains", "tools[0].user_location"];
    check(A, &tool, G, &json!([{"googleSearch": {}}]), &all);
    let tool =
        json!({"type": "web_search_preview", "search_context_size": "high", "filters": {"allowed_domains": ["a.com"]}});
    let said = json!([{"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.com"]}]);
    check(R, &tool, A, &said, &["tools[0].search_context_size"]);
    let all = ["tools[0].search_context_size", "tools[0].filters.allowed_domains"];
    check(R, &tool, G, &json!([{"googleSearch": {}}]), &all);
    let options = json!({"search_context_size": "low", "user_location": {"type": "approximate", "approximate": {"city": "London"}}});
    let said = json!([{"type": "web_search", "search_context_size": "low",
        "user_location": {"type": "approximate", "city": "London"}}]);
    check(C, &options, R, &said, &[]);
    check(
        C,
        &options,
        G,
        &json!([{"googleSearch": {}}]),
        &["web_search_options.search_context_size", "web_search_options.user_location"],
    );
    let tool = json!({"google_search": {"excludeDomains": ["a.com"]}});
    check(G, &tool, R, &json!([{"type": "web_search"}]), &["tools[0].excludeDomains"]);
}

#[test]
fn ids_come_back_as_they_were() {
    use Dialect::{AnthropicMessages as A, OpenaiResponses as R};
    let call = json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}});
    let answer = json!({"id": "r", "model": "m", "status": "completed", "output": [call]});
    let told = codec(A).encode_response(&codec(R).decode_response(answer.to_string().as_bytes()).unwrap()).unwrap();
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["content"][0]["id"], "srvtoolu_ws_1");
    let turns = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": told["content"]}]);
    let (said, _) = asked(A, R, &json!({"model": "m", "max_tokens": 9, "messages": turns}));
    assert_eq!(said["input"][1], call);
}

/// Nobody may say `secret`.
struct Quiet;

impl TextFilter for Quiet {
    fn push(&mut self, _: Channel, delta: &str) -> String {
        delta.replace("secret", "…")
    }

    fn close(&mut self, _: Channel) -> String {
        String::new()
    }
}

#[test]
fn a_guard_sees_what_a_search_is_asked() {
    let block = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use", "id": "srvtoolu_1",
        "name": "web_search", "input": {"query": "my secret"}}});
    let stop = json!({"type": "content_block_stop", "index": 0});
    let mut sse = SseDecoder::new();
    sse.push(format!("data: {block}\n\ndata: {stop}\n\n").as_bytes()).unwrap();
    let mut decoder = codec(Dialect::AnthropicMessages).decode_stream();
    let start = StreamStart { id: "i".into(), model: "m".into(), created: 1, include_usage: false };
    let mut encoder = codec(Dialect::OpenaiResponses).encode_stream(&start);
    let (mut rewriter, mut out) = (EventRewriter::default(), BytesMut::new());
    while let Some(event) = sse.next() {
        for event in rewriter.events(decoder.event(&event).unwrap(), &mut Quiet) {
            encoder.event(&event, &mut out);
        }
    }
    let said = String::from_utf8(out.to_vec()).unwrap();
    assert!(said.contains("my …") && !said.contains("secret"), "{said}");
}
