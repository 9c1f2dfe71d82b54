//! Many items into one version. Their bodies are written down while they arrive, so that none of it has to be held
//! in memory; what doesn't become a version goes again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use jsonschema::Validator;

use super::commit::{Action, MAX_ITEMS, Plan, Step, Words, check_message, make};
use super::item::DatasetItem;
use super::manifest::Entry;
use super::{DatasetVersion, find, schema, sql};
use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::resources::key::Principal;

const BATCH_ITEMS: usize = 1_000;
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Imports of this process; what an earlier one left is gone since the start.
static STAGES: AtomicI64 = AtomicI64::new(1);

/// What becomes of items that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImportMode {
    /// They stay unless the import brings the same id.
    #[default]
    Merge,
    /// The version has the import's items and no others, in its order.
    Mirror,
}

/// What an import has come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The version; the head as it was if nothing differs.
    pub version: DatasetVersion,
    /// Items that the import brought.
    pub items: u64,
    /// Items that it brought twice, word for word.
    pub repeated: u64,
}

/// An import under way. Dropped without [`DatasetImport::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct DatasetImport {
    catalog: Catalog,
    by: Principal,
    name: String,
    dataset: i64,
    validator: Option<Validator>,
    stage: i64,
    batch: Vec<DatasetItem>,
    batch_bytes: usize,
    entries: Vec<Entry>,
    places: HashMap<String, usize>,
    repeated: u64,
    staged: bool,
}

impl Catalog {
    /// Begins an import.
    ///
    /// # Errors
    /// There is no such dataset; or the file is in trouble.
    pub async fn import_dataset(&self, by: &Principal, name: &str) -> Result<DatasetImport, CatalogError> {
        let dataset = self.dataset(&by.project, name).await?;
        Ok(DatasetImport {
            catalog: self.clone(),
            by: by.clone(),
            name: dataset.name,
            dataset: dataset.row,
            validator: dataset.schema.as_ref().map(schema::compile).transpose()?,
            stage: STAGES.fetch_add(1, Ordering::Relaxed),
            batch: Vec::new(),
            batch_bytes: 0,
            entries: Vec::new(),
            places: HashMap::new(),
            repeated: 0,
            staged: false,
        })
    }
}

impl DatasetImport {
    /// Takes the next item.
    ///
    /// # Errors
    /// It doesn't satisfy the schema; another one has its id; there are too many; or the file is in trouble.
    pub async fn push(&mut self, item: DatasetItem) -> Result<(), CatalogError> {
        if let Some(&place) = self.places.get(&item.id) {
            if self.entries[place].hash == item.hash {
                self.repeated += 1;
                return Ok(());
            }
            let problem = format!("the id `{}` stands there twice, with different content", item.id);
            return Err(CatalogError::Invalid { field: "id", problem });
        }
        if let Some(validator) = &self.validator {
            schema::check(validator, &item)?;
        }
        if self.entries.len() == MAX_ITEMS {
            let problem = format!("there are more than {MAX_ITEMS}; split the file over several datasets");
            return Err(CatalogError::Invalid { field: "items", problem });
        }
        self.places.insert(item.id.clone(), self.entries.len());
        self.entries.push(Entry::from(&item));
        self.batch_bytes += item.body.len();
        self.batch.push(item);
        if self.batch.len() >= BATCH_ITEMS || self.batch_bytes >= BATCH_BYTES {
            self.write_batch().await?;
        }
        Ok(())
    }

    async fn write_batch(&mut self) -> Result<(), CatalogError> {
        let (batch, project) = (std::mem::take(&mut self.batch), self.by.project.clone());
        (self.batch_bytes, self.staged) = (0, true);
        let to = (self.dataset, self.stage);
        let written = self.catalog.write_aside(move |connection, _| {
            Box::pin(async move {
                let items: Vec<&DatasetItem> = batch.iter().collect();
                Ok(sql::insert_items(connection, &project, to, &items).await?)
            })
        });
        written.await
    }

    /// Makes a version of what came.
    ///
    /// # Errors
    /// As those of [`Catalog::commit_dataset`].
    pub async fn commit(
        mut self,
        branch: &str,
        base: Option<String>,
        message: &str,
        mode: ImportMode,
    ) -> Result<Imported, CatalogError> {
        let message = check_message(message)?;
        self.write_batch().await?;
        let entries = std::mem::take(&mut self.entries);
        let items = entries.len() as u64;
        let plan = match mode {
            ImportMode::Mirror => Plan::Mirror(entries),
            ImportMode::Merge => {
                let order = entries.iter().map(|entry| entry.id.clone()).collect();
                let step = |entry: Entry| (entry.id.clone(), Step { action: Action::Put, entry: Some(entry) });
                Plan::Merge(entries.into_iter().map(step).collect(), order)
            }
        };
        let words = Words { branch: branch.to_owned(), base, message, shares: None };
        let (by, name, stage) = (self.by.clone(), self.name.clone(), self.stage);
        let made = self.catalog.write_aside(move |connection, now| {
            Box::pin(async move {
                let dataset = find(connection, &by.project, &name).await?;
                sql::settle(connection, stage).await?;
                make(connection, &by, now, &dataset, words, plan).await
            })
        });
        let version = made.await?;
        self.staged = false;
        Ok(Imported { version, items, repeated: self.repeated })
    }
}

impl Drop for DatasetImport {
    fn drop(&mut self) {
        if !self.staged {
            return;
        }
        // Without a runtime the process is ending, and the next start does it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (catalog, stage) = (self.catalog.clone(), self.stage);
        runtime.spawn(async move {
            let forgotten = catalog.write_aside(move |connection, _| {
                Box::pin(async move {
                    sql::unstage(connection, stage).await?;
                    Ok(sql::forget_unused(connection).await?)
                })
            });
            if let Err(error) = forgotten.await {
                tracing::warn!(%error, "items of an import that was given up stay until the next start");
            }
        });
    }
}
