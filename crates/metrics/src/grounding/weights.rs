//! The model's weights, written by `bench/metrics/fit.py`.

use super::features::NAMES;

/// What an answer gets that has none of the features.
pub(super) const BIAS: f64 = 0.744365;

/// By feature, in the order of [`NAMES`].
pub(super) const WEIGHTS: [f64; NAMES.len()] = [
    -0.560735,  // new_words
    0.131111,   // new_count
    4.062845,   // new_related
    -1.008476,  // new_names
    -1.421662,  // any_new_name
    -1.389035,  // any_new_number
    0.733141,   // pairs
    1.301607,   // known
    -0.648559,  // length
    -1.313645,  // question
    -13.741270, // first_person
    1.504392,   // weakest_sentence
    -0.644105,  // sentence_negation
    -0.939940,  // negation_scope
    -0.359152,  // new_polar
    -0.200469,  // lonely_polar
    -0.943398,  // opposite_prefix
    -1.504393,  // new_claims
    0.100897,   // new_claim_count
    -0.744605,  // company
    0.139769,   // replaced
];
