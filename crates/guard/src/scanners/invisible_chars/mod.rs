//! Text that a person doesn't see, or sees as something else.
//!
//! One walk over the text. Bytes that can't matter are skipped without decoding; at each character that may
//! matter one *item* (a run of invisible characters, a mixed word, an escape sequence) is judged by bounded
//! text around it. The only state between items is the position, so that it doesn't matter where the
//! text was cut.

use signalbox_types::Severity;
use unicode_script::{Script, UnicodeScript};

use self::patterns::{Invisible, emoji, invisible, joining, right_to_left, spaceless};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text};

mod letters;
pub(crate) mod patterns;
mod reveal;
mod skip;
#[cfg(test)]
mod tests;

pub use self::reveal::reveal;

/// Finds hidden and disguised text.
#[derive(Debug, Clone, Copy)]
pub struct InvisibleChars;

/// Items end after so many characters, and the next one starts: nothing is held for longer.
const LONGEST: usize = 1024;
/// How far back a rule looks.
const BACK: usize = 160;

macro_rules! rules {
    ($($id:ident $name:literal $severity:ident $message:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Id { $($id),+ }
        static RULES: &[Rule] = &[$(Rule { name: $name, severity: Severity::$severity, message: $message }),+];
    };
}

rules! {
    Ansi "ansi_escape" Medium "A terminal escape sequence: it can hide or repaint text where this is printed. Strip it before printing.";
    Bidi "bidi_control" High "A character that changes the direction of text: what is shown is not what is read. Remove it, or show it.";
    Mixed "confusable_letters" Medium "Letters of another alphabet that look like Latin ones: the word is not the one that a person reads.";
    Control "control_characters" Low "A control character without a meaning in text. Remove it.";
    Filler "hangul_filler" Medium "A Hangul filler outside of Korean: a letter that can't be seen. Remove it.";
    Annotation "interlinear_annotation" Medium "Interlinear annotation: text that most programs don't show. Remove it.";
    Private "private_use" Low "A run of private-use characters: it means nothing without a private agreement and may carry data.";
    Stacked "stacked_marks" Low "Many marks stacked on one letter: the text is made hard to read or to match.";
    Styled "styled_letters" Low "Words in full-width, mathematical or enclosed letters: they read as plain ones and match no filter.";
    Tags "tag_characters" Critical "Invisible tag characters that spell text: hidden instructions or data on their way out. Refuse or remove them.";
    Selectors "variation_selectors" High "Variation selectors without a character to vary: they can carry hidden data. Remove them.";
    ZeroWidth "zero_width" High "Zero-width characters where no script needs them: they hide data or split words. Remove them.";
}

impl Id {
    fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }
}

static ABOUT: About = About {
    name: "invisible_chars",
    summary: "Finds hidden, reordered and disguised characters (Unicode smuggling).",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: BACK + 8,
    hold: LONGEST * 4 + 16,
};

impl Scanner for InvisibleChars {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let walk = Walk { text: text.as_str(), open: text.is_open() };
        let mut at = text.from();
        loop {
            at = skip::next(walk.text.as_bytes(), at);
            let Some(c) = walk.char(at) else { return walk.text.len() };
            let next = match walk.item(at, c) {
                Item::Unknown => return at,
                Item::Plain(next) => next,
                Item::Found(hit) => {
                    let end = hit.end;
                    hits.push(hit);
                    end
                }
            };
            at = next;
        }
    }
}

/// What stands at a position.
enum Item {
    /// More text decides.
    Unknown,
    /// Nothing; go on here.
    Plain(usize),
    Found(Hit),
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    text: &'a str,
    open: bool,
}

impl Walk<'_> {
    fn char(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    fn before(&self, at: usize) -> Option<char> {
        self.text.get(..at)?.chars().next_back()
    }

    fn hit(id: Id, start: usize, end: usize, confidence: f32) -> Item {
        Item::Found(Hit { rule: id.rule(), start, end, confidence, replacement: Replacement::Nothing })
    }

    fn item(&self, at: usize, c: char) -> Item {
        if ('\u{388}'..='\u{481}').contains(&c) {
            return self.mixed_word(at);
        }
        if invisible(c).is_some() {
            return self.invisible_run(at);
        }
        match c {
            '\u{1B}' => self.escape(at),
            '\0'..='\u{1F}' | '\u{7F}' => Self::hit(Id::Control, at, at + 1, if c == '\u{8}' { 0.8 } else { 0.5 }),
            // Windows-1252 read as Latin-1 is full of these: a mistake, not a disguise.
            '\u{80}'..='\u{9F}' => Self::hit(Id::Control, at, at + 2, 0.3),
            _ if patterns::private_use(c) => {
                self.run(at, patterns::private_use, |count| (count >= 4).then_some((Id::Private, 0.6)))
            }
            _ if patterns::stacking_mark(c) => self.run(at, patterns::stacking_mark, |count| {
                (count >= 4).then_some((Id::Stacked, if count >= 8 { 0.7 } else { 0.5 }))
            }),
            _ if patterns::styled(c).is_some() => self.styled_word(at),
            _ if patterns::alphabet(c).is_some() => self.mixed_word(at),
            _ => Item::Plain(at + c.len_utf8()),
        }
    }

    /// Where the run of characters that pass the test ends, and how many they are; `None` if more text decides.
    fn run_end(&self, at: usize, test: impl Fn(char) -> bool) -> Option<(usize, usize)> {
        let (mut end, mut count) = (at, 0);
        for c in self.text.get(at..).unwrap_or_default().chars() {
            if count == LONGEST || !test(c) {
                return Some((end, count));
            }
            end += c.len_utf8();
            count += 1;
        }
        (!self.open).then_some((end, count))
    }

    fn run(&self, at: usize, test: fn(char) -> bool, judge: fn(usize) -> Option<(Id, f32)>) -> Item {
        let Some((end, count)) = self.run_end(at, test) else { return Item::Unknown };
        judge(count).map_or(Item::Plain(end), |(id, confidence)| Self::hit(id, at, end, confidence))
    }

    /// ESC and the sequence that it starts (ECMA-48).
    fn escape(&self, at: usize) -> Item {
        let bytes = self.text.as_bytes();
        let body = &bytes[at + 1..bytes.len().min(at + 1 + LONGEST)];
        let cut = self.open && bytes.len() <= at + 1 + LONGEST;
        let length = match body.first() {
            None => {
                if cut {
                    return Item::Unknown;
                } else {
                    Some(0)
                }
            }
            Some(b'[') => body[1..]
                .iter()
                .position(|byte| !matches!(byte, 0x20..=0x3f))
                .map(|i| if matches!(body[1 + i], 0x40..=0x7e) { i + 2 } else { 1 + i }),
            // A string, up to BEL or ESC \.
            Some(b']' | b'P' | b'_' | b'^' | b'X') => {
                let end = body.iter().position(|&byte| matches!(byte, 7 | 0x1b | b'\n'));
                match end {
                    Some(i) if body[i] == 0x1b && i + 1 == body.len() && cut => None,
                    Some(i) if body[i] == 0x1b && body.get(i + 1) == Some(&b'\\') => Some(i + 2),
                    Some(i) if body[i] == 7 => Some(i + 1),
                    Some(_) => Some(1),
                    None if cut => None,
                    None => Some(1),
                }
            }
            Some(0x20..=0x7e) => Some(1),
            Some(_) => Some(0),
        };
        match length {
            Some(length) => Self::hit(Id::Ansi, at, at + 1 + length, if length > 0 { 0.6 } else { 0.5 }),
            None if cut => Item::Unknown,
            None => Self::hit(Id::Ansi, at, at + 1, 0.5),
        }
    }

    /// A run of characters without a shape, judged as one.
    fn invisible_run(&self, at: usize) -> Item {
        let Some((end, count)) = self.run_end(at, |c| invisible(c).is_some()) else { return Item::Unknown };
        let run = self.text.get(at..end).unwrap_or_default();
        let next = self.char(end);
        if next.is_none() && self.open {
            return Item::Unknown;
        }
        let (id, confidence) = self.judge_run(at, run, count, next);
        if confidence == 0.0 { Item::Plain(end) } else { Self::hit(id, at, end, confidence) }
    }

    fn judge_run(&self, at: usize, run: &str, count: usize, next: Option<char>) -> (Id, f32) {
        let before = self.before(at);
        let kinds = || run.chars().filter_map(invisible);
        let all = |kind: Invisible| kinds().all(|other| other == kind);
        let any = |kind: Invisible| kinds().any(|other| other == kind);
        if any(Invisible::Tag) {
            return (Id::Tags, if is_flag(before, run) { 0.0 } else { 0.98 });
        }
        if before.is_some_and(emoji) && emoji_sequence(run, next) {
            return (Id::Selectors, 0.0);
        }
        if any(Invisible::Override) {
            return (Id::Bidi, 0.95);
        }
        // Going on in a run that was cut at its longest: more of the same.
        if count == 1 && before.is_none_or(|c| invisible(c).is_none()) {
            return self.judge_one(at, run, before, next);
        }
        if all(Invisible::Selector) {
            return (Id::Selectors, 0.95);
        }
        if kinds().all(|kind| matches!(kind, Invisible::Embedding | Invisible::Direction)) {
            let sure = if self.near_right_to_left(at, next) {
                0.0
            } else if any(Invisible::Embedding) {
                0.6
            } else {
                0.8
            };
            return (Id::Bidi, sure);
        }
        let script = self.script_before(at);
        let joiners =
            kinds().all(|kind| matches!(kind, Invisible::Joiner | Invisible::NonJoiner | Invisible::Direction));
        let spaces = all(Invisible::Space);
        if count <= 3 && ((joiners && script.is_some_and(joining)) || (spaces && script.is_some_and(spaceless))) {
            return (Id::ZeroWidth, 0.0);
        }
        if all(Invisible::HangulFiller) {
            return (Id::Filler, 0.7);
        }
        if any(Invisible::Annotation) {
            return (Id::Annotation, 0.9);
        }
        // The same one two or three times is a sloppy editor; different ones are a code.
        let mut rest = run.chars();
        let first = rest.next();
        let same = rest.all(|c| Some(c) == first);
        let sure = match count {
            0..=3 if same && !(letter(before) && letter(next)) => 0.4,
            0..=3 => 0.8,
            4..=7 => 0.9,
            _ => 0.98,
        };
        (if any(Invisible::Selector) && !any(Invisible::Space) { Id::Selectors } else { Id::ZeroWidth }, sure)
    }

    /// A single invisible character: most scripts and every word processor have their use for one.
    fn judge_one(&self, at: usize, run: &str, before: Option<char>, next: Option<char>) -> (Id, f32) {
        let script = self.script_before(at);
        let between_letters = letter(before) && letter(next);
        let Some(c) = run.chars().next() else { return (Id::ZeroWidth, 0.0) };
        let zero_width = |sure| (Id::ZeroWidth, sure);
        match invisible(c) {
            Some(Invisible::Selector) => {
                let plain = before.is_none_or(|c| c.is_ascii() || c.is_whitespace());
                let ideographic = ('\u{E0100}'..='\u{E01EF}').contains(&c) && script != Some(Script::Han);
                (Id::Selectors, if plain || ideographic { 0.8 } else { 0.0 })
            }
            Some(Invisible::Embedding) => {
                let isolate = matches!(c, '\u{2068}' | '\u{2069}' | '\u{202C}');
                let sure = if self.near_right_to_left(at, next) {
                    0.0
                } else if isolate {
                    0.4
                } else {
                    0.6
                };
                (Id::Bidi, sure)
            }
            Some(Invisible::Direction) => {
                let sure = if self.near_right_to_left(at, next) {
                    0.0
                } else if between_letters {
                    0.8
                } else {
                    0.4
                };
                (Id::Bidi, sure)
            }
            Some(Invisible::Space) => {
                let legitimate = script.is_some_and(spaceless) || next.is_some_and(|c| spaceless(c.script()));
                zero_width(if legitimate {
                    0.0
                } else if between_letters {
                    0.9
                } else {
                    0.4
                })
            }
            Some(Invisible::Joiner | Invisible::NonJoiner) => {
                let legitimate = script.is_some_and(joining) || next.is_some_and(|c| joining(c.script()));
                let after_emoji = before.is_some_and(|c| emoji(c) && !c.is_ascii());
                zero_width(if legitimate {
                    0.0
                } else if between_letters {
                    0.9
                } else if after_emoji {
                    0.3
                } else {
                    0.5
                })
            }
            Some(Invisible::WordJoiner) => {
                let order_mark = c == '\u{FEFF}' && before.is_none();
                zero_width(if order_mark {
                    0.0
                } else if between_letters {
                    0.9
                } else {
                    0.4
                })
            }
            Some(Invisible::Operator) => zero_width(if c == '\u{2061}' || !between_letters { 0.3 } else { 0.6 }),
            Some(Invisible::SoftHyphen) => {
                // A hyphen has two letters on either side; less than that splits words for a machine.
                let crowded = self.soft_hyphen_within_two(at);
                zero_width(if crowded {
                    0.9
                } else if between_letters {
                    0.0
                } else {
                    0.3
                })
            }
            Some(Invisible::HangulFiller) => {
                let korean = |c: char| c.script() == Script::Hangul;
                let legitimate = before.is_some_and(korean) || next.is_some_and(korean);
                (Id::Filler, if legitimate { 0.0 } else { 0.7 })
            }
            Some(Invisible::Annotation) => (Id::Annotation, 0.9),
            _ => {
                let legitimate =
                    matches!(script, Some(Script::Mongolian | Script::Khmer | Script::Hebrew | Script::Arabic));
                zero_width(if legitimate {
                    0.0
                } else if between_letters {
                    0.8
                } else {
                    0.4
                })
            }
        }
    }

    /// The script of the character before, or of the one that a mark before belongs to.
    fn script_before(&self, at: usize) -> Option<Script> {
        let known = |c: char| Some(c.script()).filter(|script| *script != Script::Inherited);
        self.text.get(..at)?.chars().rev().take(6).find_map(known).filter(|script| *script != Script::Common)
    }

    /// Whether text of the other direction stands nearby, so that its controls have a meaning.
    fn near_right_to_left(&self, at: usize, next: Option<char>) -> bool {
        let low = self.text.ceil_char_boundary(at.saturating_sub(BACK));
        next.is_some_and(right_to_left) || self.text.get(low..at).unwrap_or_default().chars().any(right_to_left)
    }

    fn soft_hyphen_within_two(&self, at: usize) -> bool {
        let mut back = self.text.get(..at).unwrap_or_default().chars().rev();
        back.next().is_some_and(char::is_alphabetic) && back.next() == Some('\u{AD}')
    }
}

fn letter(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphabetic)
}

/// `🏴`, three to six tags, the tag that ends it: the flags of England, Scotland and Wales and of US states.
fn is_flag(before: Option<char>, run: &str) -> bool {
    const REGIONS: &[&str] = &["gbeng", "gbsct", "gbwls"];
    let plain: String = run.chars().filter_map(|c| char::from_u32(u32::from(c).checked_sub(0xE0000)?)).collect();
    let Some(region) = plain.strip_suffix('\u{7F}') else { return false };
    let state = region.len() == 4 && region.starts_with("us") && region.bytes().all(|byte| byte.is_ascii_lowercase());
    before == Some('🏴') && run.chars().count() == plain.len() && (REGIONS.contains(&region) || state)
}

/// Selectors and joiners as emoji use them: `❤️`, `👩‍🚀`, `🏳️‍🌈`.
fn emoji_sequence(run: &str, next: Option<char>) -> bool {
    let joined = next.is_some_and(|c| emoji(c) && !c.is_ascii());
    match run {
        "\u{FE0E}" | "\u{FE0F}" | "\u{FE0F}\u{FE0F}" => true,
        "\u{200D}" | "\u{FE0F}\u{200D}" => joined,
        _ => false,
    }
}
