//! Characters.
use crate::scanner::{About, Hit, Scanner, Text};
/// Finds characters.
#[derive(Debug, Clone, Copy)]
pub struct InvisibleChars;
static ABOUT: About = About { name: "invisible_chars", summary: "", catches: "", misses: "", rules: &[], lookback: 0, hold: 0 };
impl Scanner for InvisibleChars {
    fn about(&self) -> &'static About { &ABOUT }
    fn scan(&self, text: Text<'_>, _hits: &mut Vec<Hit>) -> usize { text.as_str().len() }
}
