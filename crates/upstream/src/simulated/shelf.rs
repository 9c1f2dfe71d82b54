//! Files and batches, as OpenAI keeps them: the latest hundred, and a batch is done as soon as it is asked for.

use std::collections::VecDeque;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::along::Form;
use super::openai::CREATED;
use super::text::{Digest, estimate};

/// So many things are kept.
const MOST: usize = 100;
pub(crate) const FILES: &str = "/files";
pub(crate) const BATCHES: &str = "/batches";

#[derive(Debug, Default)]
pub(crate) struct Shelf {
    files: Mutex<VecDeque<File>>,
    batches: Mutex<VecDeque<Value>>,
}

#[derive(Debug, Clone)]
struct File {
    id: String,
    object: Value,
    content: Bytes,
}

/// What is answered: an object, the content of a file, or why not.
pub(crate) enum Taken {
    Object(Value),
    Content(Bytes),
    Refused(u16, String),
}

/// Whether a path is of a file or a batch.
pub(crate) fn is_on(path: &str) -> bool {
    [FILES, BATCHES].iter().any(|of| path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

impl Shelf {
    /// `path` without a version; `query` may say `limit` and `after`.
    pub(crate) fn ask(&self, method: &Method, path: &str, query: &str, headers: &HeaderMap, body: &Bytes) -> Taken {
        let mut steps = path.split('/').skip(1);
        let (of, id, what) = (steps.next().unwrap_or_default(), steps.next(), steps.next());
        match (method.as_str(), of, id, what) {
            ("POST", "files", None, None) => self.upload(headers, body),
            ("POST", "batches", None, None) => self.batch(body),
            ("GET", "files", None, None) => {
                let all = self.files.lock().iter().rev().map(|file| file.object.clone()).collect();
                Taken::Object(page(all, query))
            }
            ("GET", "batches", None, None) => {
                Taken::Object(page(self.batches.lock().iter().rev().cloned().collect(), query))
            }
            ("GET", "files", Some(id), None) => self.with_file(id, |file| Taken::Object(file.object.clone())),
            ("GET", "files", Some(id), Some("content")) => {
                self.with_file(id, |file| Taken::Content(file.content.clone()))
            }
            ("DELETE", "files", Some(id), None) => {
                let taken =
                    self.with_file(id, |file| Taken::Object(json!({"id": file.id, "object": "file", "deleted": true})));
                self.files.lock().retain(|file| file.id != id);
                taken
            }
            ("GET", "batches", Some(id), None) => self.with_batch(id, |batch| batch.clone()),
            ("POST", "batches", Some(id), Some("cancel")) => self.with_batch(id, |batch| {
                batch["status"] = json!("cancelled");
                batch.clone()
            }),
            _ => Taken::Refused(404, format!("nothing at {path} for {method}")),
        }
    }

    fn with_file(&self, id: &str, take: impl FnOnce(&File) -> Taken) -> Taken {
        let files = self.files.lock();
        files.iter().find(|file| file.id == id).map_or_else(|| missing("File", id), take)
    }

    fn with_batch(&self, id: &str, take: impl FnOnce(&mut Value) -> Value) -> Taken {
        let mut batches = self.batches.lock();
        let batch = batches.iter_mut().find(|batch| batch["id"] == id);
        batch.map_or_else(|| missing("Batch", id), |batch| Taken::Object(take(batch)))
    }

    fn upload(&self, headers: &HeaderMap, body: &Bytes) -> Taken {
        let form = match Form::read(headers.get(CONTENT_TYPE), body) {
            Ok(form) => form,
            Err(message) => return Taken::Refused(400, message),
        };
        match (form.field("purpose"), form.field("file")) {
            (Some(purpose), Some(file)) => {
                let name = form.filename("file").unwrap_or("file");
                let file = self.put(name, purpose, Bytes::copy_from_slice(file.as_bytes()));
                Taken::Object(file)
            }
            (None, _) => Taken::Refused(400, "purpose: it is missing".to_owned()),
            (_, None) => Taken::Refused(400, "file: it is missing".to_owned()),
        }
    }

    fn put(&self, name: &str, purpose: &str, content: Bytes) -> Value {
        let mut files = self.files.lock();
        let mut digest = Digest::new(files.len() as u64);
        digest.add(name);
        digest.add(&String::from_utf8_lossy(&content));
        let id = format!("file-{:016x}", digest.finish());
        let object = json!({
            "id": id, "object": "file", "bytes": content.len(), "created_at": CREATED, "filename": name,
            "purpose": purpose, "status": "processed",
        });
        if files.len() == MOST {
            files.pop_front();
        }
        files.push_back(File { id, object: object.clone(), content });
        object
    }

    fn batch(&self, body: &[u8]) -> Taken {
        let Ok(asked) = serde_json::from_slice::<Value>(body) else {
            return Taken::Refused(400, "invalid request: no JSON".to_owned());
        };
        let input = asked["input_file_id"].as_str().unwrap_or_default().to_owned();
        let found = self.files.lock().iter().find(|file| file.id == input).cloned();
        let Some(file) = found else { return missing("File", &input) };
        let text = String::from_utf8_lossy(&file.content).into_owned();
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let answers: String = lines.iter().enumerate().map(|(place, line)| answered(place, line)).collect();
        let output = self.put("output.jsonl", "batch_output", answers.into());
        let mut batches = self.batches.lock();
        let batch = json!({
            "id": format!("batch_{:08x}", batches.len() + 1), "object": "batch", "endpoint": asked["endpoint"],
            "errors": null, "input_file_id": input, "completion_window": asked["completion_window"],
            "status": "completed", "output_file_id": output["id"], "error_file_id": null, "created_at": CREATED,
            "request_counts": {"total": lines.len(), "completed": lines.len(), "failed": 0},
            "metadata": asked["metadata"],
        });
        if batches.len() == MOST {
            batches.pop_front();
        }
        batches.push_back(batch.clone());
        Taken::Object(batch)
    }
}

fn missing(what: &str, id: &str) -> Taken {
    Taken::Refused(404, format!("No such {what} object: {id}"))
}

fn page(all: Vec<Value>, query: &str) -> Value {
    let parameter = |name: &str| {
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let limit = parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20);
    let start = match parameter("after") {
        Some(after) => all.iter().position(|one| one["id"] == after).map_or(all.len(), |place| place + 1),
        None => 0,
    };
    let data: Vec<&Value> = all.iter().skip(start).take(limit).collect();
    json!({
        "object": "list", "data": data, "has_more": start + data.len() < all.len(),
        "first_id": data.first().map(|one| &one["id"]), "last_id": data.last().map(|one| &one["id"]),
    })
}

fn answered(place: usize, line: &Value) -> String {
    let content = format!("The answer to line {}.", place + 1);
    let tokens = estimate(content.len());
    let body = json!({
        "id": format!("chatcmpl-{place}"), "object": "chat.completion", "created": CREATED, "model": line["body"]["model"],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": tokens, "total_tokens": 9 + tokens},
    });
    let response = json!({"status_code": 200, "request_id": format!("req_{place}"), "body": body});
    let line = json!({"id": format!("batch_req_{place}"), "custom_id": line["custom_id"], "response": response, "error": null});
    format!("{line}\n")
}
