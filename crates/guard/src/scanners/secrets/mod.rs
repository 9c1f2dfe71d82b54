//! Credentials: keys, tokens, passwords.
//!
//! One automaton finds all literals (key prefixes, keywords, separators) in one pass; at each of them one
//! rule looks at bounded text around it. So the time is linear, and what is found at a place doesn't
//! depend on where the text was cut.

use std::sync::LazyLock;

use self::rules::Id;
use self::text::{View, WORD};
use crate::literals::Literals;
use crate::scanner::{About, Hit, Replacement, Scanner, Text};

mod assign;
mod checksum;
mod names;
mod patterns;
mod published;
pub(super) mod random;
mod rules;
mod special;
#[cfg(test)]
mod tests;
mod text;

/// Finds credentials.
#[derive(Debug, Clone, Copy)]
pub struct Secrets;

static ABOUT: About = About {
    name: "secrets",
    summary: "Finds API keys, tokens, private keys and passwords.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: rules::ALL,
    // A name, its keyword, an operator and quotes stand between the context and the value.
    lookback: 2 * special::BACK,
    hold: special::LONGEST + special::BACK,
};

impl Scanner for Secrets {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let view = View { bytes: text.bytes(), open: text.is_open() };
        let first = text.from().saturating_sub(2 * special::BACK);
        let mut candidates = Vec::new();
        ENGINE.candidates(view, first, text.from(), &mut candidates);
        let settled = if view.open { unbegun(view) } else { view.bytes.len() };
        resolve(candidates, text.from(), settled, hits)
    }
}

/// Something that a rule found, or that more text may make one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    rule: Id,
    start: usize,
    /// `usize::MAX` while it is open.
    end: usize,
    confidence: f32,
    open: bool,
}

impl Candidate {
    /// A value that only its name makes a secret gives way to a known format.
    fn is_guess(&self) -> bool {
        matches!(self.rule, Id::generic_api_key | Id::password_assignment)
    }
}

/// What stands behind a literal of the automaton.
#[derive(Debug, Clone, Copy)]
enum Anchor {
    Format(usize),
    Special(usize),
    Keyword(usize),
}

struct Engine {
    literals: Literals,
    anchors: Vec<Anchor>,
}

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

/// Literals at which a hit starts, sorted: half of one at the end of an open text is held back.
static STARTS: LazyLock<Vec<&'static [u8]>> = LazyLock::new(|| {
    let formats = patterns::FORMATS.iter().map(|format| format.literal);
    let mut starts: Vec<_> = formats.chain(special::STARTS.iter().copied()).map(str::as_bytes).collect();
    starts.sort_unstable();
    starts
});

/// Where in [`STARTS`] those with a first byte are.
static FIRSTS: LazyLock<[(usize, usize); 256]> = LazyLock::new(|| {
    let mut firsts = [(0, 0); 256];
    for (first, range) in (0..=u8::MAX).zip(&mut firsts) {
        let at = |bound: &dyn Fn(u8) -> bool| STARTS.partition_point(|literal| bound(literal[0]));
        *range = (at(&|byte| byte < first), at(&|byte| byte <= first));
    }
    firsts
});

impl Engine {
    fn new() -> Self {
        let mut literals: Vec<&str> = Vec::new();
        let mut anchors = Vec::new();
        for (i, format) in patterns::FORMATS.iter().enumerate() {
            literals.push(format.literal);
            anchors.push(Anchor::Format(i));
        }
        for (i, (literal, _)) in special::SPECIAL.iter().enumerate() {
            literals.push(literal);
            anchors.push(Anchor::Special(i));
        }
        for (i, keyword) in assign::KEYWORDS.iter().enumerate() {
            literals.push(keyword);
            anchors.push(Anchor::Keyword(i));
        }
        Self { literals: Literals::new(literals), anchors }
    }

    /// What the rules make of every literal at or after `first`, hits and open ones from `from` on.
    fn candidates(&self, view: View<'_>, first: usize, from: usize, out: &mut Vec<Candidate>) {
        let mut assignments = assign::Memory::default();
        for found in self.literals.find(&view.bytes[first..]) {
            let at = first + found.start();
            let candidate = match self.anchors[found.pattern().as_usize()] {
                Anchor::Format(i) => format(view, at, &patterns::FORMATS[i]),
                Anchor::Special(i) => special::SPECIAL[i].1(view, at),
                Anchor::Keyword(i) => assignments.at(view, at, assign::KEYWORDS[i].len()),
            };
            out.extend(candidate.filter(|candidate| candidate.start >= from));
        }
    }
}

/// What a format makes of its literal.
fn format(view: View<'_>, at: usize, format: &patterns::Format) -> Option<Candidate> {
    let literal = format.literal.as_bytes();
    // Names of files and pages look like the thinnest of the formats: `/API-…`, `favicon.ico-…`.
    let thin = matches!(format.rule, Id::octopusdeploy_api_key | Id::infracost_token | Id::mailgun_api_key);
    let in_path = thin && matches!(view.before(at), Some(b'.' | b'/'));
    let in_word = in_path || (WORD.has(literal[0]) && !view.token_may_start(at));
    if in_word || !view.starts(at, literal) {
        return None;
    }
    let body = at + literal.len();
    // `AccountKey=` is a name, not a part of the key.
    let start = if literal.ends_with(b"=") { body } else { at };
    let open = Candidate { rule: format.rule, start, end: usize::MAX, confidence: 0.0, open: true };
    let mut end = body;
    for (i, part) in format.body.iter().enumerate() {
        let last = i + 1 == format.body.len();
        // The last part must end where its run ends: one byte more is looked at.
        let run = view.run(end, part.class, part.max + usize::from(last));
        if run.unfinished {
            return Some(open);
        }
        if run.end - end < part.min || run.end - end > part.max {
            return None;
        }
        end = run.end;
        if !view.starts(end, part.then.as_bytes()) {
            let rest = view.bytes.get(end..).unwrap_or_default();
            return (view.open && part.then.as_bytes().starts_with(rest)).then_some(open);
        }
        end += part.then.len();
    }
    let text = special::trim_end(view.slice(body, end));
    if format.body.len() == 1 && text.len() < format.body[0].min {
        return None;
    }
    let confidence = (format.judge)(text)?;
    Some(Candidate { end: body + text.len(), confidence, open: false, ..open })
}

/// Where the text starts that may be the beginning of something whose literal is not complete.
fn unbegun(view: View<'_>) -> usize {
    let end = view.bytes.len();
    let mut hold = special::loose_start(view);
    let longest = 32.min(end);
    for start in end - longest..hold.min(end) {
        let tail = &view.bytes[start..];
        // Few bytes begin anything, and most stand in the middle of a word.
        let (low, high) = FIRSTS[usize::from(tail[0])];
        if low == high || (WORD.has(tail[0]) && !view.token_may_start(start)) {
            continue;
        }
        if STARTS[low..high].iter().any(|literal| literal.starts_with(tail)) {
            hold = start;
            break;
        }
    }
    hold
}

/// Chooses among overlapping candidates and returns how far the text is settled, `settled` at most.
///
/// Known formats come first: the leftmost wins, among those with one start the surest, then the longest.
/// Guesses fill what is left by the same rule. Nothing but text after the last hit decides about
/// the next one, so that going on at the settled offset finds the same.
fn resolve(mut candidates: Vec<Candidate>, from: usize, mut settled: usize, hits: &mut Vec<Hit>) -> usize {
    if candidates.is_empty() {
        return settled.max(from);
    }
    candidates.sort_by(|a, b| {
        let sure = |c: &Candidate| if c.open { f32::INFINITY } else { c.confidence };
        a.start
            .cmp(&b.start)
            .then(sure(b).total_cmp(&sure(a)))
            .then(b.end.cmp(&a.end))
            .then((a.rule as usize).cmp(&(b.rule as usize)))
    });
    let mut chosen: Vec<Candidate> = Vec::new();
    for guess in [false, true] {
        let known = chosen.len();
        let mut end = from;
        for candidate in candidates.iter().filter(|candidate| candidate.is_guess() == guess) {
            let overlaps = |other: &Candidate| other.start < candidate.end && candidate.start < other.end;
            if candidate.start < end || (!candidate.open && chosen[..known].iter().any(overlaps)) {
                continue;
            }
            if candidate.open {
                settled = settled.min(candidate.start);
                break;
            }
            // It may yet overlap something that is open: then that decides.
            if guess && candidate.end > settled {
                settled = settled.min(candidate.start);
                break;
            }
            chosen.push(*candidate);
            end = candidate.end;
        }
    }
    chosen.sort_by_key(|candidate| candidate.start);
    for candidate in chosen.iter().rev() {
        if candidate.start < settled && candidate.end > settled {
            settled = candidate.start;
        }
    }
    hits.extend(chosen.iter().filter(|candidate| candidate.end <= settled).map(|candidate| Hit {
        rule: candidate.rule.rule(),
        start: candidate.start,
        end: candidate.end,
        confidence: candidate.confidence,
        replacement: Replacement::Mark,
    }));
    settled.max(from)
}
