//! Queries that run now, so that somebody else than the one who waits can stop them. Who hangs up
//! stops its own: the work is a future, and dropped with the connection.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::header::HeaderName;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use serde::Serialize;
use signalbox_types::{ErrorClass, ProjectId, SpanId, Timestamp};
use tokio::sync::oneshot;

use crate::error::ApiError;
use crate::routes::first_chars;

/// The header by which a caller names its query, and is told the name.
pub(crate) const ID_HEADER: &str = "x-signalbox-query-id";
const ID_CHARS: usize = 64;
const TEXT_CHARS: usize = 200;

/// The language of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QueryKind {
    /// A `Query`.
    Query,
    /// SQL.
    Sql,
}

/// A query that runs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct RunningQuery {
    /// The name its caller gave it, or one of ours.
    id: String,
    kind: QueryKind,
    /// When it began.
    started_at: Timestamp,
    /// The start of it.
    text: String,
}

/// All of them, by project and id.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<BTreeMap<(ProjectId, String), Entry>>);

#[derive(Debug)]
struct Entry {
    shown: RunningQuery,
    cancel: Option<oneshot::Sender<()>>,
}

/// The name of a query, from the header.
#[derive(Debug)]
pub(crate) struct QueryId(String);

impl QueryId {
    pub(crate) fn header(&self) -> [(HeaderName, HeaderValue); 1] {
        let value = HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static(""));
        [(HeaderName::from_static(ID_HEADER), value)]
    }
}

impl<S: Send + Sync> FromRequestParts<S> for QueryId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(ID_HEADER) else { return Ok(Self(SpanId::new().to_string())) };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let id = value.to_str().ok().filter(|id| (1..=ID_CHARS).contains(&id.len()) && id.chars().all(fits));
        let problem = format!("a query's name has 1 to {ID_CHARS} letters, digits, `-`, `_` or `.`");
        id.map(|id| Self(id.to_owned())).ok_or_else(|| ApiError::invalid(ID_HEADER, problem))
    }
}

impl Running {
    /// Does the work, unless it is cancelled before it is done.
    pub(crate) async fn until_cancelled<T>(
        &self,
        project: &ProjectId,
        (id, kind, started_at): (&QueryId, QueryKind, Timestamp),
        text: &str,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let (cancel, cancelled) = oneshot::channel();
        let shown = RunningQuery { id: id.0.clone(), kind, started_at, text: first_chars(text, TEXT_CHARS) };
        let _listed = self.enter((project.clone(), id.0.clone()), Entry { shown, cancel: Some(cancel) })?;
        tokio::select! {
            answer = work => answer,
            Ok(()) = cancelled => {
                let message = format!("the query `{}` was cancelled by `DELETE /api/v1/queries/{0}`", id.0);
                Err(ApiError::new(ErrorClass::Cancelled, message))
            }
        }
    }

    /// What runs in this project, oldest first.
    pub(crate) fn list(&self, project: &ProjectId) -> Vec<RunningQuery> {
        let entries = self.lock();
        let own = entries.iter().filter(|((owner, _), _)| owner == project);
        let mut list: Vec<RunningQuery> = own.map(|(_, entry)| entry.shown.clone()).collect();
        list.sort_by(|left, right| (left.started_at, &left.id).cmp(&(right.started_at, &right.id)));
        list
    }

    /// Cancels it; false if there is none of that name.
    pub(crate) fn cancel(&self, project: &ProjectId, id: &str) -> bool {
        let mut entries = self.lock();
        let Some(entry) = entries.get_mut(&(project.clone(), id.to_owned())) else { return false };
        if let Some(cancel) = entry.cancel.take() {
            // Nobody waiting means that it ends by itself.
            let _ = cancel.send(());
        }
        true
    }

    fn enter(&self, key: (ProjectId, String), entry: Entry) -> Result<Listed<'_>, ApiError> {
        let mut entries = self.lock();
        if entries.contains_key(&key) {
            let error =
                ApiError::invalid(ID_HEADER, format!("a query `{}` is running; give this one another name", key.1));
            return Err(error.status(StatusCode::CONFLICT));
        }
        entries.insert(key.clone(), entry);
        Ok(Listed { running: self, key })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(ProjectId, String), Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// On the list as long as it lives.
struct Listed<'a> {
    running: &'a Running,
    key: (ProjectId, String),
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.running.lock().remove(&self.key);
    }
}
