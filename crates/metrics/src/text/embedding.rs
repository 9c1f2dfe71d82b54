//! Embeddings that came with the case, side by side. None is made here: that would take a model.

use serde_json::Value;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::options::{OptionProblem, Options, option};
use crate::score::{Metric, Outcome};
use crate::vectors;

pub(crate) static EMBEDDING_SIMILARITY: About = About {
    name: "embedding_similarity",
    aliases: &["cosine_similarity", "semantic_similarity", "vector_similarity"],
    family: Family::Text,
    summary: "How near the answer's embedding is to that of a reference.",
    formula: "cosine: a · b / (|a| · |b|), 0 if one of them is all zeros; euclidean: 1 / (1 + |a − b|). `output` is \
              a vector of numbers, `reference` one or several by the same model, of which the nearest counts; or texts, \
              with an `embedding_model` that makes vectors of them. A text that says nothing is all zeros.",
    source: "Salton, Wong and Yang 1975, https://doi.org/10.1145/361219.361220; as scikit-learn's cosine_similarity",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range { low: -1.0, high: Some(1.0) },
    direction: Direction::Higher,
    threshold: 0.8,
    options: &[option("measure", "cosine", "cosine or euclidean"), vectors::MODEL],
    make,
};

type Nearness = fn(&[f64], &[f64]) -> f64;

fn make(options: &Options) -> Result<Box<dyn Metric>, OptionProblem> {
    let measures: [(&str, Nearness); 2] = [("cosine", cosine), ("euclidean", euclidean)];
    let nearness = options.choice("measure", &measures, cosine as Nearness)?;
    vectors::no_model(options)?;
    Ok(Box::new(move |case: &Case| measure(case, nearness)))
}

fn measure(case: &Case, nearness: Nearness) -> Result<Outcome, Problem> {
    no_texts(case)?;
    let output = case.numbers(Input::Output)?;
    let references = case.vectors(Input::Reference)?;
    let mut best = (f64::NEG_INFINITY, 0);
    for (at, reference) in references.iter().enumerate() {
        if reference.len() != output.len() {
            let field = if references.len() == 1 { "reference".to_owned() } else { format!("reference[{at}]") };
            let expected = format!("{} numbers, as `output` has", output.len());
            return Err(Problem::new(field, expected, reference.len().to_string()));
        }
        let value = nearness(&output, reference);
        if value > best.0 {
            best = (value, at);
        }
    }
    Ok(Outcome::new(
        best.0,
        format!("nearest to {} of {}, {} numbers each", best.1 + 1, references.len(), output.len()),
    ))
}

/// Texts where vectors should be: most likely an embedding model was meant to make these of them.
fn no_texts(case: &Case) -> Result<(), Problem> {
    for input in [Input::Output, Input::Reference] {
        let value = case.value(input)?;
        if let Some(text) = value.as_array().map_or(Some(value), |list| list.first()).filter(|one| one.is_string()) {
            let field = if value.is_array() { format!("{input}[0]") } else { input.name().to_owned() };
            let expected =
                "a vector of numbers, or the option `embedding_model` with a model that makes vectors of texts";
            return Err(Problem::other(field, expected, text));
        }
    }
    Ok(())
}

/// What stands in a case, with vectors in the place of texts.
pub(crate) fn with_vectors(value: &Value, vector_of: &mut dyn FnMut(&str) -> Value) -> Value {
    match value {
        Value::String(text) => vector_of(text),
        Value::Array(list) => {
            list.iter().map(|one| one.as_str().map_or_else(|| one.clone(), &mut *vector_of)).collect()
        }
        other => other.clone(),
    }
}

/// The cosine of the angle between two vectors.
pub(super) fn cosine(a: &[f64], b: &[f64]) -> f64 {
    // By their largest numbers first, or squares of very large ones would be infinite.
    let largest = |vector: &[f64]| vector.iter().fold(0.0_f64, |most, number| most.max(number.abs()));
    let (most_a, most_b) = (largest(a), largest(b));
    if most_a == 0.0 || most_b == 0.0 {
        return 0.0;
    }
    let (mut both, mut own, mut other) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a / most_a, b / most_b);
        both += a * b;
        own += a * a;
        other += b * b;
    }
    (both / (own.sqrt() * other.sqrt())).clamp(-1.0, 1.0)
}

fn euclidean(a: &[f64], b: &[f64]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    1.0 / (1.0 + squares.sqrt())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::conformance::{near, value_with};

    fn check(options: &Options, output: Value, reference: Value, expected: f64) {
        let case = Case::new().with(Input::Output, output).with(Input::Reference, reference);
        near(value_with(&EMBEDDING_SIMILARITY, options, &case), expected);
    }

    #[test]
    fn angles_and_distances() {
        let cosine = Options::new();
        check(&cosine, json!([1, 0]), json!([0, 2]), 0.0);
        check(&cosine, json!([1, 2, 3]), json!([2, 4, 6]), 1.0);
        check(&cosine, json!([1, 2]), json!([[-1, -2], [2, 1]]), 0.8);
        check(&cosine, json!([0, 0]), json!([1, 1]), 0.0);
        check(&cosine, json!([1e300, 1e300]), json!([1e-300, 0]), 0.5_f64.sqrt());
        check(&Options::new().with("measure", "euclidean"), json!([0, 0]), json!([3, 4]), 1.0 / 6.0);
    }

    #[test]
    fn vectors_of_two_models_are_told() {
        let case = Case::new().with(Input::Output, json!([1, 2])).with(Input::Reference, json!([[1, 2], [1, 2, 3]]));
        let problem = measure(&case, cosine).unwrap_err().to_string();
        assert_eq!(problem, "`reference[1]`: expected 2 numbers, as `output` has, found 3");
    }

    #[test]
    fn of_texts_it_is_said_who_makes_vectors() {
        let check = |output: Value, reference: Value, field: &str| {
            let case = Case::new().with(Input::Output, output).with(Input::Reference, reference);
            let problem = measure(&case, cosine).unwrap_err().to_string();
            let expected =
                "a vector of numbers, or the option `embedding_model` with a model that makes vectors of texts";
            assert_eq!(problem, format!("`{field}`: expected {expected}, found a text"));
        };
        check(json!("a cat"), json!("a dog"), "output");
        check(json!([1, 2]), json!("a dog"), "reference");
        check(json!([1, 2]), json!(["a dog", "a cat"]), "reference[0]");
    }
}
