//! Statements that judge people by a group that they belong to.
//!
//! One automaton finds names of groups, each of a category; around one of them there must be a generalisation (*are*, *can't*,
//! *belong in*) and a judgement within the clause, and nothing before it that says that it is somebody else's, or wrong.

use std::sync::LazyLock;

use signalbox_types::Severity;

use self::words::{GROUPS, JUDGEMENTS, REPORTS};
use super::nearby::{self, Found, Near, Reach};
use crate::literals::Literals;
use crate::scanner::{About, Hit, Rule, Scanner, Text};

#[cfg(test)]
mod tests;
mod words;

/// Finds statements that judge people by their group.
#[derive(Debug, Clone, Copy)]
pub struct Bias;

const REACH: Reach = Reach { back: 96, before: 48, forward: 128 };

macro_rules! rules {
    ($($id:ident $name:literal $what:literal;)+) => {
        /// What a group is made of; its number is its place among the rules.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Category { $($id),+ }
        static RULES: &[Rule] = &[$(Rule {
            name: $name,
            severity: Severity::Medium,
            message: concat!("A statement that judges people by ", $what, ". Look at it before it goes out."),
        }),+];
    };
}

rules! {
    Age "age" "their age";
    Class "class" "what they own or earn";
    Disability "disability" "a disability or an illness";
    Gender "gender" "their sex or gender";
    Nationality "nationality" "where they come from";
    Orientation "orientation" "whom they love";
    Race "race" "their skin or descent";
    Religion "religion" "what they believe";
}

static ABOUT: About = About {
    name: "bias",
    summary: "Finds statements that judge people by a group that they belong to.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: REACH.lookback() + words::LONGEST,
    hold: REACH.hold(),
};

struct Engine {
    groups: Literals,
    /// By word: its category.
    categories: Vec<Category>,
    judgements: Literals,
    reports: Literals,
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let flat = || GROUPS.iter().flat_map(|(category, words)| words.iter().map(|word| (*category, *word)));
    Engine {
        groups: Literals::new(flat().map(|(_, word)| word)),
        categories: flat().map(|(category, _)| category).collect(),
        judgements: Literals::new(JUDGEMENTS.iter().map(|(words, _)| *words)),
        reports: Literals::new(REPORTS),
    }
});

impl Scanner for Bias {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let bytes = text.bytes();
        let first = text.from().saturating_sub(words::LONGEST);
        let groups = ENGINE.groups.find(&bytes[first..]);
        let anchors =
            groups.map(|found| (first + found.end(), (found.pattern().as_usize(), found.end() - found.start())));
        nearby::scan(text, REACH, anchors, look, hits)
    }
}

fn whole(bytes: &[u8], start: usize, end: usize) -> bool {
    let letter =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_' || *byte >= 0x80);
    !letter(bytes[..start].last()) && !letter(bytes.get(end))
}

/// The anchor is the end of a group's name.
fn look(near: Near<'_>, (word, length): (usize, usize)) -> Option<Found> {
    let bytes = near.bytes;
    let start = near.at.checked_sub(length)?;
    if !whole(bytes, start, near.at) {
        return None;
    }
    let ends = |byte: &u8| matches!(byte, b'.' | b'!' | b'?' | b'\n' | b';' | b'"');
    let clause_start = bytes[..start].iter().rposition(ends).map_or(0, |at| at + 1);
    let after = &bytes[near.at..];
    let clause_end = near.at + after.iter().position(ends).unwrap_or(after.len());
    // A question asks, and what somebody says or denies is not said here.
    let asks = bytes.get(clause_end) == Some(&b'?');
    let reported = |from: usize, to: usize| ENGINE.reports.any(&bytes[from..to]);
    if asks || reported(clause_start.min(start), clause_end) || reported(start.saturating_sub(REACH.back), start) {
        return None;
    }
    let clause = &bytes[near.at..clause_end];
    let before = &bytes[start.saturating_sub(REACH.before)..start];
    let confidence = judged(clause).map(|(end, sure)| (start, near.at + end, sure)).or_else(|| {
        let (from, sure) = shut_out(before, start)?;
        Some((from, near.at, sure))
    });
    let (from, to, sure) = confidence?;
    let rule = &RULES[ENGINE.categories[word] as usize];
    Some(Found { rule, start: from, end: to, confidence: sure })
}

/// `… are lazy`: the end of the judgement, and how sure it is one.
fn judged(clause: &[u8]) -> Option<(usize, f32)> {
    const LINKS: [&str; 35] = [
        "are ",
        "are all ",
        "aren't ",
        "are not ",
        "can't ",
        "cannot ",
        "can not ",
        "should not ",
        "shouldn't ",
        "should ",
        "don't ",
        "do not ",
        "belong ",
        "always ",
        "never ",
        "will always ",
        "will never ",
        "tend to be ",
        "only ",
        "just ",
        "have no ",
        "lack ",
        "make ",
        "must ",
        "is ",
        "need to ",
        "want ",
        "commit ",
        "steal ",
        "smell ",
        "ruin ",
        "destroy ",
        "naturally ",
        "deserve ",
        "as ",
    ];
    let trimmed = clause.trim_ascii_start();
    let starts =
        |link: &str| trimmed.len() >= link.len() && trimmed[..link.len()].eq_ignore_ascii_case(link.as_bytes());
    if !LINKS.iter().any(|link| starts(link)) {
        return None;
    }
    // The first judgement, unless it is denied.
    let found =
        ENGINE.judgements.find(clause).find(|found| found.start() < 72 && whole(clause, found.start(), found.end()))?;
    let between = &clause[..found.start()];
    let denies = |word: &[u8]| between.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    let (_, denied_too) = JUDGEMENTS[found.pattern().as_usize()];
    let denied = denies(b" not ") || denies(b"n't ") || denies(b" never ") || denies(b" no more ");
    (!denied || denied_too).then_some((found.end(), 0.7))
}

/// `we don't hire women`, `no gays allowed`: what stands before shuts the group out.
fn shut_out(before: &[u8], start: usize) -> Option<(usize, f32)> {
    const HEADS: [&str; 26] = [
        "don't hire ",
        "do not hire ",
        "never hire ",
        "not hire ",
        "avoid hiring ",
        "don't want ",
        "get rid of ",
        "keep out ",
        "i hate ",
        "we hate ",
        "hate all ",
        "never trust ",
        "can't trust ",
        "don't trust ",
        "not trust ",
        "reject ",
        "no place for ",
        "kick out ",
        "prefer not to hire ",
        "not suitable for ",
        "too hard for ",
        "not a job for ",
        "ban all ",
        "deport all ",
        "get out ",
        "only hire ",
    ];
    let ends = |head: &&&str| {
        before.len() >= head.len() && before[before.len() - head.len()..].eq_ignore_ascii_case(head.as_bytes())
    };
    let head = HEADS.iter().find(ends)?;
    Some((start - head.len(), 0.7))
}
