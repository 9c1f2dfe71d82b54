//! Makes the next version of a branch: all of the change, or nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::json;
use signalbox_types::Timestamp;
use sqlx::SqliteConnection;

use super::item::{DatasetItem, Hash, hex};
use super::manifest::{Chunk, ChunkRef, Chunker, Entry};
use super::name::MIN_VERSION_DIGITS;
use super::share::Share;
use super::{Dataset, DatasetRef, DatasetVersion, RefKind, find, record, refs, schema, sql};
use crate::catalog::Catalog;
use crate::error::{CatalogError, Fault};
use crate::resources::key::Principal;

/// A version has at most so many items.
pub const MAX_ITEMS: usize = 1_000_000;
const MAX_MESSAGE_CHARS: usize = 2_000;
/// Of the id of a version, where people read it.
const SHOWN_DIGITS: usize = 12;

/// What is done to one item.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemChange {
    /// It must not be there with other content.
    Add(DatasetItem),
    /// It must be there.
    Replace(DatasetItem),
    /// Whether or not it is there.
    Put(DatasetItem),
    /// If it isn't there; what is there stays.
    Offer(DatasetItem),
    /// The item of this id must be there, and goes.
    Remove(String),
}

/// A change to a branch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DatasetCommit {
    /// The branch; its head is what is changed.
    pub branch: String,
    /// The version that the caller has seen. Needed to replace and remove; otherwise, if absent, the head is changed,
    /// whatever it is.
    pub base: Option<String>,
    /// What is changed and why; made of the numbers if it is empty.
    pub message: String,
    /// At most one for each item. New items come after those that are there.
    pub changes: Vec<ItemChange>,
    /// Splits of items that don't name one; as they were if absent.
    pub shares: Option<Vec<Share>>,
}

/// What becomes of the list of items.
pub(super) enum Plan {
    /// Changes by id, and the ids in the order of the request.
    Merge(HashMap<String, Step>, Vec<String>),
    /// The whole list.
    Mirror(Vec<Entry>),
}

pub(super) struct Step {
    pub(super) action: Action,
    pub(super) entry: Option<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Add,
    Replace,
    Put,
    Offer,
    Remove,
}

/// What a version says beside its items.
pub(super) struct Words {
    pub(super) branch: String,
    pub(super) base: Option<String>,
    pub(super) message: String,
    pub(super) shares: Option<Vec<Share>>,
}

impl Catalog {
    /// Makes the next version of a branch. If nothing differs from its head, that is the answer.
    ///
    /// # Errors
    /// There is no such dataset or branch; the head isn't `base` any more; an item is missing, there already or not
    /// what the schema wants; there would be too many; or the file is in trouble.
    pub async fn commit_dataset(
        &self,
        by: &Principal,
        name: &str,
        commit: DatasetCommit,
    ) -> Result<DatasetVersion, CatalogError> {
        let DatasetCommit { branch, base, message, changes, shares } = commit;
        let words = Words { branch, base, message: check_message(&message)?, shares };
        if let Some(shares) = &words.shares {
            Share::check(shares)?;
        }
        let dataset = self.dataset(&by.project, name).await?;
        let validator = dataset.schema.as_ref().map(schema::compile).transpose()?;
        let mut items = Vec::new();
        let (mut steps, mut order) = (HashMap::with_capacity(changes.len()), Vec::with_capacity(changes.len()));
        for change in changes {
            let (action, id, item) = match change {
                ItemChange::Add(item) => (Action::Add, item.id.clone(), Some(item)),
                ItemChange::Replace(item) => (Action::Replace, item.id.clone(), Some(item)),
                ItemChange::Put(item) => (Action::Put, item.id.clone(), Some(item)),
                ItemChange::Offer(item) => (Action::Offer, item.id.clone(), Some(item)),
                ItemChange::Remove(id) => (Action::Remove, id, None),
            };
            if let (Some(item), Some(validator)) = (&item, &validator) {
                schema::check(validator, item)?;
            }
            if words.base.is_none() && matches!(action, Action::Replace | Action::Remove) {
                let problem = "expected the version that you have looked at, because items are replaced or removed";
                return Err(CatalogError::Invalid { field: "base", problem: problem.to_owned() });
            }
            order.push(id.clone());
            let entry = item.as_ref().map(Entry::from);
            if steps.insert(id.clone(), Step { action, entry }).is_some() {
                let problem = format!("the item `{id}` is changed twice; expected one change for each item");
                return Err(CatalogError::Invalid { field: "items", problem });
            }
            items.extend(item);
        }
        let (by, name) = (by.clone(), name.to_owned());
        self.write_aside(move |connection, now| {
            Box::pin(async move {
                let dataset = find(connection, &by.project, &name).await?;
                let kept: Vec<&DatasetItem> = items.iter().collect();
                sql::insert_items(connection, &by.project, (dataset.row, 0), &kept).await?;
                make(connection, &by, now, &dataset, words, Plan::Merge(steps, order)).await
            })
        })
        .await
    }
}

impl From<&DatasetItem> for Entry {
    fn from(item: &DatasetItem) -> Self {
        Self { id: item.id.clone(), hash: item.hash, split: item.split.clone() }
    }
}

pub(super) fn check_message(message: &str) -> Result<String, CatalogError> {
    let message = message.trim();
    if message.chars().count() > MAX_MESSAGE_CHARS {
        let problem = format!("expected at most {MAX_MESSAGE_CHARS} characters");
        return Err(CatalogError::Invalid { field: "message", problem });
    }
    Ok(message.to_owned())
}

/// Writes the version down and moves the branch to it.
pub(super) async fn make(
    connection: &mut SqliteConnection,
    by: &Principal,
    now: Timestamp,
    dataset: &Dataset,
    words: Words,
    plan: Plan,
) -> Result<DatasetVersion, Fault> {
    let branch = refs::find(connection, dataset, &words.branch, RefKind::Branch).await?;
    let parent = match &branch.version {
        Some(head) => sql::version(connection, dataset.row, head).await?,
        None => None,
    };
    check_base(&dataset.name, &branch, words.base.as_deref())?;
    let shares = words.shares.or_else(|| parent.as_ref().map(|parent| parent.shares.clone())).unwrap_or_default();
    let mut draft = Draft::new(dataset.row, parent.as_ref(), shares);
    match plan {
        Plan::Merge(steps, order) => merge(connection, &mut draft, parent.as_ref(), steps, order).await?,
        Plan::Mirror(list) => mirror(connection, &mut draft, parent.as_ref(), list).await?,
    }
    let content = draft.finish(connection).await?;
    if let Some(parent) = parent.as_ref().filter(|parent| parent.content == content) {
        return Ok(parent.clone());
    }
    let message = if words.message.is_empty() { draft.message() } else { words.message };
    let parent = parent.map(|parent| parent.id);
    let said = json!([content, parent, message, by.key_id.as_str(), by.key_name, now.as_micros()]);
    let mut made = DatasetVersion {
        seq: 0,
        dataset: dataset.row,
        chunks: draft.chunks,
        id: blake3::hash(said.to_string().as_bytes()).to_string(),
        parent,
        content,
        message,
        author: by.key_id.clone(),
        author_name: by.key_name.clone(),
        made_at: now,
        shares: draft.shares,
        items: draft.items,
        splits: draft.splits,
        added: draft.added,
        replaced: draft.replaced,
        removed: draft.removed,
    };
    made.seq = sql::insert_version(connection, &made).await?;
    sql::set_ref(connection, dataset.row, &DatasetRef { version: Some(made.id.clone()), set_at: now, ..branch })
        .await?;
    let after = json!({ "version": made.id, "branch": words.branch, "message": made.message, "items": made.items,
        "added": made.added, "replaced": made.replaced, "removed": made.removed });
    record(connection, by, now, "commit", &dataset.name, None, Some(after)).await?;
    Ok(made)
}

pub(super) fn check_base(dataset: &str, branch: &DatasetRef, base: Option<&str>) -> Result<(), CatalogError> {
    let Some(base) = base else { return Ok(()) };
    let head = branch.version.as_deref().unwrap_or_default();
    let same = if base.is_empty() || head.is_empty() {
        base == head
    } else {
        base.len() >= MIN_VERSION_DIGITS && head.starts_with(&base.to_ascii_lowercase())
    };
    if same {
        return Ok(());
    }
    let shown = |version: &str| match version.get(..SHOWN_DIGITS).unwrap_or(version) {
        "" => "no version".to_owned(),
        digits => format!("version {digits}"),
    };
    let hint = format!(
        "see what has changed (`GET /api/v1/datasets/{dataset}/diff?from={base}&to={}`), then send your change again with `base` set to `{head}`",
        branch.name
    );
    let problem = format!("`{}` is at {} by now, and the change was made to {}", branch.name, shown(head), shown(base));
    Err(CatalogError::Conflict { problem, hint })
}

async fn merge(
    connection: &mut SqliteConnection,
    draft: &mut Draft,
    parent: Option<&DatasetVersion>,
    mut steps: HashMap<String, Step>,
    order: Vec<String>,
) -> Result<(), Fault> {
    for chunk in parent.map_or(&[][..], |parent| &parent.chunks) {
        for entry in sql::entries(connection, draft.dataset, chunk).await? {
            let Some(step) = steps.remove(&entry.id) else {
                draft.push(connection, entry).await?;
                continue;
            };
            let Some(new) = step.entry else {
                draft.removed += 1;
                continue;
            };
            if step.action == Action::Offer {
                draft.push(connection, entry).await?;
                continue;
            }
            if new.hash != entry.hash {
                if step.action == Action::Add {
                    let hint = "leave it out, replace it, or give the new one another `id`".to_owned();
                    let problem = format!("there is an item `{}` with other content already", entry.id);
                    return Err(CatalogError::Conflict { problem, hint }.into());
                }
                draft.replaced += 1;
            }
            draft.push(connection, new).await?;
        }
    }
    for id in order {
        match steps.remove(&id) {
            None => {}
            Some(Step { action: Action::Add | Action::Put | Action::Offer, entry: Some(entry) }) => {
                draft.added += 1;
                draft.push(connection, entry).await?;
            }
            Some(_) => {
                let hint = "leave it out, or add it instead".to_owned();
                return Err(CatalogError::Unknown { problem: format!("there is no item `{id}` in it"), hint }.into());
            }
        }
    }
    Ok(())
}

async fn mirror(
    connection: &mut SqliteConnection,
    draft: &mut Draft,
    parent: Option<&DatasetVersion>,
    list: Vec<Entry>,
) -> Result<(), Fault> {
    let hashes: HashMap<&str, &Hash> = list.iter().map(|entry| (entry.id.as_str(), &entry.hash)).collect();
    let mut kept = 0;
    for chunk in parent.map_or(&[][..], |parent| &parent.chunks) {
        for entry in sql::entries(connection, draft.dataset, chunk).await? {
            match hashes.get(entry.id.as_str()) {
                None => draft.removed += 1,
                Some(hash) => {
                    kept += 1;
                    draft.replaced += u64::from(**hash != entry.hash);
                }
            }
        }
    }
    draft.added = list.len() as u64 - kept;
    for entry in list {
        draft.push(connection, entry).await?;
    }
    Ok(())
}

/// A version while its list is written.
struct Draft {
    dataset: i64,
    chunker: Chunker,
    /// Chunks of the parent, which needn't be written again.
    known: HashSet<Hash>,
    chunks: Vec<ChunkRef>,
    shares: Vec<Share>,
    items: u64,
    splits: BTreeMap<String, u64>,
    added: u64,
    replaced: u64,
    removed: u64,
}

impl Draft {
    fn new(dataset: i64, parent: Option<&DatasetVersion>, shares: Vec<Share>) -> Self {
        Self {
            dataset,
            chunker: Chunker::default(),
            known: parent.map_or(&[][..], |parent| &parent.chunks).iter().map(|chunk| chunk.hash).collect(),
            chunks: Vec::new(),
            shares,
            items: 0,
            splits: BTreeMap::new(),
            added: 0,
            replaced: 0,
            removed: 0,
        }
    }

    async fn push(&mut self, connection: &mut SqliteConnection, entry: Entry) -> Result<(), Fault> {
        self.items += 1;
        if self.items > MAX_ITEMS as u64 {
            let problem = format!("there would be more than {MAX_ITEMS} items; expected at most so many in a version");
            return Err(CatalogError::Invalid { field: "items", problem }.into());
        }
        let split = entry.split_in(&self.shares).unwrap_or_default();
        match self.splits.get_mut(split) {
            Some(count) => *count += 1,
            None => drop(self.splits.insert(split.to_owned(), 1)),
        }
        let chunk = self.chunker.push(&entry);
        self.keep(connection, chunk).await
    }

    async fn keep(&mut self, connection: &mut SqliteConnection, chunk: Option<Chunk>) -> Result<(), Fault> {
        let Some(chunk) = chunk else { return Ok(()) };
        self.chunks.push(chunk.of);
        if !self.known.contains(&chunk.of.hash) {
            sql::insert_chunk(connection, self.dataset, &chunk).await?;
        }
        Ok(())
    }

    /// The hash of all items and shares.
    async fn finish(&mut self, connection: &mut SqliteConnection) -> Result<String, Fault> {
        let chunk = self.chunker.finish();
        self.keep(connection, chunk).await?;
        let mut content = blake3::Hasher::new();
        for chunk in &self.chunks {
            content.update(&chunk.hash);
        }
        if !self.shares.is_empty() {
            content.update(json!(self.shares).to_string().as_bytes());
        }
        Ok(hex(content.finalize().as_bytes()))
    }

    fn message(&self) -> String {
        let parts = [("Add", self.added), ("Replace", self.replaced), ("Remove", self.removed)];
        let said = parts.iter().filter(|(_, count)| *count > 0);
        let said: Vec<String> = said
            .enumerate()
            .map(|(i, (verb, count))| {
                let verb = if i == 0 { (*verb).to_owned() } else { verb.to_lowercase() };
                format!("{verb} {count} item{}", if *count == 1 { "" } else { "s" })
            })
            .collect();
        if said.is_empty() { "Change the order or the splits".to_owned() } else { said.join(", ") }
    }
}
