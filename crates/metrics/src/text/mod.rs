//! Two texts side by side, or one by itself.

mod bits;
pub(crate) mod bleu;
pub(crate) mod chrf;
pub(crate) mod compare;
pub(crate) mod edit;
pub(crate) mod embedding;
pub(crate) mod likelihood;
pub(crate) mod lists;
pub(crate) mod meteor;
mod ngrams;
pub(crate) mod porter;
pub(crate) mod readability;
pub(crate) mod repetition;
pub(crate) mod rouge;
pub(crate) mod ter;
mod tokenise;
pub(crate) mod words;
