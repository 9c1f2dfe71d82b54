//! Every metric there is. CLI, API, UI and docs read this.

use crate::about::About;
use crate::agent::{calls, goals, trajectory};
use crate::drift::{adwin, classifier, points, relation, samples, segments, series};
use crate::grounding::{answer, context, faithfulness, sources, support};
use crate::options::nearest;
use crate::retrieval::ranking;
use crate::structure::{citations, code, formats, json};
use crate::text::{
    bleu, chrf, compare, edit, embedding, likelihood, lists, meteor, readability, repetition, rouge, ter,
};

/// Every metric, by family, and by name within it.
pub static ALL: &[&About] = &[
    // Text.
    &bleu::BLEU,
    &chrf::CHRF,
    &chrf::CHRF_PP,
    &compare::CONTAINS,
    &compare::CONTAINS_ALL,
    &compare::CONTAINS_NONE,
    &embedding::EMBEDDING_SIMILARITY,
    &compare::ENDS_WITH,
    &compare::EXACT_MATCH,
    &edit::JACCARD,
    &edit::JARO_WINKLER,
    &compare::LENGTH,
    &edit::LEVENSHTEIN,
    &lists::LIST_MATCH,
    &meteor::METEOR,
    &compare::ONE_LINE,
    &likelihood::PERPLEXITY,
    &readability::READING_EASE,
    &readability::READING_GRADE,
    &compare::REGEX,
    &repetition::REPETITION,
    &rouge::ROUGE_1,
    &rouge::ROUGE_2,
    &rouge::ROUGE_L,
    &rouge::ROUGE_LSUM,
    &likelihood::SEQUENCE_LOGPROB,
    &compare::STARTS_WITH,
    &ter::TER,
    &edit::TOKEN_F1,
    // Structure.
    &citations::CITATIONS,
    &code::CODE_VALID,
    &formats::CSV_VALID,
    &json::FIELD_COMPLETENESS,
    &json::JSON_MATCH,
    &json::JSON_SCHEMA,
    &json::JSON_VALID,
    &formats::SQL_EQUAL,
    &formats::SQL_VALID,
    &formats::XML_VALID,
    // Retrieval.
    &context::CONTEXT_ENTITY_RECALL,
    &context::CONTEXT_PRECISION,
    &context::CONTEXT_RECALL,
    &context::CONTEXT_RELEVANCE,
    &context::CONTEXT_UTILISATION,
    &ranking::HIT_RATE,
    &ranking::MAP,
    &ranking::MRR,
    &sources::MULTI_HOP,
    &ranking::NDCG,
    &sources::NOISE_SENSITIVITY,
    &ranking::PRECISION,
    &ranking::RECALL,
    &sources::SOURCE_ATTRIBUTION,
    // Grounding.
    &answer::ANSWER_RELEVANCY,
    &support::CLAIM_SUPPORT,
    &answer::COMPLETENESS,
    &support::CONTRADICTION,
    &support::ENTITY_CONSISTENCY,
    &faithfulness::FAITHFULNESS,
    &faithfulness::HALLUCINATION,
    &support::NUMERIC_CONSISTENCY,
    // Agent.
    &goals::COST_PER_GOAL,
    &calls::FUNCTION_ARGUMENTS,
    &calls::FUNCTION_CALL,
    &calls::FUNCTION_NAME,
    &goals::GOAL_COMPLETION,
    &goals::LATENCY_PER_GOAL,
    &trajectory::LOOPS,
    &trajectory::STEP_EFFICIENCY,
    &trajectory::TRAJECTORY_MATCH,
    // Drift.
    &adwin::ADWIN,
    &samples::CHI_SQUARE,
    &classifier::CLASSIFIER_TWO_SAMPLE,
    &relation::CONCEPT_DRIFT,
    &series::CUSUM,
    &samples::JENSEN_SHANNON,
    &samples::KS,
    &points::MMD,
    &series::PAGE_HINKLEY,
    &samples::PSI,
    &segments::SEGMENT_DRIFT,
    &samples::WASSERSTEIN,
];

/// The metric with this name, or that answers to it.
#[must_use]
pub fn find(name: &str) -> Option<&'static About> {
    let named = || ALL.iter().copied().find(|about| about.name == name);
    named().or_else(|| ALL.iter().copied().find(|about| about.aliases.contains(&name)))
}

/// The name that was probably meant.
#[must_use]
pub fn near(name: &str) -> Option<&'static str> {
    let names: Vec<_> = ALL.iter().flat_map(|about| about.aliases.iter().copied().chain([about.name])).collect();
    nearest(name, &names)
}
