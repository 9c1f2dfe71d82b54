//! Text as a reader means it, with a way back to where it stood: [`fold()`] undoes disguises of single characters,
//! [`decode()`] undoes encodings of whole runs, and [`words()`] cuts into words, undoing spelling tricks.
//!
//! The three are independent, so that a scanner takes what suits it: card numbers want `fold`, but nobody
//! wants digits read as letters there, which `words` does.

mod decode;
mod fold;
#[cfg(test)]
mod tests;
mod words;

pub use self::decode::{Decoded, decode};
pub use self::fold::{Folded, fold};
pub(crate) use self::words::LONGEST_WORD;
#[cfg(test)]
pub(crate) use self::words::STEMS;
pub use self::words::{Hashes, Word, hash, words};
