//! The seam: what a scanner is, what it is given and what it hands back. No scanner lives here.

use signalbox_types::{Finding, Severity};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::context::Context;
use crate::model::Notes;
use crate::scanners::remote::answers::{Answers, Question};

/// A scanner looks at text and says what it found. It is pure: no clock, no I/O, no state.
///
/// The contract, which `conformance` tests for every implementation:
/// * hits are sorted, don't overlap, sit on char boundaries and lie within `text.from()..settled`;
/// * what it finds doesn't depend on how the text was cut: scanning a part that is still open and
///   going on at the returned offset finds exactly what scanning the whole does;
/// * the time is linear in the length, whatever the text, and it never panics.
pub trait Scanner: Send + Sync {
    /// Its name, its rules, and what it needs to see.
    fn about(&self) -> &'static About;

    /// Appends what it finds at or after `text.from()` to `hits` and returns the offset up to which
    /// it is settled: whatever follows can add no hit that starts before it, and every hit returned
    /// ends at or before it. For a text that is not open that is the length of the text; for an open
    /// one it is at most [`About::hold`] bytes less.
    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize;

    /// Builds what is built when it is first needed, so that no call has to wait for it. Text that holds no hit does.
    fn warm(&self) {
        let mut hits = Vec::new();
        self.scan(Text::whole(WARM), &mut hits);
    }

    /// How much the text, in which `hits` were found, looks like what it is for, from 0 to 1, also where that is too
    /// little for a hit.
    fn score(&self, _text: Text<'_>, hits: &[Hit]) -> f32 {
        hits.iter().map(|hit| hit.confidence).fold(0.0, f32::max)
    }

    /// Whether [`within`](Self::within) may give another scanner.
    fn reads_context(&self) -> bool {
        false
    }

    /// The scanner for the texts of one call, where what it looks for depends on the call; `None` if this one is it.
    fn within(&self, _context: &Context<'_>) -> Option<Arc<dyn Scanner>> {
        None
    }

    /// What must be asked of others before it can look at texts, if anything.
    fn question(&self) -> Option<&Question> {
        None
    }

    /// The scanner that knows what they said; `None` if it asks nobody.
    fn answered(&self, _answers: &Arc<Answers>) -> Option<Arc<dyn Scanner>> {
        None
    }

    /// How long was waited for what they said.
    fn waited(&self) -> Duration {
        Duration::ZERO
    }

    /// What more is to be said of a hit in this text, e.g. which entry of a list it is; never what was found.
    fn explain(&self, _text: &str, _hit: &Hit) -> Option<String> {
        None
    }

    /// Whether it looks at answers only, and not at what goes along with them: thoughts, refusals, arguments of tools.
    fn is_for_answers(&self) -> bool {
        false
    }

    /// Whether it looks at [`Text::found`], so that it must come after the others.
    fn reads_findings(&self) -> bool {
        false
    }

    /// Whether it looks at what the model says in [`Notes`], and does little by itself.
    fn shares_notes(&self) -> bool {
        false
    }

    /// Whether it looks at calls of tools, and at no texts.
    fn is_for_calls(&self) -> bool {
        false
    }

    /// What is wrong with a call of a tool, each with what more is to be said of it. Offsets are those of the arguments.
    fn judge(&self, _call: &ToolCall<'_>, _found: &mut Vec<(Hit, String)>) {}

    /// Whether what it says describes a text, and is no alarm: then it runs only where it is named.
    fn describes(&self) -> bool {
        false
    }

    /// What the text, in which `hits` were found, is, for a scanner that tells kinds of text apart.
    fn prediction(&self, _hits: &[Hit]) -> Option<Cow<'static, str>> {
        None
    }

    /// What a rule of its finds, as others name it: the rule's own name, unless data sets have another one.
    fn kind(&self, rule: &Rule) -> Cow<'static, str> {
        Cow::Borrowed(rule.name)
    }
}

/// A little of everything that makes scanners look twice.
const WARM: &str = "On 12/03/2024 order 4111 1111 1111 of a@b.example (phone 555-0100) said: key=none, token: \"x\", \
<b on=\"\">{{7}} ../a ' or '1 select (1); id http://a.example/?q=%27 Привет, 世界!";

/// What a scanner is, for policies, documents and pages.
#[derive(Debug)]
pub struct About {
    /// The name in policies and findings.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub summary: &'static str,
    /// What it catches, for the docs (Markdown).
    pub catches: &'static str,
    /// What it can't catch, for the docs (Markdown).
    pub misses: &'static str,
    /// Every rule, sorted by name.
    pub rules: &'static [Rule],
    /// How many bytes before [`Text::from`] it must be able to see.
    pub lookback: usize,
    /// How many bytes at the end of an open text it may leave unsettled: no hit is longer.
    pub hold: usize,
}

impl About {
    /// The rule with this name.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&'static Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

/// One kind of thing that a scanner finds.
#[derive(Debug, PartialEq)]
pub struct Rule {
    /// The name in policies, findings and redaction marks.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it means and what to do, in a sentence.
    pub message: &'static str,
}

/// A rule, for tables of them.
pub(crate) const fn rule(name: &'static str, severity: Severity, message: &'static str) -> Rule {
    Rule { name, severity, message }
}

/// A call of a tool, complete.
#[derive(Debug, Clone, Copy)]
pub struct ToolCall<'a> {
    /// The tool.
    pub name: &'a str,
    /// The arguments, as JSON.
    pub arguments: &'a str,
}

/// The text to look at.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    text: &'a str,
    from: usize,
    open: bool,
    notes: Option<&'a Notes>,
    base: usize,
    found: &'a [Finding],
}

impl<'a> Text<'a> {
    /// A whole text: nothing before it, nothing after it.
    #[must_use]
    pub fn whole(text: &'a str) -> Self {
        Self { text, from: 0, open: false, notes: None, base: 0, found: &[] }
    }

    /// A part of a longer text. What stands before `from` is settled and only context; `open` says
    /// that more may follow.
    #[must_use]
    pub fn part(text: &'a str, from: usize, open: bool) -> Self {
        Self { text, from: text.floor_char_boundary(from), open, notes: None, base: 0, found: &[] }
    }

    /// The same text, with what scanners have computed about it so far. `notes` must be of this text alone.
    #[must_use]
    pub fn noted(self, notes: &'a Notes) -> Self {
        Self { notes: Some(notes), ..self }
    }

    /// The same text, which starts at this offset of the stream.
    #[must_use]
    pub fn at(self, base: usize) -> Self {
        Self { base, ..self }
    }

    /// The same text, in which this was found.
    #[must_use]
    pub fn with_findings(self, found: &'a [Finding]) -> Self {
        Self { found, ..self }
    }

    /// What was found in it before.
    #[must_use]
    pub fn found(&self) -> &'a [Finding] {
        self.found
    }

    /// Its offset in the stream.
    #[must_use]
    pub fn base(&self) -> usize {
        self.base
    }

    /// What has been computed about it.
    pub(crate) fn notes(&self) -> Option<&'a Notes> {
        self.notes
    }

    /// All of it, context included.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// Its bytes, context included.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// Where the unsettled text starts.
    #[must_use]
    pub fn from(&self) -> usize {
        self.from
    }

    /// Whether more may follow.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }
}

/// One thing found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// What kind of thing.
    pub rule: &'static Rule,
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
    /// How sure the scanner is: 0 to 1.
    pub confidence: f32,
    /// What a redaction puts in its place.
    pub replacement: Replacement,
}

/// What a redaction puts in the place of a hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replacement {
    /// `[REDACTED:rule]`: the reader should know that something was there.
    Mark,
    /// Nothing: what was there could not be seen.
    Nothing,
    /// This text: what the found text pretended to be.
    Text(String),
}

impl Hit {
    /// Appends what a redaction puts in its place.
    pub fn write_replacement(&self, out: &mut String) {
        match &self.replacement {
            Replacement::Mark => {
                out.push_str("[REDACTED:");
                out.push_str(self.rule.name);
                out.push(']');
            }
            Replacement::Nothing => {}
            Replacement::Text(text) => out.push_str(text),
        }
    }
}
