//! What requests and answers say of what is kept.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use signalbox_types::ProjectId;

use super::Shelf;
use crate::Gateway;
use crate::owners::{Kind, Whose};

/// The response that a request goes on from.
pub(crate) fn previous_response(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Request {
        previous_response_id: Option<String>,
    }
    serde_json::from_slice::<Request>(body).ok()?.previous_response_id
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
pub(crate) fn only_theirs(shelf: &Shelf, is_new: bool, body: Bytes, owner: &Owner<'_>) -> Bytes {
    if shelf.kind == Kind::Response || shelf.is_content() {
        return body;
    }
    let Ok(mut told) = serde_json::from_slice::<Value>(&body) else { return body };
    if !shelf.is_of_all() || is_new {
        owner.note(shelf.kind, &told);
        return body;
    }
    let Some(all) = told.get_mut("data").and_then(Value::as_array_mut) else { return body };
    let before = all.len();
    all.retain(|one| owner.has(shelf.kind, one));
    if all.len() == before {
        return body;
    }
    let id = |one: Option<&Value>| one.and_then(|one| one.get("id")).cloned().unwrap_or_default();
    let (first, last) = (id(all.first()), id(all.last()));
    for (name, id) in [("first_id", first), ("last_id", last)] {
        if let Some(field) = told.get_mut(name) {
            *field = id;
        }
    }
    told.to_string().into()
}

/// Who asks, and of whom.
pub(crate) struct Owner<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) project: &'a ProjectId,
    pub(crate) provider: &'a Arc<str>,
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
            Whose::Unknown => self.gateway.catalog.has_one_project(),
        };
        if is_theirs {
            self.note_results(kind, one);
        }
        is_theirs
    }
}
