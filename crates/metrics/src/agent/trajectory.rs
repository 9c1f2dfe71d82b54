//! Whether an agent took the steps that it should, in fewer or more of them, and whether it went round in circles.

use serde_json::Value;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, affordable};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::call::{Call, same_name, steps};

pub(crate) static TRAJECTORY_MATCH: About = About {
    name: "trajectory_match",
    aliases: &["trajectory", "trajectory_exact_match"],
    family: Family::Agent,
    summary: "Whether the agent's steps are those of the reference.",
    formula: "exact: 1 if the same steps in the same order; in_order: 1 if all wanted steps come in order, others between; any_order: 1 if \
              all wanted steps come; precision and recall: share of the steps taken, or wanted, that are in both; edit: 1 − edit distance \
              of the steps / length of the longer. Else 0. Nothing wanted and nothing done is right.",
    source: "Google Cloud, trajectory metrics of agent evaluation, https://cloud.google.com/vertex-ai/generative-ai/docs/models/evaluation-agents; \
             edit distance: Levenshtein 1966",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[
        option("mode", "exact", "exact, in_order, any_order, precision, recall or edit"),
        option("arguments", "true", "arguments must be the same, too, where the reference has some"),
    ],
    make: trajectory,
};

pub(crate) static STEP_EFFICIENCY: About = About {
    name: "step_efficiency",
    aliases: &[],
    family: Family::Agent,
    summary: "How few steps the agent needed.",
    formula: "Steps of the reference / steps taken, at most 1; 1 if none was taken and none was needed.",
    source: "Anderson et al. 2018 (success weighted by path length), https://arxiv.org/abs/1807.06757",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.8,
    options: &[],
    make: |_| Ok(Box::new(efficiency)),
};

pub(crate) static LOOPS: About = About {
    name: "loops",
    aliases: &["loop_detection"],
    family: Family::Agent,
    summary: "How much of the agent's work only repeated what it had just done.",
    formula: "Share of the steps that lie in a run of up to `period` steps, taken again right after itself with the same arguments; the first time \
              doesn't count.",
    source: "Signalbox's own; periods as in Crochemore 1981, https://doi.org/10.1016/0020-0190(81)90024-7",
    inputs: &[Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Lower,
    threshold: 0.2,
    options: &[option("period", "4", "steps of the longest run that is looked for, 1 to 16")],
    make: loops,
};

/// Steps times steps: about a second.
const MOST_PAIRS: usize = 100_000_000;

#[derive(Debug, Clone, Copy)]
enum Mode {
    Exact,
    InOrder,
    AnyOrder,
    Precision,
    Recall,
    Edit,
}

fn trajectory(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let modes = [
        ("exact", Mode::Exact),
        ("in_order", Mode::InOrder),
        ("any_order", Mode::AnyOrder),
        ("precision", Mode::Precision),
        ("recall", Mode::Recall),
        ("edit", Mode::Edit),
    ];
    let mode = options.choice("mode", &modes, Mode::Exact)?;
    let arguments = options.flag("arguments", true)?;
    Ok(Box::new(move |case: &Case| {
        let (taken, wanted) = (steps(case, Input::Output)?, steps(case, Input::Reference)?);
        affordable(Input::Output, taken.len(), wanted.len(), MOST_PAIRS)?;
        // A step without arguments in the reference is one of any.
        let same = |step: &Call, want: &Call| {
            same_name(&step.name, &want.name)
                && (!arguments || want.arguments.is_empty() || step.arguments == want.arguments)
        };
        Ok(compare(&taken, &wanted, mode, &same))
    }))
}

fn compare(taken: &[Call], wanted: &[Call], mode: Mode, same: &dyn Fn(&Call, &Call) -> bool) -> Outcome {
    let both = || {
        let mut left: Vec<&Call> = taken.iter().collect();
        let found = wanted.iter().filter(|want| {
            let at = left.iter().position(|step| same(step, want));
            at.map(|at| left.remove(at)).is_some()
        });
        found.count()
    };
    let share = |part: usize, whole: usize| if whole == 0 { 1.0 } else { part as f64 / whole as f64 };
    let told = |value: f64| Outcome::new(value, format!("{} steps were taken, {} wanted", taken.len(), wanted.len()));
    match mode {
        Mode::Exact => {
            let at = taken.iter().zip(wanted).position(|(step, want)| !same(step, want));
            match at {
                None if taken.len() == wanted.len() => Outcome::of(true, "the same steps"),
                None => told(0.0),
                Some(at) => Outcome::of(
                    false,
                    format!("step {} is `{}` instead of `{}`", at + 1, taken[at].name, wanted[at].name),
                ),
            }
        }
        Mode::InOrder => {
            let mut rest = taken.iter();
            match wanted.iter().find(|want| !rest.any(|step| same(step, want))) {
                None => Outcome::of(true, "all wanted steps come in order"),
                Some(want) => Outcome::of(false, format!("`{}` doesn't come, or too early", want.name)),
            }
        }
        Mode::AnyOrder => {
            let both = both();
            Outcome::of(both == wanted.len(), format!("{both} of {} wanted steps come", wanted.len()))
        }
        Mode::Precision => told(share(both(), taken.len())),
        Mode::Recall => told(share(both(), wanted.len())),
        Mode::Edit => {
            let longer = taken.len().max(wanted.len());
            told(share(longer - distance(taken, wanted, same), longer))
        }
    }
}

/// The fewest steps to put in, leave out or replace.
fn distance(taken: &[Call], wanted: &[Call], same: &dyn Fn(&Call, &Call) -> bool) -> usize {
    let mut row: Vec<usize> = (0..=wanted.len()).collect();
    for (at, step) in taken.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (at, want) in wanted.iter().enumerate() {
            let replace = diagonal + usize::from(!same(step, want));
            diagonal = row[at + 1];
            row[at + 1] = replace.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

fn efficiency(case: &Case) -> Result<Outcome, Problem> {
    let (taken, wanted) = (steps(case, Input::Output)?.len(), steps(case, Input::Reference)?.len());
    let value = if taken <= wanted { 1.0 } else { wanted as f64 / taken as f64 };
    Ok(Outcome::new(value, format!("{taken} steps, {wanted} were needed")))
}

fn loops(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let longest = options.count("period", 4, 1, 16)?;
    Ok(Box::new(move |case: &Case| {
        let steps = steps(case, Input::Output)?;
        let keys: Vec<String> =
            steps.iter().map(|step| format!("{} {}", step.name, Value::Object(step.arguments.clone()))).collect();
        let mut again = vec![false; keys.len()];
        for period in 1..=longest {
            for start in period..(keys.len() + 1).saturating_sub(period) {
                if keys[start - period..start] == keys[start..start + period] {
                    again[start..start + period].fill(true);
                }
            }
        }
        let count = again.iter().filter(|again| **again).count();
        let value = if keys.is_empty() { 0.0 } else { count as f64 / keys.len() as f64 };
        let first = again.iter().position(|again| *again);
        let reason = match first {
            None => format!("no repetition in {} steps", keys.len()),
            Some(at) => format!(
                "{count} of {} steps repeat those before, first `{}` at step {}",
                keys.len(),
                steps[at].name,
                at + 1
            ),
        };
        Ok(Outcome::new(value, reason))
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::{near, value_with};

    fn check(mode: &str, taken: Value, wanted: Value, expected: f64) {
        let case = Case::new().with(Input::Output, taken).with(Input::Reference, wanted);
        near(value_with(&TRAJECTORY_MATCH, &Options::new().with("mode", mode), &case), expected);
    }

    #[test]
    fn the_ways_to_compare() {
        let (taken, wanted) = (json!(["a", "x", "b", "c"]), json!(["a", "b", "c"]));
        check("exact", taken.clone(), wanted.clone(), 0.0);
        check("exact", wanted.clone(), wanted.clone(), 1.0);
        check("in_order", taken.clone(), wanted.clone(), 1.0);
        check("in_order", json!(["b", "a", "c"]), wanted.clone(), 0.0);
        check("any_order", json!(["b", "a", "c"]), wanted.clone(), 1.0);
        check("precision", taken.clone(), wanted.clone(), 0.75);
        check("recall", taken.clone(), wanted.clone(), 1.0);
        check("edit", taken, wanted, 0.75);
        check(
            "exact",
            json!([{"name": "a", "arguments": {"x": 1}}]),
            json!([{"name": "a", "arguments": {"x": 2}}]),
            0.0,
        );
        check("exact", json!([{"name": "a", "arguments": {"x": 1}}]), json!(["a"]), 1.0);
    }

    #[test]
    fn steps_that_were_too_many() {
        let case =
            |steps: &[&str]| Case::new().with(Input::Output, steps.to_vec()).with(Input::Reference, vec!["a", "b"]);
        near(value_with(&STEP_EFFICIENCY, &Options::new(), &case(&["a", "b", "a", "b"])), 0.5);
        near(value_with(&STEP_EFFICIENCY, &Options::new(), &case(&["a"])), 1.0);
        near(value_with(&LOOPS, &Options::new(), &case(&["a", "b", "a", "b", "c"])), 0.4);
        near(value_with(&LOOPS, &Options::new(), &case(&["a", "b", "c"])), 0.0);
    }
}
