//! Values that are secrets by the name they are assigned to: `password = …`, `"api_key": "…"`,
//! `export X_TOKEN=…`, `X-Api-Key: …`, `--token …`, `the password is …`.
//!
//! A name alone says little: it must *end* in such a word (`key_name` and `token_url` don't), and the
//! value must look as if a machine had drawn it, or like a password. Confidence stays below 0.8.

use super::Candidate;
use super::names::{Kind, kind};
use super::random::{contains, english, entropy, random, wordy};
use super::rules::Id;
use super::special::{stands_for_something, trim_end};
use super::text::{BASE64, NAME, UUID, VALUE, View};

/// Anchors, in any case.
pub(super) static KEYWORDS: &[&str] =
    &["key", "token", "secret", "pass", "pwd", "auth", "cred", "_pat", "kennwort", "wachtwoord", "senha", "contrasena"];

/// Words before `key`, with a space between, that make it one.
const KEYS_OF: &[&[u8]] = &[b"private ", b"Private ", b"secret ", b"api ", b"API ", b"access ", b"signing "];
/// What stands between a password and its value, in some languages, and what begins more about it.
const IS: &[&[u8]] = &[b"is", b"ist", b"lautet", b"est", b"es"];
const FOR: &[&[u8]] = &[b"for ", b"of ", b"f\xC3\xBCr ", b"von ", b"pour ", b"de ", b"para "];
/// No value is longer.
const LONGEST_VALUE: usize = 256;
/// How far a name reaches on either side of its keyword.
const LONGEST_NAME: usize = 40;

/// An assignment is decided by no more text before its keyword, and no more from there on.
const BEFORE: usize = LONGEST_NAME + 10;
const FROM: usize = LONGEST_NAME + LONGEST_VALUE + 200;

/// The assignments that were looked at last. The same text again, as in a list or in a text that is made to keep us
/// busy, is not looked at again.
#[derive(Default)]
pub(super) struct Memory<'a> {
    seen: [Option<Seen<'a>>; 4],
    next: usize,
}

struct Seen<'a> {
    text: &'a [u8],
    /// Where in it the keyword stands, and how long that is.
    place: usize,
    length: usize,
    /// Where the keyword stands in the whole.
    at: usize,
    found: Option<Candidate>,
}

impl<'a> Memory<'a> {
    /// What the assignment at a keyword holds.
    pub(super) fn at(&mut self, view: View<'a>, at: usize, keyword: usize) -> Option<Candidate> {
        let low = at.saturating_sub(BEFORE);
        let text = view.slice(low, view.bytes.len().min(at + FROM));
        for seen in self.seen.iter().flatten() {
            if (seen.place, seen.length, seen.text) == (at - low, keyword, text) {
                let moved = |offset: usize| if offset == usize::MAX { offset } else { offset - seen.at + at };
                return seen.found.map(|found| Candidate { start: moved(found.start), end: moved(found.end), ..found });
            }
        }
        let found = assignment(view, at, keyword);
        // Where the text may go on, more of it decides.
        if at + FROM < view.bytes.len() {
            self.seen[self.next] = Some(Seen { text, place: at - low, length: keyword, at, found });
            self.next = (self.next + 1) % self.seen.len();
        }
        found
    }
}

/// What the assignment at a keyword holds.
fn assignment(view: View<'_>, at: usize, keyword: usize) -> Option<Candidate> {
    let name_start = view.run_back(at, &NAME, LONGEST_NAME);
    let name = view.run(at + keyword, &NAME, LONGEST_NAME);
    let text = view.slice(name_start, name.end);
    let kind = match kind(text)? {
        Kind::BareKey
            if KEYS_OF.iter().any(|word| view.slice(name_start.saturating_sub(8), name_start).ends_with(word)) =>
        {
            Kind::Key
        }
        kind => kind,
    };
    let value = value_start(view, name_start, name.end, kind)?;
    let (start, quote) = value;
    let run = match quote {
        Some(quote) => quoted(view, start, quote)?,
        None => view.run(start, &VALUE, LONGEST_VALUE),
    };
    let rule = if kind == Kind::Password { Id::password_assignment } else { Id::generic_api_key };
    if run.unfinished {
        return Some(Candidate { rule, start, end: usize::MAX, confidence: 0.0, open: true });
    }
    if quote.is_none() && matches!(view.get(run.end), Some(b'(' | b'[')) {
        return None;
    }
    let value = view.slice(start, run.end);
    let value = if quote.is_none() { trim_end(value) } else { value };
    if value.len() >= LONGEST_VALUE || in_code(value) || stands_for_something(value) {
        return None;
    }
    let end = start + value.len();
    let found = |rule, confidence| Some(Candidate { rule, start, end, confidence, open: false });
    if kind != Kind::Password && aws_secret(text, value) {
        return found(Id::aws_secret_key, 0.9);
    }
    judge(kind, text, value, quote.is_some()).and_then(|confidence| found(rule, confidence))
}

/// An AWS secret has 40 characters of Base64, and only its name tells it from a hash.
fn aws_secret(name: &[u8], value: &[u8]) -> bool {
    let named = contains(name, b"aws") || contains(name, b"secret_access") || contains(name, b"secretaccess");
    named && value.len() == 40 && value.iter().all(|&byte| BASE64.has(byte)) && entropy(value) >= 3.8 && !wordy(value)
}

fn judge(kind: Kind, name: &[u8], value: &[u8], quoted: bool) -> Option<f32> {
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let uuid = value.len() == 36 && value.iter().all(|&byte| UUID.has(byte)) && value[8] == b'-';
    match kind {
        Kind::Password => {
            let (digit, letter) = (has(u8::is_ascii_digit), has(u8::is_ascii_alphabetic));
            let symbol = has(|byte| b"!@#%^&*~?+".contains(byte));
            let mixed = letter && (digit || symbol && (quoted || has(u8::is_ascii_uppercase)));
            let piece_of_code = has(|byte| b"_.".contains(byte)) && !symbol;
            let fits = (6..=128).contains(&value.len()) && mixed;
            if !fits || (wordy(value) && (piece_of_code || !digit || (!quoted && value.len() < 7))) {
                return None;
            }
            // People make passwords of words and numbers; so do programmers with names.
            Some(match (wordy(value), quoted) {
                (true, _) => 0.5,
                (false, true) => 0.65,
                (false, false) => 0.55,
            })
        }
        Kind::BareKey => {
            let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
            (mixed && !uuid && random(value, 24) && entropy(value) >= 4.0).then_some(0.5)
        }
        Kind::Key if uuid => {
            let strong = [&b"api"[..], b"access", b"secret", b"auth"].iter().any(|word| contains(name, word));
            strong.then_some(0.5)
        }
        Kind::Secret if uuid => Some(0.55),
        Kind::Key | Kind::Secret => {
            let shortest = if kind == Kind::Key { 12 } else { 10 };
            let sure =
                0.6 + if value.len() >= 20 { 0.1 } else { 0.0 } + if english(value).0 < 0.4 { 0.05 } else { 0.0 };
            random(value, shortest).then_some(sure)
        }
    }
}

/// Where the value starts, and the quote that ends it.
fn value_start(view: View<'_>, name_start: usize, name_end: usize, kind: Kind) -> Option<(usize, Option<u8>)> {
    let mut at = name_end;
    let spaces = |at: &mut usize, most: usize| {
        let from = *at;
        while matches!(view.get(*at), Some(b' ' | b'\t')) && *at < from + most {
            *at += 1;
        }
    };
    let tag = view.before(name_start) == Some(b'<');
    if view.get(at) == Some(b'\\') {
        at += 1;
    }
    let named_in_quotes = matches!(view.get(at), Some(b'"' | b'\'' | b'`'));
    at += usize::from(named_in_quotes);
    at += usize::from(view.get(at) == Some(b']'));
    let after_name = at;
    spaces(&mut at, 12);
    let operators: &[&[u8]] = &[b":=", b"=>", b"->", b"==", b"::", b"=", b":"];
    let flag = view.slice(name_start, name_end).starts_with(b"-") && at > after_name;
    if let Some(operator) = operators.iter().find(|operator| view.starts(at, operator)) {
        if *operator == b"::" {
            return None;
        }
        at += operator.len();
    } else if (named_in_quotes && view.get(at) == Some(b','))
        || (tag && view.get(at) == Some(b'>'))
        || (view.get(at) == Some(b'(') && matches!(view.get(at + 1), Some(b'"' | b'\'')))
    {
        at += 1;
    } else if let Some(length) = said(view, at).filter(|_| at > after_name && kind != Kind::BareKey) {
        at += length;
    } else if !flag {
        return None;
    }
    spaces(&mut at, 12);
    for prefix in [&b"Bearer "[..], b"bearer ", b"Token ", b"token ", b"Basic ", b"ApiKey ", b"Api-Key ", b"token="] {
        if view.starts(at, prefix) {
            at += prefix.len();
        }
    }
    if matches!(view.get(at), Some(b'r' | b'b' | b'f' | b'u' | b'@')) && matches!(view.get(at + 1), Some(b'"' | b'\''))
    {
        at += 1;
    }
    if view.get(at) == Some(b'\\') {
        at += 1;
    }
    let quote = view.get(at).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    at += usize::from(quote.is_some());
    if quote.is_some() {
        for prefix in [&b"Bearer "[..], b"bearer ", b"Token ", b"token ", b"Basic "] {
            if view.starts(at, prefix) {
                at += prefix.len();
            }
        }
    }
    (at < view.bytes.len()).then_some((at, quote))
}

/// How much stands between a name and its value in a sentence: `is`, `for the test account is:`.
fn said(view: View<'_>, at: usize) -> Option<usize> {
    let rest = view.slice(at, view.bytes.len().min(at + LONGEST_NAME + 8));
    let is = |rest: &[u8]| {
        let word =
            IS.iter().find(|word| rest.starts_with(word) && matches!(rest.get(word.len()), Some(b' ' | b':')))?;
        Some(word.len() + 1)
    };
    if FOR.iter().any(|word| rest.starts_with(word)) {
        let line = rest.iter().position(|byte| b".\n,;".contains(byte)).map_or(rest, |end| &rest[..end]);
        return (1..line.len())
            .find_map(|from| (line[from - 1] == b' ').then(|| is(&line[from..]).map(|length| from + length))?);
    }
    is(rest)
}

/// Up to the closing quote, on one line and without spaces.
fn quoted(view: View<'_>, start: usize, quote: u8) -> Option<super::text::Run> {
    let rest = view.bytes.get(start..)?;
    let rest = &rest[..rest.len().min(LONGEST_VALUE)];
    let stop = rest.iter().position(|&byte| byte == quote || byte == b'\\' || byte.is_ascii_whitespace());
    match stop {
        Some(length) if rest[length].is_ascii_whitespace() => None,
        Some(length) => Some(super::text::Run { end: start + length, unfinished: false }),
        None if rest.len() < LONGEST_VALUE => {
            Some(super::text::Run { end: start + rest.len(), unfinished: view.open }).filter(|run| run.unfinished)
        }
        None => None,
    }
}

/// Whether it is a piece of a program, a file or an address rather than a value.
fn in_code(value: &[u8]) -> bool {
    const FILES: &[&[u8]] = &[
        b".pem", b".key", b".p12", b".cer", b".crt", b".json", b".txt", b".yaml", b".yml", b".keytab", b".jks", b".py",
        b".js",
    ];
    contains(value, b"://")
        || matches!(value.first(), Some(b'/' | b'.' | b'-' | b'&' | b'!' | b'|'))
        || value.ends_with(b"()")
        || version(value)
        || !value.split(|byte| b"-_./+".contains(byte)).any(dense)
        || FILES.iter().any(|ending| value.to_ascii_lowercase().ends_with(ending))
}

/// Whether it ends in a version: `jackson-0.11.2`.
fn version(value: &[u8]) -> bool {
    let tail = value.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let tail = &value[value.len() - tail..];
    tail.iter().filter(|&&byte| byte == b'.').count() >= 2 && tail.len() < value.len()
}

/// Whether a piece between separators is more than a short word or a number.
fn dense(piece: &[u8]) -> bool {
    let letters = piece.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let others = piece.len() - letters;
    (letters > 0 && others > 0 && piece.len() >= 5) || piece.len() >= 12 && letters > 0
}

/// Only for the table test of names.
#[cfg(test)]
pub(super) fn names_a_secret(name: &str) -> bool {
    kind(name.as_bytes()).is_some_and(|kind| kind != Kind::BareKey)
}
