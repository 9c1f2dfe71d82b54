//! Ranked results against what is relevant.
//!
//! `output` is the ranking: ids, best first, or objects `{"id", "score"}`, which are sorted by score. `reference` is what is relevant:
//! ids, or an object of grades by id, where 0 and less is irrelevant. An id that comes twice counts where it comes first.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde_json::Value;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionDoc, OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

const K: &[OptionDoc] = &[option("k", "10", "how many results count; 0 for all")];
const MANNING: &str =
    "Manning, Raghavan and Schütze 2008, chapter 8, https://nlp.stanford.edu/IR-book/; as ranx and trec_eval";

macro_rules! ranking {
    ($name:ident, $measure:path, $text:literal, $aliases:expr, $summary:literal, $formula:literal, $source:expr) => {
        pub(crate) static $name: About = About {
            name: $text,
            aliases: $aliases,
            family: Family::Retrieval,
            summary: $summary,
            formula: $formula,
            source: $source,
            inputs: &[Input::Output, Input::Reference],
            also: &[],
            range: Range::UNIT,
            direction: Direction::Higher,
            threshold: 0.5,
            options: K,
            make: |options| make(options, $measure),
        };
    };
}

ranking!(
    PRECISION,
    precision,
    "precision_at_k",
    &["precision@k", "retrieval_precision"],
    "How many of the first k results are relevant.",
    "Relevant results among the first k / k; with k = 0 / all results. 0 if there are none.",
    MANNING
);
ranking!(
    RECALL,
    recall,
    "recall_at_k",
    &["recall@k", "retrieval_recall"],
    "How much of what is relevant is among the first k results.",
    "Relevant results among the first k / all that is relevant; 0 if nothing is.",
    MANNING
);
ranking!(
    HIT_RATE,
    hit_rate,
    "hit_rate",
    &["hit_rate@k", "hit_at_k"],
    "Whether something relevant is among the first k results.",
    "1 if at least one of the first k results is relevant, else 0.",
    "As ranx's hit_rate and trec_eval's success"
);
ranking!(
    MRR,
    reciprocal_rank,
    "mrr",
    &["mean_reciprocal_rank", "reciprocal_rank"],
    "How early the first relevant result comes.",
    "1 / place of the first relevant result among the first k; 0 if there is none. The mean over cases is the MRR.",
    "Voorhees 1999, https://trec.nist.gov/pubs/trec8/papers/qa_report.pdf; as ranx and trec_eval"
);
ranking!(
    MAP,
    average_precision,
    "map",
    &["mean_average_precision", "average_precision"],
    "How early all that is relevant comes.",
    "Sum of the precisions at the places of the relevant results among the first k / all that is relevant. The mean over cases is the MAP.",
    MANNING
);
ranking!(
    NDCG,
    ndcg,
    "ndcg",
    &["ndcg@k", "ndcg_at_k"],
    "Whether what is more relevant comes first.",
    "DCG / DCG of the best ranking, both of the first k; DCG = Σ grade / log₂(place + 1). 0 if nothing is relevant.",
    "Järvelin and Kekäläinen 2002, https://doi.org/10.1145/582415.582418; linear gain, as ranx's ndcg and trec_eval"
);

/// Grades of the results in their order, and the grades of all that is relevant.
struct Judged {
    found: Vec<f64>,
    relevant: Vec<f64>,
}

impl Judged {
    fn hits(&self, k: usize) -> f64 {
        self.found.iter().take(k).filter(|grade| **grade > 0.0).count() as f64
    }

    fn all(&self) -> f64 {
        self.relevant.len() as f64
    }
}

fn make(options: &Options, measure: fn(&Judged, usize) -> f64) -> Result<Box<dyn Metric>, OptionProblem> {
    let k = options.count("k", 10, 0, 1_000_000)?;
    Ok(Box::new(move |case: &Case| {
        let judged = judged(case)?;
        let places = if k == 0 { judged.found.len() } else { k };
        let value = if judged.relevant.is_empty() { 0.0 } else { measure(&judged, places) };
        let (hits, seen) = (judged.hits(places), judged.found.len().min(places));
        Ok(Outcome::new(value, format!("{hits} of {} relevant are among the first {seen}", judged.relevant.len())))
    }))
}

fn judged(case: &Case) -> Result<Judged, Problem> {
    let mut grades = grades(case)?;
    let mut relevant: Vec<f64> = grades.values().copied().filter(|grade| *grade > 0.0).collect();
    relevant.sort_by(|a, b| b.total_cmp(a));
    // A result that was seen has no grade any more.
    const SEEN: f64 = f64::NAN;
    let grade = |id| Some(std::mem::replace(grades.entry(id).or_insert(0.0), SEEN)).filter(|grade| !grade.is_nan());
    let found = ranking(case)?.into_iter().filter_map(grade).collect();
    Ok(Judged { found, relevant })
}

fn id<'a>(value: &'a Value, field: impl FnOnce() -> String) -> Result<Cow<'a, str>, Problem> {
    match value {
        Value::String(id) => Ok(Cow::Borrowed(id)),
        Value::Number(id) => Ok(Cow::Owned(id.to_string())),
        other => Err(Problem::other(field(), "an id", other)),
    }
}

fn grades(case: &Case) -> Result<HashMap<Cow<'_, str>, f64, RandomState>, Problem> {
    match case.value(Input::Reference)? {
        Value::Array(list) => {
            list.iter().enumerate().map(|(at, value)| Ok((id(value, || format!("reference[{at}]"))?, 1.0))).collect()
        }
        Value::Object(grades) => grades
            .iter()
            .map(|(id, grade)| {
                let problem = || Problem::other(format!("reference.{id}"), "a grade, a number", grade);
                Ok((Cow::Borrowed(id.as_str()), grade.as_f64().ok_or_else(problem)?))
            })
            .collect(),
        other => Err(Problem::other("reference", "a list of relevant ids, or grades by id", other)),
    }
}

fn ranking(case: &Case) -> Result<Vec<Cow<'_, str>>, Problem> {
    const SHAPE: &str = "a list of ids, best first, or of {\"id\", \"score\"}";
    let value = case.value(Input::Output)?;
    let list = value.as_array().ok_or_else(|| Problem::other("output", SHAPE, value))?;
    let mut found = Vec::with_capacity(list.len());
    for (at, item) in list.iter().enumerate() {
        let field = || format!("output[{at}]");
        match item {
            Value::Object(object) => {
                let problem = |part| Problem::new(field(), format!("{{\"id\", \"score\"}} with {part}"), "none");
                let name = object.get("id").ok_or_else(|| problem("an id"))?;
                let score = object.get("score").and_then(Value::as_f64).ok_or_else(|| problem("a number as score"))?;
                found.push((score, id(name, field)?));
            }
            // All the same: the order stays.
            other => found.push((0.0, id(other, field)?)),
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

fn precision(judged: &Judged, k: usize) -> f64 {
    if k == 0 { 0.0 } else { judged.hits(k) / k as f64 }
}

fn recall(judged: &Judged, k: usize) -> f64 {
    judged.hits(k) / judged.all()
}

fn hit_rate(judged: &Judged, k: usize) -> f64 {
    f64::from(u8::from(judged.hits(k) > 0.0))
}

fn reciprocal_rank(judged: &Judged, k: usize) -> f64 {
    let first = judged.found.iter().take(k).position(|grade| *grade > 0.0);
    first.map_or(0.0, |at| 1.0 / (at as f64 + 1.0))
}

fn average_precision(judged: &Judged, k: usize) -> f64 {
    let (mut hits, mut sum) = (0.0, 0.0);
    for (at, grade) in judged.found.iter().take(k).enumerate() {
        if *grade > 0.0 {
            hits += 1.0;
            sum += hits / (at as f64 + 1.0);
        }
    }
    sum / judged.all()
}

fn ndcg(judged: &Judged, k: usize) -> f64 {
    let gain = |grades: &[f64]| -> f64 {
        grades.iter().take(k).enumerate().map(|(at, grade)| grade.max(0.0) / (at as f64 + 2.0).log2()).sum()
    };
    gain(&judged.found) / gain(&judged.relevant).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::{near, value_with};

    fn check(about: &'static About, k: usize, expected: f64) {
        let case = Case::new()
            .with(Input::Output, json!(["d", "a", "x", "b", "a"]))
            .with(Input::Reference, json!({"a": 3, "b": 2, "c": 1, "d": 0}));
        near(value_with(about, &Options::new().with("k", k), &case), expected);
    }

    /// By hand: relevant at places 2 and 4, one isn't found.
    #[test]
    fn of_a_ranking() {
        check(&PRECISION, 4, 0.5);
        check(&PRECISION, 10, 0.2);
        check(&PRECISION, 0, 0.5);
        check(&RECALL, 2, 1.0 / 3.0);
        check(&HIT_RATE, 1, 0.0);
        check(&MRR, 10, 0.5);
        check(&MAP, 10, (0.5 + 0.5) / 3.0);
        let ideal = 3.0 + 2.0 / 3_f64.log2() + 0.5;
        check(&NDCG, 10, (3.0 / 3_f64.log2() + 2.0 / 5_f64.log2()) / ideal);
    }

    #[test]
    fn scores_sort_and_what_is_wrong_is_named() {
        let case = Case::new()
            .with(Input::Output, json!([{"id": "a", "score": 0.1}, {"id": 7, "score": 0.9}]))
            .with(Input::Reference, json!([7]));
        near(value_with(&MRR, &Options::new(), &case), 1.0);
        let wrong = case.clone().with(Input::Output, json!([{"id": "a"}]));
        assert_eq!(
            judged(&wrong).err().map(|problem| problem.to_string()).as_deref(),
            Some("`output[0]`: expected {\"id\", \"score\"} with a number as score, found none")
        );
    }
}
