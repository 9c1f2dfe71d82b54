use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use comfy_table::{Table, presets};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::export::{encoded, write};
use super::import::read;
use crate::remote::Remote;

/// Of a version's id, where people read it.
const SHOWN_DIGITS: usize = 12;
const PAGE: usize = 200;
/// Differences that are printed; `--json` prints all.
const PRINTED: usize = 100;
/// Characters of a value that a line of a diff shows.
const SHOWN_CHARS: usize = 200;

/// Datasets: list them, fetch one as a file, send a file as the next version, compare versions
///
/// A dataset is named `name`, or `name@reference` where the reference is a branch, a tag, or the first digits
/// of a version: `gold`, `gold@v2`, `gold@6f1c0b5d`. Without one, the head of `main` is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Dataset {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    List(List),
    Pull(Pull),
    Push(Push),
    Diff(Diff),
}

/// Which Signalbox.
#[derive(Debug, clap::Args)]
struct At {
    /// The Signalbox to ask [default: http://127.0.0.1:7300]
    #[arg(long, env = "SIGNALBOX_URL")]
    url: Option<String>,
    /// A virtual key of it [default: SIGNALBOX_KEY]
    #[arg(long)]
    key: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// List datasets, or the versions of one
///
/// Example: signalbox dataset list gold
#[derive(Debug, clap::Args)]
struct List {
    /// The dataset whose versions are listed
    name: Option<String>,
    #[command(flatten)]
    at: At,
}

/// Write a version of a dataset to a file
///
/// Example: signalbox dataset pull gold@v2 --split test --out gold-test.jsonl
///
/// JSON Lines say all of it; in CSV, what is no text stands as JSON in its cell.
#[derive(Debug, clap::Args)]
struct Pull {
    /// The dataset: `name` or `name@reference`
    dataset: String,
    /// A file, or `-` [default: <name>.jsonl]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// jsonl or csv [default: what the name of the file says, or jsonl]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Items of this split only
    #[arg(long)]
    split: Option<String>,
    #[command(flatten)]
    at: At,
}

/// Make the next version of a dataset from a file
///
/// Example: signalbox dataset push gold gold.jsonl -m "Answers after the change of terms"
///
/// The dataset is made if there is none. The file becomes the whole version: items that it doesn't have are gone from it
/// (earlier versions keep them); with `--merge` they stay. Items are told apart by `id`. Pushing a file twice
/// changes nothing. To be refused when somebody else was faster, say which version you started from: `--base`.
#[derive(Debug, clap::Args)]
struct Push {
    /// The dataset: `name` or `name@branch`
    dataset: String,
    /// The file: a JSON object a line, or CSV with a header
    file: PathBuf,
    /// jsonl or csv [default: what the name of the file says]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Keep items that the file doesn't have
    #[arg(long)]
    merge: bool,
    /// The version that was changed; if the branch has another head by now, nothing happens
    #[arg(long, value_name = "VERSION")]
    base: Option<String>,
    /// What is changed and why
    #[arg(long, short)]
    message: Option<String>,
    /// The split of items that don't name one
    #[arg(long)]
    split: Option<String>,
    /// Other names for fields: `--rename question:input,answer:reference`
    #[arg(long, value_name = "FROM:TO")]
    rename: Option<String>,
    #[command(flatten)]
    at: At,
}

/// Show what differs between two versions, item by item and field by field
///
/// Example: signalbox dataset diff gold@v1 gold
///
/// With one version, what it changed itself. Ends with 1 if anything differs, as `diff` does.
#[derive(Debug, clap::Args)]
struct Diff {
    /// The earlier version: `name@reference`
    from: String,
    /// The later version; both of the same dataset
    to: Option<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

impl Format {
    fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

impl Dataset {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        super::block_on(async {
            match self.verb {
                Verb::List(list) => list.run().await,
                Verb::Pull(pull) => pull.run().await,
                Verb::Push(push) => push.run().await,
                Verb::Diff(diff) => diff.run().await,
            }
        })
    }
}

impl At {
    fn open(&self) -> anyhow::Result<Remote> {
        Remote::new(self.url.as_deref(), self.key.clone())
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let remote = self.at.open()?;
        let (path, key) = match &self.name {
            Some(name) => (format!("/api/v1/datasets/{}/versions?limit=100", encoded(name)), "versions"),
            None => ("/api/v1/datasets".to_owned(), "datasets"),
        };
        let answer = remote.get_json(&path).await?;
        if self.at.json {
            super::say(&answer.to_string());
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        let rows = answer[key].as_array().map(Vec::as_slice).unwrap_or_default();
        if key == "datasets" {
            table.set_header(["name", "items", "versions", "latest", "what changed last"]);
            for one in rows {
                let latest = &one["latest"];
                let items = latest["items"].as_u64().unwrap_or_default().to_string();
                let row = [text(one, "name"), items, text(one, "versions"), short(latest), text(latest, "message")];
                table.add_row(row);
            }
        } else {
            table.set_header(["version", "made", "by", "items", "change", "message"]);
            for one in rows {
                let change = format!("+{} ~{} -{}", one["added"], one["replaced"], one["removed"]);
                let row = [
                    short(one),
                    text(one, "made_at").chars().take(19).collect(),
                    text(one, "author_name"),
                    text(one, "items"),
                    change,
                    text(one, "message"),
                ];
                table.add_row(row);
            }
        }
        if rows.is_empty() {
            super::say("None yet. `signalbox dataset push NAME FILE` makes one.");
        } else {
            super::say(&table.to_string());
        }
        Ok(())
    }
}

impl Pull {
    async fn run(self) -> anyhow::Result<()> {
        let (name, reference) = named(&self.dataset)?;
        let format = self.format.or_else(|| Format::of(self.out.as_deref()?)).unwrap_or(Format::Jsonl);
        let out = self.out.unwrap_or_else(|| PathBuf::from(format!("{name}.{}", format.as_str())));
        let mut path = format!("/api/v1/datasets/{}/export?format={}", encoded(name), format.as_str());
        for (parameter, value) in [("version", reference), ("split", self.split.as_deref())] {
            if let Some(value) = value {
                path.push_str(&format!("&{parameter}={}", encoded(value)));
            }
        }
        let answer = self.at.open()?.get(&path).await?;
        let version = answer.headers().get("x-signalbox-dataset-version").and_then(|version| version.to_str().ok());
        let version = version.unwrap_or_default().to_owned();
        let parts = answer.into_body().into_data_stream();
        let bytes =
            write(&out, parts.map(|part| part.context("Signalbox broke the file off; its log says why"))).await?;
        if out.as_os_str() != "-" {
            let digits = version.get(..SHOWN_DIGITS).unwrap_or(&version);
            super::say(&match self.at.json {
                true => json!({"file": out, "version": version, "bytes": bytes}).to_string(),
                false => format!("Wrote {name}@{digits} to {}.", out.display()),
            });
        }
        Ok(())
    }
}

impl Push {
    async fn run(self) -> anyhow::Result<()> {
        let (name, branch) = named(&self.dataset)?;
        let format = self.format.or_else(|| Format::of(&self.file)).with_context(|| {
            format!("the name of `{}` doesn't say what it is; give `--format jsonl` or `csv`", self.file.display())
        })?;
        let remote = self.at.open()?;
        let datasets = remote.get_json("/api/v1/datasets").await?;
        let mut known = datasets["datasets"].as_array().into_iter().flatten();
        // Read before anything is made: a file that isn't there makes no dataset.
        let parts = read(&self.file).await?;
        if !known.any(|one| one["name"] == name) {
            remote.post("/api/v1/datasets", &json!({"name": name})).await?;
        }
        let mode = if self.merge { "merge" } else { "mirror" };
        let mut path = format!("/api/v1/datasets/{}/import?format={}&mode={mode}", encoded(name), format.as_str());
        let parameters = [
            ("branch", branch),
            ("base", self.base.as_deref()),
            ("message", self.message.as_deref()),
            ("split", self.split.as_deref()),
            ("rename", self.rename.as_deref()),
        ];
        for (parameter, value) in parameters {
            if let Some(value) = value {
                path.push_str(&format!("&{parameter}={}", encoded(value)));
            }
        }
        let done = remote.upload(&path, parts).await;
        let done = done.with_context(|| format!("`{}` was not pushed", self.file.display()))?;
        if self.at.json {
            super::say(&done.to_string());
            return Ok(());
        }
        let version = &done["version"];
        super::say(&if done["changed"] == true {
            let (added, replaced, removed) = (&version["added"], &version["replaced"], &version["removed"]);
            format!(
                "{name}@{}: {} items, {added} added, {replaced} replaced, {removed} removed.",
                short(version),
                version["items"]
            )
        } else {
            format!("{name}@{}: everything was there already.", short(version))
        });
        Ok(())
    }
}

impl Diff {
    async fn run(self) -> anyhow::Result<()> {
        let (name, first) = named(&self.from)?;
        let (from, to) = match &self.to {
            None => (None, first),
            Some(to) => {
                let (other, second) = named(to)?;
                if other != name {
                    bail!("`{name}` and `{other}` are different datasets; give two versions of one");
                }
                (Some(first.unwrap_or("main")), second)
            }
        };
        let remote = self.at.open()?;
        let mut whole = Value::Null;
        let mut cursor = None;
        loop {
            let mut path = format!("/api/v1/datasets/{}/diff?limit={PAGE}", encoded(name));
            for (parameter, value) in [("from", from), ("to", to), ("cursor", cursor.as_deref())] {
                if let Some(value) = value {
                    path.push_str(&format!("&{parameter}={}", encoded(value)));
                }
            }
            let mut page = remote.get_json(&path).await?;
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if whole.is_null() {
                whole = page;
            } else if let (Some(items), Some(more)) = (whole["items"].as_array_mut(), page["items"].as_array_mut()) {
                items.append(more);
            }
            let enough = whole["items"].as_array().is_some_and(|items| items.len() >= PRINTED);
            if cursor.is_none() || (enough && !self.at.json) {
                break;
            }
        }
        let differs = ["added", "removed", "changed"].iter().any(|count| whole[count].as_u64() != Some(0));
        super::say(&if self.at.json { whole.to_string() } else { shown(&whole) });
        if differs {
            std::process::exit(1);
        }
        Ok(())
    }
}

/// The differences as people read them.
fn shown(diff: &Value) -> String {
    let mut lines = Vec::new();
    let items = diff["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    for item in items.iter().take(PRINTED) {
        let sign = match item["difference"].as_str() {
            Some("added") => '+',
            Some("removed") => '-',
            _ => '~',
        };
        lines.push(format!("{sign} {}", text(item, "id")));
        for field in item["fields"].as_array().into_iter().flatten() {
            lines.push(format!("    {}", text(field, "path")));
            for (sign, value) in [('-', field.get("before")), ('+', field.get("after"))] {
                if let Some(value) = value {
                    lines.push(format!("      {sign} {}", line(value)));
                }
            }
        }
    }
    let count = |name: &str| diff[name].as_u64().unwrap_or_default();
    let (added, changed, removed) = (count("added"), count("changed"), count("removed"));
    let more = (added + changed + removed).saturating_sub(items.len().min(PRINTED) as u64);
    if more > 0 {
        lines.push(format!("… and {more} more; `--json` prints all"));
    }
    lines.push(format!("{added} added, {changed} changed, {removed} removed"));
    lines.join("\n")
}

fn line(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), |text| text.replace('\n', "⏎"));
    let cut: String = text.chars().take(SHOWN_CHARS).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { text }
}

/// `name@reference`, taken apart.
fn named(dataset: &str) -> anyhow::Result<(&str, Option<&str>)> {
    let (name, reference) = dataset.split_once('@').map_or((dataset, None), |(name, after)| (name, Some(after)));
    if name.is_empty() || reference == Some("") {
        bail!("`{dataset}` names no dataset; expected `name` or `name@reference`, e.g. `gold@main`");
    }
    Ok((name, reference))
}

fn text(value: &Value, field: &str) -> String {
    match &value[field] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn short(version: &Value) -> String {
    text(version, "id").chars().take(SHOWN_DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(named("gold").unwrap(), ("gold", None));
        assert_eq!(named("gold@v2").unwrap(), ("gold", Some("v2")));
        assert!(named("@v2").is_err());
        assert!(named("gold@").unwrap_err().to_string().contains("gold@main"));
    }

    #[test]
    fn a_diff_is_read_line_by_line() {
        let diff = json!({"added": 1, "changed": 1, "removed": 0, "items": [
            {"id": "a", "difference": "changed", "fields": [{"path": "reference", "before": "old\nway", "after": "new"}]},
            {"id": "b", "difference": "added", "fields": []},
        ]});
        let expected = "~ a\n    reference\n      - old⏎way\n      + new\n+ b\n1 added, 1 changed, 0 removed";
        assert_eq!(shown(&diff), expected);
        let long = json!({"added": 0, "changed": 900, "removed": 0, "items": []});
        assert!(shown(&long).contains("900 more"));
        assert_eq!(line(&json!("x".repeat(300))).chars().count(), 201);
    }
}
