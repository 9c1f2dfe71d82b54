use serde_json::{Value, json};

use super::*;

fn crossed(from: Dialect, to: Dialect, body: &Value) -> Result<Value, String> {
    let mut request = decode_request(from, body.to_string().as_bytes()).map_err(|error| error.to_string())?;
    request.model = "m".into();
    let bytes = encode_request(to, &request).map_err(|error| error.to_string())?;
    Ok(serde_json::from_slice(&bytes).unwrap())
}

#[test]
fn requests_cross_both_ways() {
    let openai = json!({"model": "m", "input": ["a", "b"], "dimensions": 8, "encoding_format": "base64"});
    let one =
        |text: &str| json!({"model": "models/m", "content": {"parts": [{"text": text}]}, "outputDimensionality": 8});
    let gemini = json!({"requests": [one("a"), one("b")]});
    assert_eq!(crossed(Dialect::OpenaiChat, Dialect::Gemini, &openai).unwrap(), gemini);
    let back = json!({"model": "m", "input": ["a", "b"], "dimensions": 8, "encoding_format": "float"});
    assert_eq!(crossed(Dialect::Gemini, Dialect::OpenaiChat, &gemini).unwrap(), back);
}

#[test]
fn what_cannot_be_said_is_an_error() {
    let check = |from, to, body: Value, expect: &str| {
        let error = crossed(from, to, &body).unwrap_err();
        assert!(error.contains(expect), "{error}");
    };
    let (openai, gemini) = (Dialect::OpenaiChat, Dialect::Gemini);
    check(openai, gemini, json!({"model": "m", "input": [1, 2]}), "`input[0]` can't be sent");
    let task = json!({"content": {"parts": [{"text": "a"}]}, "task_type": "RETRIEVAL_QUERY"});
    check(gemini, openai, task, "`taskType` can't be sent");
    let picture = json!({"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}});
    check(gemini, openai, picture, "only texts");
    check(openai, Dialect::AnthropicMessages, json!({"model": "m", "input": "a"}), "it has no embeddings");
}

#[test]
fn answers_come_as_they_were_asked_for() {
    let answer = decode(Dialect::Gemini, br#"{"embeddings":[{"values":[0.5,-1.0]}]}"#).unwrap();
    let say = |dialect, asked: Value| -> Value {
        let asked = decode_request(dialect, asked.to_string().as_bytes()).unwrap();
        serde_json::from_slice(&encode(dialect, &answer, &asked).unwrap()).unwrap()
    };
    let floats = say(Dialect::OpenaiChat, json!({"model": "m", "input": "a"}));
    assert_eq!(floats["data"][0]["embedding"], json!([0.5, -1.0]));
    let base64 = say(Dialect::OpenaiChat, json!({"model": "m", "input": "a", "encoding_format": "base64"}));
    assert_eq!(base64["data"][0]["embedding"], "AAAAPwAAgL8=");
    let content = json!({"parts": [{"text": "a"}]});
    let single = say(Dialect::Gemini, json!({"content": content}));
    assert_eq!(single["embedding"]["values"], json!([0.5, -1.0]));
    let batch = say(Dialect::Gemini, json!({"requests": [{"content": content}]}));
    assert_eq!(batch["embeddings"][0]["values"], json!([0.5, -1.0]));
    let openai = br#"{"data":[{"embedding":[0.25]}],"model":"e","usage":{"prompt_tokens":3}}"#;
    let answer = decode(Dialect::OpenaiChat, openai).unwrap();
    assert_eq!((answer.vectors, answer.usage.input_tokens), (vec![vec![0.25]], Some(3)));
}
