//! Datasets: what is evaluated against. A dataset's versions never change, so that a result stays about the items
//! that it was about; branches and tags are names for versions.
//!
//! Items are kept once a project, whatever number of versions and datasets have them. None of it is part of the
//! snapshot: no call reads it.

mod commit;
mod diff;
mod erase;
mod import;
mod item;
mod manifest;
mod name;
mod read;
mod refs;
mod schema;
mod share;
pub(crate) mod sql;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};
use signalbox_types::{KeyId, ProjectId, Timestamp};
use sqlx::SqliteConnection;

pub use commit::{DatasetCommit, ItemChange, MAX_ITEMS};
pub use diff::{DatasetDiff, DiffEntry, FieldChange};
pub use import::{DatasetImport, ImportMode, Imported};
pub use item::{DatasetItem, MAX_ITEM_BYTES};
pub use read::{ItemFilter, ItemPage, StoredItem};
pub use refs::{DatasetRef, RefKind};
pub use share::Share;

use crate::catalog::Catalog;
use crate::error::{CatalogError, Fault};
use crate::history::{self, Change};
use crate::resources::key::Principal;
use name::check_field;

/// The branch that a dataset begins with.
pub const MAIN: &str = "main";
const MAX_DESCRIPTION_CHARS: usize = 2_000;

/// A dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub(crate) row: i64,
    /// Its name in the project.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// JSON Schema that items must satisfy.
    pub schema: Option<Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The key that made it.
    pub created_by: KeyId,
    /// How many versions it has.
    pub versions: u64,
    /// The head of `main`; `None` while it is empty.
    pub latest: Option<DatasetVersion>,
}

/// A version of a dataset. It never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetVersion {
    pub(crate) seq: i64,
    pub(crate) dataset: i64,
    pub(crate) chunks: Vec<manifest::ChunkRef>,
    /// Its id, made of all that it is: 64 hexadecimal digits.
    pub id: String,
    /// The version that was changed; `None` for a first one.
    pub parent: Option<String>,
    /// The same for versions with the same items in the same order and the same shares.
    pub content: String,
    /// What was changed and why.
    pub message: String,
    /// The key that made it.
    pub author: KeyId,
    /// The name of that key at the time.
    pub author_name: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Splits of items that don't name one.
    pub shares: Vec<Share>,
    /// How many items it has.
    pub items: u64,
    /// How many items each split has, by its name; those without one are under the empty name.
    pub splits: std::collections::BTreeMap<String, u64>,
    /// Items that the parent hasn't.
    pub added: u64,
    /// Items that the parent has with other content.
    pub replaced: u64,
    /// Items that only the parent has.
    pub removed: u64,
}

/// What is to be changed of a dataset.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DatasetChange {
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The schema; `Some(None)` takes it away.
    pub schema: Option<Option<Value>>,
}

impl Catalog {
    /// The datasets of a project, by name.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn datasets(&self, project: &ProjectId) -> Result<Vec<Dataset>, CatalogError> {
        let project = project.clone();
        self.read(move |connection| Box::pin(async move { sql::of_project(connection, &project).await })).await
    }

    /// A dataset.
    ///
    /// # Errors
    /// There is none of that name; or the file is in trouble.
    pub async fn dataset(&self, project: &ProjectId, name: &str) -> Result<Dataset, CatalogError> {
        let (project, wanted) = (project.clone(), name.to_owned());
        let found =
            self.read(move |connection| Box::pin(async move { sql::by_name(connection, &project, &wanted).await }));
        found.await?.ok_or_else(|| unknown(name))
    }

    /// Makes an empty dataset with the branch `main`.
    ///
    /// # Errors
    /// There is one of that name; the name or the schema is none; or the file is in trouble.
    pub async fn create_dataset(
        &self,
        by: &Principal,
        name: &str,
        description: &str,
        schema: Option<Value>,
    ) -> Result<Dataset, CatalogError> {
        check_field("name", name)?;
        let description = check_description(description)?;
        if let Some(schema) = &schema {
            schema::compile(schema)?;
        }
        let (by, name) = (by.clone(), name.to_owned());
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                free(connection, &by.project, &name).await?;
                let mut made = Dataset {
                    row: 0,
                    name,
                    description,
                    schema,
                    created_at: now,
                    created_by: by.key_id.clone(),
                    versions: 0,
                    latest: None,
                };
                made.row = sql::insert(connection, &by.project, &made).await?;
                let main = DatasetRef { name: MAIN.to_owned(), kind: RefKind::Branch, version: None, set_at: now };
                sql::set_ref(connection, made.row, &main).await?;
                record(connection, &by, now, "create", &made.name, None, Some(made.trail())).await?;
                Ok(made)
            })
        })
        .await
    }

    /// Changes what a dataset is called, what it is for, or what its items must satisfy.
    ///
    /// # Errors
    /// There is no such dataset, or one with the new name; the items at the head of `main` don't satisfy the new schema;
    /// or the file is in trouble.
    pub async fn change_dataset(
        &self,
        by: &Principal,
        name: &str,
        change: DatasetChange,
    ) -> Result<Dataset, CatalogError> {
        if let Some(name) = &change.name {
            check_field("name", name)?;
        }
        let description = change.description.as_deref().map(check_description).transpose()?;
        let before = self.dataset(&by.project, name).await?;
        if let Some(Some(schema)) = &change.schema
            && change.schema.as_ref() != Some(&before.schema)
        {
            let validator = schema::compile(schema)?;
            if let Some(latest) = &before.latest {
                self.check_items(&by.project, latest, &validator).await?;
            }
        }
        let by = by.clone();
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                let before = sql::by_name(connection, &by.project, &before.name).await?;
                let before = before.ok_or_else(|| unknown("that was to be changed"))?;
                let mut after = before.clone();
                if let Some(name) = change.name.filter(|name| *name != before.name) {
                    free(connection, &by.project, &name).await?;
                    after.name = name;
                }
                after.description = description.unwrap_or(after.description);
                after.schema = change.schema.unwrap_or(after.schema);
                sql::update(connection, &after).await?;
                record(connection, &by, now, "change", &after.name, Some(before.trail()), Some(after.trail())).await?;
                Ok(after)
            })
        })
        .await
    }

    /// Deletes a dataset with its versions, and the items that no other dataset has.
    ///
    /// # Errors
    /// There is no such dataset; or the file is in trouble.
    pub async fn delete_dataset(&self, by: &Principal, name: &str) -> Result<(), CatalogError> {
        let (by, name) = (by.clone(), name.to_owned());
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                let found = find(connection, &by.project, &name).await?;
                sql::delete(connection, found.row).await?;
                sql::forget_unused(connection).await?;
                record(connection, &by, now, "delete", &name, Some(found.trail()), None).await?;
                Ok(())
            })
        })
        .await
    }
}

impl Dataset {
    /// How history shows it.
    fn trail(&self) -> Value {
        let head = self.latest.as_ref().map(|latest| &latest.id);
        json!({ "name": self.name, "description": self.description, "schema": self.schema, "head": head })
    }
}

/// The dataset of that name, in a change.
async fn find(connection: &mut SqliteConnection, project: &ProjectId, name: &str) -> Result<Dataset, Fault> {
    Ok(sql::by_name(connection, project, name).await?.ok_or_else(|| unknown(name))?)
}

async fn free(connection: &mut SqliteConnection, project: &ProjectId, name: &str) -> Result<(), Fault> {
    if sql::by_name(connection, project, name).await?.is_none() {
        return Ok(());
    }
    Err(CatalogError::Conflict {
        problem: format!("there is a dataset `{name}` already"),
        hint: "choose another name, or add items to that one".to_owned(),
    }
    .into())
}

fn unknown(name: &str) -> CatalogError {
    CatalogError::Unknown {
        problem: format!("there is no dataset `{name}`"),
        hint: "`GET /api/v1/datasets` and `signalbox dataset list` list those of this project".to_owned(),
    }
}

fn check_description(description: &str) -> Result<String, CatalogError> {
    let description = description.trim();
    if description.chars().count() > MAX_DESCRIPTION_CHARS {
        let problem = format!("expected at most {MAX_DESCRIPTION_CHARS} characters");
        return Err(CatalogError::Invalid { field: "description", problem });
    }
    Ok(description.to_owned())
}

async fn record(
    connection: &mut SqliteConnection,
    by: &Principal,
    time: Timestamp,
    action: &str,
    name: &str,
    before: Option<Value>,
    after: Option<Value>,
) -> Result<(), sqlx::Error> {
    let change = Change {
        time,
        actor: Some(by.key_id.clone()),
        resource: "dataset".to_owned(),
        resource_id: name.to_owned(),
        action: action.to_owned(),
        before,
        after,
    };
    history::record(connection, &by.project, &change).await
}
