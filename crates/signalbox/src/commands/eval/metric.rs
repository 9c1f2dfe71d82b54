use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use signalbox_evals::safety::{every_metric, find_metric, near_metric};
use signalbox_metrics::{About, Direction, Family, Measure, Options, lines};

/// Measure every line of a file with one metric
///
/// A line is a JSON object with an `id` and what the metric looks at: `input`, `context`, `output`, `reference`, `tools`, `schema`,
/// `logprobs`. For each, a line {"id", "score", "passed", "reason", "us"} is written, or {"id", "line", "error"} for one that can't be
/// measured. The sum goes to standard error. It needs no configuration and no running Signalbox.
///
/// Examples:
///   signalbox eval metric --list
///   signalbox eval metric rouge1                      what it is, and what can be set
///   signalbox eval metric rouge1 --jsonl answers.jsonl
///   signalbox eval metric bleu --jsonl --option tokenize=intl --option smooth=floor < answers.jsonl
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Metric {
    /// The metric; alone, it is explained
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// Files to measure [default: standard input]
    #[arg(requires = "jsonl")]
    files: Vec<PathBuf>,
    /// List all metrics
    #[arg(long, conflicts_with_all = ["name", "jsonl"])]
    list: bool,
    /// Read JSON lines and write JSON lines
    #[arg(long)]
    jsonl: bool,
    /// Set something of the metric; its explanation says what there is
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, requires = "jsonl")]
    option: Vec<(String, String)>,
    /// What passes, instead of the metric's own threshold
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, requires = "jsonl")]
    threshold: Option<f64>,
    /// Write the places that decided, too (bytes from the text's beginning)
    #[arg(long, requires = "jsonl")]
    evidence: bool,
    /// Print the list or the explanation as JSON
    #[arg(long, conflicts_with = "jsonl")]
    json: bool,
    /// End with status 1 if a line doesn't pass or can't be measured
    #[arg(long, requires = "jsonl")]
    fail: bool,
}

impl Metric {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Some(name) = &self.name else {
            let text = if self.json { serde_json::to_string_pretty(&all())? } else { listed() };
            crate::commands::say(text.trim_end());
            return Ok(());
        };
        let about = find(name)?;
        if self.jsonl {
            return self.measure(about);
        }
        let text = if self.json { serde_json::to_string_pretty(&described(about))? } else { explained(about) };
        crate::commands::say(text.trim_end());
        Ok(())
    }

    fn measure(&self, about: &'static About) -> anyhow::Result<()> {
        let options: Options =
            self.option.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        let metric = Measure::new(about, &options, self.threshold).map_err(|problem| {
            anyhow!("{problem}\n\nhint: `signalbox eval metric {}` tells what can be set", about.name)
        })?;
        let began = Instant::now();
        let clock = || began.elapsed().as_secs_f64() * 1e6;
        let mut out = BufWriter::new(io::stdout().lock());
        let mut sum = lines::Sum::default();
        for name in self.inputs() {
            let measured = lines::measure(&metric, open(&name)?, &mut out, self.evidence, &clock);
            sum += measured.with_context(|| format!("can't measure `{}`", name.display()))?;
        }
        out.flush()?;
        let _ = writeln!(io::stderr(), "{}", told(about, sum));
        let bad = sum.measured - sum.passed + sum.failed;
        if self.fail && bad > 0 {
            bail!("{bad} of {} lines don't pass", sum.measured + sum.failed);
        }
        if sum.measured == 0 && sum.failed > 0 {
            bail!("no line could be measured; the first errors say why");
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<PathBuf> {
        if self.files.is_empty() { vec![PathBuf::from("-")] } else { self.files.clone() }
    }
}

pub(in crate::commands) fn open(name: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if name.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(name).with_context(|| format!("can't read `{}`", name.display()))?;
    Ok(Box::new(BufReader::new(file)))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, for example tokenize=intl")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn find(name: &str) -> anyhow::Result<&'static About> {
    if let Some(about) = find_metric(name) {
        return Ok(about);
    }
    match near_metric(name) {
        Some(near) => bail!("no metric is called `{name}`; did you mean `{near}`?"),
        None => bail!("no metric is called `{name}`; `signalbox eval metric --list` has all"),
    }
}

fn told(about: &About, sum: lines::Sum) -> String {
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    if sum.measured == 0 {
        return format!("{}: {} couldn't be measured", about.name, count(sum.failed, "line"));
    }
    let mean = sum.total / sum.measured as f64;
    let failed = if sum.failed == 0 { String::new() } else { format!(", {} couldn't be", sum.failed) };
    format!("{}: {} measured{failed}; mean {mean:.4}, {} passed", about.name, count(sum.measured, "line"), sum.passed)
}

fn family(family: Family) -> &'static str {
    match family {
        Family::Text => "Text",
        Family::Structure => "Structure",
        Family::Retrieval => "Retrieval",
        Family::Grounding => "Grounding",
        Family::Agent => "Agents",
        Family::Drift => "Drift",
        Family::Safety => "Safety",
    }
}

fn listed() -> String {
    let mut text = String::new();
    let all: Vec<_> = every_metric().collect();
    for group in all.chunk_by(|a, b| a.family == b.family) {
        let title = group.first().map_or("", |about| family(about.family));
        let _ = writeln!(text, "{title}");
        for about in group {
            let _ = writeln!(text, "  {:<22}{}", about.name, about.summary);
        }
        text.push('\n');
    }
    text + "`signalbox eval metric NAME` explains one.\n"
}

fn range(about: &About) -> String {
    match (about.range.low.is_finite(), about.range.high) {
        (true, Some(high)) => format!("{} to {high}", about.range.low),
        (true, None) => format!("{} or more", about.range.low),
        (false, Some(high)) => format!("up to {high}"),
        (false, None) => "any number".to_owned(),
    }
}

fn explained(about: &About) -> String {
    let better = match about.direction {
        Direction::Higher => ("more", "from"),
        Direction::Lower => ("less", "up to"),
    };
    let names =
        |inputs: &[signalbox_metrics::Input]| inputs.iter().map(|input| input.name()).collect::<Vec<_>>().join(", ");
    let mut text = format!("{}: {}\n\n", about.name, about.summary);
    let _ = writeln!(text, "  formula    {}", about.formula);
    let _ = writeln!(text, "  source     {}", about.source);
    let _ = writeln!(text, "  needs      {}", names(about.inputs));
    if !about.also.is_empty() {
        let _ = writeln!(text, "  uses       {}", names(about.also));
    }
    let _ = writeln!(text, "  range      {}; {} is better", range(about), better.0);
    let _ = writeln!(text, "  passes     {} {} (--threshold)", better.1, about.threshold);
    if !about.aliases.is_empty() {
        let _ = writeln!(text, "  also       {}", about.aliases.join(", "));
    }
    for (at, option) in about.options.iter().enumerate() {
        let title = if at == 0 { "options" } else { "" };
        let _ = writeln!(text, "  {title:<9}  {}: {} [default: {}]", option.name, option.doc, option.default);
    }
    text
}

fn described(about: &About) -> Value {
    json!({
        "name": about.name, "aliases": about.aliases, "family": about.family, "summary": about.summary,
        "formula": about.formula, "source": about.source, "inputs": about.inputs, "optional_inputs": about.also,
        "range": {"low": about.range.low, "high": about.range.high}, "direction": about.direction,
        "threshold": about.threshold, "options": about.options,
    })
}

fn all() -> Value {
    every_metric().map(described).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_explained() {
        let text = explained(find_metric("ter").unwrap());
        for part in [
            "ter: How many edits",
            "needs      output, reference",
            "range      0 or more; less is better",
            "passes     up to 50",
            "no_punct: ",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn all_are_listed() {
        let text = listed();
        assert!(every_metric().all(|about| text.contains(about.summary)));
        assert!(text.lines().all(|line| line.chars().count() <= 140), "{text}");
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest() {
        assert_eq!(find("rogue1").unwrap_err().to_string(), "no metric is called `rogue1`; did you mean `rouge1`?");
    }
}
