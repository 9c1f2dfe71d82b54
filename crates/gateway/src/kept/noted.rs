//! What requests and answers say of what is kept.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use signalbox_types::{ErrorClass, ProjectId};

use super::Shelf;
use crate::Gateway;
use crate::call::CallError;
use crate::owners::{Kind, Whose};

/// A field, and the thing that it names.
pub(crate) type Named = (&'static str, Kind, String);

/// The response that a request goes on from.
pub(crate) fn previous_response(body: &[u8]) -> Option<Named> {
    #[derive(Deserialize)]
    struct Request {
        previous_response_id: Option<String>,
    }
    let id = serde_json::from_slice::<Request>(body).ok()?.previous_response_id?;
    Some(("previous_response_id", Kind::Response, id))
}

/// Everything that a body which isn't known names by its id, at any depth.
pub(crate) fn named(body: &[u8]) -> Vec<Named> {
    const FIELDS: [(&str, Kind); 9] = [
        ("batch_id", Kind::Batch),
        ("file_id", Kind::File),
        ("file_ids", Kind::File),
        ("input_file_id", Kind::File),
        ("previous_response_id", Kind::Response),
        ("response_id", Kind::Response),
        ("training_file", Kind::File),
        ("training_files", Kind::File),
        ("validation_file", Kind::File),
    ];
    let mut found = Vec::new();
    let mut left: Vec<Value> = serde_json::from_slice(body).into_iter().collect();
    while let Some(value) = left.pop() {
        match value {
            Value::Array(items) => left.extend(items),
            Value::Object(fields) => {
                for (name, value) in fields {
                    let known = FIELDS.iter().find(|(field, _)| *field == name);
                    match (known, value) {
                        (Some((field, kind)), Value::String(id)) => found.push((*field, *kind, id)),
                        (Some((field, kind)), Value::Array(ids)) => {
                            let ids = ids.into_iter().filter_map(|id| id.as_str().map(str::to_owned));
                            found.extend(ids.map(|id| (*field, *kind, id)));
                        }
                        (_, value) => left.push(value),
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The file that a batch is to be made of.
pub(crate) fn input_file(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Request {
        input_file_id: Option<String>,
    }
    serde_json::from_slice::<Request>(body).ok()?.input_file_id
}

/// Notes whose the things are that an answer tells of, and takes out of a list those that are another project's. The
/// answer stays as it is unless something has to go.
///
/// # Errors
/// It is a list that can't be read, so that what is another project's can't be taken out of it.
pub(crate) fn only_theirs(shelf: &Shelf, is_new: bool, body: Bytes, owner: &Owner<'_>) -> Result<Bytes, CallError> {
    if shelf.kind == Kind::Response || shelf.is_content() {
        return Ok(body);
    }
    let mut told = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    if !shelf.is_of_all() || is_new {
        owner.note(shelf.kind, &told);
        return Ok(body);
    }
    let all = match &mut told {
        // Some servers send the bare list.
        Value::Array(all) => Some(all),
        told => told.get_mut("data").and_then(Value::as_array_mut),
    };
    let Some(all) = all else { return if owner.is_only { Ok(body) } else { Err(unlisted(owner.provider)) } };
    let before = all.len();
    all.retain(|one| owner.has(shelf.kind, one));
    if all.len() == before {
        return Ok(body);
    }
    let id = |one: Option<&Value>| one.and_then(|one| one.get("id")).cloned().unwrap_or_default();
    let (first, last) = (id(all.first()), id(all.last()));
    for (name, id) in [("first_id", first), ("last_id", last)] {
        if let Some(field) = told.get_mut(name) {
            *field = id;
        }
    }
    Ok(told.to_string().into())
}

/// Nobody can say what of a list is another project's.
pub(crate) fn unlisted(provider: &str) -> CallError {
    let message = format!(
        "provider `{provider}` sent a list that can't be read, so that what other projects made can't be left out; ask for each by its id"
    );
    CallError::upstream(ErrorClass::UpstreamError, message)
}

/// Who asks, and of whom.
pub(crate) struct Owner<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) project: &'a ProjectId,
    pub(crate) provider: &'a Arc<str>,
    /// All keys are of this project.
    pub(crate) is_only: bool,
}

impl Owner<'_> {
    fn note(&self, kind: Kind, told: &Value) {
        if let Some(id) = told.get("id").and_then(Value::as_str) {
            self.gateway.owners.note(kind, id, self.project, self.provider);
        }
        self.note_results(kind, told);
    }

    /// The provider makes these files; whose batch it is, theirs they are.
    fn note_results(&self, kind: Kind, told: &Value) {
        for field in ["output_file_id", "error_file_id"] {
            if kind == Kind::Batch
                && let Some(id) = told.get(field).and_then(Value::as_str)
            {
                self.gateway.owners.note(Kind::File, id, self.project, self.provider);
            }
        }
    }

    /// One of a list is theirs. With one project, everything is that can't be another one's.
    fn has(&self, kind: Kind, one: &Value) -> bool {
        let Some(id) = one.get("id").and_then(Value::as_str) else { return false };
        let is_theirs = match self.gateway.owners.find(kind, id, self.project) {
            Whose::Yours(provider) => provider == *self.provider,
            Whose::Anothers => false,
            Whose::Unknown => self.is_only,
        };
        if is_theirs {
            self.note_results(kind, one);
        }
        is_theirs
    }
}
