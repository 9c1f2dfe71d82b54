//! Every rubric that comes along. CLI, API and docs read this; one file each in `rubrics/`.

use std::sync::LazyLock;

use signalbox_metrics::options::nearest;

use super::file::read_rubric;
use super::rubric::Rubric;

macro_rules! rubrics {
    ($($name:literal),* $(,)?) => {
        &[$(include_str!(concat!("rubrics/", $name, ".yaml"))),*]
    };
}

/// By name.
static FILES: &[&str] = rubrics![
    "answer_relevance",
    "bias",
    "code_correctness",
    "coherence",
    "completeness",
    "conciseness",
    "context_precision",
    "context_recall",
    "context_relevance",
    "correctness",
    "faithfulness",
    "goal_completion",
    "hallucination",
    "harmlessness",
    "helpfulness",
    "instruction_following",
    "pairwise_preference",
    "refusal",
    "refusal_appropriateness",
    "sql_equivalence",
    "summary_quality",
    "tone",
    "tool_choice",
    "toxicity",
    "translation_quality",
];

/// A test reads every file, so none is left out here.
static ALL: LazyLock<Vec<Rubric>> = LazyLock::new(|| FILES.iter().filter_map(|text| read_rubric(text).ok()).collect());

/// Every rubric, by name.
pub fn all() -> &'static [Rubric] {
    &ALL
}

/// The rubric of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Rubric> {
    all().iter().find(|rubric| rubric.name == name)
}

/// The name that was probably meant.
#[must_use]
pub fn near(name: &str) -> Option<&'static str> {
    let names: Vec<&str> = all().iter().map(|rubric| rubric.name.as_str()).collect();
    nearest(name, &names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_whole_rubric_with_a_source() {
        for text in FILES {
            let rubric = read_rubric(text).unwrap_or_else(|problem| panic!("{problem}: {text}"));
            assert!(rubric.source.contains("http"), "{} has no public source", rubric.name);
            assert!(!rubric.summary.is_empty() && rubric.summary.len() < 120, "{}", rubric.name);
            let passing = match &rubric.scale {
                super::super::Scale::Categorical { labels } => labels.iter().any(|one| one.passes == Some(true)),
                _ => rubric.range().is_some_and(|(low, high)| (low..=high).contains(&rubric.threshold())),
            };
            assert!(passing, "{}: nothing passes, or everything", rubric.name);
        }
        assert_eq!(all().len(), FILES.len());
        assert!(all().is_sorted_by_key(|rubric| rubric.name.clone()));
    }

    #[test]
    fn every_file_of_the_folder_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/judge/rubrics");
        for file in std::fs::read_dir(folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(find(name.trim_end_matches(".yaml")).is_some(), "{name} isn't in the registry");
        }
    }

    #[test]
    fn a_name_that_was_probably_meant() {
        assert_eq!(near("faithfullness"), Some("faithfulness"));
        assert!(find("nothing").is_none());
    }
}
