//! Gates: what must hold of the figures, and whether it does.

use std::collections::HashMap;

use serde::Serialize;
use signalbox_metrics::Direction;

use super::config::{GateConfig, On, Proof, Regression, Suite};
use super::result::{Row, Run};
use super::summary::{field_text, figures, is_binary, values_of};
use crate::stats::{Comparison, Interval, Plan, compare, compare_verdicts, holm, quantile};

/// How a gate went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateOutcome {
    /// What must hold: `rouge1 mean >= 0.8`.
    pub gate: String,
    /// The metric.
    pub metric: String,
    /// Of whose answers.
    pub target: String,
    /// Of which items; `None` of all.
    pub segment: Option<String>,
    /// It holds.
    pub passed: bool,
    /// What was found.
    pub found: String,
    /// The comparison with the baseline, if it is that.
    pub comparison: Option<Comparison>,
    /// The p-value that decided, after Holm's correction where that applies.
    pub p_adjusted: Option<f64>,
    /// What the figures can't tell.
    pub warning: Option<String>,
}

/// A condition: `>= 0.8`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wanted {
    is_least: bool,
    is_strict: bool,
    bound: f64,
}

impl Wanted {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let sign: String = text.chars().take_while(|c| matches!(c, '<' | '>' | '=')).collect();
        let bound = text.strip_prefix(sign.as_str())?.trim();
        let bound = match bound.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
            None => bound.parse().ok()?,
        };
        let (is_least, is_strict) = match sign.as_str() {
            ">=" => (true, false),
            ">" => (true, true),
            "<=" => (false, false),
            "<" => (false, true),
            _ => return None,
        };
        f64::is_finite(bound).then_some(Self { is_least, is_strict, bound })
    }

    fn holds(self, value: f64) -> bool {
        match (self.is_least, self.is_strict) {
            (true, false) => value >= self.bound,
            (true, true) => value > self.bound,
            (false, false) => value <= self.bound,
            (false, true) => value < self.bound,
        }
    }
}

/// Whether the gates hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// Each gate, target and segment.
    pub gates: Vec<GateOutcome>,
}

impl Judged {
    /// All of them hold.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.gates.iter().all(|gate| gate.passed)
    }
}

fn conditions(gate: &GateConfig) -> Vec<(&'static str, Option<f64>, &String)> {
    let all = [
        ("mean", None, &gate.mean),
        ("pass_rate", None, &gate.pass_rate),
        ("p1", Some(0.01), &gate.p1),
        ("p5", Some(0.05), &gate.p5),
        ("p10", Some(0.1), &gate.p10),
        ("p25", Some(0.25), &gate.p25),
        ("p50", Some(0.5), &gate.p50),
        ("p75", Some(0.75), &gate.p75),
        ("p90", Some(0.9), &gate.p90),
        ("p95", Some(0.95), &gate.p95),
        ("p99", Some(0.99), &gate.p99),
        ("min", Some(0.0), &gate.min),
        ("max", Some(1.0), &gate.max),
    ];
    all.into_iter().filter_map(|(name, share, text)| Some((name, share, text.as_ref()?))).collect()
}

/// What is wrong with the gates of a suite.
pub(super) fn problems(suite: &Suite) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let names: Vec<&str> = suite
        .metrics
        .iter()
        .filter_map(|row| row.name.as_deref().or(row.metric.as_deref()))
        .chain(["latency_ms", "cost_usd"])
        .collect();
    for (at, gate) in suite.gates.iter().enumerate() {
        let mut wrong = |field: &str, message: String| found.push((format!("gates[{at}]{field}"), message));
        if !names.contains(&gate.metric.as_str()) {
            wrong(".metric", format!("the suite has no metric `{}`; it has {}", gate.metric, names.join(", ")));
        }
        if let Some(target) = gate.target.as_ref().filter(|name| suite.targets.iter().all(|one| one.name != **name)) {
            wrong(".target", format!("the suite has no target `{target}`"));
        }
        let conditions = conditions(gate);
        if conditions.is_empty() && gate.no_regression.is_none() {
            wrong("", "expected a condition such as `mean: \">= 0.8\"`, or `no_regression`".to_owned());
        }
        for (name, _, text) in &conditions {
            if Wanted::parse(text).is_none() {
                wrong(&format!(".{name}"), format!("expected a condition like `>= 0.8`, found `{text}`"));
            }
        }
        if gate.confident && conditions.iter().any(|(name, ..)| !matches!(*name, "mean" | "pass_rate")) {
            wrong(".confident", "only `mean` and `pass_rate` have an interval".to_owned());
        }
        let Some(rule) = &gate.no_regression else { continue };
        if !(rule.margin.is_finite() && rule.margin >= 0.0) {
            wrong(".no_regression.margin", "expected 0 or more".to_owned());
        }
        if !(rule.alpha > 0.0 && rule.alpha <= 0.5) {
            wrong(".no_regression.alpha", "expected more than 0 and at most 0.5".to_owned());
        }
        if rule.prove == Proof::NoRegression && rule.margin <= 0.0 {
            wrong(
                ".no_regression.margin",
                "that nothing at all was lost can't be proven; say how much may be".to_owned(),
            );
        }
    }
    found
}

/// Judges a run by the gates, beside a baseline if there is one. Without one, gates of regressions are left out.
#[must_use]
pub fn judge(gates: &[GateConfig], run: &Run, baseline: Option<&Run>) -> Judged {
    let mut outcomes: Vec<GateOutcome> = Vec::new();
    let mut alphas: Vec<(usize, f64, f64)> = Vec::new();
    for gate in gates {
        for target in run.targets().into_iter().filter(|name| gate.target.as_deref().is_none_or(|one| one == *name)) {
            let is_meant = |row: &&Row| {
                row.target == target && gate.segment.iter().all(|(field, value)| row.item.get(field) == Some(value))
            };
            let rows: Vec<&Row> = run.rows.iter().filter(is_meant).collect();
            let fixed: Vec<String> = gate.segment.iter().map(|(field, value)| format!("{field} = {value}")).collect();
            for (segment, rows) in split(rows, gate.by.as_deref(), &fixed.join(", ")) {
                for (name, share, text) in conditions(gate) {
                    outcomes.push(absolute(gate, (name, share, text), (target, segment.clone()), &rows));
                }
                let (Some(rule), Some(baseline)) = (&gate.no_regression, baseline) else { continue };
                let outcome = regression(&gate.metric, rule, (target, segment), &rows, (run, baseline));
                if let Some(p) = outcome.p_adjusted.filter(|_| rule.prove == Proof::Regression) {
                    alphas.push((outcomes.len(), p, rule.alpha));
                }
                outcomes.push(outcome);
            }
        }
    }
    // One false alarm among all is as rare as one of a single gate. What has to be proven for each gate needs no correction (Berger 1982).
    let adjusted = holm(&alphas.iter().map(|(_, p, _)| *p).collect::<Vec<_>>());
    for ((at, _, alpha), p) in alphas.into_iter().zip(adjusted) {
        outcomes[at].p_adjusted = Some(p);
        outcomes[at].passed = p > alpha;
    }
    Judged { gates: outcomes }
}

fn split<'a>(rows: Vec<&'a Row>, by: Option<&str>, fixed: &str) -> Vec<(Option<String>, Vec<&'a Row>)> {
    let named = |more: String| {
        [fixed.to_owned(), more].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let Some(field) = by else {
        return vec![((!fixed.is_empty()).then(|| fixed.to_owned()), rows)];
    };
    let values = values_of(&rows, field);
    let of =
        |value: &String| rows.iter().copied().filter(|row| field_text(row, field).as_ref() == Some(value)).collect();
    values.iter().map(|value| (Some(named(format!("{field} = {value}"))), of(value))).collect()
}

fn absolute(
    gate: &GateConfig,
    (name, share, text): (&str, Option<f64>, &str),
    (target, segment): (&str, Option<String>),
    rows: &[&Row],
) -> GateOutcome {
    let sum = figures(&gate.metric, rows);
    let (value, interval) = match name {
        "mean" => (sum.mean, sum.interval),
        "pass_rate" => (sum.pass_rate, sum.pass_interval),
        _ => {
            let values: Vec<f64> = rows.iter().filter_map(|row| row.value(&gate.metric)).collect();
            (share.and_then(|share| quantile(&values, share)), None)
        }
    };
    let wanted = Wanted::parse(text);
    let holds = |value: f64| wanted.is_some_and(|wanted| wanted.holds(value));
    let passed = match (value, interval, gate.confident) {
        (None, ..) => false,
        (Some(_), Some(Interval { low, high }), true) => holds(low) && holds(high),
        (Some(value), _, confident) => !confident && holds(value),
    };
    let found = match (value, interval) {
        (None, _) => "nothing was measured".to_owned(),
        (Some(value), Some(Interval { low, high })) => {
            format!("{value:.4} [{low:.4}, {high:.4}], n = {}", sum.measured)
        }
        (Some(value), None) => format!("{value:.4}, n = {}", sum.measured),
    };
    let surely = if gate.confident { " (whole interval)" } else { "" };
    // A condition within the interval may hold today and not tomorrow, with the same system.
    let warning = match (interval, wanted) {
        (Some(interval), Some(wanted)) if !gate.confident && interval.holds(wanted.bound) && sum.measured > 0 => {
            Some("the bound lies within the interval: more items would tell".to_owned())
        }
        _ => None,
    };
    GateOutcome {
        gate: format!("{} {name} {}{surely}", gate.metric, text.trim()),
        metric: gate.metric.clone(),
        target: target.to_owned(),
        segment,
        passed,
        found,
        comparison: None,
        p_adjusted: None,
        warning,
    }
}

fn regression(
    metric: &str,
    rule: &Regression,
    (target, segment): (&str, Option<String>),
    rows: &[&Row],
    (run, baseline): (&Run, &Run),
) -> GateOutcome {
    let margin = if rule.margin > 0.0 { format!(" beyond {}", rule.margin) } else { String::new() };
    let gate = match rule.prove {
        Proof::Regression => format!("{metric}: no regression{margin}"),
        Proof::NoRegression => format!("{metric}: proven no regression{margin}"),
    };
    let mut outcome = GateOutcome {
        gate,
        metric: metric.to_owned(),
        target: target.to_owned(),
        segment,
        passed: false,
        found: String::new(),
        comparison: None,
        p_adjusted: None,
        warning: None,
    };
    let Some(before) = partner(baseline, target) else {
        outcome.found = format!("the baseline has no target `{target}`; it has {}", baseline.targets().join(", "));
        return outcome;
    };
    let higher_is_better = run.direction(metric) == Direction::Higher;
    let plan = Plan { alpha: rule.alpha, margin: rule.margin, higher_is_better, ..Plan::default() };
    let Some(found) = paired(metric, rule.on, rows, &rows_of(baseline, before), &plan) else {
        outcome.found = "no item was measured in both runs".to_owned();
        return outcome;
    };
    let p = match rule.prove {
        Proof::Regression => found.p_worse,
        Proof::NoRegression => found.p_no_worse,
    };
    // What several gates change is done where all of them are known.
    outcome.passed = match rule.prove {
        Proof::Regression => p > rule.alpha,
        Proof::NoRegression => p <= rule.alpha,
    };
    outcome.p_adjusted = Some(p);
    outcome.found = told(&found);
    outcome.warning = weakness(&found, rule);
    outcome.comparison = Some(found);
    outcome
}

fn told(found: &Comparison) -> String {
    let interval = found.interval.map(|Interval { low, high }| format!(" [{low:+.4}, {high:+.4}]")).unwrap_or_default();
    let Comparison { before, after, difference, wins, ties, losses, .. } = found;
    format!("{before:.4} → {after:.4}, {difference:+.4}{interval}; {wins} better, {ties} same, {losses} worse")
}

fn weakness(found: &Comparison, rule: &Regression) -> Option<String> {
    let mut said = Vec::new();
    if found.unpaired > 0 {
        said.push(format!("{} items were measured in one run only and don't count", found.unpaired));
    }
    match found.detectable {
        Some(least) if rule.margin > 0.0 && least > rule.margin => said.push(format!(
            "{} pairs are too few to see a margin of {}: {least:.4} is the least that four of five runs would show",
            found.pairs, rule.margin
        )),
        None if found.pairs < 2 => said.push("one pair shows nothing".to_owned()),
        _ => {}
    }
    (!said.is_empty()).then(|| said.join("; "))
}

/// The target of a baseline that a target is compared with: that of the same name, or the only one.
fn partner<'a>(baseline: &'a Run, target: &str) -> Option<&'a str> {
    let all = baseline.targets();
    let same = all.iter().copied().find(|name| *name == target);
    same.or_else(|| all.first().copied().filter(|_| all.len() == 1))
}

fn rows_of<'a>(run: &'a Run, target: &str) -> Vec<&'a Row> {
    run.rows.iter().filter(|row| row.target == target).collect()
}

fn paired(metric: &str, on: Option<On>, after: &[&Row], before: &[&Row], plan: &Plan) -> Option<Comparison> {
    let by_id: HashMap<&str, &Row> = before.iter().map(|row| (row.id.as_str(), *row)).collect();
    let both: Vec<(Option<&Row>, &Row)> = after.iter().map(|row| (by_id.get(row.id.as_str()).copied(), *row)).collect();
    let value = |row: &Row| row.value(metric);
    let values = |row: &(Option<&Row>, &Row)| (row.0.and_then(value), value(row.1));
    let (old, new): (Vec<_>, Vec<_>) = both.iter().map(values).unzip();
    let all: Vec<f64> = old.iter().chain(&new).copied().flatten().collect();
    // Of values that are 0 or 1 the good one is a verdict, whatever the threshold.
    let good = |value: &Option<f64>| value.map(|value| (value == 1.0) == plan.higher_is_better);
    match on {
        Some(On::Passed) => {
            let verdicts =
                |row: &(Option<&Row>, &Row)| (row.0.and_then(|row| row.passed(metric)), row.1.passed(metric));
            let (old, new): (Vec<_>, Vec<_>) = both.iter().map(verdicts).unzip();
            compare_verdicts(&old, &new, plan)
        }
        None if is_binary(&all) => {
            let verdicts = |values: &[Option<f64>]| values.iter().map(good).collect::<Vec<_>>();
            compare_verdicts(&verdicts(&old), &verdicts(&new), plan)
        }
        _ => compare(&old, &new, plan),
    }
}

/// Two runs side by side: each target with its partner, each metric that both have.
#[must_use]
pub fn compare_runs(before: &Run, after: &Run) -> Vec<(String, String, Comparison)> {
    let mut all = Vec::new();
    for target in after.targets() {
        let Some(partner) = partner(before, target) else { continue };
        let (old, new) = (rows_of(before, partner), rows_of(after, target));
        let names = after.header.metrics.iter().map(|metric| metric.name.as_str()).chain(["latency_ms", "cost_usd"]);
        for metric in names {
            let plan = Plan { higher_is_better: after.direction(metric) == Direction::Higher, ..Plan::default() };
            let on = matches!(metric, "latency_ms" | "cost_usd").then_some(On::Value);
            if let Some(found) = paired(metric, on, &new, &old, &plan) {
                all.push((target.to_owned(), metric.to_owned(), found));
            }
        }
    }
    all
}
