use std::fmt::Write as _;
use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value, json};
use signalbox_evals::calibrate::{Examples, labelled_line};
use signalbox_evals::judge::{self, Aggregate, Judge, JudgePlan, Judgement, Rubric, Scale};
use signalbox_metrics::case::kind;
use signalbox_metrics::{Case, Direction, Input};
use signalbox_types::Money;

use super::eval::metric::open;
use crate::models::{Models, local_project};

/// Judge every line of a file with a model, by a rubric
///
/// A line is a JSON object with an `id` and what the rubric looks at: `input`, `context`, `output`, `reference`, `tools`. For each, a line
/// {"id", "score", "verdict", "passed", "reason", "ms", …} is written, or {"id", "line", "error"} for one that can't be judged. What people say of
/// a line (`label`, `labels`, `segment`) is handed on, for `signalbox eval calibrate`. The sum goes to standard error.
///
/// The model is asked over OpenAI's chat API, one that makes embeddings at `/v1/embeddings`: of a Signalbox on this machine with SIGNALBOX_KEY, or at `--base-url`.
///
/// Examples:
///   signalbox eval judge --list
///   signalbox eval judge faithfulness                 what it is
///   signalbox eval judge faithfulness --model openai/gpt-4o-mini --jsonl answers.jsonl
///   signalbox eval judge our-rubric.yaml --model m1 --model m2 --base-url http://localhost:8000/v1 --jsonl < answers.jsonl
///   signalbox eval judge tone --model m --examples corrected.jsonl --jsonl gold.jsonl | signalbox eval calibrate
///   signalbox eval judge tone --model m --examples corrected.jsonl --embedding-model openai/text-embedding-3-small --jsonl gold.jsonl
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct JudgeLines {
    /// The rubric by name, or a file (`.yaml`, `.json`); alone, it is explained
    #[arg(required_unless_present = "list")]
    rubric: Option<String>,
    /// Files to judge [default: standard input]
    #[arg(requires = "jsonl")]
    files: Vec<PathBuf>,
    /// List all rubrics
    #[arg(long, conflicts_with_all = ["rubric", "jsonl"])]
    list: bool,
    /// Read JSON lines and write JSON lines
    #[arg(long, requires = "model")]
    jsonl: bool,
    /// The model that judges; several make a panel
    #[arg(long, requires = "jsonl")]
    model: Vec<String>,
    /// Where OpenAI's chat API is spoken [default: the Signalbox on this machine]
    #[arg(long, value_name = "URL", requires = "jsonl")]
    base_url: Option<String>,
    /// The environment variable that has the key to it [default: SIGNALBOX_KEY without --base-url, else none]
    #[arg(long, value_name = "NAME", requires = "jsonl")]
    key_env: Option<String>,
    /// So often each model is asked
    #[arg(long, default_value_t = 1, requires = "jsonl")]
    samples: usize,
    /// [default: 0, or 0.7 with several samples]
    #[arg(long, requires = "jsonl")]
    temperature: Option<f64>,
    /// The most that an answer may take
    #[arg(long, requires = "jsonl")]
    max_tokens: Option<u32>,
    /// How several opinions become one: mean, median or majority [default: by the scale]
    #[arg(long, value_parser = aggregate, requires = "jsonl")]
    aggregate: Option<Aggregate>,
    /// Show two answers in one order only: half the calls, and a judge that prefers a place
    #[arg(long, requires = "jsonl")]
    one_order: bool,
    /// Tell the judge how long two answers are
    #[arg(long, requires = "jsonl")]
    tell_lengths: bool,
    /// The model that wrote what is judged, to warn of a judge of its family
    #[arg(long, value_name = "MODEL", requires = "jsonl")]
    judged_model: Option<String>,
    /// A file of lines with a `label` of people: the judge is shown those that are most like a line
    #[arg(long, value_name = "FILE", requires = "jsonl")]
    examples: Option<PathBuf>,
    /// The embedding model that finds the examples by what they mean [default: they are found by their letters]
    #[arg(long, value_name = "MODEL", requires = "examples")]
    embedding_model: Option<String>,
    /// What passes, instead of the rubric's own threshold
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, requires = "jsonl")]
    threshold: Option<f64>,
    /// Lines that are judged at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256), requires = "jsonl")]
    concurrency: u16,
    /// Write what the judge quoted, too (bytes from the text's beginning), and each opinion
    #[arg(long, requires = "jsonl")]
    evidence: bool,
    /// Print the list or the explanation as JSON
    #[arg(long, conflicts_with = "jsonl")]
    json: bool,
    /// End with status 1 if a line doesn't pass or can't be judged
    #[arg(long, requires = "jsonl")]
    fail: bool,
}

/// How a file went.
#[derive(Debug, Default)]
struct Sum {
    judged: usize,
    passed: usize,
    failed: usize,
    flagged: usize,
    calls: usize,
    cost: Option<Money>,
    agreements: Vec<f64>,
}

impl JudgeLines {
    pub(super) fn run(self) -> Result<()> {
        let Some(name) = &self.rubric else {
            let text = if self.json { serde_json::to_string_pretty(judge::all())? } else { listed() };
            super::say(text.trim_end());
            return Ok(());
        };
        let rubric = rubric(name, Path::new(""))?;
        if !self.jsonl {
            let text = if self.json { serde_json::to_string_pretty(&rubric)? } else { explained(&rubric) };
            super::say(text.trim_end());
            return Ok(());
        }
        let name = rubric.name.clone();
        let judge = self.judge(rubric)?;
        let sum = super::block_on(self.judge_all(&judge))?;
        let _ = writeln!(io::stderr(), "{}", told(&name, &sum));
        let bad = sum.judged - sum.passed + sum.failed;
        if self.fail && bad > 0 {
            bail!("{bad} of {} lines don't pass", sum.judged + sum.failed);
        }
        if sum.judged == 0 && sum.failed > 0 {
            bail!("no line could be judged; the first errors say why");
        }
        Ok(())
    }

    fn judge(&self, rubric: Rubric) -> Result<Judge> {
        let mut plan = JudgePlan {
            samples: self.samples,
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            aggregate: self.aggregate,
            one_order: self.one_order,
            tell_lengths: self.tell_lengths,
            judged_model: self.judged_model.clone(),
            ..JudgePlan::of("")
        };
        plan.models.clone_from(&self.model);
        let models = Arc::new(Models::at(self.base_url.as_deref(), self.key_env.as_deref())?);
        if let Some(file) = &self.examples {
            let found = examples(file, &rubric)?;
            plan.examples = Some(Arc::new(match &self.embedding_model {
                Some(name) => found.by_meaning(Arc::clone(&models).embedding_model(name)),
                None => found,
            }));
        }
        let judge = Judge::new(rubric, plan, models, local_project())?;
        Ok(match self.threshold {
            Some(threshold) => judge.passing(threshold),
            None => judge,
        })
    }

    async fn judge_all(&self, judge: &Judge) -> Result<Sum> {
        let mut out = BufWriter::new(io::stdout());
        let mut sum = Sum { cost: Some(Money::ZERO), ..Sum::default() };
        let files = if self.files.is_empty() { vec![PathBuf::from("-")] } else { self.files.clone() };
        for name in files {
            let lines = open(&name)?.split(b'\n').enumerate();
            let lines = lines.filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim_ascii().is_empty()));
            let judged = lines
                .map(|(at, line)| async move { Ok::<_, io::Error>((at + 1, self.judge_line(judge, &line?).await)) });
            // In the order of the lines, as far as they are done.
            let mut judged = stream::iter(judged).buffered(usize::from(self.concurrency));
            while let Some(one) = judged.next().await {
                let (at, outcome) = one.with_context(|| format!("can't read `{}`", name.display()))?;
                let answer = match outcome {
                    Ok((answer, judgement)) => {
                        sum.add(&judgement);
                        answer
                    }
                    Err((id, error)) => {
                        sum.failed += 1;
                        json!({"id": id, "line": at, "error": error})
                    }
                };
                serde_json::to_writer(&mut out, &answer)?;
                out.write_all(b"\n")?;
                out.flush()?;
            }
        }
        Ok(sum)
    }

    async fn judge_line(&self, judge: &Judge, line: &[u8]) -> Result<(Value, Judgement), (Value, String)> {
        let mut fields: Map<String, Value> = match serde_json::from_slice(line) {
            Ok(Value::Object(fields)) => fields,
            Ok(other) => return Err((Value::Null, format!("expected an object, found {}", kind(&other)))),
            Err(error) => return Err((Value::Null, format!("not JSON: {error}"))),
        };
        let id = fields.remove("id").unwrap_or_default();
        let case = Case::take(&mut fields);
        let began = Instant::now();
        let judgement = judge.judge(&case).await.map_err(|error| (id.clone(), error.to_string()))?;
        let ms = began.elapsed().as_millis();
        let mut answer = json!({
            "id": id, "score": judgement.value, "verdict": judgement.label, "passed": judgement.passed,
            "reason": judgement.reason, "ms": ms,
        });
        if let Some(answer) = answer.as_object_mut() {
            let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
            for name in ["label", "labels", "segment"] {
                if let Some(said) = fields.remove(name) {
                    put(name, said);
                }
            }
            if !judgement.flags.is_empty() {
                put("flags", json!(judgement.flags));
            }
            if let Some(agreement) = judgement.agreement {
                put("agreement", json!(agreement));
            }
            if let Some(cost) = judgement.tally.cost {
                put("cost_usd", json!(cost));
            }
            if self.evidence {
                put("evidence", json!(judgement.evidence));
                put("opinions", json!(judgement.opinions));
            }
            answer.retain(|name, value| !value.is_null() || name == "id");
        }
        Ok((answer, judgement))
    }
}

impl Sum {
    fn add(&mut self, judgement: &Judgement) {
        self.judged += 1;
        self.passed += usize::from(judgement.passed == Some(true));
        self.flagged += usize::from(!judgement.flags.is_empty());
        self.calls += judgement.tally.calls;
        self.cost = self.cost.zip(judgement.tally.cost).map(|(one, other)| one + other);
        self.agreements.extend(judgement.agreement);
    }
}

fn told(name: &str, sum: &Sum) -> String {
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut text = format!("{name}: {} judged, {} passed", count(sum.judged, "line"), sum.passed);
    if sum.failed > 0 {
        let _ = write!(text, ", {} couldn't be", sum.failed);
    }
    if sum.flagged > 0 {
        let _ = write!(text, ", {} with something to know (`flags`)", sum.flagged);
    }
    if !sum.agreements.is_empty() {
        let mean = sum.agreements.iter().sum::<f64>() / sum.agreements.len() as f64;
        let _ = write!(text, "; opinions agree to {:.0} %", mean * 100.0);
    }
    let _ = write!(text, "; {}", count(sum.calls, "call"));
    match sum.cost {
        Some(cost) => {
            let _ = write!(text, ", ${cost}");
        }
        None => text.push_str(", the price isn't known"),
    }
    text
}

/// What people said of other cases, from a file.
pub(super) fn examples(file: &Path, rubric: &Rubric) -> Result<Examples> {
    let mut corrections = Vec::new();
    for (at, line) in open(file)?.split(b'\n').enumerate() {
        let line = line.with_context(|| format!("can't read `{}`", file.display()))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let correction = labelled_line(&line).and_then(|labelled| labelled.correction(rubric));
        corrections.extend(correction.map_err(|problem| anyhow!("`{}`, line {}: {problem}", file.display(), at + 1))?);
    }
    if corrections.is_empty() {
        bail!("`{}` has no line with a `label`", file.display());
    }
    Ok(Examples::new(corrections))
}

fn aggregate(text: &str) -> Result<Aggregate, String> {
    serde_json::from_value(Value::from(text)).map_err(|_| "expected mean, median or majority".to_owned())
}

/// By its name, or from a file that is seen from a folder.
pub(super) fn rubric(name: &str, folder: &Path) -> Result<Rubric> {
    if let Some(rubric) = judge::find(name) {
        return Ok(rubric.clone());
    }
    let is_file = [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending)) || name.contains(['/', '\\']);
    if is_file {
        let text = std::fs::read_to_string(folder.join(name)).with_context(|| format!("can't read `{name}`"))?;
        return judge::read_rubric(&text).map_err(|problem| anyhow!("`{name}`: {problem}"));
    }
    match judge::near(name) {
        Some(near) => bail!("no rubric is called `{name}`; did you mean `{near}`?"),
        None => {
            bail!("no rubric is called `{name}`; `signalbox eval judge --list` has all, and a file ends with .yaml")
        }
    }
}

fn listed() -> String {
    let mut text = String::new();
    for rubric in judge::all() {
        let _ = writeln!(text, "  {:<24}{}", rubric.name, rubric.summary);
    }
    text + "\n`signalbox eval judge NAME` explains one; `--json` prints it for a rubric of your own.\n"
}

fn explained(rubric: &Rubric) -> String {
    let names = |inputs: &[Input]| inputs.iter().map(|input| input.name()).collect::<Vec<_>>().join(", ");
    let mut text = format!("{}: {}\n\n", rubric.name, rubric.summary);
    if !rubric.source.is_empty() {
        let _ = writeln!(text, "  source     {}", rubric.source);
    }
    let _ = writeln!(text, "  needs      {}", names(&rubric.inputs));
    if !rubric.optional.is_empty() {
        let _ = writeln!(text, "  uses       {}", names(&rubric.optional));
    }
    let (better, from) = match rubric.direction {
        Direction::Higher => ("more", "from"),
        Direction::Lower => ("less", "up to"),
    };
    match (&rubric.scale, rubric.range()) {
        (Scale::Categorical { labels }, _) => {
            let passing = labels.iter().filter(|one| one.passes == Some(true)).map(|one| one.label.as_str());
            let _ = writeln!(text, "  passes     {}", passing.collect::<Vec<_>>().join(", "));
        }
        (_, Some((low, high))) => {
            let _ = writeln!(text, "  range      {low} to {high}; {better} is better");
            let _ = writeln!(text, "  passes     {from} {} (--threshold)", rubric.threshold());
        }
        (_, None) => {}
    }
    let _ = writeln!(text, "\n{}", rubric.criteria.trim());
    for (at, step) in rubric.steps.iter().enumerate() {
        let _ = writeln!(text, "{}. {step}", at + 1);
    }
    text.push('\n');
    let mut line = |word: &dyn std::fmt::Display, meaning: &str| {
        let _ = writeln!(text, "  {word}: {meaning}");
    };
    match &rubric.scale {
        Scale::Binary { yes, no } => {
            line(&"yes", yes);
            line(&"no", no);
        }
        Scale::Ordinal { levels: all } | Scale::Numeric { anchors: all, .. } => {
            all.iter().for_each(|level| line(&level.value, &level.meaning));
        }
        Scale::Categorical { labels } => labels.iter().for_each(|one| line(&one.label, &one.meaning)),
        Scale::Pairwise => {
            line(&"first, second or tie", "two answers in `output`, or one there and the other in `reference`")
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rubrics_are_listed_and_explained() {
        let all = listed();
        assert!(judge::all().iter().all(|rubric| all.contains(&rubric.summary)));
        for rubric in judge::all() {
            assert!(explained(rubric).contains("  passes     ") || rubric.threshold.is_none(), "{}", rubric.name);
        }
        let text = explained(judge::find("helpfulness").unwrap());
        for part in
            ["needs      input, output", "range      0 to 4; more is better", "passes     from 3", "  4: it does all"]
        {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn rubrics_are_found_by_name_or_file() {
        assert_eq!(
            rubric("helpfulnes", Path::new("")).unwrap_err().to_string(),
            "no rubric is called `helpfulnes`; did you mean `helpfulness`?"
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.yaml");
        let text = "name: polite\ninputs: [output]\ncriteria: Is it polite?\nscale: {kind: binary, yes: it is, no: it isn't}\n";
        std::fs::write(&file, text).unwrap();
        let name = file.display().to_string();
        assert_eq!(rubric(&name, Path::new("")).unwrap().name, "polite");
        assert_eq!(rubric("own.yaml", folder.path()).unwrap().name, "polite");
        std::fs::write(&file, text.replace("binary", "binari")).unwrap();
        assert!(rubric(&name, Path::new("")).unwrap_err().to_string().contains("unknown variant `binari`"));
    }
}
