//! A call on our own behalf (`types::seam::Embedder`) in OpenAI's form, which gateway and command line send it in.

use bytes::Bytes;
use signalbox_types::ErrorClass;
use signalbox_types::seam::{CompletionError, Embedded, MOST_EMBEDDED_TEXTS};

use super::{EmbeddingsRequest, Form, decode, encode_request};

/// The body of the call.
///
/// # Errors
/// There are no texts or too many, or one of them is empty, which providers refuse.
pub fn ask(model: &str, texts: &[String]) -> Result<Bytes, CompletionError> {
    let wrong = |message: String| CompletionError::new(ErrorClass::InvalidRequest, message);
    if !(1..=MOST_EMBEDDED_TEXTS).contains(&texts.len()) {
        return Err(wrong(format!("expected 1 to {MOST_EMBEDDED_TEXTS} texts to embed, found {}", texts.len())));
    }
    if let Some(at) = texts.iter().position(String::is_empty) {
        return Err(wrong(format!("text {at} to embed: expected some characters, found none")));
    }
    let request = EmbeddingsRequest {
        model: model.to_owned(),
        inputs: texts.to_vec(),
        batch: true,
        floats: true,
        ..EmbeddingsRequest::default()
    };
    encode_request(Form::Openai, &request).map_err(|error| wrong(error.to_string()))
}

/// The vectors of so many texts; the cost is for whoever knows it.
///
/// # Errors
/// It is no answer, or not one vector for each text.
pub fn answered(body: &[u8], texts: usize) -> Result<Embedded, CompletionError> {
    let broken = |message: String| CompletionError::new(ErrorClass::UpstreamError, message);
    let answer = decode(Form::Openai, body).map_err(|error| broken(error.to_string()))?;
    if answer.vectors.len() != texts {
        let found = answer.vectors.len();
        return Err(broken(format!("expected a vector for each of {texts} texts in the answer, found {found}")));
    }
    let length = answer.vectors.first().map_or(0, Vec::len);
    let is_whole = |vector: &Vec<f64>| vector.len() == length && vector.iter().all(|number| number.is_finite());
    if length == 0 || !answer.vectors.iter().all(is_whole) {
        return Err(broken("expected vectors of one length in the answer, with numbers only".to_owned()));
    }
    let model = answer.model.unwrap_or_default();
    Ok(Embedded { vectors: answer.vectors, model, usage: answer.usage, cost: None })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_call_is_said_and_its_answer_is_read() {
        let texts = ["one".to_owned(), "two\n".to_owned()];
        let body: Value = serde_json::from_slice(&ask("m", &texts).unwrap()).unwrap();
        assert_eq!(body, json!({"model": "m", "input": ["one", "two\n"], "encoding_format": "float"}));
        let answer = |data: Value| {
            let usage = json!({"prompt_tokens": 3, "total_tokens": 3});
            let body = json!({"object": "list", "model": "m-1", "data": data, "usage": usage}).to_string();
            answered(body.as_bytes(), 2)
        };
        let told = answer(json!([{"index": 0, "embedding": [1, 0]}, {"index": 1, "embedding": [0.5, -1]}])).unwrap();
        assert_eq!(told.vectors, [[1.0, 0.0], [0.5, -1.0]]);
        assert_eq!((told.model.as_str(), told.usage.input_tokens, told.cost), ("m-1", Some(3), None));
        let check = |data: Value, words: &str| {
            let error = answer(data).unwrap_err();
            assert_eq!(error.class, ErrorClass::UpstreamError);
            assert!(error.message.contains(words), "{error}");
        };
        check(json!([{"embedding": [1]}]), "a vector for each of 2 texts in the answer, found 1");
        check(json!([{"embedding": [1]}, {"embedding": [1, 2]}]), "vectors of one length");
        check(json!([{"embedding": []}, {"embedding": []}]), "vectors of one length");
        check(json!([{"embedding": [1]}, {}]), "embedding");
        assert_eq!(answered(b"<html>", 1).unwrap_err().class, ErrorClass::UpstreamError);
    }

    #[test]
    fn what_nobody_would_answer_is_not_asked() {
        let check = |texts: &[String], words: &str| {
            let error = ask("m", texts).unwrap_err();
            assert_eq!(error.class, ErrorClass::InvalidRequest);
            assert!(error.message.contains(words), "{error}");
        };
        check(&[], "1 to 96 texts to embed, found 0");
        check(&vec!["x".to_owned(); MOST_EMBEDDED_TEXTS + 1], "found 97");
        check(&["x".to_owned(), String::new()], "text 1 to embed");
    }
}
