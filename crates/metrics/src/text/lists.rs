//! Two lists whose items mean the same, in whatever order.

use serde_json::Value;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem, affordable, kind};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};
use crate::structure::json::unfenced;
use crate::vectors;

use super::edit::{jaccard, jaro_winkler, levenshtein, token_f1};
use super::embedding::cosine;

pub(crate) static LIST_MATCH: About = About {
    name: "list_match",
    aliases: &["semantic_list_match", "semantic_list_contains", "list_similarity"],
    family: Family::Text,
    summary: "How well the answer's items pair up with those of the reference.",
    formula: "F = 2 · Σ / (items of both), precision = Σ / items of the answer, recall = Σ / items of the reference; \
              Σ: sum of the similarities of pairs, one to one, that makes it largest, without pairs below `least`. \
              Two empty lists are the same. A list is JSON, or a text with an item a line, or with commas. Items \
              that are vectors are compared by their cosine: so embeddings of any model can be given, or made of the \
              items as they are written, if `embedding_model` names a model.",
    source: "Kuhn 1955 (assignment), https://doi.org/10.1002/nav.3800020109; Dice 1945, \
             https://doi.org/10.2307/1932409",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.8,
    options: &[
        option("similarity", "levenshtein", "of two texts: levenshtein, jaro_winkler, jaccard, token_f1 or exact"),
        option("least", "0.5", "pairs that are less similar are none, 0 to 1"),
        option("part", "f", "f, precision or recall"),
        option("lowercase", "true", "leave case aside"),
        vectors::MODEL,
    ],
    make,
};

/// Items times items; the pairing takes their product, times the shorter list.
const MOST_PAIRS: usize = 250_000;

/// Characters times those of the other list, or pairs times numbers of a vector: about a second.
const MOST_COMPARISONS: usize = 1_000_000_000;

#[derive(Debug, Clone, Copy)]
enum Part {
    F,
    Precision,
    Recall,
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Text(String),
    Vector(Vec<f64>),
}

/// How similar two texts are, with the reason.
type Similarity = fn(&str, &str) -> (f64, String);

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let similarities: [(&str, Similarity); 5] = [
        ("levenshtein", levenshtein),
        ("jaro_winkler", jaro_winkler),
        ("jaccard", jaccard),
        ("token_f1", token_f1),
        ("exact", |a, b| (f64::from(u8::from(a == b)), String::new())),
    ];
    let similarity = options.choice("similarity", &similarities, levenshtein as Similarity)?;
    let parts = [("f", Part::F), ("precision", Part::Precision), ("recall", Part::Recall)];
    let part = options.choice("part", &parts, Part::F)?;
    let least = options.number("least", 0.5)?;
    if !(0.0..=1.0).contains(&least) {
        return Err(OptionProblem::new("least", format!("expected 0 to 1, found {least}")));
    }
    let lowercase = options.flag("lowercase", true)?;
    vectors::no_model(options)?;
    Ok(Box::new(move |case: &Case| {
        let output = items(case, Input::Output, lowercase)?;
        let reference = items(case, Input::Reference, lowercase)?;
        affordable(Input::Output, output.len(), reference.len(), MOST_PAIRS)?;
        // Comparing each with each takes as long as comparing all in one.
        affordable(Input::Output, size(&output), size(&reference), MOST_COMPARISONS)?;
        let counts = |value: f64| if value >= least { value } else { 0.0 };
        let table: Vec<Vec<f64>> = output
            .iter()
            .map(|one| reference.iter().map(|other| counts(similar(one, other, similarity))).collect())
            .collect();
        Ok(judge(&table, output.len(), reference.len(), part))
    }))
}

fn judge(table: &[Vec<f64>], own: usize, other: usize, part: Part) -> Outcome {
    let pairs: Vec<(usize, usize)> = pairing(table).into_iter().filter(|(one, two)| table[*one][*two] > 0.0).collect();
    let sum: f64 = pairs.iter().map(|(one, two)| table[*one][*two]).sum();
    let whole = match part {
        Part::F => (own + other) as f64 / 2.0,
        Part::Precision => own as f64,
        Part::Recall => other as f64,
    };
    let value = if whole == 0.0 { f64::from(u8::from(own == other)) } else { sum / whole };
    Outcome::new(value.min(1.0), format!("{} pairs of {own} and {other} items", pairs.len()))
}

fn size(items: &[Item]) -> usize {
    let of = |item: &Item| match item {
        Item::Text(text) => text.len(),
        Item::Vector(numbers) => numbers.len().isqrt() + 1,
    };
    items.iter().map(of).sum()
}

fn similar(one: &Item, other: &Item, similarity: Similarity) -> f64 {
    match (one, other) {
        (Item::Text(one), Item::Text(other)) => similarity(one, other).0,
        (Item::Vector(one), Item::Vector(other)) if one.len() == other.len() => cosine(one, other).max(0.0),
        _ => 0.0,
    }
}

fn items(case: &Case, input: Input, lowercase: bool) -> Result<Vec<Item>, Problem> {
    let plain = |text: &str| {
        let text = text.trim();
        Item::Text(if lowercase { text.to_lowercase() } else { text.to_owned() })
    };
    let read = |(at, value): (usize, &Value)| match value {
        Value::String(text) => Ok(plain(text)),
        Value::Array(numbers) if numbers.iter().all(Value::is_number) && !numbers.is_empty() => {
            Ok(Item::Vector(numbers.iter().filter_map(Value::as_f64).collect()))
        }
        Value::Number(_) | Value::Bool(_) => Ok(plain(&value.to_string())),
        other => Err(Problem::other(format!("{input}[{at}]"), "a text, a number or a vector", other)),
    };
    match case.value(input)? {
        Value::Array(list) => list.iter().enumerate().map(read).collect(),
        Value::String(text) => match serde_json::from_str(unfenced(text)) {
            Ok(Value::Array(list)) => list.iter().enumerate().map(read).collect(),
            _ => Ok(written(text).into_iter().map(plain).collect()),
        },
        other => Err(Problem::new(input.name(), "a list, or a text with one", kind(other))),
    }
}

/// The items of a list, with vectors in the place of texts.
pub(crate) fn with_vectors(
    case: &Case,
    input: Input,
    vector_of: &mut dyn FnMut(&str) -> Value,
) -> Result<Vec<Value>, Problem> {
    let of = |item: Item| match item {
        Item::Text(text) => vector_of(&text),
        Item::Vector(numbers) => numbers.into(),
    };
    Ok(items(case, input, false)?.into_iter().map(of).collect())
}

/// The items of a list that was written for people: one a line, or between commas if it is one line.
fn written(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().map(unmarked).filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [only] => only.split([',', ';', '、', '，']).map(str::trim).filter(|item| !item.is_empty()).collect(),
        _ => lines,
    }
}

/// A line without its bullet or number.
fn unmarked(line: &str) -> &str {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix(['-', '*', '•', '+', '–']) {
        return rest.trim_start();
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line.get(digits..).and_then(|rest| rest.strip_prefix(['.', ')'])) {
        Some(rest) if digits > 0 && rest.starts_with(' ') => rest.trim_start(),
        _ => line,
    }
}

/// Rows and columns paired one to one, so that the sum is largest. Every row or every column has its pair, whichever are fewer
/// (the Hungarian method, by shortest augmenting paths: Jonker and Volgenant 1987).
pub(crate) fn pairing(table: &[Vec<f64>]) -> Vec<(usize, usize)> {
    let columns = table.first().map_or(0, Vec::len);
    if columns == 0 {
        return Vec::new();
    }
    if table.len() > columns {
        let turned: Vec<Vec<f64>> = (0..columns).map(|column| table.iter().map(|row| row[column]).collect()).collect();
        return pairing(&turned).into_iter().map(|(column, row)| (row, column)).collect();
    }
    // Rows and columns count from 1; 0 stands for none.
    let (mut u, mut v) = (vec![0.0; table.len() + 1], vec![0.0; columns + 1]);
    let mut owner = vec![0_usize; columns + 1];
    let mut way = vec![0_usize; columns + 1];
    for row in 1..=table.len() {
        owner[0] = row;
        let mut column = 0;
        let mut least = vec![f64::INFINITY; columns + 1];
        let mut used = vec![false; columns + 1];
        while owner[column] != 0 {
            used[column] = true;
            let (current, mut delta, mut next) = (owner[column], f64::INFINITY, 0);
            for other in (1..=columns).filter(|other| !used[*other]) {
                let cost = -table[current - 1][other - 1] - u[current] - v[other];
                if cost < least[other] {
                    (least[other], way[other]) = (cost, column);
                }
                if least[other] < delta {
                    (delta, next) = (least[other], other);
                }
            }
            for other in 0..=columns {
                if used[other] {
                    u[owner[other]] += delta;
                    v[other] -= delta;
                } else {
                    least[other] -= delta;
                }
            }
            column = next;
        }
        while column != 0 {
            owner[column] = owner[way[column]];
            column = way[column];
        }
    }
    let mut pairs: Vec<(usize, usize)> =
        (1..=columns).filter(|column| owner[*column] != 0).map(|column| (owner[column] - 1, column - 1)).collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::conformance::{near, value_with};

    fn check(options: &Options, output: Value, reference: Value, expected: f64) {
        let case = Case::new().with(Input::Output, output).with(Input::Reference, reference);
        near(value_with(&LIST_MATCH, options, &case), expected);
    }

    #[test]
    fn order_and_writing_do_not_count() {
        let none = Options::new();
        check(&none, json!(["Pear", "apple"]), json!(["apple", "pear"]), 1.0);
        check(&none, json!("1. Apple\n2. Pear\n"), json!("apple, pear"), 1.0);
        check(&none, json!("```json\n[\"apple\"]\n```"), json!(["apple", "fig"]), 2.0 / 3.0);
        check(&none, json!(""), json!([]), 1.0);
        check(&none, json!([]), json!(["a"]), 0.0);
        check(&Options::new().with("part", "recall"), json!(["a", "b"]), json!(["a"]), 1.0);
        check(&Options::new().with("part", "precision"), json!(["a", "b"]), json!(["a"]), 0.5);
        check(&Options::new().with("similarity", "exact"), json!(["apples"]), json!(["apple"]), 0.0);
        check(&none, json!(["apples"]), json!(["apple"]), 5.0 / 6.0);
        check(&none, json!([[1, 0], [0, 1]]), json!([[0, 2]]), 2.0 / 3.0);
    }

    #[test]
    fn each_item_pairs_once() {
        check(&Options::new(), json!(["a", "a", "a"]), json!(["a"]), 0.5);
        // The greedy pair (0.9) would leave 0 for the other.
        near(
            pairing(&[vec![0.9, 0.8], vec![0.7, 0.0]]).iter().map(|at| at.0 as f64 * 10.0 + at.1 as f64).sum(),
            1.0 + 10.0,
        );
    }

    proptest! {
        #[test]
        fn the_pairing_is_the_best(table in (1_usize..6, 1_usize..6).prop_flat_map(|(rows, columns)| {
            prop::collection::vec(prop::collection::vec(0_u8..10, columns), rows)
        })) {
            let table: Vec<Vec<f64>> = table.into_iter().map(|row| row.into_iter().map(f64::from).collect()).collect();
            let found: f64 = pairing(&table).into_iter().map(|(row, column)| table[row][column]).sum();
            prop_assert!((found - best(&table, 0, 0)).abs() < 1e-9);
        }
    }

    /// By trying all.
    fn best(table: &[Vec<f64>], row: usize, taken: u32) -> f64 {
        let Some(values) = table.get(row) else { return 0.0 };
        let free = values.iter().enumerate().filter(|(column, _)| taken & (1 << column) == 0);
        let with = free.map(|(column, value)| value + best(table, row + 1, taken | (1 << column)));
        with.fold(best(table, row + 1, taken), f64::max)
    }
}
