//! Texts that a metric compares by vectors: which those are, and the case with vectors in their place. The vectors come from whoever
//! can ask a model; here none is asked.

use serde_json::Value;

use crate::about::About;
use crate::case::{Case, Input, Problem};
use crate::options::{OptionDoc, OptionProblem, Options, option};
use crate::text::{embedding, lists};

/// The option that names an embedding model. Who asks it takes the option away and gives vectors.
pub const MODEL_OPTION: &str = "embedding_model";

pub(crate) const MODEL: OptionDoc = option(
    MODEL_OPTION,
    "none",
    "a model or route that makes vectors of texts; suites (`signalbox eval run`), `POST /api/v1/evaluate` and online rules ask it",
);

/// Refuses the option where it is left over, so that nobody asks a model.
pub(crate) fn no_model(options: &Options) -> Result<(), OptionProblem> {
    if options.is_set(MODEL_OPTION) {
        let problem = "no model is asked here; a suite (`signalbox eval run`), `POST /api/v1/evaluate` or an online rule \
                       asks one, or the lines bring vectors";
        return Err(OptionProblem::new(MODEL_OPTION, problem));
    }
    Ok(())
}

/// Whether a metric compares vectors that a model may make.
#[must_use]
pub fn takes_model(about: &About) -> bool {
    about.options.iter().any(|option| option.name == MODEL_OPTION)
}

/// A case as a metric takes it that compares vectors: each text has become what `vector_of` makes of it, in the same order each
/// time. What is a vector already stays.
///
/// # Errors
/// The case lacks something, or has something else in its place.
pub fn in_place(about: &About, case: &Case, vector_of: &mut dyn FnMut(&str) -> Value) -> Result<Case, Problem> {
    let mut made = case.clone();
    for input in [Input::Output, Input::Reference] {
        let value = match about.name {
            "list_match" => Value::Array(lists::with_vectors(case, input, vector_of)?),
            _ => embedding::with_vectors(case.value(input)?, vector_of),
        };
        made = made.with(input, value);
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry;
    use crate::score::Measure;

    fn check(metric: &str, output: Value, reference: Value, expected: [Value; 2], said: &[&str]) {
        let about = registry::find(metric).unwrap();
        assert!(takes_model(about));
        let case = Case::new().with(Input::Output, output).with(Input::Reference, reference);
        let mut texts = Vec::new();
        let made = in_place(about, &case, &mut |text| {
            texts.push(text.to_owned());
            json!([text.len()])
        });
        let made = made.unwrap();
        assert_eq!([Input::Output, Input::Reference].map(|input| made.find(input).unwrap().clone()), expected);
        assert_eq!(texts, said);
    }

    #[test]
    fn texts_become_vectors_and_vectors_stay() {
        let metric = "embedding_similarity";
        check(metric, json!("abc"), json!("de"), [json!([3]), json!([2])], &["abc", "de"]);
        check(metric, json!([1, 2]), json!(["a", [3, 4]]), [json!([1, 2]), json!([[1], [3, 4]])], &["a"]);
        check(
            "list_match",
            json!("- One\n- two"),
            json!(["x", [5.0]]),
            [json!([[3], [3]]), json!([[1], [5.0]])],
            &["One", "two", "x"],
        );
        assert!(!takes_model(registry::find("bleu").unwrap()));
    }

    #[test]
    fn what_is_missing_or_left_over_is_told() {
        let about = registry::find("list_match").unwrap();
        let problem = in_place(about, &Case::new().with(Input::Output, "a"), &mut |_| json!([1])).unwrap_err();
        assert_eq!(problem.field, "reference");
        for metric in ["list_match", "embedding_similarity"] {
            let options = Options::new().with(MODEL_OPTION, "m");
            let problem = Measure::new(registry::find(metric).unwrap(), &options, None).unwrap_err();
            assert!(problem.name == MODEL_OPTION && problem.problem.contains("no model is asked here"), "{problem}");
        }
    }
}
