//! Embeddings and ranked texts, asked of providers that have them in another form.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::house::{CHAT, House, Plan, RESPONSES, inner_secret, secret};
use super::routes::{hand, routed};

/// A provider that gives every call this answer, and what it got: the path and the body.
async fn answering(answer: Value) -> (String, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (send, seen) = mpsc::channel(64);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (send, answer) = (send.clone(), answer.to_string());
            tokio::spawn(async move {
                let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    all.extend_from_slice(&buffer[..count]);
                    let text = String::from_utf8_lossy(&all).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let Ok(body) = serde_json::from_str(body) else { continue };
                    send.try_send((head.split(' ').nth(1).unwrap().to_owned(), body)).unwrap();
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
                    stream.write_all(format!("{head}: {}\r\n\r\n{answer}", answer.len()).as_bytes()).await.unwrap();
                    all.clear();
                }
            });
        }
    });
    (address, seen)
}

async fn with(kind: &str, answer: Value) -> (House, mpsc::Receiver<(String, Value)>) {
    let (address, seen) = answering(answer).await;
    let base_url = format!("http://{address}{}", if kind == "cohere_v2" { "" } else { "/v1" });
    let provider = json!({"name": "up", "kind": kind, "base_url": base_url, "api_key": "k"});
    (House::build(Plan { providers: vec![provider], ..Plan::default() }).await, seen)
}

#[tokio::test]
async fn openais_callers_get_embeddings_of_voyage_jina_and_cohere() {
    let openai = json!({"object": "list", "model": "e", "usage": {"total_tokens": 7},
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1.0]}]});
    let cohere = json!({"id": "1", "embeddings": {"float": [[0.5, -1.0]]}, "texts": ["a"],
        "meta": {"billed_units": {"input_tokens": 7}}, "response_type": "embeddings_by_type"});
    for (kind, answer, path, sent) in [
        ("voyage", &openai, "/v1/embeddings", json!({"model": "e", "input": ["a"], "output_dimension": 2})),
        ("jina", &openai, "/v1/embeddings", json!({"model": "e", "input": ["a"], "dimensions": 2})),
        (
            "cohere_v2",
            &cohere,
            "/v2/embed",
            json!({"model": "e", "texts": ["a"], "input_type": "search_document", "embedding_types": ["float"], "output_dimension": 2}),
        ),
    ] {
        let (house, mut seen) = with(kind, answer.clone()).await;
        let asked = json!({"model": "up/e", "input": ["a"], "dimensions": 2, "encoding_format": "base64", "user": "u"});
        let answer = house.call("/v1/embeddings", &[], &asked).await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
        assert_eq!(answer.json()["data"][0]["embedding"], "AAAAPwAAgL8=", "{kind}");
        assert_eq!(answer.json()["usage"]["prompt_tokens"], 7, "{kind}");
        assert_eq!(seen.recv().await.unwrap(), (path.to_owned(), sent), "{kind}");
        assert_eq!(house.only_span().await.usage.input_tokens, Some(7), "{kind}");
        let chat = json!({"model": "up/e", "messages": [{"role": "user", "content": "Hi"}]});
        let refused = house.call("/v1/chat/completions", &[], &chat).await;
        if kind != "cohere_v2" {
            assert_eq!(refused.status, 400, "{kind}: {}", refused.text());
            assert!(refused.text().contains("provider `up` has no chats"), "{kind}: {}", refused.text());
        }
    }
}

#[tokio::test]
async fn coheres_callers_get_embeddings_of_those_who_have_openais() {
    let house = House::new().await;
    let asked =
        json!({"model": "gem/embed", "texts": ["a", "b"], "input_type": "search_query", "embedding_types": ["float"]});
    let answer = house.call("/v2/embed", &[], &asked).await;
    assert_eq!(answer.json()["embeddings"]["float"].as_array().unwrap().len(), 2, "{}", answer.text());
    let (house, mut seen) =
        with("voyage", json!({"data": [{"index": 0, "embedding": [1.0]}], "usage": {"total_tokens": 3}})).await;
    let asked = json!({"model": "up/e", "texts": ["a"], "input_type": "search_query"});
    let answer = house.call("/v2/embed", &[], &asked).await;
    assert_eq!(answer.json()["embeddings"], json!({"float": [[1.0]]}), "{}", answer.text());
    assert_eq!(seen.recv().await.unwrap().1, json!({"model": "e", "input": ["a"], "input_type": "query"}));
    assert_eq!(house.only_span().await.usage.input_tokens, Some(3));
    // What can't be said is an error in the caller's words.
    let pictures = json!({"model": "up/e", "images": ["data:image/png;base64,AA=="], "input_type": "image"});
    let refused = house.call("/v2/embed", &[], &pictures).await;
    assert_eq!(refused.status, 400);
    assert!(refused.json()["message"].as_str().unwrap().contains("can't be sent"), "{}", refused.text());
}

#[tokio::test]
async fn texts_are_ranked_by_voyage_for_coheres_callers() {
    let answer = json!({"object": "list", "model": "rerank-2.5", "usage": {"total_tokens": 26},
        "data": [{"index": 1, "relevance_score": 0.75}, {"index": 0, "relevance_score": 0.25}]});
    let (house, mut seen) = with("voyage", answer).await;
    let asked = json!({"model": "up/rerank-2.5", "query": "Who?", "documents": ["a", "b"], "top_n": 2});
    let answer = house.call("/v2/rerank", &[], &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["results"][0], json!({"index": 1, "relevance_score": 0.75}));
    let sent = json!({"model": "rerank-2.5", "query": "Who?", "documents": ["a", "b"], "top_k": 2});
    assert_eq!(seen.recv().await.unwrap(), ("/v1/rerank".to_owned(), sent));
    assert_eq!(house.only_span().await.usage.input_tokens, Some(26));
    // In its own words it can be asked, too.
    let own = json!({"model": "rerank-2.5", "query": "Who?", "documents": ["a"], "top_k": 1});
    let answer = house.call("/providers/up/rerank", &[], &own).await;
    assert!(answer.json()["data"].is_array(), "{}", answer.text());
    assert_eq!(seen.recv().await.unwrap().1, own);
    let asked = json!({"model": "up/m", "query": "q", "documents": ["a"], "max_tokens_per_doc": 10});
    let refused = house.call("/v2/rerank", &[], &asked).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.json()["message"].as_str().unwrap().contains("`max_tokens_per_doc`"), "{}", refused.text());
}

#[tokio::test]
async fn a_lenient_route_leaves_out_settings_and_names_them() {
    let asked =
        json!({"model": "chat", "messages": [{"role": "user", "content": "Hi"}], "seed": 1, "n": 2, "max_tokens": 20});
    let target = json!([{"provider": "ant", "model": "small"}]);
    for stream in [false, true] {
        let house = routed(target.clone(), json!({"lenient": true}), Vec::new()).await;
        let answer = house.call(CHAT, &[], &crate::house::with(asked.clone(), json!({"stream": stream}))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-signalbox-dropped"), "seed,n");
        assert!(!answer.content().is_empty());
        assert_eq!(house.only_span().await.attributes["signalbox.dropped"], "seed,n");
    }
    let house = routed(target.clone(), json!({}), Vec::new()).await;
    let refused = house.call(CHAT, &[], &asked).await;
    assert_eq!((refused.status.as_u16(), refused.header("x-signalbox-dropped")), (400, ""));
    assert!(refused.text().contains("`seed` can't be sent"), "{}", refused.text());
    // What is said is never left out, and a dialect that can say it all leaves out nothing.
    let sound = json!([{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]);
    let spoken = json!({"model": "chat", "messages": [{"role": "user", "content": sound}]});
    let house = routed(target, json!({"lenient": true}), Vec::new()).await;
    assert_eq!(house.call(CHAT, &[], &spoken).await.status, 400);
    let house = routed(json!([{"provider": "oai", "model": "small"}]), json!({"lenient": true}), Vec::new()).await;
    let answer = house.call(CHAT, &[], &crate::house::with(asked, json!({"n": 1}))).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-signalbox-dropped")), (200, ""));
}

#[tokio::test]
async fn what_is_redacted_is_not_read_off_its_tokens() {
    let token = |text: &str| json!({"token": text, "logprob": -0.5, "bytes": null, "top_logprobs": []});
    let texts = ["Your key is ", &secret(), " – keep it safe."];
    let logprobs = json!({"content": texts.map(token), "refusal": null});
    let message = json!({"role": "assistant", "content": texts.concat()});
    let whole = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"}]});
    let chunk = |text: &str| {
        let logprobs = json!({"content": [token(text)], "refusal": null});
        let choice = json!({"index": 0, "delta": {"content": text}, "logprobs": logprobs, "finish_reason": null});
        format!("data: {}\n\n", json!({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}))
    };
    let end = json!({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let streamed = format!("{}data: {end}\n\ndata: [DONE]\n\n", texts.map(chunk).concat());
    for path in [CHAT, RESPONSES] {
        for stream in [false, true] {
            let (kind, body) =
                if stream { ("text/event-stream", streamed.clone()) } else { ("application/json", whole.to_string()) };
            let provider = hand("up", "openai_chat", "200 OK", kind, &body).await;
            let guard = json!({"policies": [{"scanner": "secrets", "on": ["output"], "action": "redact"}]});
            let house = House::build(Plan { guard, providers: vec![provider], ..Plan::default() }).await;
            let asked = match path {
                CHAT => json!({"model": "up/m", "messages": [{"role": "user", "content": "Hi"}], "logprobs": true}),
                _ => json!({"model": "up/m", "input": "Hi", "include": ["message.output_text.logprobs"]}),
            };
            let answer = house.call(path, &[], &crate::house::with(asked, json!({"stream": stream}))).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(answer.text().contains("[REDACTED"), "{path} {stream}: {}", answer.text());
            assert!(!answer.text().contains(&inner_secret()), "{path} {stream}: {}", answer.text());
        }
    }
}
