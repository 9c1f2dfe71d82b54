//! Words, phrases and patterns of one's own: competitors, code names, topics that are none of the assistant's.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use regex_automata::Input;
use regex_automata::meta::{self, Regex};
use regex_automata::util::syntax;
use regex_syntax::hir::Hir;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use signalbox_types::Severity;
use unicode_script::{Script, UnicodeScript};

use crate::options::{self, Maker, OptionProblem, Options};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, rule};

/// Makes [`Words`].
#[derive(Debug)]
pub struct WordsMaker;

static ABOUT: About = About {
    name: "words",
    summary: "Words, phrases and patterns of a list of your own: competitors, code names, unwanted topics.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    // `\b` and `^` look at the character before.
    lookback: 8,
    hold: LONGEST + 8,
};

static RULES: &[Rule] = &[
    rule("pattern", Severity::Medium, "A text that a pattern of the policy describes; the policy's author knows why."),
    rule("word", Severity::Medium, "A word of the policy's list; the policy's author knows why it is there."),
];
const PATTERN: &Rule = &RULES[0];
const WORD: &Rule = &RULES[1];

/// The longest match, in bytes: what a stream may have to hold back.
const LONGEST: usize = 4096;
const MAX_WORDS: usize = 5_000;
const MAX_WORD_BYTES: usize = 200;
const MAX_PATTERNS: usize = 100;
const MAX_PATTERN_BYTES: usize = 2_000;
/// Bytes of the compiled automaton; that of its cache is bounded, too.
const MAX_AUTOMATON_BYTES: usize = 16 << 20;

/// What to look for. At least one word or pattern.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Listed {
    /// Words and phrases, at most 5000. Any white space in a phrase stands for any other. Example: `[Initech, project falcon]`.
    words: Vec<String>,
    /// Regular expressions, at most 100, in the syntax of Rust's `regex`. What one matches must have a greatest length:
    /// `\d{1,9}`, not `\d+`. Example: `['TICKET-\d{4,6}']`.
    patterns: Vec<String>,
    /// Tell upper and lower case apart.
    case_sensitive: bool,
    /// Find words inside of other words, too.
    inside_words: bool,
}

impl Maker for WordsMaker {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn schema(&self) -> Schema {
        schema_for!(Listed)
    }

    fn make(&self, options: &Options) -> Result<Arc<dyn Scanner>, OptionProblem> {
        Words::new(&options::read(options)?).map(|words| Arc::new(words) as Arc<dyn Scanner>)
    }
}

/// Looks for the words and patterns of one policy.
#[derive(Debug)]
pub struct Words {
    /// The words are its first pattern, if there are any.
    regex: Regex,
    has_words: bool,
    /// Bytes of the longest match and the character behind it.
    reach: usize,
}

impl Words {
    fn new(listed: &Listed) -> Result<Self, OptionProblem> {
        if listed.words.is_empty() && listed.patterns.is_empty() {
            return Err(OptionProblem::new("", "nothing is looked for; name `words` or `patterns`"));
        }
        let limits = [("words", listed.words.len(), MAX_WORDS), ("patterns", listed.patterns.len(), MAX_PATTERNS)];
        for (list, found, most) in limits {
            if found > most {
                return Err(OptionProblem::new(list, format_args!("expected at most {most}, found {found}")));
            }
        }
        let mut hirs = Vec::new();
        if !listed.words.is_empty() {
            let words: Result<Vec<_>, _> = listed
                .words
                .iter()
                .enumerate()
                .map(|(index, word)| expression(index, word, listed.inside_words))
                .collect();
            let hir = parse(&words?.join("|"), listed.case_sensitive);
            hirs.push(hir.map_err(|problem| OptionProblem::new("words", problem))?);
        }
        for (index, pattern) in listed.patterns.iter().enumerate() {
            let hir = bounded(pattern, listed.case_sensitive);
            hirs.push(hir.map_err(|problem| OptionProblem::new(format!("patterns[{index}]"), problem))?);
        }
        let longest = hirs.iter().filter_map(|hir| hir.properties().maximum_len()).max().unwrap_or(LONGEST);
        let config =
            meta::Config::new().nfa_size_limit(Some(MAX_AUTOMATON_BYTES)).hybrid_cache_capacity(MAX_AUTOMATON_BYTES);
        let regex = Regex::builder().configure(config).build_many_from_hir(&hirs).map_err(|_| {
            OptionProblem::new(
                "",
                "all words and patterns together are too large to be compiled; use fewer or shorter ones",
            )
        })?;
        Ok(Self { regex, has_words: !listed.words.is_empty(), reach: longest + 4 })
    }
}

impl Scanner for Words {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let whole = text.as_str();
        let end = whole.len();
        // A match that starts before this place is the same whatever follows.
        let decided = if text.is_open() { whole.floor_char_boundary(end.saturating_sub(self.reach)) } else { end };
        let mut at = text.from();
        while at < decided {
            let Some(found) = self.regex.search(&Input::new(whole).span(at..end)) else { break };
            if found.start() >= decided {
                break;
            }
            let rule = if self.has_words && found.pattern().as_usize() == 0 { WORD } else { PATTERN };
            let (start, replacement) = (found.start(), Replacement::Mark);
            hits.push(Hit { rule, start, end: found.end(), confidence: 1.0, replacement });
            at = found.end();
        }
        at.max(decided)
    }
}

/// A word as an expression.
fn expression(index: usize, word: &str, inside_words: bool) -> Result<String, OptionProblem> {
    let wrong = |problem: &str| OptionProblem::new(format!("words[{index}]"), problem);
    if word.trim().is_empty() {
        return Err(wrong("it is empty"));
    }
    if word.len() > MAX_WORD_BYTES {
        return Err(wrong("it is longer than 200 bytes; name a part of it that tells it from others"));
    }
    let pieces: Vec<_> = word.split_whitespace().map(regex_syntax::escape).collect();
    let edge = |char: Option<char>| if !inside_words && char.is_some_and(has_edges) { r"\b" } else { "" };
    let trimmed = word.trim();
    let (before, after) = (edge(trimmed.chars().next()), edge(trimmed.chars().next_back()));
    Ok(format!("{before}{}{after}", pieces.join(r"\s{1,4}")))
}

/// Whether a word that begins or ends with this stands apart from its neighbours. Some scripts write no spaces.
fn has_edges(char: char) -> bool {
    let run_on =
        [Script::Han, Script::Hiragana, Script::Katakana, Script::Thai, Script::Lao, Script::Khmer, Script::Myanmar];
    (char.is_alphanumeric() || char == '_') && !run_on.contains(&char.script())
}

/// A pattern of a policy, whose matches have an end.
fn bounded(pattern: &str, case_sensitive: bool) -> Result<Hir, String> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(format!("it is longer than {MAX_PATTERN_BYTES} bytes"));
    }
    let hir = parse(pattern, case_sensitive)?;
    let properties = hir.properties();
    if properties.minimum_len().is_none_or(|least| least == 0) {
        return Err("it matches the empty text, so it would be found everywhere".to_owned());
    }
    match properties.maximum_len() {
        None => Err("what it matches has no greatest length, and a stream can't be held back for ever; \
                     write `{0,100}` for `*` and `{1,100}` for `+`"
            .to_owned()),
        Some(longest) if longest > LONGEST => {
            Err(format!("it matches up to {longest} bytes, and {LONGEST} is the most; use smaller repetitions"))
        }
        Some(_) => Ok(hir),
    }
}

fn parse(pattern: &str, case_sensitive: bool) -> Result<Hir, String> {
    let config = syntax::Config::new().case_insensitive(!case_sensitive).nest_limit(50);
    syntax::parse_with(pattern, &config).map_err(|error| {
        // Its first lines draw the pattern; the last says what is wrong.
        let told = error.to_string();
        let reason = told.lines().rev().find_map(|line| line.trim().strip_prefix("error: ")).map(str::to_owned);
        format!("it is no regular expression: {}", reason.unwrap_or(told))
    })
}
