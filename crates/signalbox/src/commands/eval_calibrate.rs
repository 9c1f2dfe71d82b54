use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use signalbox_evals::calibrate::{Agreement, Labelled, Rated, compare, labelled_line};

use super::eval::metric::open;

/// How far a judge agrees with people
///
/// Lines have the `label` of people, or the `labels` of several, and what the judge said: `verdict`, `score`, `passed`, as `signalbox eval judge`
/// writes them; perhaps a `segment`. Of several people the majority counts. `true`, `yes` and 1 are the same label; labels that are all numbers
/// are levels.
///
/// Examples:
///   signalbox eval judge tone --model m --jsonl gold.jsonl | signalbox eval calibrate
///   signalbox eval calibrate gold.jsonl --judged judged.jsonl --min-kappa 0.6
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Calibrate {
    /// Files with labels [default: standard input]
    files: Vec<PathBuf>,
    /// A file with what the judge said, by the same `id`s
    #[arg(long, value_name = "FILE")]
    judged: Option<PathBuf>,
    /// Compare with whether the judge found it good enough (`passed`) in place of what it said
    #[arg(long)]
    passed: bool,
    /// The labels in their order, with commas between, if they have one and are no numbers
    #[arg(long, value_name = "LABELS", value_delimiter = ',')]
    order: Vec<String>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
    /// End with status 1 if kappa is less, or there is none
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    min_kappa: Option<f64>,
}

impl Calibrate {
    pub(super) fn run(self) -> Result<()> {
        let mut lines = Vec::new();
        let files = if self.files.is_empty() { vec![PathBuf::from("-")] } else { self.files.clone() };
        for file in &files {
            lines.extend(read(file)?);
        }
        if let Some(file) = &self.judged {
            join(&mut lines, read(file)?, file)?;
        }
        let order: Vec<String> = self.order.iter().map(|label| label.trim().to_lowercase()).collect();
        let rated: Vec<Rated> = lines.iter().map(|line| line.rated(self.passed)).collect();
        let told = compare(&rated, &order);
        if told.compared == 0 {
            bail!(
                "nothing can be compared: {} lines, {} without a label that people agree on, {} without a verdict",
                told.items,
                told.undecided,
                told.unjudged
            );
        }
        let text = if self.json { serde_json::to_string_pretty(&told)? } else { table(&told) };
        super::say(text.trim_end());
        match self.min_kappa {
            Some(least) if told.kappa.is_none_or(|kappa| kappa < least) => {
                bail!("kappa is {}, less than {least}", number(told.kappa))
            }
            _ => Ok(()),
        }
    }
}

fn read(file: &Path) -> Result<Vec<Labelled>> {
    let mut lines = Vec::new();
    for (at, line) in open(file)?.split(b'\n').enumerate() {
        let line = line.with_context(|| format!("can't read `{}`", file.display()))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        lines
            .push(labelled_line(&line).map_err(|problem| anyhow!("`{}`, line {}: {problem}", file.display(), at + 1))?);
    }
    Ok(lines)
}

/// Takes what a judge said from another file.
fn join(lines: &mut [Labelled], judged: Vec<Labelled>, file: &Path) -> Result<()> {
    let mut by_id = HashMap::new();
    for line in judged {
        if line.id.is_null() {
            continue;
        }
        if let Some(before) = by_id.insert(line.id.to_string(), line) {
            bail!("`{}` has the id {} twice", file.display(), before.id);
        }
    }
    for line in lines {
        if let Some(judged) = by_id.get(&line.id.to_string()) {
            line.judge.clone_from(&judged.judge);
            line.passed = judged.passed;
        }
    }
    Ok(())
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

fn table(told: &Agreement) -> String {
    let mut text = format!("{} of {} lines compared", told.compared, told.items);
    if told.undecided + told.unjudged > 0 {
        let _ = write!(text, " ({} without one label of people, {} without a verdict)", told.undecided, told.unjudged);
    }
    text.push_str("\n\n");
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<24}{value}");
    };
    line("accuracy", number(told.accuracy));
    let interval = told.kappa_interval.map(|one| format!("   95 %: {:.3} to {:.3}", one.low, one.high));
    line("Cohen's kappa", number(told.kappa) + &interval.unwrap_or_default());
    if told.kappa_linear.is_some() {
        line("  linear weights", number(told.kappa_linear));
        line("  quadratic weights", number(told.kappa_quadratic));
    }
    line("Krippendorff's alpha", number(told.alpha));
    if let Some(bias) = told.bias {
        line("judge less people", format!("{bias:+.3}"));
    }
    if let Some(people) = &told.people {
        let fleiss = people.fleiss_kappa.map(|kappa| format!("   Fleiss' kappa {kappa:.3}")).unwrap_or_default();
        line(&format!("alpha of {} people", people.raters), number(people.alpha) + &fleiss);
    }
    let mut classes = comfy_table::Table::new();
    classes.load_style(comfy_table::presets::NOTHING).set_header(["label", "people", "judge", "precision", "recall"]);
    for class in &told.classes {
        let cells = [class.people.to_string(), class.judge.to_string(), number(class.precision), number(class.recall)];
        classes.add_row(std::iter::once(class.label.clone()).chain(cells));
    }
    let _ = write!(text, "\n{classes}\n");
    let mut confusion = comfy_table::Table::new();
    confusion.load_style(comfy_table::presets::NOTHING);
    let columns = told.confusion.labels.iter().map(|label| format!("judge: {label}"));
    confusion.set_header(std::iter::once(String::new()).chain(columns));
    for (label, row) in told.confusion.labels.iter().zip(&told.confusion.counts) {
        confusion.add_row(std::iter::once(format!("people: {label}")).chain(row.iter().map(u64::to_string)));
    }
    let _ = write!(text, "\n{confusion}\n");
    if !told.segments.is_empty() {
        let mut segments = comfy_table::Table::new();
        segments.load_style(comfy_table::presets::NOTHING).set_header(["segment", "compared", "accuracy", "kappa"]);
        for one in &told.segments {
            segments.add_row([one.name.clone(), one.compared.to_string(), number(one.accuracy), number(one.kappa)]);
        }
        let _ = write!(text, "\n{segments}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_all_and_files_are_joined_by_id() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, lines: &[&str]| {
            let file = folder.path().join(name);
            std::fs::write(&file, lines.join("\n")).unwrap();
            file
        };
        let gold = write(
            "gold.jsonl",
            &[
                r#"{"id": 1, "label": true, "segment": "a"}"#,
                r#"{"id": 2, "labels": [0, 0, 1], "segment": "b"}"#,
                r#"{"id": "3", "label": "yes"}"#,
            ],
        );
        let judged = write(
            "judged.jsonl",
            &[
                r#"{"id": 1, "score": 1, "passed": true}"#,
                r#"{"id": 2, "score": 1.0, "passed": true}"#,
                r#"{"id": "3", "error": "no answer"}"#,
            ],
        );
        let mut lines = read(&gold).unwrap();
        join(&mut lines, read(&judged).unwrap(), &judged).unwrap();
        let rated: Vec<Rated> = lines.iter().map(|line| line.rated(false)).collect();
        let text = table(&compare(&rated, &[]));
        for part in [
            "2 of 3 lines compared (0 without one label of people, 1 without a verdict)",
            "accuracy                0.500",
            "people: 0",
            "alpha of 3 people",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let twice = read(&write("twice.jsonl", &[r#"{"id": 1}"#, r#"{"id": 1}"#])).unwrap();
        assert!(join(&mut lines, twice, &judged).unwrap_err().to_string().contains("has the id 1 twice"));
        let wrong = read(&write("wrong.jsonl", &["", "[]"])).unwrap_err().to_string();
        assert!(wrong.ends_with("line 2: expected an object, found a list"), "{wrong}");
    }
}
