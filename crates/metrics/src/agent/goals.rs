//! Whether an agent reached what it was for, and what that cost.

use serde_json::Value;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, affordable};
use crate::score::{Metric, Outcome};

use super::allowed::matches;
use super::call::{Call, list, same_name, step};

pub(crate) static COST_PER_GOAL: About = About {
    name: "cost_per_goal",
    aliases: &[],
    family: Family::Agent,
    summary: "What the agent spent for each goal that it reached.",
    formula: "Sum of `cost` of the run, or else of its steps / goals reached, counted as for goal_completion; twice \
              the sum if none was. Without a reference the run is one goal that was reached. `output` is the list of \
              steps, each with `cost`, or {\"cost\", \"steps\", \"answer\"}, in whatever currency.",
    source: "Kapoor et al. 2024 (AI Agents That Matter), https://arxiv.org/abs/2407.01502",
    inputs: &[Input::Output],
    also: &[Input::Reference],
    range: Range::FROM_ZERO,
    direction: Direction::Lower,
    threshold: 0.1,
    options: &[],
    make: |_| Ok(per_goal("cost")),
};

pub(crate) static GOAL_COMPLETION: About = About {
    name: "goal_completion",
    aliases: &["task_completion", "goal_accuracy", "goal_progress"],
    family: Family::Agent,
    summary: "How many of the goals the agent reached.",
    formula: "Share of the goals of the reference that hold; 1 if there are none. A goal is a text that the final \
              answer has, case and spaces aside, or the name of a step that was taken; a call {\"name\", \
              \"arguments\"} that was made with these arguments among others; or {\"any\": [goals]}, {\"not\": \
              goal}. `output` is the answer, the list of steps, or {\"answer\", \"steps\"}.",
    source: "Ma et al. 2024 (AgentBoard, progress rate over subgoals), https://arxiv.org/abs/2401.13178",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[],
    make: |_| Ok(Box::new(completion)),
};

pub(crate) static LATENCY_PER_GOAL: About = About {
    name: "latency_per_goal",
    aliases: &[],
    family: Family::Agent,
    summary: "How long the agent took for each goal that it reached, in milliseconds.",
    formula: "Sum of `latency_ms` of the run, or else of its steps / goals reached, counted as for goal_completion; \
              twice the sum if none was. Without a reference the run is one goal that was reached. `output` is the \
              list of steps, each with `latency_ms`, or {\"latency_ms\", \"steps\", \"answer\"}.",
    source: "Kapoor et al. 2024 (AI Agents That Matter), https://arxiv.org/abs/2407.01502, with time in place of money",
    inputs: &[Input::Output],
    also: &[Input::Reference],
    range: Range::FROM_ZERO,
    direction: Direction::Lower,
    threshold: 10_000.0,
    options: &[],
    make: |_| Ok(per_goal("latency_ms")),
};

/// Steps times goals.
const MOST_PAIRS: usize = 1_000_000;
/// Goals within goals.
const DEEPEST: usize = 16;

/// What an agent did.
struct Run {
    steps: Vec<Call>,
    /// The final answer without case, its spaces single.
    answer: String,
    value: Value,
}

fn run(case: &Case) -> Result<Run, Problem> {
    const SHAPE: &str = "an answer, a list of steps, or {\"answer\", \"steps\"}";
    let written = case.value(Input::Output)?;
    let value = list(written, Input::Output)?.into_owned();
    let told = |value: Option<&Value>| plain(value.and_then(Value::as_str).unwrap_or_default());
    let of = |items: &[Value], field: &str| {
        items.iter().enumerate().map(|(at, item)| step(item, &format!("{field}[{at}]"))).collect::<Result<Vec<_>, _>>()
    };
    let (steps, answer) = match &value {
        Value::Object(object)
            if ["steps", "answer", "cost", "latency_ms"].iter().any(|key| object.contains_key(*key)) =>
        {
            let steps = match object.get("steps") {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(items)) => of(items, "output.steps")?,
                Some(other) => return Err(Problem::other("output.steps", "a list of steps", other)),
            };
            (steps, told(object.get("answer")))
        }
        Value::Object(object) => match object.get("tool_calls") {
            Some(Value::Array(items)) => (of(items, "output.tool_calls")?, told(object.get("content"))),
            _ => (of(std::slice::from_ref(&value), "output")?, String::new()),
        },
        // Prose reads as no steps.
        Value::Array(items) => (of(items, "output")?, told(Some(written))),
        other => return Err(Problem::other("output", SHAPE, other)),
    };
    Ok(Run { steps, answer, value })
}

/// Without case, with single spaces.
fn plain(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Goals reached, all of them, and the first that wasn't.
fn reached(case: &Case, run: &Run) -> Result<(usize, usize, Option<String>), Problem> {
    let goals = match case.value(Input::Reference)? {
        Value::Array(goals) => goals.as_slice(),
        other => std::slice::from_ref(other),
    };
    affordable(Input::Output, run.steps.len(), goals.len(), MOST_PAIRS)?;
    let (mut count, mut missed) = (0, None);
    for (at, goal) in goals.iter().enumerate() {
        if holds(goal, run, &format!("reference[{at}]"), 0)? {
            count += 1;
        } else if missed.is_none() {
            missed = Some(short(goal));
        }
    }
    Ok((count, goals.len(), missed))
}

fn holds(goal: &Value, run: &Run, field: &str, depth: usize) -> Result<bool, Problem> {
    if depth > DEEPEST {
        return Err(Problem::new(field, format!("goals within goals up to {DEEPEST} deep"), "deeper ones"));
    }
    match goal {
        Value::String(text) => {
            let wanted = plain(text);
            Ok(run.answer.contains(&wanted) || run.steps.iter().any(|step| same_name(&step.name, text)))
        }
        Value::Object(object) if object.contains_key("any") => {
            let Some(Value::Array(goals)) = object.get("any") else {
                return Err(Problem::new(format!("{field}.any"), "a list of goals", "something else"));
            };
            for (at, goal) in goals.iter().enumerate() {
                if holds(goal, run, &format!("{field}.any[{at}]"), depth + 1)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Object(object) if object.contains_key("not") => {
            Ok(!holds(&object["not"], run, &format!("{field}.not"), depth + 1)?)
        }
        other => {
            let wanted = step(other, field).map_err(|_| {
                Problem::other(field, "a text, {\"name\", \"arguments\"}, {\"any\"} or {\"not\"}", other)
            })?;
            let is_it = |taken: &Call| {
                same_name(&taken.name, &wanted.name)
                    && wanted
                        .arguments
                        .iter()
                        .all(|(key, value)| taken.arguments.get(key).is_some_and(|given| matches(given, value, false)))
            };
            Ok(run.steps.iter().any(is_it))
        }
    }
}

/// The beginning of a goal, for a reason.
fn short(goal: &Value) -> String {
    const MOST: usize = 60;
    let text = goal.as_str().map_or_else(|| goal.to_string(), str::to_owned);
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST).chain(['…']).collect() }
}

fn completion(case: &Case) -> Result<Outcome, Problem> {
    let run = run(case)?;
    let (count, all, missed) = reached(case, &run)?;
    let value = if all == 0 { 1.0 } else { count as f64 / all as f64 };
    let told = missed.map_or(String::new(), |goal| format!("; not `{goal}`"));
    Ok(Outcome::new(value, format!("{count} of {all} goals are reached{told}")))
}

fn per_goal(what: &'static str) -> Box<dyn Metric> {
    Box::new(move |case: &Case| {
        let run = run(case)?;
        let spent = spent(&run.value, what)?;
        let (count, all) = match case.find(Input::Reference) {
            None => (1, 1),
            Some(_) => reached(case, &run).map(|found| (found.0, found.1))?,
        };
        // Without any goal nothing is missed.
        let value = match count {
            0 if all > 0 => 2.0 * spent,
            _ => spent / count.max(1) as f64,
        };
        Ok(Outcome::new(value, format!("{what} {spent} for {count} of {all} goals")))
    })
}

/// What was spent: of the run as a whole if it says so, or else of its steps.
fn spent(value: &Value, what: &str) -> Result<f64, Problem> {
    let number = |item: &Value, field: String| match item.get(what) {
        None | Some(Value::Null) => Ok(None),
        Some(found) => {
            let number = found.as_f64().filter(|number| *number >= 0.0);
            number
                .map(Some)
                .ok_or_else(|| Problem::new(format!("{field}.{what}"), "a number, 0 or more", found.to_string()))
        }
    };
    if let Some(whole) = number(value, "output".to_owned())? {
        return Ok(whole);
    }
    let steps = value.get("steps").or_else(|| value.get("tool_calls")).unwrap_or(value);
    let each = steps.as_array().into_iter().flatten().enumerate();
    each.map(|(at, item)| number(item, format!("output[{at}]")).map(Option::unwrap_or_default)).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::{near, value_with};
    use crate::options::Options;

    fn check(about: &'static About, output: Value, goals: Value, expected: f64) {
        let case = Case::new().with(Input::Output, output).with(Input::Reference, goals);
        near(value_with(about, &Options::new(), &case), expected);
    }

    fn booking() -> Value {
        json!({
            "answer": "Your table for two is booked at 19:00.",
            "steps": [
                {"name": "search", "arguments": {"city": "Lyon"}, "cost": 0.01, "latency_ms": 200},
                {"name": "book", "arguments": {"people": 2, "time": "19:00", "note": "window"}, "cost": 0.03, "latency_ms": 400},
            ],
        })
    }

    #[test]
    fn goals_are_in_the_answer_or_among_the_steps() {
        check(&GOAL_COMPLETION, booking(), json!(["table for  TWO"]), 1.0);
        check(&GOAL_COMPLETION, booking(), json!([{"name": "book", "arguments": {"people": 2}}, "search"]), 1.0);
        check(&GOAL_COMPLETION, booking(), json!([{"name": "book", "arguments": {"people": 3}}, "search"]), 0.5);
        check(&GOAL_COMPLETION, booking(), json!([{"any": ["pay", "book"]}, {"not": "cancel"}]), 1.0);
        check(&GOAL_COMPLETION, json!("It is done."), json!("done"), 1.0);
        check(&GOAL_COMPLETION, json!(["a", "b"]), json!(["c"]), 0.0);
        check(&GOAL_COMPLETION, json!([]), json!([]), 1.0);
    }

    #[test]
    fn what_a_goal_costs() {
        check(&COST_PER_GOAL, booking(), json!(["booked", "search"]), 0.02);
        check(&COST_PER_GOAL, booking(), json!(["paid"]), 0.08);
        check(&LATENCY_PER_GOAL, booking(), json!(["booked"]), 600.0);
        check(&LATENCY_PER_GOAL, json!({"latency_ms": 90, "answer": "yes"}), Value::Null, 90.0);
        let wrong = Case::new().with(Input::Output, json!([{"name": "a", "cost": -1}]));
        let problem = per_goal("cost").measure(&wrong).unwrap_err().to_string();
        assert_eq!(problem, "`output[0].cost`: expected a number, 0 or more, found -1");
    }

    #[test]
    fn what_is_no_goal_is_told() {
        let case = Case::new().with(Input::Output, "x").with(Input::Reference, json!(["x", 7]));
        assert_eq!(completion(&case).unwrap_err().field, "reference[1]");
    }
}
