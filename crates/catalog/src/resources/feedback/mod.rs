//! What people say of the guardrails' findings: a false alarm, or a text in which something was missed.

#[cfg(test)]
mod tests;

use signalbox_types::{KeyId, ProjectId, Timestamp};
use sqlx::{Row as _, SqliteConnection};

use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::resources::key::Principal;

const MAX_TEXT_BYTES: usize = 64 * 1024;
const MAX_NOTE_CHARS: usize = 2_000;

/// What is said of a finding, or of a text without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// `false_positive` or `missed`.
    pub label: String,
    /// The scanner that is meant.
    pub scanner: String,
    /// Its rule, if it found something.
    pub rule: Option<String>,
    /// The text that was looked at.
    pub text: String,
    /// What else is to be said.
    pub note: Option<String>,
    /// Where it came up.
    pub trace_id: Option<String>,
}

/// The same, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFeedback {
    /// Its number.
    pub id: i64,
    /// When it was said.
    pub time: Timestamp,
    /// The key that said it.
    pub actor: KeyId,
    /// What was said.
    pub said: Feedback,
}

impl Catalog {
    /// Keeps what somebody says.
    ///
    /// # Errors
    /// The text is empty or too long, or the note is; or the file is in trouble.
    pub async fn keep_feedback(&self, by: &Principal, said: Feedback) -> Result<KeptFeedback, CatalogError> {
        if said.text.trim().is_empty() || said.text.len() > MAX_TEXT_BYTES {
            let problem = format!("expected 1 to {MAX_TEXT_BYTES} bytes, found {}", said.text.len());
            return Err(CatalogError::Invalid { field: "text", problem });
        }
        if said.note.as_ref().is_some_and(|note| note.chars().count() > MAX_NOTE_CHARS) {
            let problem = format!("expected at most {MAX_NOTE_CHARS} characters");
            return Err(CatalogError::Invalid { field: "note", problem });
        }
        let by = by.clone();
        self.write(move |connection, time| {
            Box::pin(async move {
                let statement =
                    "INSERT INTO guard_feedback (project_id, time, actor, label, scanner, rule, text, note, trace_id)
                                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
                let done = sqlx::query(statement)
                    .bind(by.project.as_str())
                    .bind(time.as_micros())
                    .bind(by.key_id.as_str())
                    .bind(&said.label)
                    .bind(&said.scanner)
                    .bind(&said.rule)
                    .bind(&said.text)
                    .bind(&said.note)
                    .bind(&said.trace_id)
                    .execute(connection)
                    .await?;
                Ok(KeptFeedback { id: done.last_insert_rowid(), time, actor: by.key_id, said })
            })
        })
        .await
    }

    /// What was said in a project, the latest first.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn feedback(&self, project: &ProjectId, limit: u32) -> Result<Vec<KeptFeedback>, CatalogError> {
        let project = project.clone();
        self.read(move |connection| Box::pin(async move { of_project(connection, &project, limit).await })).await
    }

    /// Forgets what was said; `false` if nobody said it in this project.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn forget_feedback(&self, by: &Principal, id: i64) -> Result<bool, CatalogError> {
        let project = by.project.clone();
        self.write(move |connection, _| {
            Box::pin(async move {
                let statement = "DELETE FROM guard_feedback WHERE project_id = ? AND id = ?";
                let done = sqlx::query(statement).bind(project.as_str()).bind(id).execute(connection).await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }
}

async fn of_project(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    limit: u32,
) -> Result<Vec<KeptFeedback>, sqlx::Error> {
    let statement = "SELECT id, time, actor, label, scanner, rule, text, note, trace_id
                     FROM guard_feedback WHERE project_id = ? ORDER BY id DESC LIMIT ?";
    let rows = sqlx::query(statement).bind(project.as_str()).bind(limit).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(KeptFeedback {
                id: row.try_get("id")?,
                time: Timestamp::from_micros(row.try_get("time")?),
                actor: KeyId::new(row.try_get::<&str, _>("actor")?),
                said: Feedback {
                    label: row.try_get("label")?,
                    scanner: row.try_get("scanner")?,
                    rule: row.try_get("rule")?,
                    text: row.try_get("text")?,
                    note: row.try_get("note")?,
                    trace_id: row.try_get("trace_id")?,
                },
            })
        })
        .collect()
}
