//! What only the owner can tell of a configuration: problems, each with the field, what was expected and how to mend it.

use std::fmt;

use serde::de::DeserializeOwned;
use signalbox_types::Query;
use signalbox_types::query::{Function, Measure};

use super::action::MOST_ACTIONS;
use super::condition::{BurnRate, Change, Condition, Sequential, Threshold};
use super::{Length, MonitorConfig};

/// Something that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which field, e.g. `condition.baseline.sensitivity`.
    pub field: String,
    /// What is wrong and what was expected.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// Below another field.
    #[must_use]
    pub fn under(self, parent: &str) -> Self {
        Self { field: format!("{parent}.{}", self.field), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.message)
    }
}

/// Reads what somebody wrote. An error names the field, or `whole` where it is none.
pub(crate) fn read<T: DeserializeOwned>(value: &serde_json::Value, whole: &str) -> Result<T, Vec<Problem>> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { whole.to_owned() } else { path };
        vec![Problem::new(field, error.inner().to_string())]
    })
}

const LONGEST_NAME: usize = 100;
const MOST_SERIES: u32 = 1_000;

/// Whether a name can stand in paths and in other monitors.
pub(crate) fn name_problem(name: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let good = (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(fits);
    let shown: String = name.chars().take(40).collect();
    (!good).then(|| format!("`{shown}` is no name; expected 1 to {LONGEST_NAME} letters, digits, `-`, `_` or `.`"))
}

/// Everything that is wrong with a monitor by itself.
pub(crate) fn monitor(monitor: &MonitorConfig) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(name_problem(&monitor.name).map(|problem| Problem::new("name", problem)));
    if monitor.name == "test" {
        problems.push(Problem::new("name", "`test` is what `/api/v1/monitors/test` is called; expected another name"));
    }
    if monitor.name.starts_with(crate::drift::PREFIX) {
        let problem =
            format!("begins with `{}`, as what drift checks find does; expected another name", crate::drift::PREFIX);
        problems.push(Problem::new("name", problem));
    }
    let second = Length::seconds(1);
    for (field, length) in [("window", monitor.window), ("every", monitor.every)] {
        if length < second {
            problems.push(Problem::new(field, format!("is {length}; expected at least 1s")));
        }
    }
    if monitor.window > Length::days(90) {
        problems.push(Problem::new("window", format!("is {}; expected at most 90d", monitor.window)));
    }
    for (field, number) in [("for", monitor.for_), ("recover_for", monitor.recover_for)] {
        if !(1..=1_000).contains(&number) {
            problems.push(Problem::new(field, format!("is {number}; expected 1 to 1000 evaluations")));
        }
    }
    if !(1..=MOST_SERIES).contains(&monitor.max_series) {
        let problem = format!("is {}; expected 1 to {MOST_SERIES}", monitor.max_series);
        problems.push(Problem::new("max_series", problem));
    }
    if monitor.escalation.is_some() && !monitor.notify.is_empty() {
        problems
            .push(Problem::new("notify", "stands beside `escalation`, which says who is told; leave one of them out"));
    }
    if monitor.actions.len() > MOST_ACTIONS {
        problems.push(Problem::new("actions", format!("are more than {MOST_ACTIONS}")));
    }
    for (i, action) in monitor.actions.iter().enumerate() {
        problems.extend(action.problems().into_iter().map(|problem| problem.under(&format!("actions[{i}]"))));
    }
    query(monitor, &mut problems);
    condition(monitor, &mut problems);
    problems
}

fn query(monitor: &MonitorConfig, problems: &mut Vec<Problem>) {
    let composite = matches!(monitor.condition, Condition::Composite(_));
    let Some(query) = &monitor.query else {
        if !composite {
            let problem = "is missing; expected e.g. {\"table\": \"spans\", \"measures\": [{\"fn\": \"count\"}]}";
            problems.push(Problem::new("query", problem));
        }
        return;
    };
    if composite {
        problems
            .push(Problem::new("query", "has no use for a `composite`, which looks at other monitors; leave it out"));
        return;
    }
    let plain = Query::default();
    let unused = [
        ("time", query.time != plain.time, "the monitor's `window` says when"),
        ("bucket", query.bucket.is_some(), "the monitor's `window` says how wide"),
        ("order", !query.order.is_empty(), "series have no order"),
        ("limit", query.limit.is_some(), "use `max_series`"),
        ("top", query.top.is_some(), "use `max_series`"),
        ("cursor", query.cursor.is_some(), "there are no pages"),
        ("select", !query.select.is_empty(), "a monitor watches `measures`"),
    ];
    for (field, there, instead) in unused {
        if there {
            problems.push(Problem::new(format!("query.{field}"), format!("has no place in a monitor: {instead}")));
        }
    }
    if query.measures.is_empty() {
        problems.push(Problem::new("query.measures", "are missing; expected e.g. [{\"fn\": \"count\"}]"));
    } else if let Err(error) = query.check() {
        problems.push(Problem::new(format!("query.{}", error.field), error.problem));
    } else if monitor.watched().is_none() {
        let names: Vec<String> = query.measures.iter().map(Measure::name).collect();
        let problem = format!("names no measure of the query; expected `of` (and `over`) among {}", names.join(", "));
        problems.push(Problem::new("value", problem));
    }
}

fn condition(monitor: &MonitorConfig, problems: &mut Vec<Problem>) {
    let mut report = |field: &str, message: String| {
        problems.push(Problem::new(format!("condition.{}.{field}", monitor.condition.kind()), message));
    };
    match &monitor.condition {
        Condition::Threshold(threshold) => check_threshold(threshold, &mut report),
        Condition::Baseline(baseline) => {
            if !(0.5..=100.0).contains(&baseline.sensitivity) {
                report("sensitivity", format!("is {}; expected 0.5 to 100", baseline.sensitivity));
            }
            if !(0.0..=1.0).contains(&baseline.recover) {
                report("recover", format!("is {}; expected a part of the band, 0 to 1", baseline.recover));
            }
            if baseline.min_deviation.is_nan() || baseline.min_deviation < 0.0 {
                report("min_deviation", format!("is {}; expected 0 or more", baseline.min_deviation));
            }
            if baseline.longer.is_some_and(|longer| longer <= monitor.window || longer > Length::days(7)) {
                let (longer, window) = (baseline.longer.unwrap_or_default(), monitor.window);
                report("longer", format!("is {longer}; expected more than the `window`, {window}, and at most 7d"));
            }
            let enough = baseline.longer.unwrap_or(monitor.window).0.saturating_mul(20);
            if baseline.history.0 < enough || baseline.history > Length::days(366) {
                let expected = Length(enough);
                report(
                    "history",
                    format!("is {}; expected at least 20 windows ({expected}), at most 366d", baseline.history),
                );
            }
            if baseline.relearn < Length::minutes(10) {
                report("relearn", format!("is {}; expected at least 10m", baseline.relearn));
            }
        }
        Condition::Change(Change { above, below, .. }) => {
            if above.is_none() && below.is_none() {
                report(
                    "above",
                    "is missing, as is `below`; expected one of them, e.g. 0.5 for half as much again".to_owned(),
                );
            }
            if below.is_some_and(|below| below <= -1.0) {
                report("below", "is -1 or less, which nothing falls below; expected e.g. -0.5".to_owned());
            }
        }
        Condition::Absence(absence) => {
            if absence.fewer_than.is_nan() || absence.fewer_than <= 0.0 {
                report("fewer_than", format!("is {}; expected more than 0", absence.fewer_than));
            }
        }
        Condition::Composite(composite) => {
            if composite.all.is_empty() {
                report("all", "is empty; expected names of monitors".to_owned());
            }
            if composite.all.iter().chain(&composite.none).any(|name| *name == monitor.name) {
                report("all", "names this monitor itself".to_owned());
            }
        }
        Condition::Sequential(sequential) => check_sequential(monitor, sequential, &mut report),
        Condition::BurnRate(burn) => check_burn_rate(monitor, burn, &mut report),
    }
}

fn check_threshold(threshold: &Threshold, report: &mut impl FnMut(&str, String)) {
    match (threshold.above, threshold.below) {
        (None, None) => report("above", "is missing, as is `below`; expected one of them".to_owned()),
        (Some(above), Some(below)) if below >= above => {
            report("below", format!("is {below}, which is not less than `above` ({above})"));
        }
        (Some(_), Some(_)) if threshold.recover.is_some() => {
            report("recover", "is for one side only; leave it out, or one of `above` and `below`".to_owned());
        }
        (Some(above), None) if threshold.recover.is_some_and(|recover| recover > above) => {
            report("recover", format!("is more than `above` ({above}); expected less"));
        }
        (None, Some(below)) if threshold.recover.is_some_and(|recover| recover < below) => {
            report("recover", format!("is less than `below` ({below}); expected more"));
        }
        _ => {}
    }
}

fn check_sequential(monitor: &MonitorConfig, sequential: &Sequential, report: &mut impl FnMut(&str, String)) {
    let [least, most] = sequential.range;
    if least.is_nan() || most.is_nan() || least >= most {
        report("range", format!("is [{least}, {most}]; expected the least and the greatest possible value"));
    } else if !(sequential.reference > least && sequential.reference < most) {
        report("reference", format!("is {}; expected a value between {least} and {most}", sequential.reference));
    }
    if sequential.false_alarm_every.0 < monitor.window.0.saturating_mul(20) {
        report("false_alarm_every", format!("is {}; expected at least 20 windows", sequential.false_alarm_every));
    }
    let mean = monitor.watched().is_some_and(|(of, over)| match over {
        Some(over) => [of, over].iter().all(|one| matches!(one.function, Function::Count | Function::Sum)),
        None => of.function == Function::Avg,
    });
    if !mean {
        let problem = "needs a mean or a proportion: watch an `avg`, or `value: {of, over}` of two counts or sums";
        report("reference", problem.to_owned());
    }
}

fn check_burn_rate(monitor: &MonitorConfig, burn: &BurnRate, report: &mut impl FnMut(&str, String)) {
    if !(burn.objective > 0.0 && burn.objective < 1.0) {
        report("objective", format!("is {}; expected a share between 0 and 1, e.g. 0.999", burn.objective));
    }
    if burn.windows.is_empty() {
        report("windows", "is empty; leave it out for those of the SRE workbook".to_owned());
    }
    for (i, window) in burn.windows.iter().enumerate() {
        if window.short >= window.long || window.short < Length::minutes(1) {
            let problem = format!("is {}; expected at least 1m and less than `long` ({})", window.short, window.long);
            report(&format!("windows[{i}].short"), problem);
        }
        if window.long > burn.period {
            report(&format!("windows[{i}].long"), format!("is {}, longer than the period", window.long));
        }
        if window.factor.is_nan() || window.factor <= 0.0 {
            report(&format!("windows[{i}].factor"), format!("is {}; expected more than 0", window.factor));
        }
    }
    let share = monitor.adds_up() && monitor.watched().is_some_and(|(_, over)| over.is_some());
    if !share {
        report("objective", "needs a share: `value: {of: bad, over: all}` of two counts or sums".to_owned());
    }
}
