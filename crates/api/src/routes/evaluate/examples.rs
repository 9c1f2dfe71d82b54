//! A worked example of each metric: what the metrics page begins with, and what tells a caller the shape of the inputs.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};
use signalbox_evals::safety::find_metric;
use signalbox_metrics::About;

#[derive(Deserialize)]
struct Example {
    of: Vec<String>,
    case: Map<String, Value>,
}

static ALL: LazyLock<Vec<Example>> =
    LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

/// A case that the metric can measure, with what it looks at and nothing else. One without an example of its own takes that of a
/// metric of its family that looks at the same.
pub(super) fn example(about: &About) -> Map<String, Value> {
    let own = ALL.iter().find(|one| one.of.iter().any(|name| name == about.name));
    let case = own.or_else(|| ALL.iter().find(|one| fits(one, about))).map(|one| &one.case);
    let looked_at = about.inputs.iter().chain(about.also);
    looked_at.filter_map(|input| Some((input.name().to_owned(), case?.get(input.name())?.clone()))).collect()
}

fn fits(example: &Example, about: &About) -> bool {
    let has_all = about.inputs.iter().all(|input| example.case.contains_key(input.name()));
    let is_of_family = || example.of.iter().filter_map(|name| find_metric(name)).any(|one| one.family == about.family);
    has_all && is_of_family()
}

#[cfg(test)]
mod tests {
    use signalbox_evals::safety::every_metric;
    use signalbox_metrics::{Case, Measure, Options};

    use super::*;

    #[test]
    fn every_metric_can_measure_its_example() {
        for about in every_metric() {
            let measure = Measure::new(about, &Options::new(), None).unwrap();
            let score = measure.score(&Case::take(&mut example(about)));
            assert!(score.is_ok(), "`{}` needs another case in examples.json: {score:?}", about.name);
        }
    }

    #[test]
    fn every_example_is_of_metrics_that_there_are() {
        let names = ALL.iter().flat_map(|one| &one.of);
        let unknown: Vec<_> = names.filter(|name| every_metric().all(|about| about.name != *name)).collect();
        assert!(!ALL.is_empty() && unknown.is_empty(), "{unknown:?}");
    }
}
