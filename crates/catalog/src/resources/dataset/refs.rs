//! Branches, which move with each change, and tags, which never do.

use signalbox_types::{ProjectId, Timestamp};
use sqlx::SqliteConnection;

use super::commit::check_base;
use super::name::check_reference;
use super::read::{gone, no_reference};
use super::{Dataset, MAIN, record, sql};
use crate::catalog::Catalog;
use crate::error::{CatalogError, Fault};
use crate::resources::key::Principal;

const MAX_REFS: usize = 1_000;

/// What a name for a version may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefKind {
    /// Moves to each new version.
    Branch,
    /// Stays.
    Tag,
}

impl RefKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Tag => "tag",
        }
    }
}

/// A name for a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetRef {
    /// The name; branches and tags share them.
    pub name: String,
    /// Branch or tag.
    pub kind: RefKind,
    /// The version's id; `None` for a branch without any.
    pub version: Option<String>,
    /// When it was last set.
    pub set_at: Timestamp,
}

impl Catalog {
    /// Branches, then tags, by name.
    ///
    /// # Errors
    /// There is no such dataset; or the file is in trouble.
    pub async fn dataset_refs(&self, project: &ProjectId, name: &str) -> Result<Vec<DatasetRef>, CatalogError> {
        let dataset = self.dataset(project, name).await?.row;
        self.read(move |connection| Box::pin(async move { sql::refs(connection, dataset).await })).await
    }

    /// Makes a branch or tag at a version, or moves a branch there. `base` is where the branch was; needed if there is one.
    ///
    /// # Errors
    /// There is no such dataset or version; the tag stands elsewhere; the branch does; the name is none or taken by the
    /// other kind; or the file is in trouble.
    pub async fn set_dataset_ref(
        &self,
        by: &Principal,
        name: &str,
        (kind, reference): (RefKind, &str),
        version: &str,
        base: Option<String>,
    ) -> Result<DatasetRef, CatalogError> {
        check_reference(kind.as_str(), reference)?;
        let version = self.dataset_version(&by.project, name, version).await?.id;
        let (by, name, reference) = (by.clone(), name.to_owned(), reference.to_owned());
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                let dataset = sql::by_name(connection, &by.project, &name).await?.ok_or_else(|| gone(&name))?;
                let known = sql::refs(connection, dataset.row).await?;
                let before = known.iter().find(|known| known.name == reference);
                match before {
                    Some(before) if before.version.as_ref() == Some(&version) && before.kind == kind => {
                        return Ok(before.clone());
                    }
                    Some(before) => may_move(&name, before, kind, base.as_deref())?,
                    None if known.len() >= MAX_REFS => {
                        let problem = format!("there are {MAX_REFS} branches and tags; delete some first");
                        return Err(CatalogError::Invalid { field: kind.as_str(), problem }.into());
                    }
                    None => {}
                }
                let after = DatasetRef { name: reference, kind, version: Some(version), set_at: now };
                sql::set_ref(connection, dataset.row, &after).await?;
                let trail = |one: &DatasetRef| serde_json::json!({ kind.as_str(): one.name, "version": one.version });
                record(connection, &by, now, "point", &name, before.map(trail), Some(trail(&after))).await?;
                Ok(after)
            })
        })
        .await
    }

    /// Deletes a branch or tag. Versions stay.
    ///
    /// # Errors
    /// There is no such dataset, branch or tag; it is `main`; or the file is in trouble.
    pub async fn delete_dataset_ref(
        &self,
        by: &Principal,
        name: &str,
        (kind, reference): (RefKind, &str),
    ) -> Result<(), CatalogError> {
        if reference == MAIN {
            let problem = "`main` stays: it is what is meant when nothing else is said".to_owned();
            return Err(CatalogError::Invalid { field: kind.as_str(), problem });
        }
        let (by, name, reference) = (by.clone(), name.to_owned(), reference.to_owned());
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                let dataset = sql::by_name(connection, &by.project, &name).await?.ok_or_else(|| gone(&name))?;
                let before = find(connection, &dataset, &reference, kind).await?;
                sql::delete_ref(connection, dataset.row, &reference).await?;
                let trail = serde_json::json!({ kind.as_str(): before.name, "version": before.version });
                record(connection, &by, now, "forget", &name, Some(trail), None).await?;
                Ok(())
            })
        })
        .await
    }
}

fn may_move(dataset: &str, before: &DatasetRef, kind: RefKind, base: Option<&str>) -> Result<(), CatalogError> {
    if before.kind != kind {
        let problem = format!("there is a {} `{}` already", before.kind.as_str(), before.name);
        return Err(CatalogError::Conflict { problem, hint: "choose another name".to_owned() });
    }
    if kind == RefKind::Tag {
        let problem = format!("the tag `{}` is on another version, and tags don't move", before.name);
        let hint = "choose another name, or delete the tag first".to_owned();
        return Err(CatalogError::Conflict { problem, hint });
    }
    if base.is_none() && before.version.is_some() {
        let problem = "expected the version that the branch is at, because it is moved".to_owned();
        return Err(CatalogError::Invalid { field: "base", problem });
    }
    check_base(dataset, before, base)
}

/// The branch or tag of that name.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    dataset: &Dataset,
    name: &str,
    kind: RefKind,
) -> Result<DatasetRef, Fault> {
    let known = sql::refs(connection, dataset.row).await?;
    let found = known.into_iter().find(|known| known.name == name && known.kind == kind);
    Ok(found.ok_or_else(|| no_reference(&dataset.name, name))?)
}
