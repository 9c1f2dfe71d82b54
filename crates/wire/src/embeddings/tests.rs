use serde_json::{Value, json};

use super::*;

fn crossed(from: Form, to: Form, body: &Value) -> Result<Value, String> {
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
    assert_eq!(crossed(Form::Openai, Form::Gemini, &openai).unwrap(), gemini);
    let back = json!({"model": "m", "input": ["a", "b"], "dimensions": 8, "encoding_format": "float"});
    assert_eq!(crossed(Form::Gemini, Form::Openai, &gemini).unwrap(), back);
}

#[test]
fn what_cannot_be_said_is_an_error() {
    let check = |from, to, body: Value, expect: &str| {
        let error = crossed(from, to, &body).unwrap_err();
        assert!(error.contains(expect), "{error}");
    };
    let (openai, gemini) = (Form::Openai, Form::Gemini);
    check(openai, gemini, json!({"model": "m", "input": [1, 2]}), "`input[0]` can't be sent");
    let task = json!({"content": {"parts": [{"text": "a"}]}, "task_type": "RETRIEVAL_QUERY"});
    check(gemini, openai, task, "`taskType` can't be sent");
    let picture = json!({"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}});
    check(gemini, openai, picture, "only texts");
}

#[test]
fn answers_come_as_they_were_asked_for() {
    let answer = decode(Form::Gemini, br#"{"embeddings":[{"values":[0.5,-1.0]}]}"#).unwrap();
    let say = |dialect, asked: Value| -> Value {
        let asked = decode_request(dialect, asked.to_string().as_bytes()).unwrap();
        serde_json::from_slice(&encode(dialect, &answer, &asked)).unwrap()
    };
    let floats = say(Form::Openai, json!({"model": "m", "input": "a"}));
    assert_eq!(floats["data"][0]["embedding"], json!([0.5, -1.0]));
    let base64 = say(Form::Openai, json!({"model": "m", "input": "a", "encoding_format": "base64"}));
    assert_eq!(base64["data"][0]["embedding"], "AAAAPwAAgL8=");
    let content = json!({"parts": [{"text": "a"}]});
    let single = say(Form::Gemini, json!({"content": content}));
    assert_eq!(single["embedding"]["values"], json!([0.5, -1.0]));
    let batch = say(Form::Gemini, json!({"requests": [{"content": content}]}));
    assert_eq!(batch["embeddings"][0]["values"], json!([0.5, -1.0]));
    let openai = br#"{"data":[{"embedding":[0.25]}],"model":"e","usage":{"prompt_tokens":3}}"#;
    let answer = decode(Form::Openai, openai).unwrap();
    assert_eq!((answer.vectors, answer.usage.input_tokens), (vec![vec![0.25]], Some(3)));
}

#[test]
fn cohere_and_openai_cross_both_ways() {
    let cohere = json!({"model": "m", "texts": ["a", "b"], "input_type": "search_query", "output_dimension": 8,
        "embedding_types": ["float"], "truncate": "END"});
    let openai = json!({"model": "m", "input": ["a", "b"], "dimensions": 8, "encoding_format": "float"});
    assert_eq!(crossed(Form::Cohere, Form::Openai, &cohere).unwrap(), openai);
    let back = json!({"model": "m", "texts": ["a", "b"], "input_type": "search_document",
        "embedding_types": ["float"], "output_dimension": 8});
    assert_eq!(crossed(Form::Openai, Form::Cohere, &openai).unwrap(), back);
    let mixed = json!({"model": "m", "input_type": "clustering",
        "inputs": [{"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]});
    assert_eq!(crossed(Form::Cohere, Form::Openai, &mixed).unwrap()["input"], json!(["ab"]));
}

#[test]
fn what_vectors_are_for_is_said_in_each_ones_words() {
    let check = |from, to, body: Value, field: &str, expect: &str| {
        assert_eq!(crossed(from, to, &body).unwrap()[field], expect, "{body}");
    };
    let openai = |word: &str| json!({"model": "m", "input": "a", "input_type": word});
    check(Form::Openai, Form::Voyage, openai("query"), "input_type", "query");
    check(Form::Openai, Form::Jina, openai("query"), "task", "retrieval.query");
    check(Form::Openai, Form::Cohere, openai("document"), "input_type", "search_document");
    let cohere = json!({"model": "m", "texts": ["a"], "input_type": "search_query"});
    check(Form::Cohere, Form::Voyage, cohere.clone(), "input_type", "query");
    check(Form::Cohere, Form::Jina, cohere, "task", "retrieval.query");
    let gemini = json!({"content": {"parts": [{"text": "a"}]}, "taskType": "CLUSTERING"});
    check(Form::Gemini, Form::Jina, gemini.clone(), "task", "separation");
    let error = crossed(Form::Gemini, Form::Voyage, &gemini).unwrap_err();
    assert!(error.contains("`taskType` can't be sent"), "{error}");
}

#[test]
fn those_that_imitate_openai_get_their_own_words() {
    let body = json!({"model": "m", "input": ["a"], "dimensions": 8, "encoding_format": "base64", "user": "u",
        "truncation": true});
    let voyage = json!({"model": "m", "input": ["a"], "output_dimension": 8, "truncation": true});
    assert_eq!(crossed(Form::Openai, Form::Voyage, &body).unwrap(), voyage);
    let jina = json!({"model": "m", "input": ["a"], "dimensions": 8, "truncation": true});
    assert_eq!(crossed(Form::Openai, Form::Jina, &body).unwrap(), jina);
    for to in [Form::Cohere, Form::Gemini] {
        let error = crossed(Form::Openai, to, &body).unwrap_err();
        assert!(error.contains("`truncation` can't be sent"), "{error}");
    }
}

#[test]
fn what_cohere_alone_has_is_an_error() {
    let check = |field: &str, value: Value, expect: &str| {
        let mut body = json!({"model": "m", "texts": ["a"], "input_type": "search_document"});
        body[field] = value;
        let error = crossed(Form::Cohere, Form::Openai, &body).unwrap_err();
        assert!(error.contains(expect), "{error}");
    };
    check("embedding_types", json!(["int8"]), "`embedding_types[0]` can't be sent");
    check("images", json!(["data:image/png;base64,AA=="]), "`images` can't be sent");
    check("input_type", json!("image"), "`input_type` can't be sent");
    check("truncate", json!("START"), "`truncate` can't be sent");
    check(
        "inputs",
        json!([{"content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]),
        "`inputs[0].content[0]`",
    );
}

#[test]
fn coheres_answers_cross_too() {
    let asked = |types: Value| {
        let body = json!({"model": "m", "texts": ["a"], "input_type": "search_query", "embedding_types": types});
        decode_request(Form::Cohere, body.to_string().as_bytes()).unwrap()
    };
    let voyage =
        br#"{"object":"list","data":[{"embedding":[0.5,-1.0],"index":0}],"model":"e","usage":{"total_tokens":7}}"#;
    let answer = decode(Form::Voyage, voyage).unwrap();
    assert_eq!(usage_of(Form::Voyage, voyage).input_tokens, Some(7));
    let said = encode(Form::Cohere, &answer, &asked(json!(["float", "base64"])));
    let value: Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(value["embeddings"], json!({"float": [[0.5, -1.0]], "base64": ["AAAAPwAAgL8="]}));
    assert_eq!(value["meta"]["billed_units"]["input_tokens"], 7);
    for types in [json!(["float"]), json!(["base64"])] {
        let said = encode(Form::Cohere, &answer, &asked(types));
        let back = decode(Form::Cohere, &said).unwrap();
        assert_eq!((back.vectors, back.usage.input_tokens), (vec![vec![0.5, -1.0]], Some(7)));
    }
    assert!(decode(Form::Cohere, br#"{"embeddings":{"int8":[[1]]}}"#).is_err());
}
