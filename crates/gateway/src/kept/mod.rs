//! What providers keep: responses, files, batches. They are had, cancelled and deleted by their id, which only the provider
//! knows, and only by the project that made them.

mod noted;
#[cfg(test)]
mod tests;

use http::Method;
use signalbox_wire::Dialect;

pub(crate) use noted::{Owner, input_file, named, only_theirs, previous_response, unlisted};

use crate::owners::Kind;

/// Longer than any id.
const MOST: usize = 256;

/// A path, and what can be asked there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shelf {
    pub(crate) kind: Kind,
    /// What stands behind the id; none if there is no id.
    behind: Option<&'static str>,
    /// For records, messages and metrics: without the id.
    pub(crate) path: &'static str,
    /// What can be asked, and the word for it in the record.
    acts: &'static [(Method, &'static str)],
}

static SHELVES: [Shelf; 9] = [
    Shelf {
        kind: Kind::Response,
        behind: Some(""),
        path: "/v1/responses/{id}",
        acts: &[(Method::GET, "response.retrieve"), (Method::DELETE, "response.delete")],
    },
    Shelf {
        kind: Kind::Response,
        behind: Some("/cancel"),
        path: "/v1/responses/{id}/cancel",
        acts: &[(Method::POST, "response.cancel")],
    },
    Shelf {
        kind: Kind::Response,
        behind: Some("/input_items"),
        path: "/v1/responses/{id}/input_items",
        acts: &[(Method::GET, "response.input_items")],
    },
    Shelf {
        kind: Kind::File,
        behind: None,
        path: "/v1/files",
        acts: &[(Method::POST, "file.upload"), (Method::GET, "file.list")],
    },
    Shelf {
        kind: Kind::File,
        behind: Some(""),
        path: "/v1/files/{id}",
        acts: &[(Method::GET, "file.retrieve"), (Method::DELETE, "file.delete")],
    },
    Shelf {
        kind: Kind::File,
        behind: Some("/content"),
        path: "/v1/files/{id}/content",
        acts: &[(Method::GET, "file.content")],
    },
    Shelf {
        kind: Kind::Batch,
        behind: None,
        path: "/v1/batches",
        acts: &[(Method::POST, "batch.create"), (Method::GET, "batch.list")],
    },
    Shelf { kind: Kind::Batch, behind: Some(""), path: "/v1/batches/{id}", acts: &[(Method::GET, "batch.retrieve")] },
    Shelf {
        kind: Kind::Batch,
        behind: Some("/cancel"),
        path: "/v1/batches/{id}/cancel",
        acts: &[(Method::POST, "batch.cancel")],
    },
];

impl Shelf {
    pub(crate) fn methods(&self) -> impl Iterator<Item = &'static Method> {
        self.acts.iter().map(|(method, _)| method)
    }

    /// The word for the record.
    pub(crate) fn operation(&self, method: &Method) -> &'static str {
        let act = self.acts.iter().find(|(one, _)| one == method);
        act.map_or(self.kind.as_str(), |(_, word)| word)
    }

    /// It is of all things of its kind: to make one, or to list them.
    pub(crate) fn is_of_all(&self) -> bool {
        self.behind.is_none()
    }

    /// A file goes in.
    pub(crate) fn is_upload(&self, method: &Method) -> bool {
        self.kind == Kind::File && self.is_of_all() && method == Method::POST
    }

    /// A batch is made.
    pub(crate) fn makes_batch(&self, method: &Method) -> bool {
        self.kind == Kind::Batch && self.is_of_all() && method == Method::POST
    }

    /// A file comes out.
    pub(crate) fn is_content(&self) -> bool {
        self.behind == Some("/content")
    }

    /// Whose errors its callers understand.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.kind {
            Kind::Response => Dialect::OpenaiResponses,
            Kind::File | Kind::Batch | Kind::Results => Dialect::OpenaiChat,
        }
    }
}

/// What a path asks, and what stands in it behind the path of all things of the kind.
pub(crate) fn find(path: &str) -> Option<(&'static Shelf, Option<String>)> {
    const PATHS: [(Kind, &str); 3] =
        [(Kind::Response, "/v1/responses"), (Kind::File, "/v1/files"), (Kind::Batch, "/v1/batches")];
    PATHS.iter().find_map(|(kind, start)| below(*kind, path.strip_prefix(start)?))
}

/// The same of what stands behind the path of all things of a kind.
pub(crate) fn below(kind: Kind, rest: &str) -> Option<(&'static Shelf, Option<String>)> {
    let mut all = SHELVES.iter().filter(|shelf| shelf.kind == kind);
    if rest.is_empty() {
        return all.find(|shelf| shelf.is_of_all()).map(|shelf| (shelf, None));
    }
    let path = rest.strip_prefix('/')?;
    let (id, behind) = path.split_at_checked(path.find('/').unwrap_or(path.len()))?;
    // It goes into the path of the provider, where other letters may lead elsewhere.
    let is_id = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    if id.is_empty() || id.len() > MOST || !id.chars().all(is_id) {
        return None;
    }
    all.find(|shelf| shelf.behind == Some(behind)).map(|shelf| (shelf, Some(rest.to_owned())))
}

/// The id in what stands behind the path of all things of a kind.
pub(crate) fn id(below: &str) -> Option<&str> {
    below.strip_prefix('/')?.split('/').next().filter(|id| !id.is_empty())
}
