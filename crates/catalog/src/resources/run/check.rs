//! What is taken in: bounds, and what is cut to them.

use std::fmt::Display;

use super::types::{RunAbout, RunItem, RunScore};
use crate::error::CatalogError;

/// Runs of a project. Who has more deletes old ones.
pub(super) const MOST_RUNS: i64 = 10_000;
/// Items of a run.
pub(super) const MOST_ITEMS: u64 = 100_000;
/// Scores of a run: comparisons hold their numbers in memory.
pub(super) const MOST_SCORES: u64 = 1_000_000;
const MOST_METRICS: usize = 100;
const MOST_TAGS: usize = 50;
const MOST_SEGMENTS: usize = 20;
const MOST_EVIDENCE: usize = 50;
const MOST_CONFIG_BYTES: usize = 256 * 1024;
const NAME_CHARS: usize = 200;
const PREVIEW_CHARS: usize = 4_000;
const OUTPUT_CHARS: usize = 32_000;
const REASON_CHARS: usize = 2_000;

fn invalid(field: &'static str, problem: impl Display) -> CatalogError {
    CatalogError::Invalid { field, problem: problem.to_string() }
}

/// A name that people read and that stands in addresses.
pub(super) fn name(field: &'static str, text: &str) -> Result<String, CatalogError> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars == 0 || chars > NAME_CHARS || text.contains(char::is_control) || text.contains('/') {
        let problem = format!("expected 1 to {NAME_CHARS} characters of one line, without `/`, found {chars}");
        return Err(invalid(field, problem));
    }
    Ok(text.to_owned())
}

/// An id that a sender chose.
pub(super) fn id(text: &str) -> Result<(), CatalogError> {
    let fits = (8..=64).contains(&text.len());
    if fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Ok(());
    }
    Err(invalid("id", format_args!("expected 8 to 64 letters, digits, `-` or `_`, found {} characters", text.len())))
}

pub(super) fn about(about: &mut RunAbout) -> Result<(), CatalogError> {
    about.name = short("name", &about.name)?;
    about.target = cut(std::mem::take(&mut about.target), REASON_CHARS);
    for (field, text) in [("dataset", &about.dataset), ("commit", &about.commit), ("author", &about.author)] {
        if let Some(text) = text {
            short(field, text)?;
        }
    }
    if about.metrics.len() > MOST_METRICS {
        return Err(invalid("metrics", format_args!("expected at most {MOST_METRICS}, found {}", about.metrics.len())));
    }
    for (at, metric) in about.metrics.iter().enumerate() {
        short("metrics", &metric.name)?;
        if about.metrics.iter().take(at).any(|other| other.name == metric.name) {
            return Err(invalid(
                "metrics",
                format_args!("`{}` stands there twice; give one another name", metric.name),
            ));
        }
    }
    if about.tags.len() > MOST_TAGS {
        return Err(invalid("tags", format_args!("expected at most {MOST_TAGS}, found {}", about.tags.len())));
    }
    about.tags.iter().try_for_each(|tag| short("tags", tag).map(drop))?;
    let bytes = serde_json::Value::Object(about.config.clone()).to_string().len();
    if bytes > MOST_CONFIG_BYTES {
        return Err(invalid(
            "config",
            format_args!("expected at most {MOST_CONFIG_BYTES} bytes of JSON, found {bytes}"),
        ));
    }
    Ok(())
}

/// A text of one line that isn't empty.
fn short(field: &'static str, text: &str) -> Result<String, CatalogError> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars == 0 || chars > NAME_CHARS || text.contains(char::is_control) {
        let problem = format!("expected 1 to {NAME_CHARS} characters of one line, found {chars}");
        return Err(invalid(field, problem));
    }
    Ok(text.to_owned())
}

/// Checks the items of a batch, and cuts what is longer than it may be.
pub(super) fn items(items: &mut [RunItem]) -> Result<(), CatalogError> {
    for (at, item) in items.iter_mut().enumerate() {
        let problem = |what: String| invalid("items", format_args!("number {at}: {what}"));
        let chars = item.item_id.chars().count();
        if chars == 0 || chars > NAME_CHARS {
            return Err(problem(format!("`item_id`: expected 1 to {NAME_CHARS} characters, found {chars}")));
        }
        if item.scores.len() > MOST_METRICS || item.segments.len() > MOST_SEGMENTS {
            let found = format!("{} scores and {} segments", item.scores.len(), item.segments.len());
            let most = format!("at most {MOST_METRICS} `scores` and {MOST_SEGMENTS} `segments`");
            return Err(problem(format!("expected {most}, found {found}")));
        }
        let numbers = item.scores.values().filter_map(|score| score.value).chain(item.latency_ms);
        if let Some(number) = numbers.into_iter().find(|number| !number.is_finite()) {
            return Err(problem(format!("expected finite numbers, found {number}")));
        }
        let names = item.scores.keys().chain(item.segments.keys()).chain(item.segments.values());
        if let Some(name) = names.into_iter().find(|name| name.is_empty() || name.chars().count() > NAME_CHARS) {
            let start: String = name.chars().take(40).collect();
            return Err(problem(format!(
                "a name in `scores` or `segments`: expected 1 to {NAME_CHARS} characters, found `{start}`"
            )));
        }
        item.input = cut(std::mem::take(&mut item.input), PREVIEW_CHARS);
        item.expected = item.expected.take().map(|text| cut(text, PREVIEW_CHARS));
        item.output = item.output.take().map(|text| cut(text, OUTPUT_CHARS));
        item.error = item.error.take().map(|text| cut(text, REASON_CHARS));
        item.scores.values_mut().for_each(score);
    }
    Ok(())
}

fn score(score: &mut RunScore) {
    score.reason = score.reason.take().map(|text| cut(text, REASON_CHARS));
    score.error = score.error.take().map(|text| cut(text, REASON_CHARS));
    score.label = score.label.take().map(|text| cut(text, NAME_CHARS));
    score.evidence.truncate(MOST_EVIDENCE);
    for place in &mut score.evidence {
        place.note = cut(std::mem::take(&mut place.note), NAME_CHARS);
    }
}

/// The beginning of a text, with a mark where it goes on.
pub(super) fn cut(mut text: String, most: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(most) {
        text.truncate(at);
        text.push('…');
    }
    text
}
