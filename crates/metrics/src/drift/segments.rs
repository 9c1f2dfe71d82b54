//! Segment by segment: where a distribution has moved, with the number of looks taken into account.

use serde_json::{Map, Value};

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};

use super::multiple::{CORRECTIONS, Correction, adjusted};
use super::samples::{counted, homogeneity, smirnov, sorted_numbers};

pub(crate) static SEGMENT_DRIFT: About = About {
    name: "segment_drift",
    aliases: &["drift_by_segment"],
    family: Family::Drift,
    summary: "How likely the segment that differs most differs as much by chance, among all segments.",
    formula: "The least p of the tests of each segment that both have, put right for their number: ks of numbers, \
              chi_square of texts. Holm's and Bonferroni's way keep the chance of any false alarm, Benjamini and \
              Hochberg's the share of false alarms. 1 if no segment is in both. `output` and `reference` are \
              {segment: list}; the reason names the segments below the threshold of 0.05.",
    source: "Holm 1979, https://www.jstor.org/stable/4615733; Benjamini and Hochberg 1995, \
             https://doi.org/10.1111/j.2517-6161.1995.tb02031.x; as R's p.adjust",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.05,
    options: &[option("correction", "holm", "holm, benjamini_hochberg, bonferroni or none")],
    make,
};

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let correction = options.choice("correction", CORRECTIONS, Correction::Holm)?;
    Ok(Box::new(move |case: &Case| measure(case, correction)))
}

fn segments(case: &Case, input: Input) -> Result<&Map<String, Value>, Problem> {
    let value = case.value(input)?;
    value.as_object().ok_or_else(|| Problem::other(input.name(), "an object of lists by segment", value))
}

fn measure(case: &Case, correction: Correction) -> Result<Outcome, Problem> {
    /// More names are no help.
    const MOST_NAMES: usize = 10;
    let (now, before) = (segments(case, Input::Output)?, segments(case, Input::Reference)?);
    let mut names = Vec::new();
    let mut found = Vec::new();
    for (name, values) in now {
        if let Some(others) = before.get(name) {
            names.push(name.as_str());
            found.push(p_of(values, others, name)?);
        }
    }
    let adjusted = adjusted(&found, correction);
    let mut worst: Vec<(f64, &str)> = adjusted.iter().copied().zip(names).collect();
    worst.sort_by(|a, b| a.0.total_cmp(&b.0));
    let moved: Vec<String> = worst
        .iter()
        .filter(|(p, _)| *p < SEGMENT_DRIFT.threshold)
        .map(|(p, name)| format!("`{name}` (p = {p:.2e})"))
        .collect();
    let told = match moved.len() {
        0 => format!("none of {} segments has moved", worst.len()),
        count => format!(
            "{count} of {} segments have moved: {}{}",
            worst.len(),
            moved.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", "),
            if count > MOST_NAMES { ", …" } else { "" }
        ),
    };
    let alone = now.len() + before.len() - 2 * worst.len();
    let told = if alone == 0 { told } else { format!("{told}; {alone} are in one sample only") };
    Ok(Outcome::new(worst.first().map_or(1.0, |(p, _)| *p), told))
}

fn p_of(now: &Value, before: &Value, name: &str) -> Result<f64, Problem> {
    let fields = [format!("output.{name}"), format!("reference.{name}")];
    let is_text = |list: &Value| list.get(0).is_some_and(Value::is_string);
    if is_text(now) || is_text(before) {
        return Ok(homogeneity(&counted([(now, fields[0].as_str()), (before, fields[1].as_str())])?).2);
    }
    Ok(smirnov(&sorted_numbers(now, &fields[0])?, &sorted_numbers(before, &fields[1])?).1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::{near, value_with};

    fn case() -> Case {
        let low: Vec<f64> = (0..20).map(f64::from).collect();
        let high: Vec<f64> = low.iter().map(|value| value + 100.0).collect();
        Case::new()
            .with(Input::Output, json!({"de": high, "fr": low, "it": ["a"], "new": [1]}))
            .with(Input::Reference, json!({"de": low, "fr": low, "it": ["a", "b"]}))
    }

    #[test]
    fn the_segment_that_moved_is_named() {
        let outcome = measure(&case(), Correction::Holm).unwrap();
        assert_eq!(outcome.reason, "1 of 3 segments have moved: `de` (p = 4.35e-11); 1 are in one sample only");
        let value =
            |correction: &str| value_with(&SEGMENT_DRIFT, &Options::new().with("correction", correction), &case());
        // 2 / C(40, 20): only one order of forty numbers each way is as far apart.
        let p = 2.0 / 137_846_528_820.0;
        assert!((value("none") / p - 1.0).abs() < 1e-3);
        assert!((value("holm") / (3.0 * p) - 1.0).abs() < 1e-3);
        near(value("benjamini_hochberg"), value("bonferroni"));
    }

    #[test]
    fn what_is_no_list_is_told_with_its_segment() {
        let case = Case::new().with(Input::Output, json!({"a": 1})).with(Input::Reference, json!({"a": [1]}));
        let problem = measure(&case, Correction::Holm).unwrap_err().to_string();
        assert_eq!(problem, "`output.a`: expected a list of numbers, found a number");
    }
}
