//! Whether scores depend on their inputs as they did: drift of the relation, which the distributions alone don't show.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, affordable, vector};
use crate::score::Outcome;

use super::special::f_tail;

pub(crate) static CONCEPT_DRIFT: About = About {
    name: "concept_drift",
    aliases: &["chow_test", "relation_drift"],
    family: Family::Drift,
    summary: "How likely inputs and scores are related as differently as now by chance.",
    formula: "p of Chow's test: F = ((S − S₁ − S₂) / k) / ((S₁ + S₂) / (n₁ + n₂ − r₁ − r₂)); S: sum of squares that \
              the straight line through both samples leaves, S₁ and S₂: those of lines of their own; k = r₁ + r₂ − \
              r, of the ranks. 1 if there are too few to tell. `output` and `reference` are lists of pairs [input, \
              score]; an input is a number, a list of numbers, or a text, which is a category.",
    source: "Chow 1960, https://doi.org/10.2307/1910133",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.05,
    options: &[],
    make: |_| Ok(Box::new(measure)),
};

/// Pairs times columns times columns: about a second.
const MOST_WORK: usize = 200_000_000;

/// What a score may depend on.
enum Cause<'a> {
    Numbers(Vec<f64>),
    Category(&'a str),
}

fn pairs(case: &Case, input: Input) -> Result<Vec<(Cause<'_>, f64)>, Problem> {
    const SHAPE: &str = "a list of pairs [input, score]";
    let value = case.value(input)?;
    let list = value.as_array().ok_or_else(|| Problem::other(input.name(), SHAPE, value))?;
    let read = |(at, pair): (usize, &'_ Value)| -> Result<(), Problem> {
        match pair.as_array().map(Vec::as_slice) {
            Some([_, score]) if score.is_number() => Ok(()),
            Some([_, score]) => Err(Problem::other(format!("{input}[{at}][1]"), "a score, a number", score)),
            _ => Err(Problem::other(format!("{input}[{at}]"), "a pair [input, score]", pair)),
        }
    };
    list.iter().enumerate().try_for_each(read)?;
    let mut found = Vec::with_capacity(list.len());
    for (at, pair) in list.iter().enumerate() {
        let (Some(cause), Some(score)) = (pair.get(0), pair.get(1).and_then(Value::as_f64)) else { continue };
        let field = || format!("{input}[{at}][0]");
        let cause = match cause {
            Value::String(name) => Cause::Category(name),
            Value::Number(_) => Cause::Numbers(cause.as_f64().into_iter().collect()),
            Value::Array(_) => Cause::Numbers(vector(cause, &field())?),
            other => return Err(Problem::other(field(), "a number, a list of numbers or a text", other)),
        };
        found.push((cause, score));
    }
    Ok(found)
}

fn measure(case: &Case) -> Result<Outcome, Problem> {
    let (now, before) = (pairs(case, Input::Output)?, pairs(case, Input::Reference)?);
    let all: Vec<&(Cause<'_>, f64)> = now.iter().chain(&before).collect();
    let names: BTreeSet<&str> = all
        .iter()
        .filter_map(|(cause, _)| match cause {
            Cause::Category(name) => Some(*name),
            Cause::Numbers(_) => None,
        })
        .collect();
    let widths = all.iter().map(|(cause, _)| match cause {
        Cause::Numbers(numbers) => numbers.len(),
        Cause::Category(_) => 0,
    });
    let width = widths.max().unwrap_or(0);
    let columns = 1 + width + names.len();
    affordable(Input::Output, all.len().saturating_mul(columns), columns, MOST_WORK)?;
    let names: Vec<&str> = names.into_iter().collect();
    let row = |(cause, _): &(Cause<'_>, f64)| {
        let mut row = vec![0.0; columns];
        row[0] = 1.0;
        match cause {
            Cause::Numbers(numbers) => row[1..=numbers.len()].copy_from_slice(numbers),
            Cause::Category(name) => {
                if let Ok(at) = names.binary_search(name) {
                    row[1 + width + at] = 1.0;
                }
            }
        }
        row
    };
    let fit = |pairs: &[&(Cause<'_>, f64)]| {
        let rows: Vec<Vec<f64>> = pairs.iter().map(|pair| row(pair)).collect();
        left_over(&rows, pairs.iter().map(|pair| pair.1).collect(), columns)
    };
    let (whole, rank) = fit(&all);
    let (one, rank_one) = fit(&now.iter().collect::<Vec<_>>());
    let (two, rank_two) = fit(&before.iter().collect::<Vec<_>>());
    let above = (rank_one + rank_two).saturating_sub(rank);
    let below = all.len().saturating_sub(rank_one + rank_two);
    let more = (whole - one - two).max(0.0);
    // What rounding leaves is nothing.
    let nothing = 1e-20 * all.iter().map(|pair| pair.1 * pair.1).sum::<f64>();
    let (f, p) = match (one + two) / below.max(1) as f64 {
        _ if above == 0 || below == 0 || more <= nothing => (0.0, 1.0),
        noise if noise <= nothing => (f64::INFINITY, 0.0),
        noise => {
            let f = more / above as f64 / noise;
            (f, f_tail(f, above, below))
        }
    };
    Ok(Outcome::new(p, format!("F = {f:.4} with {above} and {below} degrees of freedom")))
}

/// What a least-squares fit leaves of the scores, and the rank: columns made orthogonal one by one (Gram and Schmidt, twice, as Giraud et al.
/// 2005 show to be enough); one that the others make up is left out.
fn left_over(rows: &[Vec<f64>], mut scores: Vec<f64>, columns: usize) -> (f64, usize) {
    const SAME: f64 = 1e-10;
    let length = |column: &[f64]| column.iter().map(|value| value * value).sum::<f64>().sqrt();
    let dot = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
    let take = |from: &mut [f64], share: f64, column: &[f64]| {
        from.iter_mut().zip(column).for_each(|(value, other)| *value -= share * other);
    };
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for at in 0..columns {
        let mut column: Vec<f64> = rows.iter().map(|row| row[at]).collect();
        let before = length(&column);
        for _ in 0..2 {
            for other in &basis {
                let share = dot(&column, other);
                take(&mut column, share, other);
            }
        }
        let left = length(&column);
        if left > SAME * before && left > 0.0 {
            column.iter_mut().for_each(|value| *value /= left);
            basis.push(column);
        }
    }
    for column in &basis {
        let share = dot(&scores, column);
        take(&mut scores, share, column);
    }
    (dot(&scores, &scores), basis.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::{near, value_with};
    use crate::options::Options;

    fn p(now: &Value, before: &Value) -> f64 {
        let case = Case::new().with(Input::Output, now.clone()).with(Input::Reference, before.clone());
        value_with(&CONCEPT_DRIFT, &Options::new(), &case)
    }

    /// Scores along a line, with a little noise that repeats.
    fn line(slope: f64, from: f64) -> Value {
        (0..30)
            .map(|at| {
                json!([
                    from + f64::from(at),
                    slope * (from + f64::from(at)) + [0.3, -0.2, 0.1, -0.4, 0.2][at as usize % 5]
                ])
            })
            .collect()
    }

    #[test]
    fn another_line_is_seen_and_other_inputs_are_not() {
        assert!(p(&line(1.0, 0.0), &line(-1.0, 0.0)) < 1e-6);
        assert!(p(&line(1.0, 0.0), &line(1.0, 500.0)) > 0.05);
        near(p(&line(1.0, 0.0), &line(1.0, 0.0)), 1.0);
        near(p(&json!([]), &json!([[1, 2]])), 1.0);
    }

    #[test]
    fn categories_have_levels_of_their_own() {
        let scores = |good: f64| -> Value {
            (0..20)
                .map(|at| {
                    json!([
                        if at % 2 == 0 { "de" } else { "fr" },
                        if at % 2 == 0 { good } else { 0.1 } + f64::from(at % 4) / 100.0
                    ])
                })
                .collect()
        };
        assert!(p(&scores(0.9), &scores(0.2)) < 1e-6);
        near(p(&scores(0.9), &scores(0.9)), 1.0);
    }

    #[test]
    fn what_is_no_pair_is_told() {
        let case = Case::new().with(Input::Output, json!([[1, 2], [1]])).with(Input::Reference, json!([]));
        assert_eq!(
            measure(&case).unwrap_err().to_string(),
            "`output[1]`: expected a pair [input, score], found a list"
        );
    }
}
