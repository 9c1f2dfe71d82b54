use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use signalbox_evals::results::{Reading, Results};

use super::export::encoded;
use crate::remote::{At, Remote};

/// A request is no larger: the API takes a mebibyte.
const MOST_BYTES: usize = 600 << 10;
const MOST_ITEMS: usize = 1_000;

/// Send a file of results to a running Signalbox, as runs of an experiment
///
/// A line is a JSON object with the `id` of an item and what is known of it: `input`, `expected` (or `reference`), `output`, `error`,
/// `latency_ms`, `input_tokens`, `output_tokens`, `cost` (dollars), `trace_id`, `segments`, and `scores` by the names of metrics: numbers,
/// verdicts or {"value", "passed", "label", "reason"}. Lines that name a `target` make a run for each. What `signalbox eval metric` writes
/// will do, too, with --metric. A line {"run": {"name": …, "dataset": …, "target": …, "metrics": […]}} says what the whole is. The same
/// file, sent twice, makes the same runs once.
///
/// Examples:
///   signalbox eval push results.jsonl --experiment answers --name 'prompt v7' --dataset gold@12
///   signalbox eval metric rouge1 --jsonl gold.jsonl | signalbox eval push - --experiment answers --metric rouge1
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Push {
    /// The file; `-` reads standard input
    results: PathBuf,
    /// The experiment; it is made if there is none of this name
    #[arg(long)]
    pub(super) experiment: Option<String>,
    /// What people call the run [default: the target, or the file's name]
    #[arg(long)]
    pub(super) name: Option<String>,
    /// What was asked, as name@version
    #[arg(long)]
    dataset: Option<String>,
    /// What answered: a prompt version, a model, a route
    #[arg(long)]
    target: Option<String>,
    /// A word to find the run by; may be given several times
    #[arg(long, value_name = "TAG")]
    pub(super) tag: Vec<String>,
    /// The commit of git that it ran on [default: GITHUB_SHA or CI_COMMIT_SHA]
    #[arg(long)]
    commit: Option<String>,
    /// The metric of lines that have a `score`
    #[arg(long)]
    metric: Option<String>,
    /// A field of the lines, or of their `metadata`, to compare by; may be given several times
    #[arg(long, value_name = "FIELD")]
    segment: Vec<String>,
    /// Compare other runs of the experiment with this one from now on
    #[arg(long)]
    baseline: bool,
    #[command(flatten)]
    at: At,
    /// Say nothing of what was sent.
    #[arg(skip)]
    pub(super) quiet: bool,
}

impl Push {
    /// Of a file that `signalbox eval run` wrote.
    pub(super) fn results_of(file: &Path, segments: &[String], at: At) -> Self {
        Self {
            results: file.to_owned(),
            experiment: None,
            name: None,
            dataset: None,
            target: None,
            tag: Vec::new(),
            commit: None,
            metric: None,
            segment: segments.to_vec(),
            baseline: false,
            at,
            quiet: false,
        }
    }

    pub(crate) fn run(self) -> anyhow::Result<()> {
        let text = text(&self.results)?;
        let reading = Reading { metric: self.metric.clone(), segments: self.segment.clone() };
        let shown = self.results.display();
        let all =
            Results::read(&text, &reading).with_context(|| format!("`{shown}` holds something else than results"))?;
        if all.is_empty() {
            bail!("`{shown}` has no items; expected a line for each, with an `id` and `scores`");
        }
        if self.baseline && all.len() > 1 {
            bail!("`{shown}` makes {} runs, and only one can be the baseline; pin it on its page", all.len());
        }
        let asks = all.iter().map(|results| self.start(&text, results)).collect::<anyhow::Result<Vec<_>>>()?;
        let remote = self.at.remote()?;
        super::block_on(async {
            for (results, ask) in all.iter().zip(&asks) {
                let told = send(&remote, ask, results, self.baseline, self.at.url()).await?;
                if !self.quiet {
                    super::say(&told);
                }
            }
            Ok(())
        })
    }

    /// What the run is: the command line, else the file's own words, else what can be guessed.
    fn start(&self, text: &str, results: &Results) -> anyhow::Result<Map<String, Value>> {
        let mut ask = results.run.clone();
        let given = [
            ("experiment", self.experiment.clone()),
            ("name", named(self.name.as_deref(), results.target.as_deref())),
            ("dataset", self.dataset.clone()),
            ("target", results.target.clone().or_else(|| self.target.clone())),
            ("commit", self.commit.clone()),
        ];
        for (field, value) in given {
            if let Some(value) = value {
                ask.insert(field.to_owned(), Value::String(value));
            }
        }
        let Some(experiment) = ask.get("experiment").and_then(Value::as_str).map(str::to_owned) else {
            bail!("no experiment: give `--experiment NAME`, or a line {{\"run\": {{\"experiment\": NAME}}}}");
        };
        let stem = self.results.file_stem().and_then(|stem| stem.to_str()).filter(|stem| *stem != "-");
        let guessed = [
            ("name", ask.get("target").and_then(Value::as_str).or(stem).map(str::to_owned)),
            ("commit", ["GITHUB_SHA", "CI_COMMIT_SHA"].iter().find_map(|name| crate::config::environment(name))),
            ("author", ["GITHUB_ACTOR", "GITLAB_USER_LOGIN"].iter().find_map(|name| crate::config::environment(name))),
            ("id", Some(fingerprint(&(&experiment, &self.name, &results.target, text)))),
        ];
        for (field, value) in guessed {
            if let Some(value) = value {
                ask.entry(field).or_insert(Value::String(value));
            }
        }
        if !self.tag.is_empty() {
            ask.insert("tags".to_owned(), json!(self.tag));
        }
        ask.insert("metrics".to_owned(), Value::Array(results.metrics()));
        Ok(ask)
    }
}

/// Of several runs with one name each says who answered.
fn named(name: Option<&str>, target: Option<&str>) -> Option<String> {
    let name = name?;
    Some(target.map_or_else(|| name.to_owned(), |target| format!("{name}, {target}")))
}

fn text(file: &Path) -> anyhow::Result<String> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file).with_context(|| format!("can't read `{}`", file.display()));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("can't read the results from standard input")?;
    Ok(text)
}

/// The id of a run by what is in it, so that a push that broke off can be sent again.
fn fingerprint(what: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    format!("push-{:016x}", hasher.finish())
}

async fn send(
    remote: &Remote,
    ask: &Map<String, Value>,
    results: &Results,
    baseline: bool,
    url: &str,
) -> anyhow::Result<String> {
    let run = remote.post("/api/v1/runs", &json!(ask)).await.context("the run can't begin")?;
    let (id, experiment) = (word(&run, "id"), word(&run, "experiment"));
    let page = format!("{url}/experiments/{}", encoded(experiment));
    let is_there = run["status"] != "running";
    let run = if is_there {
        run.clone()
    } else {
        for batch in batches(&results.items) {
            remote.post(&format!("/api/v1/runs/{id}/items"), &json!({ "items": batch })).await?;
        }
        let status = results.status.as_deref().unwrap_or("finished");
        remote.post(&format!("/api/v1/runs/{id}/finish"), &json!({ "status": status })).await?
    };
    if baseline {
        let path = format!("/api/v1/experiments/{}/baseline", encoded(experiment));
        remote.put(&path, &json!({ "run": id })).await?;
    }
    Ok(told(&run, is_there, &page))
}

fn word<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn told(run: &Value, is_there: bool, page: &str) -> String {
    let begun = if is_there { "was there already" } else { "is there" };
    let mut text =
        format!("{} items of `{}`: the run {} {begun}", run["items"], word(run, "experiment"), word(run, "id"));
    for metric in run["summary"]["metrics"].as_array().into_iter().flatten() {
        if let Some(mean) = metric["values"]["mean"].as_f64() {
            let passing = metric["pass_rate"].as_f64().map(|rate| format!(", {:.1} % pass", rate * 100.0));
            text.push_str(&format!("\n  {:<24} {mean:.4}{}", word(metric, "metric"), passing.unwrap_or_default()));
        }
    }
    format!("{text}\n{page}")
}

/// Items in requests that are small enough.
fn batches(items: &[Value]) -> Vec<&[Value]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, item) in items.iter().enumerate() {
        let size = item.to_string().len();
        if at > start && (bytes + size > MOST_BYTES || at - start == MOST_ITEMS) {
            batches.extend(items.get(start..at));
            (start, bytes) = (at, 0);
        }
        bytes += size;
    }
    batches.extend(items.get(start..).filter(|rest| !rest.is_empty()));
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_item_once_and_are_small() {
        let items: Vec<Value> =
            (0..2_500).map(|at| json!({"item_id": at, "output": "x".repeat(at % 7 * 300)})).collect();
        let found = batches(&items);
        assert_eq!(found.concat(), items);
        assert!(found.iter().all(|batch| batch.len() <= MOST_ITEMS && json!(batch).to_string().len() < 1 << 20));
        assert!(batches(&[]).is_empty());
        let large = [json!("x".repeat(700 << 10)), json!("y".repeat(700 << 10))];
        assert_eq!(batches(&large).len(), 2);
    }

    #[test]
    fn what_was_sent_is_told() {
        let run = json!({"id": "r", "experiment": "answers", "items": 2, "summary": {"metrics": [
            {"metric": "rouge1", "values": {"mean": 0.51234}, "pass_rate": 0.5}, {"metric": "none"}]}});
        let expected = "2 items of `answers`: the run r is there\n  rouge1                   0.5123, 50.0 % pass\nhttp://box/experiments/answers";
        assert_eq!(told(&run, false, "http://box/experiments/answers"), expected);
    }

    #[test]
    fn the_command_line_comes_before_the_file() {
        let push = |experiment: Option<&str>| Push {
            experiment: experiment.map(str::to_owned),
            dataset: Some("gold@2".to_owned()),
            tag: vec!["ci".to_owned()],
            commit: Some("abc".to_owned()),
            ..Push::results_of(Path::new("out/results.jsonl"), &[], At::default())
        };
        let text =
            "{\"run\": {\"dataset\": \"gold@1\", \"experiment\": \"filed\"}}\n{\"id\": 1, \"scores\": {\"rouge1\": 1}}";
        let results = Results::read(text, &Reading::default()).unwrap().remove(0);
        let ask = push(Some("given")).start(text, &results).unwrap();
        let field = |name: &str| ask[name].as_str().unwrap();
        assert_eq!(
            (field("experiment"), field("dataset"), field("name"), field("commit")),
            ("given", "gold@2", "results", "abc")
        );
        assert_eq!((&ask["tags"], &ask["metrics"][0]["name"]), (&json!(["ci"]), &json!("rouge1")));
        assert_eq!(push(None).start(text, &results).unwrap()["experiment"], "filed");
        let bare = "{\"id\": 1}";
        let results = Results::read(bare, &Reading::default()).unwrap().remove(0);
        assert!(push(None).start(bare, &results).unwrap_err().to_string().contains("--experiment"));
    }
}
