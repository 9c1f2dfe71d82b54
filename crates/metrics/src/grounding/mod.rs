//! Whether a text says what its sources say: by counting, without a model of language.
//!
//! Honest about what it is: it compares words, names, numbers, negations and their neighbourhood, knows a few hundred English words by what
//! they do, and nothing of what a sentence means. A true paraphrase in other words looks new to it, and a false statement in the source's own
//! words looks supported. README.md has its accuracy by source.

pub(crate) mod answer;
pub(crate) mod context;
pub(crate) mod faithfulness;
mod features;
mod lexicon;
pub(crate) mod read;
mod source;
pub(crate) mod sources;
pub(crate) mod support;
mod weights;

pub use faithfulness::features;
