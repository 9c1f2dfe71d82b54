//! What only the owner can tell of an objective: problems, each with the field, what was expected and how to mend it.

use signalbox_types::Query;
use signalbox_types::query::{Function, Measure};

use super::check::name_problem;
use super::{CheapEnough, Good, HighEnough, Length, ObjectiveConfig, Problem, Ratio, Soon};

/// The name of its monitor is no longer than names may be.
const LONGEST_NAME: usize = 90;

pub(super) fn problems(objective: &ObjectiveConfig) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |field: &str, message: String| problems.push(Problem::new(field, message));
    if let Some(problem) = name_problem(&objective.name) {
        report("name", problem);
    } else if objective.name.len() > LONGEST_NAME {
        report("name", format!("has {} characters; expected at most {LONGEST_NAME}", objective.name.len()));
    } else if objective.name == "test" {
        report("name", "`test` is what `/api/v1/objectives/test` is called; expected another name".to_owned());
    }
    if !(objective.objective > 0.0 && objective.objective < 1.0) {
        report("objective", format!("is {}; expected a share between 0 and 1, e.g. 0.999", objective.objective));
    }
    if objective.period < Length::hours(1) || objective.period > Length::days(366) {
        report("period", format!("is {}; expected 1h to 366d, e.g. `30d`", objective.period));
    }
    if !(0.0..1.0).contains(&objective.freeze_below) {
        let problem = "expected a part of the budget, 0 (when it is spent) to less than 1, e.g. 0.1";
        report("freeze_below", format!("is {}; {problem}", objective.freeze_below));
    }
    if !(objective.min_bad >= 0.0 && objective.min_bad.is_finite()) {
        report("min_bad", format!("is {}; expected 0 or more", objective.min_bad));
    }
    let good = format!("good.{}", objective.good.kind());
    match &objective.good {
        Good::Latency(Soon { under }) | Good::Ttft(Soon { under }) if under.0.is_zero() => {
            report(&format!("{good}.under"), "is 0; expected more, e.g. `2s`".to_owned());
        }
        Good::Cost(CheapEnough { under }) if !(*under > 0.0 && under.is_finite()) => {
            report(&format!("{good}.under"), format!("is {under}; expected dollars, more than 0, e.g. 0.02"));
        }
        Good::Score(HighEnough { name, .. }) if name.is_empty() => {
            report(&format!("{good}.name"), "is empty; expected the name of a score, e.g. `groundedness`".to_owned());
        }
        Good::Score(HighEnough { at_least: Some(least), .. }) if !least.is_finite() => {
            report(&format!("{good}.at_least"), format!("is {least}; expected a number"));
        }
        _ => {}
    }
    match &objective.good {
        Good::Ratio(ratio) => check_ratio(ratio, objective.filter.is_some(), &mut report),
        _ => check_filter(objective, &mut report),
    }
    problems.extend(of_monitor(objective));
    problems
}

fn check_ratio(ratio: &Ratio, filtered: bool, report: &mut impl FnMut(&str, String)) {
    let problem = match (&ratio.bad, &ratio.good) {
        (None, None) => Some("is missing, as is `good`; expected the name of a measure in one of them"),
        (Some(_), Some(_)) => Some("stands beside `good`; leave one of them out"),
        _ => None,
    };
    if let Some(problem) = problem {
        report("good.ratio.bad", problem.to_owned());
    }
    if !ratio.query.group_by.is_empty() {
        let problem = "has no place in an objective, which is one number; make one for each, with a filter";
        report("good.ratio.query.group_by", problem.to_owned());
    }
    if filtered {
        report("filter", "has no place beside `ratio`; write it into `good.ratio.query.filter`".to_owned());
    }
}

fn check_filter(objective: &ObjectiveConfig, report: &mut impl FnMut(&str, String)) {
    let Some(table) = objective.good.table() else { return };
    let measures = vec![Measure::of(Function::Count, None)];
    let filter = objective.filter.clone();
    let query = Query { table: table.to_owned(), filter, measures, ..Query::default() };
    if let Err(error) = query.check() {
        report(&error.field, error.problem);
    }
}

/// What is wrong with its monitor, by the fields of the objective.
fn of_monitor(objective: &ObjectiveConfig) -> Vec<Problem> {
    let ratio = matches!(objective.good, Good::Ratio(_));
    let own = |problem: Problem| {
        let field = match problem.field.as_str() {
            "notify" => "notify".to_owned(),
            "value" | "condition.burn_rate.objective" if ratio => "good.ratio.over".to_owned(),
            field => match (field.strip_prefix("condition.burn_rate."), field.strip_prefix("query.")) {
                (Some(rest), _) if rest.starts_with("windows[") && !objective.windows.is_empty() => rest.to_owned(),
                (_, Some(rest)) if ratio => format!("good.ratio.query.{rest}"),
                // Said already, in the words of an objective.
                _ => return None,
            },
        };
        let named = |problem: &str| {
            let names = problem.rsplit(" among ").next().unwrap_or_default();
            format!("names no measure of the query; expected `bad` (or `good`) and `over` among {names}")
        };
        let message = match problem.field.as_str() {
            "value" => named(&problem.message),
            "condition.burn_rate.objective" if problem.message.starts_with("needs a share") => {
                "is no share: `bad` (or `good`) and `over` must both be counts or sums".to_owned()
            }
            "condition.burn_rate.objective" => return None,
            _ => problem.message,
        };
        Some(Problem { field, message })
    };
    let all = objective.monitor().problems();
    // What can't be named can't be counted either, and one of the two says what to do.
    let unnamed = all.iter().any(|problem| problem.field == "value" || problem.field.starts_with("query."));
    let found = all.into_iter().filter(|problem| !(unnamed && problem.field == "condition.burn_rate.objective"));
    found.filter_map(own).collect()
}
