use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use signalbox_evals::suite::report::{self, Report};
use signalbox_evals::suite::{self, Metric, Row, Run as Results, Suite, SuiteProblem, make_all};
use signalbox_types::seam::{Clock as _, SystemClock};

use super::cache::Cache;
use super::compare::read;
use super::others::Given;
use super::runner::Runner;
use super::source::Items;
use super::target::Target;
use crate::commands::push::Push;
use crate::commands::{Ended, say};
use crate::config::environment;
use crate::remote::At;

/// Run a suite: items × targets × metrics, and gates over the figures
///
/// A suite is a YAML file. The smallest:
///
///   name: support
///   datasets: [gold.jsonl]                # JSON lines, CSV or Parquet; `id` names an item
///   targets: [{name: recorded, recorded: output}]
///   metrics: [faithfulness, {metric: rouge1, threshold: 0.4}]
///   gates:
///     - {metric: faithfulness, mean: ">= 0.8"}
///     - {metric: faithfulness, no_regression: {margin: 0.02}}
///
/// Items: files, `dataset: NAME@VERSION` of a running Signalbox, `traces: {filter}`.
/// Targets: `recorded: FIELD`, `model: {model, prompt, base_url, key_env}`, `http: {url, body, answer}`, `command: {run}`.
/// Metrics: by name (`signalbox eval metric --list`), `judge` (a rubric), `expression` (CEL), `command`, `wasm`, `weighted`, `all`, `any`, `when`/`then`/`else`.
/// Gates: `mean`, `pass_rate`, `p1` to `p99`, `min`, `max`, `no_regression`; `where` and `by` choose items by a field.
/// All of it: docs/evaluation.md.
///
/// `--push` sends the results to a running Signalbox afterwards, as runs of an experiment.
///
/// Each answer is appended to the result file as it comes. After Ctrl-C or a crash, `--resume` goes on. The result file of one run is
/// the `--baseline` of the next: items are compared one by one, by their ids.
///
/// Exit status:
///   0    every gate holds
///   1    a gate doesn't hold
///   2    the suite, a file or the command line is wrong; nothing was run
///   3    more answers failed than `max_errors` allows
///   4    the results couldn't be sent (`--push`); otherwise it would be 0
///   130  interrupted; `--resume` goes on
///
/// Examples:
///   signalbox eval run suite.yaml
///   signalbox eval run suite.yaml --results main.jsonl
///   signalbox eval run suite.yaml --baseline main.jsonl --junit report.xml --markdown report.md --html report.html
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Run {
    /// The suite
    suite: PathBuf,
    /// Where results go, a line for each answer [default: NAME.results.jsonl here, for NAME.yaml]
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Go on with the result file of a run that was interrupted; what failed there is tried again
    #[arg(long)]
    resume: bool,
    /// The result file of an earlier run, which this one must not be worse than
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Leave out gates that need a baseline
    #[arg(long, conflicts_with = "baseline")]
    no_baseline: bool,
    /// Write figures, gates and comparisons as JSON; `-` is standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write JUnit's XML, which forges show
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write Markdown, for a comment at a pull request
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write one page with every item, its scores, reasons and evidence
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Items at once, instead of the suite's `concurrency`
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: Option<u16>,
    /// The first so many items only
    #[arg(long)]
    limit: Option<usize>,
    /// Ask again what was asked in earlier runs
    #[arg(long)]
    no_cache: bool,
    /// Where answers of models, endpoints and programs are kept [default: signalbox/eval in the user's cache folder]
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,
    /// Send the results to a running Signalbox, as a run of an experiment for each target
    #[arg(long)]
    push: bool,
    /// The experiment of --push; it is made if there is none of this name [default: the suite's name]
    #[arg(long, value_name = "NAME", requires = "push")]
    experiment: Option<String>,
    /// What people call the run of --push [default: the target]
    #[arg(long, value_name = "NAME", requires = "push")]
    run_name: Option<String>,
    /// A word to find the run of --push by; may be given several times
    #[arg(long, value_name = "TAG", requires = "push")]
    tag: Vec<String>,
    #[command(flatten)]
    at: At,
    /// No table, no progress
    #[arg(long, short)]
    quiet: bool,
}

/// What a suite needs, ready to run.
struct Ready {
    suite: Suite,
    folder: PathBuf,
    items: Items,
    targets: Vec<Target>,
    metrics: Vec<Metric>,
    baseline: Option<Results>,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let ready = self.ready().map_err(|error| Ended::with(2, &error))?;
        let (mut results, mut file) = self.begin(&ready).map_err(|error| Ended::with(2, &error))?;
        let given = Given { folder: &ready.folder, suite: &ready.suite, at: &self.at };
        let files = ready.suite.metrics.iter().map(|row| given.content(row)).collect();
        let runner = Runner {
            suite: &ready.suite,
            files,
            items: &ready.items.all,
            targets: &ready.targets,
            metrics: Arc::new(ready.metrics),
            cache: self.cache(),
            concurrency: self.concurrency.map_or(ready.suite.concurrency, usize::from),
            quiet: self.quiet,
        };
        let ran = crate::commands::block_on(runner.run(&results.rows, &mut file))?;
        results.rows.extend(ran.rows);
        if ran.interrupted {
            let (done, all) = (results.rows.len(), results.header.expected);
            let path = self.results().display().to_string();
            return Err(Ended::told(
                130,
                format!("interrupted: {done} of {all} answers are in `{path}`; go on with --resume"),
            )
            .into());
        }
        let places: HashMap<&str, usize> =
            ready.items.all.iter().enumerate().map(|(at, item)| (&*item.id, at)).collect();
        let target = |row: &Row| ready.targets.iter().position(|target| target.name == row.target);
        results.rows.sort_by_key(|row| (target(row), places.get(row.id.as_str()).copied()));
        let judged = suite::judge(&ready.suite.gates, &results, ready.baseline.as_ref());
        let (segments, most) = (&ready.suite.segments, ready.suite.max_errors);
        let report = Report::new(&results, judged, ready.baseline.as_ref(), segments, most);
        let told = self.tell(&report);
        let pushed: anyhow::Result<()> =
            if self.push { self.send(segments).map_err(|error| Ended::with(4, &error).into()) } else { Ok(()) };
        match (told, pushed) {
            (Err(told), Err(unsent)) => {
                crate::commands::say_error(&unsent);
                Err(told)
            }
            (told, pushed) => told.and(pushed),
        }
    }

    fn send(&self, segments: &[String]) -> anyhow::Result<()> {
        let mut push = Push::results_of(&self.results(), segments, self.at.clone());
        (push.experiment, push.name, push.tag) = (self.experiment.clone(), self.run_name.clone(), self.tag.clone());
        // What stands alone on standard output stays alone.
        push.quiet = self.quiet || self.json.as_deref() == Some(Path::new("-"));
        push.run().context("the results couldn't be sent")
    }

    fn ready(&self) -> anyhow::Result<Ready> {
        let shown = self.suite.display();
        let text = std::fs::read_to_string(&self.suite).with_context(|| format!("can't read the suite `{shown}`"))?;
        let wrong = |problems: Vec<SuiteProblem>| {
            anyhow!("{}", problems.iter().map(|problem| format!("{shown}: {problem}")).collect::<Vec<_>>().join("\n"))
        };
        let mut suite = Suite::parse(&text).map_err(wrong)?;
        let folder = match self.suite.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let items = Items::of(&mut suite, &folder, &self.at, self.limit)?;
        let given = Given { folder: &folder, suite: &suite, at: &self.at };
        let metrics = make_all(&suite.metrics, &given).map_err(|problems| wrong(suite.placed(&text, problems)))?;
        let target = |(at, config)| {
            Target::new(config, &suite, &folder, &self.at).map_err(|problem| {
                let problem = SuiteProblem { line: None, field: format!("targets[{at}]"), message: problem };
                wrong(suite.placed(&text, vec![problem]))
            })
        };
        let targets = suite.targets.iter().enumerate().map(target).collect::<anyhow::Result<Vec<_>>>()?;
        let baseline = self.baseline.as_deref().map(read).transpose().context("the baseline can't be used")?;
        if self.baseline.is_some() && self.baseline.as_deref().map(real) == Some(real(self.results())) {
            anyhow::bail!("the results would overwrite the baseline; name another file with --results");
        }
        let needs = suite.gates.iter().any(|gate| gate.no_regression.is_some());
        if needs && baseline.is_none() && !self.no_baseline {
            anyhow::bail!(
                "{shown}: `no_regression` compares with an earlier run: give its result file with --baseline, or --no-baseline to leave these gates out"
            );
        }
        Ok(Ready { suite, folder, items, targets, metrics, baseline })
    }

    fn results(&self) -> PathBuf {
        self.results.clone().unwrap_or_else(|| {
            let stem = self.suite.file_stem().unwrap_or_default().to_string_lossy();
            PathBuf::from(format!("{stem}.results.jsonl"))
        })
    }

    /// The result file with its head, and the rows that it has already.
    fn begin(&self, ready: &Ready) -> anyhow::Result<(Results, File)> {
        let path = self.results();
        let failed = || format!("can't write the results to `{}`", path.display());
        let fingerprint = ready.suite.fingerprint.clone();
        if self.resume && path.exists() {
            let mut before = read(&path)?;
            if before.header.fingerprint != fingerprint {
                anyhow::bail!(
                    "`{}` is of another suite: datasets, targets or metrics have changed since; run without --resume",
                    path.display()
                );
            }
            let file = OpenOptions::new().append(true).open(&path).with_context(failed)?;
            file.set_len(before.whole_bytes as u64).with_context(failed)?;
            let wanted: HashSet<&str> = ready.items.all.iter().map(|item| item.id.as_str()).collect();
            before.rows.retain(|row| !row.failed() && wanted.contains(row.id.as_str()));
            return Ok((before, file));
        }
        let started = SystemClock::new().now().to_string();
        let headers = ready.metrics.iter().map(Metric::header).collect();
        let expected = ready.items.all.len() * ready.targets.len();
        let dataset = ready.items.dataset.clone();
        let results = Results::begin(&ready.suite.name, fingerprint, started, expected, headers, dataset);
        let mut file = File::create(&path).with_context(failed)?;
        writeln!(file, "{}", serde_json::to_string(&results.header)?).with_context(failed)?;
        Ok((results, file))
    }

    fn cache(&self) -> Cache {
        if self.no_cache {
            return Cache::at(None);
        }
        let of_user = || {
            let folder = environment("XDG_CACHE_HOME").map(PathBuf::from);
            let folder = folder.or_else(|| Some(PathBuf::from(environment("HOME")?).join(".cache")))?;
            Some(folder.join("signalbox").join("eval"))
        };
        Cache::at(self.cache.clone().or_else(of_user))
    }

    fn tell(&self, report: &Report<'_>) -> anyhow::Result<()> {
        if !self.quiet && self.json.as_deref() != Some(Path::new("-")) {
            say(super::table::told(report).trim_end());
        }
        type Write = fn(&Report<'_>) -> String;
        let as_json: Write = |report| format!("{:#}\n", report.json());
        let files = [
            (&self.json, as_json),
            (&self.junit, report::junit),
            (&self.markdown, report::markdown),
            (&self.html, report::html),
        ];
        for (path, write) in files {
            match path.as_deref() {
                None => {}
                Some(path) if path == Path::new("-") => say(write(report).trim_end()),
                Some(path) => {
                    std::fs::write(path, write(report)).with_context(|| format!("can't write `{}`", path.display()))?;
                }
            }
        }
        if report.too_many_failed() {
            let first = report.run.rows.iter().find_map(|row| {
                let error =
                    row.error.as_ref().or_else(|| row.scores.values().find_map(|score| score.error.as_ref()))?;
                Some(format!("{}: {error}", row.id))
            });
            let (failed, most) = (report.failed(), report.max_errors);
            let message = format!("{failed} answers failed, {most} may; the first: {}", first.unwrap_or_default());
            return Err(Ended::told(3, message).into());
        }
        let failing = report.judged.gates.iter().filter(|gate| !gate.passed).count();
        if failing > 0 {
            return Err(Ended::told(1, format!("{failing} of {} gates don't hold", report.judged.gates.len())).into());
        }
        Ok(())
    }
}

fn real(path: impl AsRef<Path>) -> PathBuf {
    std::fs::canonicalize(path.as_ref()).unwrap_or_else(|_| path.as_ref().to_owned())
}
