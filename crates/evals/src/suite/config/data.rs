//! Where a suite's items come from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use signalbox_types::{Filter, TimeRange};

/// Items: one of `path`, `dataset` and `traces`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatasetConfig {
    /// A file, from the suite's folder.
    pub path: Option<String>,
    /// `jsonl`, `csv` or `parquet`. Default: by the name's ending.
    pub format: Option<Format>,
    /// A dataset of the Signalbox that is asked: `name`, or `name@reference` where the reference is a version, a branch or a tag.
    pub dataset: Option<String>,
    /// Items of this split of the dataset only.
    pub split: Option<String>,
    /// What was recorded there: each span makes an item.
    pub traces: Option<TracesConfig>,
    /// The column that names an item. Default `id`; without it items are named by their line.
    pub id: Option<String>,
    /// Which column is which part of a case, where names differ: `{input: question, reference: answer}`.
    pub columns: BTreeMap<String, String>,
    /// The first so many only.
    pub limit: Option<usize>,
}

/// Which spans make items, newest first: a question as `POST /api/v1/datasets/{name}/from-traces` takes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TracesConfig {
    /// When, as in a `Query`: `{from: now-24h}`. Default: the last hour.
    pub time: TimeRange,
    /// Which spans, as in a `Query`. Default: calls of models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// What must occur in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// At most so many, up to 1000. Default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A JSON object a line.
    Jsonl,
    /// With a head line.
    Csv,
    /// Apache Parquet: a row is an item.
    Parquet,
}

impl DatasetConfig {
    /// How its file is written; what a Signalbox has comes as JSON lines.
    ///
    /// # Errors
    /// Neither `format` nor the name's ending says it.
    pub fn format(&self) -> Result<Format, String> {
        let Some(path) = &self.path else { return Ok(Format::Jsonl) };
        if let Some(format) = self.format {
            return Ok(format);
        }
        match path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
            Some("jsonl" | "ndjson") => Ok(Format::Jsonl),
            Some("csv") => Ok(Format::Csv),
            Some("parquet" | "pq") => Ok(Format::Parquet),
            _ => Err(format!("`{path}` ends neither in .jsonl nor in .csv or .parquet; say `format`")),
        }
    }

    /// What is wrong with it, by field.
    pub(super) fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let mut found = Vec::new();
        let kinds = [self.path.is_some(), self.dataset.is_some(), self.traces.is_some()];
        if kinds.iter().filter(|is| **is).count() != 1 {
            found.push(("", "expected exactly one of `path`, `dataset` and `traces`"));
        }
        if self.format.is_some() && self.path.is_none() {
            found.push(("format", "only a file, a `path`, has a format"));
        }
        if self.split.is_some() && self.dataset.is_none() {
            found.push(("split", "only a `dataset` has splits"));
        }
        let no_name = |name: &str| name.is_empty() || name.starts_with('@') || name.ends_with('@');
        if self.dataset.as_deref().is_some_and(no_name) {
            found.push(("dataset", "expected `name` or `name@reference`, for example `gold@main`"));
        }
        found
    }
}
