//! Reads labelled rows, and knows which sources may train a model that ships.

use std::collections::HashSet;
use std::error::Error;
use std::io::BufRead;
use std::path::Path;

use serde_json::Value;
use signalbox_guard::model::{HEADS, block_end};

use crate::measure::NAMES;

/// What is known of a text, by head; `None` if nothing is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Labels(pub(crate) [Option<bool>; HEADS]);

const NOTHING: Labels = Labels([Some(false); HEADS]);

/// A labelled text.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) text: String,
    pub(crate) source: String,
    pub(crate) labels: Labels,
    /// Rows of one group are alike: a feature must be in several groups to be learnt.
    pub(crate) group: usize,
}

/// Sources marked T in the data's README: file, beginning of the source's name, what a positive row says.
/// A negative row says "nothing of all this". Rows of sources that are not listed are not read.
const SOURCES: &[(&str, &str, Labels)] = &[
    ("prompt_injection", "deepset", Labels([Some(true), None, None, None])),
    ("prompt_injection", "Giskard", Labels([Some(true), None, None, None])),
    ("prompt_injection", "garak", Labels([Some(true), None, Some(false), Some(false)])),
    ("prompt_injection", "GPTeacher", NOTHING),
    ("prompt_injection", "OASST1", NOTHING),
    ("prompt_injection", "WildGuard", NOTHING),
    ("prompt_injection", "self-instruct", NOTHING),
    ("jailbreak", "verazuo", Labels([None, Some(true), None, None])),
    ("jailbreak", "garak", Labels([None, Some(true), None, None])),
    ("jailbreak", "GPTeacher", NOTHING),
    ("harmful_request", "HarmBench", Labels([Some(false), Some(false), Some(true), None])),
    ("harmful_request", "StrongREJECT", Labels([Some(false), Some(false), Some(true), None])),
    ("toxicity", "Davidson", Labels([Some(false), Some(false), None, Some(true)])),
    ("faithfulness", "SummEdits", NOTHING),
    ("function_calling", "BFCL", NOTHING),
    ("language", "lingua-py", NOTHING),
    ("code_injection", "FastChat", NOTHING),
    ("code_injection", "libinjection false", NOTHING),
    ("pii", "presidio-research", NOTHING),
    ("unicode_smuggling", "BLNS", NOTHING),
    // What holds a secret is no attack either.
    ("secrets", "FastChat", NOTHING),
    ("secrets", "rebuff", NOTHING),
    ("secrets", "gitleaks", NOTHING),
    ("secrets", "detect-secrets", NOTHING),
    ("pii", "FastChat", NOTHING),
];

/// All rows of `data` that may be trained on, long texts in blocks.
pub(crate) fn read(data: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    let mut known = HashSet::new();
    for &(task, prefix, positive) in SOURCES {
        for row in lines(data, task)? {
            let source = row["source"].as_str().unwrap_or_default();
            let Some(text) = text(&row).filter(|_| source.starts_with(prefix)) else { continue };
            if !known.insert(text.clone()) {
                continue;
            }
            let labels = if is_positive(&row) { positive } else { NOTHING };
            let group = 1_000_000 + rows.len();
            let text = plain(&text);
            let mut at = 0;
            while let Some(end) = block_end(&text, at, false) {
                let block = text.get(at..end).unwrap_or_default().to_owned();
                rows.push(Row { text: block, source: prefix.to_owned(), labels, group });
                at = end;
            }
        }
    }
    Ok(rows)
}

/// Adds what people said of the findings of the model's scanners: each text says something of one head alone.
pub(crate) fn read_feedback(path: &Path, rows: &mut Vec<Row>) -> Result<(), Box<dyn Error>> {
    let said = lines_of(path).map_err(|error| format!("can't read the feedback {}: {error}", path.display()))?;
    for one in said {
        let head = NAMES.iter().position(|name| one["scanner"].as_str() == Some(name));
        let (Some(head), Some(text), Some(label)) = (head, text(&one), one["label"].as_i64()) else { continue };
        let mut labels = [None; HEADS];
        labels[head] = Some(label == 1);
        let group = 1_000_000 + rows.len();
        // Which block of a long text was meant, nobody said.
        let end = block_end(&text, 0, false).filter(|end| *end == text.len());
        if end.is_some() {
            rows.push(Row { text, source: "feedback".to_owned(), labels: Labels(labels), group });
        }
    }
    Ok(())
}

/// Rows of a task.
pub(crate) fn lines(data: &Path, task: &str) -> Result<Vec<Value>, Box<dyn Error>> {
    let path = data.join(task).join("dev.jsonl");
    lines_of(&path).map_err(|error| {
        format!("the labelled data is absent: {}: {error}; name its folder: make train DATA=…", path.display()).into()
    })
}

fn lines_of(path: &Path) -> Result<Vec<Value>, Box<dyn Error>> {
    let lines = std::io::BufReader::new(std::fs::File::open(path)?).lines();
    lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// The text of a row.
pub(crate) fn text(row: &Value) -> Option<String> {
    let field = ["text", "context", "input"].iter().find_map(|name| row[*name].as_str());
    field.map(str::to_owned)
}

/// Whether a row is labelled with what its task looks for.
pub(crate) fn is_positive(row: &Value) -> bool {
    row["label"].as_i64() == Some(1) && row.get("context").is_none() && row.get("input").is_none()
}

/// Without what tells the source and not the matter: names, links and marks of tweets.
fn plain(text: &str) -> String {
    let text = text.replace("&amp;", "&").replace("&#8220;", "\"").replace("&#8221;", "\"").replace("&#8217;", "'");
    let keep =
        |word: &&str| !(word.starts_with('@') || word.starts_with("http") || *word == "RT" || word.starts_with("&#"));
    text.split_inclusive(char::is_whitespace)
        .filter(|word| keep(&word.trim()))
        .map(|word| word.trim_start_matches('#'))
        .collect()
}
