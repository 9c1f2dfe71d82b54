//! Sorting texts by a question. Most have taken over Cohere's words for it, so that those are the callers', and answers
//! are told in them.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::error::WireError;
use crate::json::{Body, Node, Path};
use crate::registry::Dialect;
use crate::write::Writer;

/// How a provider has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As Cohere's callers say it.
    Cohere,
    /// Voyage: `top_k`, and `data` in the answer.
    Voyage,
}

/// Says a request of Cohere's callers for Voyage.
///
/// # Errors
/// It is none, or asks for what Voyage can't do.
pub fn to_voyage(body: &[u8], model: &str) -> Result<Bytes, WireError> {
    const TEXTS: &str = "a string, or an object with a `text`";
    let body = Body::parse(body)?;
    let root = body.object()?;
    let unsupported = |field: &str, hint: &str| Err(Dialect::OpenaiChat.lacks(field, hint));
    let path = Path::Root.key("documents");
    let mut documents = Vec::new();
    for (index, node) in root.children("documents", Path::Root)?.into_iter().enumerate() {
        let path = path.index(index);
        if node.is_text() {
            documents.push(node.unescape().into_owned());
            continue;
        }
        let fields = node.object(path).map_err(|_| path.invalid(TEXTS, node.kind()))?;
        if fields.iter().any(|(name, _)| name != "text") {
            return unsupported(&path.to_string(), "a document is one text there");
        }
        documents.push(fields.required_text("text", path, TEXTS)?);
    }
    for (name, _) in root.iter().filter(|(_, node)| !node.is_null()) {
        match name {
            "model" | "query" | "documents" | "top_n" | "return_documents" => {}
            // In which order Cohere serves its callers.
            "priority" => {}
            "max_tokens_per_doc" | "max_chunks_per_doc" => {
                return unsupported(name, "how long a document may be is fixed there; leave it out");
            }
            name => return unsupported(name, "it has no counterpart there; leave it out"),
        }
    }
    let query = root.required_text("query", Path::Root, "the question")?;
    let top = root.count("top_n", Path::Root)?;
    let told = root.flag("return_documents", Path::Root)?;
    Writer::try_write(|w| {
        w.field("model", model);
        w.field("query", &query);
        w.field("documents", &documents);
        w.field_if("top_k", top);
        w.field_if("return_documents", told);
        Ok(())
    })
}

/// Says Voyage's answer to Cohere's callers.
///
/// # Errors
/// It is none.
pub fn of_voyage(body: &[u8]) -> Result<Bytes, WireError> {
    let parsed = Body::parse(body)?;
    let root = parsed.object()?;
    let path = Path::Root.key("data");
    let list = root.get("data").ok_or_else(|| path.missing("a list of results"))?.list(path)?;
    let mut results = Vec::new();
    for (index, node) in list.into_iter().enumerate() {
        let path = path.index(index);
        let result = node.object(path)?;
        let score = result.get("relevance_score").and_then(Node::read::<f64>);
        let score = score.ok_or_else(|| path.key("relevance_score").missing("a number"))?;
        let place = result.count("index", path)?.ok_or_else(|| path.key("index").missing("a number"))?;
        results.push((place, score, result.get("document").and_then(Node::read::<Value>)));
    }
    Writer::try_write(|w| {
        w.field("id", root.str("id").as_deref().unwrap_or("unnamed"));
        w.list_field("results", |w| {
            for (place, score, document) in &results {
                w.object(|w| {
                    w.field("index", place);
                    w.field("relevance_score", score);
                    match document {
                        Some(Value::String(text)) => w.object_field("document", |w| w.field("text", text)),
                        other => w.field_if("document", other.as_ref()),
                    }
                });
            }
        });
        w.object_field("meta", |w| {
            w.object_field("api_version", |w| w.field("version", "2"));
            if let Some(tokens) = crate::along::usage(body).input_tokens {
                w.object_field("billed_units", |w| w.field("input_tokens", &tokens));
            }
        });
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(body: &Value) -> Result<Value, String> {
        let bytes = to_voyage(body.to_string().as_bytes(), "rerank-2.5").map_err(|error| error.to_string())?;
        Ok(serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn a_request_is_said_in_voyages_words() {
        let body =
            json!({"model": "voyage/rerank-2.5", "query": "Who?", "documents": ["a", {"text": "b"}], "top_n": 1});
        let expect = json!({"model": "rerank-2.5", "query": "Who?", "documents": ["a", "b"], "top_k": 1});
        assert_eq!(asked(&body).unwrap(), expect);
    }

    #[test]
    fn what_voyage_cannot_do_is_an_error() {
        let check = |field: &str, value: Value, expect: &str| {
            let mut body = json!({"model": "m", "query": "q", "documents": ["a"]});
            body[field] = value;
            let error = asked(&body).unwrap_err();
            assert!(error.contains(expect), "{error}");
        };
        check("max_tokens_per_doc", json!(100), "`max_tokens_per_doc` can't be sent");
        check("rank_fields", json!(["title"]), "`rank_fields` can't be sent");
        check("documents", json!([{"text": "a", "title": "t"}]), "`documents[0]` can't be sent");
        check("documents", json!([1]), "`documents[0]`: expected a string, or an object with a `text`, found a number");
        check("query", Value::Null, "`query` is missing");
    }

    #[test]
    fn an_answer_is_said_in_coheres_words() {
        let body = json!({"object": "list", "model": "rerank-2.5", "usage": {"total_tokens": 26}, "data": [
            {"index": 1, "relevance_score": 0.75, "document": "b"}, {"index": 0, "relevance_score": 0.25}]});
        let said: Value = serde_json::from_slice(&of_voyage(body.to_string().as_bytes()).unwrap()).unwrap();
        let results = json!([{"index": 1, "relevance_score": 0.75, "document": {"text": "b"}},
            {"index": 0, "relevance_score": 0.25}]);
        assert_eq!(said["results"], results);
        assert_eq!(said["meta"]["billed_units"]["input_tokens"], 26);
        assert_eq!(crate::along::usage(said.to_string().as_bytes()).input_tokens, Some(26));
        assert!(of_voyage(b"{}").is_err());
    }
}
