//! What a pattern can't say: who is balanced, what came before, whether two values are constants.

use std::sync::LazyLock;

use regex::bytes::Captures;

use super::LONGEST_WORD;
use crate::literals::Literals;

/// Whether a word of the automaton stands where a payload would have it; `start..end` is the word.
pub(super) type MayStart = fn(&[u8], usize, usize) -> bool;

/// Whether a match is one; the first argument is the plain text that it is in.
pub(super) type Holds = fn(&[u8], &Captures<'_>) -> bool;

/// A word in lower case, without an allocation; a longer one is cut.
fn lower<'a>(word: &[u8], into: &'a mut [u8; LONGEST_WORD]) -> &'a [u8] {
    let length = word.len().min(LONGEST_WORD);
    into[..length].copy_from_slice(&word[..length]);
    into[..length].make_ascii_lowercase();
    &into[..length]
}

/// Whether it is one of the words, in whatever case.
fn among(word: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

pub(super) fn anywhere(_: &[u8], _: usize, _: usize) -> bool {
    true
}

pub(super) fn always(_: &[u8], _: &Captures<'_>) -> bool {
    true
}

/// The last byte before that is no white space; a few bytes are looked at, so that cuts change nothing.
fn mark_before(bytes: &[u8], at: usize) -> u8 {
    let near = &bytes[at.saturating_sub(8)..at];
    near.trim_ascii_end().last().copied().unwrap_or(b';')
}

/// A word of its own, or a mark, that is followed by what a payload would go on with.
pub(super) fn sql_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let rest = &bytes[end..bytes.len().min(end + 48)];
    let next = rest.trim_ascii_start().first().copied().unwrap_or(b' ');
    let before = mark_before(bytes, start);
    let text = &bytes[start..end];
    match text {
        [b'\'' | b'"'] => return after_quote(rest),
        b"||" | b"&&" => {
            let value = before.is_ascii_digit() || b";'\")".contains(&before);
            return value && rest.iter().take(32).any(|byte| b"=('".contains(byte));
        }
        [first, ..] if !first.is_ascii_alphabetic() => return true,
        _ => {}
    }
    let encoded = start > 2 && bytes[start - 3] == b'%';
    if word(bytes[..start].last()) && !encoded {
        return false;
    }
    match lower(text, &mut [0; LONGEST_WORD]) {
        b"or" | b"and" | b"xor" => !word(rest.first()) && compares(rest),
        b"select" => encoded || before.is_ascii_digit() || b"(;'\")/+%|".contains(&before),
        b"drop" | b"delete" | b"insert" | b"update" | b"truncate" => encoded || before == b';',
        b"shutdown" | b"exec" => encoded || before == b';' || b"(mxsi+".contains(&next.to_ascii_lowercase()),
        b"order" | b"group" => matches!(next, b'b' | b'B' | b'+' | b'%' | b'/'),
        b"declare" => matches!(next, b'@' | b'+' | b'%'),
        b"sleep" | b"benchmark" => matches!(next, b'(' | b'%'),
        b"procedure" => next.eq_ignore_ascii_case(&b'a'),
        b"having" => next.is_ascii_digit() || b"'\"(+%/".contains(&next),
        b"concat" => rest.iter().take(8).any(|byte| *byte == b'0'),
        _ => true,
    }
}

/// Whether a comparison, a call or an end follows `or`: prose goes on with another word.
fn compares(rest: &[u8]) -> bool {
    const HEADS: [&[u8]; 9] = [b"select", b"exists", b"not", b"case", b"row", b"binary", b"true", b"false", b"null"];
    const OPERATORS: [&[u8]; 6] = [b"like", b"is", b"in", b"between", b"rlike", b"regexp"];
    let skip = |text: &[u8], marks: &[u8]| text.iter().position(|byte| !marks.contains(byte)).unwrap_or(text.len());
    let name = |text: &[u8]| {
        text.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"_.@".contains(byte)).unwrap_or(text.len())
    };
    if matches!(rest.first(), Some(b'/' | b'%' | b'+' | b'#')) {
        return true;
    }
    let rest = &rest[skip(rest, b" \t\r\n(!+~-")..];
    let (operand, rest) = match rest.first() {
        Some(quote @ (b'\'' | b'"')) => {
            let inside = &rest[1..];
            let close = inside.iter().take(26).position(|byte| byte == quote);
            (&b""[..], close.map_or(&b"="[..], |close| &inside[close + 1..]))
        }
        _ => rest.split_at(name(rest)),
    };
    let called = rest.first() == Some(&b'(');
    let rest = &rest[skip(rest, b" \t\r\n)'\"")..];
    let word = &rest[..name(rest)];
    let marked = rest.first().is_none_or(|byte| b"=<>!#-/;|&*%+,".contains(byte));
    called || marked || among(operand, &HEADS) || among(word, &OPERATORS)
}

/// Whether an operator follows a quote.
fn after_quote(rest: &[u8]) -> bool {
    const WORDS: [&[u8]; 17] = [
        b"or", b"and", b"xor", b"like", b"rlike", b"regexp", b"div", b"mod", b"is", b"between", b"in", b"union",
        b"having", b"order", b"group", b"limit", b"not",
    ];
    let skipped = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b')')).unwrap_or(rest.len());
    let rest = &rest[skipped..];
    let Some(first) = rest.first() else { return false };
    let next = rest.get(1).copied().unwrap_or(b'-');
    match first {
        b'=' | b'!' | b'|' | b'&' | b'^' | b'*' | b'+' | b'-' | b'#' => return true,
        // Ends of tags and of lines of code are everywhere.
        b'<' | b'>' => return next.is_ascii_digit() || b" >=+(-".contains(&next),
        b'/' => return next == b'*' || next == b' ' || next.is_ascii_digit(),
        b';' => return next != b'\n' && next != b'\r',
        _ => {}
    }
    let length = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
    (2..8).contains(&length) && among(&rest[..length], &WORDS)
}

/// A template that only names a value is an ordinary one, unless the value is the engine's own.
pub(super) fn template_word(bytes: &[u8], start: usize, end: usize) -> bool {
    if end - start > 2 || bytes[start].is_ascii_alphabetic() {
        return true;
    }
    let rest = bytes[end..bytes.len().min(end + 48)].trim_ascii_start();
    let path =
        rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"_.".contains(byte)).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(path);
    let closed = rest.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'}' | b'%'));
    let own = [&b"config"[..], b"self", b"debug"].contains(&name) || name.windows(2).any(|pair| pair == b"__");
    name.is_empty() || !closed || own
}

/// What climbs must climb on, or name what it climbs to.
pub(super) fn path_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let mut buffer = [0; LONGEST_WORD];
    let rest = lower(&bytes[end..bytes.len().min(end + 5)], &mut buffer);
    let heads: [&[u8]; 8] = [b".", b"/", b"\\", b"etc", b"win", b"proc", b"boot", b"%"];
    bytes[start..end] != *b"../" || heads.iter().any(|head| rest.starts_with(head))
}

/// Operators of programs count between constants, names behind what closes a value.
pub(super) fn query_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = mark_before(bytes, start);
    let after = bytes[end..bytes.len().min(end + 8)].trim_ascii_start().first().copied().unwrap_or(b' ');
    let constant = |byte: u8| byte.is_ascii_digit() || b"'\"=".contains(&byte);
    match &bytes[start..end] {
        b"==" => constant(before) && constant(after),
        [first, ..] if first.is_ascii_alphabetic() && start > 2 && bytes[start - 3] == b'%' => true,
        [first, ..] if first.is_ascii_alphabetic() => b"&|;'\"({:=".contains(&before) || !before.is_ascii(),
        _ => true,
    }
}

/// The name of an event: `on`, letters, `=`, behind what ends an attribute.
pub(super) fn xss_word(bytes: &[u8], start: usize, end: usize) -> bool {
    if bytes[start..end].eq_ignore_ascii_case(b"script") {
        let mut buffer = [0; LONGEST_WORD];
        let head = lower(&bytes[start.saturating_sub(4)..start], &mut buffer);
        let schemes: [&[u8]; 3] = [b"java", b"live", b"vb"];
        let named = schemes.iter().any(|scheme| head.ends_with(scheme));
        let escaped = start > 2 && bytes[start - 3] == b'%';
        let apart = escaped || !head.last().is_some_and(u8::is_ascii_alphanumeric);
        // `text/javascript"` and `scripts` are no payloads.
        let goes_on = bytes.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"\"'.,_-".contains(byte));
        return (named || apart) && goes_on;
    }
    if !bytes[start..end].eq_ignore_ascii_case(b"on") {
        return true;
    }
    let before = bytes[..start]
        .last()
        .is_some_and(|byte| byte.is_ascii_whitespace() || b"/\"'`>;=+".contains(byte) || *byte < 32 || *byte > 0x7f);
    let rest = &bytes[end..bytes.len().min(end + 40)];
    let letters = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
    let blanks = rest[letters..].iter().position(|byte| !byte.is_ascii_whitespace() && *byte > 32).unwrap_or(0);
    before && letters > 2 && matches!(rest.get(letters + blanks), Some(b'=' | b'%' | b'&'))
}

fn start(captures: &Captures<'_>) -> usize {
    captures.get(0).map_or(0, |all| all.start())
}

fn line_before(text: &[u8], at: usize) -> &[u8] {
    let line = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    &text[line..at]
}

/// Both operands are constants, or they are the same: it is always true or always false.
pub(super) fn constants(_: &[u8], captures: &Captures<'_>) -> bool {
    let operand = |index| captures.get(index).map_or(&b""[..], |operand| operand.as_bytes());
    let (left, right) = (operand(1), operand(2));
    let constant = |text: &[u8]| text.first().is_some_and(|byte| byte.is_ascii_digit() || b"'\"@-".contains(byte));
    let all = captures.get(0).map_or(&b""[..], |all| all.as_bytes());
    // `(t = t)` and `a || b == b` are code; names count only in words.
    let spoken = !all.iter().any(|byte| b"&|(!".contains(byte));
    (constant(left) && constant(right)) || (left == right && spoken)
}

static VERBS: LazyLock<Literals> = LazyLock::new(|| {
    let verbs = ["select ", "insert ", "update ", "delete ", "create ", "where ", " from ", "values", "select\n"];
    Literals::of_case(verbs)
});

/// No statement came before: what follows is a piece of one.
pub(super) fn fragment(text: &[u8], captures: &Captures<'_>) -> bool {
    !VERBS.any(&text[..start(captures)])
}

/// The quote in group 1 has no partner before it on its line.
pub(super) fn unpaired(text: &[u8], captures: &Captures<'_>) -> bool {
    let Some(quote) = captures.get(1) else { return false };
    let mark = quote.as_bytes()[0];
    let before = line_before(text, quote.start());
    let count =
        before.iter().enumerate().filter(|(at, byte)| **byte == mark && (*at == 0 || before[at - 1] != b'\\')).count();
    count % 2 == 0
}

/// [`fragment`], and not on a line of its own, as in a script.
pub(super) fn inline(text: &[u8], captures: &Captures<'_>) -> bool {
    let start = start(captures);
    let alone = line_before(text, start).trim_ascii().is_empty() && !text[..start].trim_ascii().is_empty();
    fragment(text, captures) && !alone
}

/// Like [`unpaired`], and what stands before is no more than a value, and the last quote is of the same kind.
pub(super) fn value_then_quote(text: &[u8], captures: &Captures<'_>) -> bool {
    let (Some(first), Some(last)) = (captures.get(1), captures.get(2)) else { return false };
    let before = line_before(text, first.start());
    first.as_bytes() == last.as_bytes()
        && is_word(text, first.start())
        && is_value(before)
        && !before.iter().any(|byte| b"'\"(".contains(byte))
}

/// [`unpaired`], and what stands before is no more than a value.
pub(super) fn value_unpaired(text: &[u8], captures: &Captures<'_>) -> bool {
    let before = captures.get(1).map_or(&b""[..], |quote| line_before(text, quote.start()));
    is_value(before) && unpaired(text, captures) && inline(text, captures)
}

/// What stands before on the line is no more than a value: `1`, `admin`, `-1 )`.
pub(super) fn value_before(text: &[u8], captures: &Captures<'_>) -> bool {
    is_value(line_before(text, start(captures))) && inline(text, captures)
}

/// What stands before on the line is one word, or nothing at the beginning of the text.
fn is_word(text: &[u8], at: usize) -> bool {
    let before = line_before(text, at).trim_ascii();
    let blank = before.is_empty();
    (blank && text[..at].trim_ascii().is_empty()) || (!blank && !before.contains(&b' '))
}

fn is_value(before: &[u8]) -> bool {
    // `id=7` is a value with its name; `x = 7` is code.
    let named = before.iter().rposition(|byte| *byte == b'=');
    let named =
        named.filter(|at| before.get(at + 1).is_some_and(|byte| *byte != b' ') && !before[..*at].contains(&b' '));
    let before = named.map_or(before, |at| &before[at + 1..]);
    before.len() <= 26 && before.iter().all(|byte| byte.is_ascii_alphanumeric() || b" .@'\"()_-%,+*".contains(byte))
}

/// A bracket is closed that nothing opened.
pub(super) fn unopened(text: &[u8], captures: &Captures<'_>) -> bool {
    let Some(all) = captures.get(0) else { return false };
    let before = line_before(text, all.start());
    let depth = |part: &[u8]| {
        let (mut depth, mut lowest) = (0_i32, 0);
        for byte in part {
            depth += i32::from(*byte == b'(') - i32::from(*byte == b')');
            lowest = lowest.min(depth);
        }
        lowest
    };
    depth(&[before, all.as_bytes()].concat()) < 0
}

/// What a shell line would have before it is missing: the separator follows a value or nothing.
pub(super) fn no_command_before(text: &[u8], captures: &Captures<'_>) -> bool {
    let before = line_before(text, start(captures)).trim_ascii();
    // A line of a script may go on with `&& ls`.
    let before = if before.iter().all(|byte| b"&;|".contains(byte)) { b"" } else { before };
    let value = before.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-:@'\"=%/,?&(){}$^".contains(byte));
    // `make && ls` is a shell line, `8.8.8.8 && ls` and `name=x && ls` are not.
    let word = before.iter().all(|byte| byte.is_ascii_alphabetic());
    let at_start = text[..start(captures)].iter().all(|byte| byte.is_ascii_whitespace());
    // `x=$(id)` is how a shell line takes the output of a command.
    let nested = captures.get(0).is_some_and(|all| matches!(all.as_bytes().first(), Some(b'$' | b'`')));
    // `&dir` is a reference in some languages, `&id=3` a parameter; a shell line has a space or two of them.
    let reference =
        captures.get(0).is_some_and(|all| matches!(all.as_bytes(), [b'&', next, ..] if next.is_ascii_alphabetic()));
    !reference && ((value && !word && !nested && !before.is_empty()) || at_start)
}
