//! Every metric there is. CLI, API, UI and docs read this.

use crate::about::About;
use crate::agent::{calls, trajectory};
use crate::drift::{adwin, samples, series};
use crate::grounding::{context, faithfulness, support};
use crate::options::nearest;
use crate::retrieval::ranking;
use crate::structure::{citations, formats, json};
use crate::text::{bleu, chrf, compare, edit, likelihood, meteor, readability, repetition, rouge, ter};

/// Every metric, by family, and by name within it.
pub static ALL: &[&About] = &[
    // Text.
    &bleu::BLEU,
    &chrf::CHRF,
    &chrf::CHRF_PP,
    &compare::CONTAINS,
    &compare::CONTAINS_ALL,
    &compare::CONTAINS_NONE,
    &compare::ENDS_WITH,
    &compare::EXACT_MATCH,
    &edit::JACCARD,
    &edit::JARO_WINKLER,
    &compare::LENGTH,
    &edit::LEVENSHTEIN,
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
    &ranking::NDCG,
    &ranking::PRECISION,
    &ranking::RECALL,
    // Grounding.
    &support::CLAIM_SUPPORT,
    &support::CONTRADICTION,
    &support::ENTITY_CONSISTENCY,
    &faithfulness::FAITHFULNESS,
    &faithfulness::HALLUCINATION,
    &support::NUMERIC_CONSISTENCY,
    // Agent.
    &calls::FUNCTION_ARGUMENTS,
    &calls::FUNCTION_CALL,
    &calls::FUNCTION_NAME,
    &trajectory::LOOPS,
    &trajectory::STEP_EFFICIENCY,
    &trajectory::TRAJECTORY_MATCH,
    // Drift.
    &adwin::ADWIN,
    &samples::CHI_SQUARE,
    &series::CUSUM,
    &samples::JENSEN_SHANNON,
    &samples::KS,
    &series::PAGE_HINKLEY,
    &samples::PSI,
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
