//! The items of a suite: of files, of a stored dataset, of what was recorded.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use http_body_util::{BodyExt as _, Limited};
use serde_json::json;
use signalbox_evals::suite::{DatasetConfig, Format, Item, Suite, TracesConfig, content_hash, read_items};
use signalbox_types::Filter;

use super::parquet;
use crate::commands::export::encoded;
use crate::remote::{At, Remote};

/// A version of a dataset that is larger comes as a file (`signalbox dataset pull`).
const LARGEST_DATASET: usize = 1 << 30;

/// All items, and the version of a stored dataset if they are all of one.
pub(super) struct Items {
    pub(super) all: Vec<Item>,
    pub(super) dataset: Option<String>,
}

/// What a row of `datasets` has.
struct Had {
    bytes: Vec<u8>,
    dataset: Option<String>,
}

impl Items {
    /// Those of all datasets; the suite's fingerprint takes their content in.
    pub(super) fn of(suite: &mut Suite, folder: &Path, at: &At, limit: Option<usize>) -> anyhow::Result<Self> {
        let mut all: Vec<Item> = Vec::new();
        let mut content = suite.fingerprint.clone();
        let mut versions = Vec::new();
        for (number, dataset) in suite.datasets.iter().enumerate() {
            let had = had(dataset, folder, at).with_context(|| format!("`datasets[{number}]` can't be read"))?;
            content.push_str(&content_hash(&had.bytes));
            let items =
                read_items(&had.bytes, dataset).map_err(|problem| anyhow!("`datasets[{number}]`: {problem}"))?;
            all.extend(items);
            versions.push(had.dataset);
        }
        suite.fingerprint = content_hash(content.as_bytes());
        all.truncate(limit.unwrap_or(usize::MAX));
        if all.is_empty() {
            bail!("the datasets have no items");
        }
        let mut seen = HashSet::new();
        if let Some(twice) = all.iter().find(|item| !seen.insert(item.id.as_str())) {
            bail!(
                "two items have the id `{}`; items are paired by it, so each needs its own (`datasets[].id` names the column)",
                twice.id
            );
        }
        let dataset = match versions.as_mut_slice() {
            [only] => only.take(),
            _ => None,
        };
        Ok(Self { all, dataset })
    }
}

fn had(config: &DatasetConfig, folder: &Path, at: &At) -> anyhow::Result<Had> {
    if let Some(path) = &config.path {
        let path = folder.join(path);
        let bytes = std::fs::read(&path).with_context(|| format!("can't read `{}`", path.display()))?;
        let bytes = match config.format().map_err(anyhow::Error::msg)? {
            Format::Parquet => parquet::as_lines(bytes)?,
            Format::Jsonl | Format::Csv => bytes,
        };
        return Ok(Had { bytes, dataset: None });
    }
    let remote = at.remote()?;
    crate::commands::block_on(async {
        match (&config.dataset, &config.traces) {
            (Some(dataset), _) => stored(&remote, dataset, config.split.as_deref()).await,
            (None, Some(traces)) => recorded(&remote, traces).await,
            (None, None) => bail!("it names nothing"),
        }
    })
}

/// A version as JSON lines, and its name with all digits: a branch may move on while the suite runs.
async fn stored(remote: &Remote, dataset: &str, split: Option<&str>) -> anyhow::Result<Had> {
    let (name, reference) = dataset.split_once('@').unwrap_or((dataset, "main"));
    let mut path = format!("/api/v1/datasets/{}/export?format=jsonl&version={}", encoded(name), encoded(reference));
    if let Some(split) = split {
        path.push_str(&format!("&split={}", encoded(split)));
    }
    let answer = remote.get(&path).await?;
    let version = answer.headers().get("x-signalbox-dataset-version").and_then(|version| version.to_str().ok());
    let dataset = version.map(|version| format!("{name}@{version}"));
    #[expect(clippy::disallowed_methods, reason = "the body is limited")]
    let body = Limited::new(answer.into_body(), LARGEST_DATASET).collect().await;
    let body = body.map_err(|error| anyhow!("the dataset broke off: {error}"))?;
    Ok(Had { bytes: body.to_bytes().into(), dataset })
}

/// What spans would be as items of a dataset; none is made.
async fn recorded(remote: &Remote, traces: &TracesConfig) -> anyhow::Result<Had> {
    let filter = traces.filter.clone().unwrap_or_else(|| Filter::equals("kind", "llm"));
    let mut query = json!({"time": traces.time, "filter": filter});
    if let Some(search) = &traces.search {
        query["search"] = json!(search);
    }
    if let Some(limit) = traces.limit {
        query["limit"] = json!(limit);
    }
    let ask = json!({"preview": true, "query": query});
    let answer = remote.post("/api/v1/datasets/of-a-suite/from-traces", &ask).await?;
    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let lines: String = items.iter().map(|item| format!("{item}\n")).collect();
    Ok(Had { bytes: lines.into_bytes(), dataset: None })
}
