//! Topics, known by their words: those that are unwanted, or those that alone are wanted.

mod lexicon;
mod stem;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use signalbox_types::Severity;

use self::lexicon::{LONGEST, Lexicon, Named, word_at};
use crate::options::{self, Maker, OptionProblem, Options};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, rule};

/// Makes [`Topics`].
#[derive(Debug)]
pub struct TopicsMaker;

static ABOUT: About = About {
    name: "topics",
    summary: "Topics by their words and phrases: those that are unwanted, or those that alone are wanted.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: NEAR + 8,
    hold: OPENING + 8,
};

static RULES: &[Rule] = &[
    rule("denied_topic", Severity::Medium, "Words of a topic that the policy doesn't want to be talked about."),
    rule("off_topic", Severity::Low, "A text that names none of the topics that the policy allows; ask about those."),
];
const DENIED: &Rule = &RULES[0];
const OFF: &Rule = &RULES[1];

/// Words of a topic count together within so many bytes on either side.
const NEAR: usize = 400;
/// A text that has named no allowed topic in so many bytes is about something else.
const OPENING: usize = 2_048;
const MAX_TOPICS: usize = 100;
const MAX_WORDS: usize = 5_000;
/// In a shorter text nothing need be named: "thank you" is about nothing.
const FEWEST_WORDS: usize = 8;

/// Which topics. One of `deny` and `allow`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Listed {
    /// Unwanted topics, each with its words and phrases, in any languages; `elect*` stands for all that begins so.
    /// Example: `{politics: [election, prime minister, Wahl*]}`.
    deny: BTreeMap<String, Vec<String>>,
    /// The only topics that are wanted: a text of eight words and more that names none of their words is found.
    allow: BTreeMap<String, Vec<String>>,
    /// How many different words of one topic must stand near one another; 1 if absent. A phrase counts for two. For `deny`.
    min_words: Option<usize>,
    /// Take only the words themselves, and no other forms of them: `elections` is not `election`.
    exact: bool,
}

impl Maker for TopicsMaker {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn schema(&self) -> Schema {
        schema_for!(Listed)
    }

    fn make(&self, options: &Options) -> Result<Arc<dyn Scanner>, OptionProblem> {
        let listed: Listed = options::read(options)?;
        let (field, topics) = match (listed.deny.is_empty(), listed.allow.is_empty()) {
            (true, true) => return Err(OptionProblem::new("", "no topic is listed; name `deny` or `allow`")),
            (false, false) => {
                return Err(OptionProblem::new("allow", "expected this or `deny`, found both; make two policies"));
            }
            (false, true) => ("deny", &listed.deny),
            (true, false) => ("allow", &listed.allow),
        };
        if topics.len() > MAX_TOPICS || topics.values().map(Vec::len).sum::<usize>() > MAX_WORDS {
            let problem = format_args!("expected at most {MAX_TOPICS} topics with {MAX_WORDS} words in all");
            return Err(OptionProblem::new(field, problem));
        }
        if listed.min_words.is_some_and(|least| !(1..=20).contains(&least) || field == "allow") {
            return Err(OptionProblem::new("min_words", "expected 1 to 20, and only with `deny`"));
        }
        let lexicon = Lexicon::new(field, topics, listed.exact)?;
        Ok(Arc::new(Topics { lexicon, allows: field == "allow", least: listed.min_words.unwrap_or(1) }))
    }
}

/// Looks for the words of one policy's topics.
#[derive(Debug)]
pub struct Topics {
    lexicon: Lexicon,
    /// The topics are those that are wanted.
    allows: bool,
    /// Different words that make a finding.
    least: usize,
}

impl Scanner for Topics {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        if self.allows { self.strays(text, hits) } else { self.denied(text, hits) }
    }

    /// Which topic it is.
    fn explain(&self, text: &str, hit: &Hit) -> Option<String> {
        let named = self.lexicon.at(text, hit.start)?;
        (!self.allows).then(|| format!("topic `{}`", self.lexicon.topic(named)))
    }
}

impl Topics {
    fn denied(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let whole = text.as_str();
        // What is named up to there is the same whatever follows, and so is what stands near it.
        let undecided = if text.is_open() { NEAR + LONGEST } else { 0 };
        let decided = whole.floor_char_boundary(whole.len().saturating_sub(undecided));
        if decided <= text.from() && text.is_open() {
            return text.from();
        }
        let first = whole.floor_char_boundary(text.from().saturating_sub(NEAR));
        let named: Vec<(usize, Named)> = self.lexicon.all(whole, first).collect();
        let (mut at, mut low) = (text.from(), 0);
        for (start, one) in &named {
            if *start < at || *start >= decided {
                continue;
            }
            while named.get(low).is_some_and(|(before, _)| before + NEAR < *start) {
                low += 1;
            }
            let near = named.iter().skip(low).take_while(|(after, _)| *after <= start + NEAR);
            let mut entries: Vec<&Named> =
                near.map(|(_, near)| near).filter(|near| self.lexicon.same_topic(near, one)).collect();
            entries.sort_by_key(|named| named.entry);
            entries.dedup_by_key(|named| named.entry);
            let weight = entries.iter().map(|named| self.lexicon.weight(named)).sum::<usize>();
            if weight < self.least {
                continue;
            }
            hits.push(Hit {
                rule: DENIED,
                start: *start,
                end: one.end,
                confidence: match weight {
                    0 | 1 => 0.6,
                    2 => 0.8,
                    _ => 0.95,
                },
                replacement: Replacement::Mark,
            });
            at = one.end;
        }
        at.max(decided)
    }

    fn strays(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let whole = text.as_str();
        if text.base() + text.from() > 0 {
            return whole.len();
        }
        let end = whole.floor_char_boundary(OPENING);
        let opening = whole.get(..end).unwrap_or_default();
        let is_whole = !text.is_open() || whole.len() > OPENING;
        // The last word of an open text may go on.
        let known = if is_whole { end } else { end.saturating_sub(LONGEST) };
        if self.lexicon.all(opening, 0).any(|(start, _)| start < known) {
            return whole.len();
        }
        if !is_whole {
            return 0;
        }
        let words = std::iter::successors(Some(0), |at| Some(word_at(opening, *at)?.1)).skip(1);
        if words.take(FEWEST_WORDS).count() == FEWEST_WORDS && !opening.trim().is_empty() {
            let (start, end) = (opening.len() - opening.trim_start().len(), opening.trim_end().len());
            hits.push(Hit { rule: OFF, start, end, confidence: 0.7, replacement: Replacement::Mark });
        }
        whole.len()
    }
}
