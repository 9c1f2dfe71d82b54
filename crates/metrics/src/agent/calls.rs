//! Whether an answer calls the right functions with the right arguments.

use serde_json::{Map, Value};

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, affordable};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::allowed::{any, has_type, has_type_of_any, matches, may_be_left_out, property, required};
use super::call::{Call, Wanted, made, same_name, schema, wanted};

pub(crate) static FUNCTION_ARGUMENTS: About = About {
    name: "function_arguments",
    aliases: &["argument_match", "function_argument_match", "parameter_match"],
    family: Family::Agent,
    summary: "How many arguments of the right calls are right.",
    formula: "Right arguments / arguments that are wanted, given, or both, over the pairing of calls that has most right calls, then \
              most right arguments; a call that is missing or too much counts all its arguments, and one without arguments as one.",
    source: "Signalbox's own measure over the Berkeley leaderboard's rules for values, \
             https://gorilla.cs.berkeley.edu/blogs/8_berkeley_function_calling_leaderboard.html",
    inputs: &[Input::Output, Input::Reference],
    also: &[Input::Tools],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[],
    make: |_| Ok(Box::new(argument_share)),
};

pub(crate) static FUNCTION_CALL: About = About {
    name: "function_call",
    aliases: &[
        "function_calling",
        "ast_match",
        "function_call_match",
        "function_call_accuracy",
        "tool_call_match",
        "tool_call_accuracy",
    ],
    family: Family::Agent,
    summary: "Whether the answer makes the right calls with right arguments, and no others.",
    formula: "1 if wanted and made calls pair up one to one, in any order: the same name; every argument is wanted, has the type of the \
              tool's schema, and is one of the values that will do; none is missing that isn't optional. Else 0. A reference is a list \
              of {\"name\", \"arguments\"}, or Berkeley's {name: {argument: [values that will do]}}, where \"\" means that it may be left out.",
    source: "Patil et al. 2025, Berkeley Function Calling Leaderboard (AST evaluation), \
             https://gorilla.cs.berkeley.edu/blogs/8_berkeley_function_calling_leaderboard.html",
    inputs: &[Input::Output, Input::Reference],
    also: &[Input::Tools],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[option("ordered", "false", "calls must come in the order of the reference")],
    make,
};

pub(crate) static FUNCTION_NAME: About = About {
    name: "function_name",
    aliases: &["function_name_match", "name_match", "tool_selection", "tool_correctness"],
    family: Family::Agent,
    summary: "Whether the answer calls the right functions, whatever the arguments.",
    formula: "2 · calls in both / (calls made + calls wanted), by name; each name counts as often as both have it. 1 if there are none.",
    source: "Dice 1945, https://doi.org/10.2307/1932409",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 1.0,
    options: &[],
    make: |_| Ok(Box::new(names)),
};

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let ordered = options.flag("ordered", false)?;
    Ok(Box::new(move |case: &Case| compare(case, ordered)))
}

/// More calls in one answer are no answer.
const MOST_PAIRS: usize = 250_000;

fn both(case: &Case) -> Result<(Vec<Call>, Vec<Wanted>), Problem> {
    let (made, wanted) = (made(case)?, wanted(case)?);
    affordable(Input::Output, made.len(), wanted.len(), MOST_PAIRS)?;
    Ok((made, wanted))
}

fn compare(case: &Case, ordered: bool) -> Result<Outcome, Problem> {
    let (made, wanted) = both(case)?;
    if made.len() != wanted.len() {
        let reason = format!("{} calls instead of {}", made.len(), wanted.len());
        return Ok(Outcome::of(false, reason));
    }
    let table: Vec<Vec<Option<String>>> =
        wanted.iter().map(|want| made.iter().map(|call| defect(case, call, want)).collect()).collect();
    let reason = if ordered {
        table.iter().enumerate().find_map(|(at, row)| row[at].clone())
    } else {
        let fits: Vec<Vec<bool>> = table.iter().map(|row| row.iter().map(Option::is_none).collect()).collect();
        // The nearest call is the one of the right name, if there is one.
        unpaired(&fits, made.len()).map(|at| {
            let named = made.iter().position(|call| same_name(&call.name, &wanted[at].name));
            let told = table[at][named.unwrap_or(0)].clone();
            told.unwrap_or_else(|| format!("`{}` is wanted more often", wanted[at].name))
        })
    };
    Ok(match reason {
        None => Outcome::of(true, format!("all {} calls are right", made.len())),
        Some(reason) => Outcome::of(false, reason),
    })
}

/// A wanted call for which none is left, in the best pairing (augmenting paths: Kuhn 1955).
fn unpaired(fits: &[Vec<bool>], made: usize) -> Option<usize> {
    let mut owner: Vec<Option<usize>> = vec![None; made];
    (0..fits.len()).find(|want| !paired(*want, fits, &mut owner, &mut vec![false; made]))
}

fn paired(want: usize, fits: &[Vec<bool>], owner: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for at in 0..seen.len() {
        if !fits[want][at] || seen[at] {
            continue;
        }
        seen[at] = true;
        if owner[at].is_none_or(|other| paired(other, fits, owner, seen)) {
            owner[at] = Some(want);
            return true;
        }
    }
    false
}

/// What is wrong with a call, if it isn't the wanted one.
fn defect(case: &Case, call: &Call, want: &Wanted) -> Option<String> {
    if !same_name(&call.name, &want.name) {
        return Some(format!("`{}` is called instead of `{}`", call.name, want.name));
    }
    let schema = schema(case, &want.name);
    let name = &want.name;
    if let Some(missing) = required(schema).find(|key| !call.arguments.contains_key(*key) && needed(want, key)) {
        return Some(format!("`{name}`: `{missing}` is missing"));
    }
    if let Some(extra) = call.arguments.keys().find(|key| !want.arguments.contains_key(*key)) {
        return Some(format!("`{name}`: `{extra}` is not wanted"));
    }
    want.arguments.iter().find_map(|(key, wanted)| match call.arguments.get(key) {
        None if want.alternatives && may_be_left_out(wanted) => None,
        None => Some(format!("`{name}`: `{key}` is missing")),
        Some(value) if is_right(value, key, want, schema) => None,
        Some(value) if !typed(value, key, want, schema) => Some(format!("`{name}`: `{key}` has the wrong type")),
        Some(_) => Some(format!("`{name}`: `{key}` has the wrong value")),
    })
}

/// Whether a reference wants an argument that the schema wants: one that it doesn't name is none of ours.
fn needed(want: &Wanted, key: &str) -> bool {
    want.arguments.get(key).is_some_and(|wanted| !(want.alternatives && may_be_left_out(wanted)))
}

fn typed(value: &Value, key: &str, want: &Wanted, schema: Option<&Map<String, Value>>) -> bool {
    let wanted = want.arguments.get(key);
    has_type(value, property(schema, key))
        || (want.alternatives && wanted.is_some_and(|list| has_type_of_any(value, list)))
}

fn is_right(value: &Value, key: &str, want: &Wanted, schema: Option<&Map<String, Value>>) -> bool {
    let Some(wanted) = want.arguments.get(key) else { return false };
    let same = if want.alternatives { any(value, wanted) } else { matches(value, wanted, false) };
    same && (!want.alternatives || typed(value, key, want, schema))
}

fn argument_share(case: &Case) -> Result<Outcome, Problem> {
    let (made, wanted) = both(case)?;
    let mut left: Vec<&Call> = made.iter().collect();
    let (mut right, mut all) = (0, 0);
    let mut open: Vec<&Wanted> = wanted.iter().collect();
    // The pair with the largest share first. Calls that are right altogether come before all others.
    while let Some((share, want, call)) = best_pair(case, &open, &left) {
        let (want, call) = (open.remove(want), left.remove(call));
        debug_assert!(same_name(&want.name, &call.name));
        right += share.0;
        all += share.1;
    }
    all += open.iter().map(|want| want.arguments.len().max(1)).sum::<usize>();
    all += left.iter().map(|call| call.arguments.len().max(1)).sum::<usize>();
    let value = if all == 0 { 1.0 } else { right as f64 / all as f64 };
    Ok(Outcome::new(value, format!("{right} of {all} arguments are right")))
}

/// Right arguments and all, of the two that fit best.
fn best_pair(case: &Case, open: &[&Wanted], left: &[&Call]) -> Option<((usize, usize), usize, usize)> {
    let pairs =
        open.iter().enumerate().flat_map(|(i, want)| left.iter().enumerate().map(move |(j, call)| (i, want, j, call)));
    let shares = pairs
        .filter(|(_, want, _, call)| same_name(&want.name, &call.name))
        .map(|(i, want, j, call)| (share(case, call, want), i, j));
    // By share, without division; of equal ones the first.
    shares.reduce(|best, other| if other.0.0 * best.0.1 > best.0.0 * other.0.1 { other } else { best })
}

fn share(case: &Case, call: &Call, want: &Wanted) -> (usize, usize) {
    let schema = schema(case, &want.name);
    let (mut right, mut all) = (0, 0);
    for (key, wanted) in &want.arguments {
        match call.arguments.get(key) {
            Some(value) => {
                all += 1;
                right += usize::from(is_right(value, key, want, schema));
            }
            None if want.alternatives && may_be_left_out(wanted) => {}
            None => all += 1,
        }
    }
    all += call.arguments.keys().filter(|key| !want.arguments.contains_key(*key)).count();
    if all == 0 { (1, 1) } else { (right, all) }
}

fn names(case: &Case) -> Result<Outcome, Problem> {
    let (made, wanted) = both(case)?;
    let mut left: Vec<&Wanted> = wanted.iter().collect();
    let mut strange = None;
    let mut both = 0;
    for call in &made {
        match left.iter().position(|want| same_name(&want.name, &call.name)) {
            Some(at) => {
                left.remove(at);
                both += 1;
            }
            None => strange = strange.or(Some(&call.name)),
        }
    }
    let all = made.len() + wanted.len();
    let value = if all == 0 { 1.0 } else { 2.0 * f64::from(both) / all as f64 };
    let reason = match (left.first(), strange) {
        (Some(want), _) => format!("`{}` isn't called", want.name),
        (None, Some(name)) => format!("`{name}` is called, which isn't wanted"),
        (None, None) => "the right functions are called".to_owned(),
    };
    Ok(Outcome::new(value, reason))
}

#[cfg(test)]
mod tests;
