//! Phone numbers: international, in the national forms of the big countries, and others where a word says so.

use super::context::{Context, Topic};
use super::found;
use super::rules::Id;
use crate::scanners::nearby::{Found, Near};

/// A short list without an allocation: most numbers of a text are read and found to be no phone number.
#[derive(Debug, Clone, Copy)]
struct Short<T, const N: usize> {
    items: [T; N],
    length: usize,
}

impl<T: Copy, const N: usize> Short<T, N> {
    fn new(filler: T) -> Self {
        Self { items: [filler; N], length: 0 }
    }

    /// Adds one; what finds no room is left out, which the reader of groups never lets happen.
    fn push(&mut self, item: T) {
        if let Some(place) = self.items.get_mut(self.length) {
            *place = item;
            self.length += 1;
        }
    }

    fn pop(&mut self) -> Option<T> {
        self.length = self.length.checked_sub(1)?;
        self.items.get(self.length).copied()
    }
}

impl<T, const N: usize> std::ops::Deref for Short<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[..self.length]
    }
}

/// Digits in groups, as phone numbers are written.
#[derive(Debug)]
struct Dial {
    /// Offset after the last digit.
    end: usize,
    plus: bool,
    /// A group in brackets, counted from 1; 0 is none.
    bracket: usize,
    digits: Short<u8, { MOST + 3 }>,
    groups: Short<usize, GROUPS>,
    /// The separators between the groups: one byte each, of the last character.
    marks: Short<u8, GROUPS>,
}

const MOST: usize = 15;
/// No phone number has fewer digits.
const LEAST: usize = 7;
const GROUPS: usize = 8;

/// The first digits of a number after `+`: <https://www.itu.int/pub/T-SP-E.164D>.
fn calling_code(digits: &[u8]) -> Option<usize> {
    let two = u32::from(digits.first()?.wrapping_sub(b'0')) * 10 + u32::from(digits.get(1)?.wrapping_sub(b'0'));
    match two {
        10..=19 | 70..=79 => Some(1),
        20 | 27 | 30..=34 | 36 | 39..=41 | 43..=49 | 51..=58 | 60..=66 | 81 | 82 | 84 | 86 | 90..=95 | 98 => Some(2),
        21..=26 | 29 | 35 | 37 | 38 | 42 | 50 | 59 | 67..=69 | 80 | 85 | 87 | 88 | 96 | 97 | 99 => Some(3),
        _ => None,
    }
}

/// Reads groups of digits with one separator between them, a bracket around one of them.
fn read(near: Near<'_>) -> Option<Dial> {
    let mut dial = Dial {
        end: near.at,
        plus: near.get(near.at) == Some(b'+'),
        bracket: 0,
        digits: Short::new(0),
        groups: Short::new(0),
        marks: Short::new(0),
    };
    let mut at = near.at + usize::from(dial.plus);
    let mut mark = 0;
    loop {
        let open = near.get(at) == Some(b'(');
        let start = at + usize::from(open);
        let end = near.run(start, |byte| byte.is_ascii_digit());
        let group = near.slice(start, end);
        if group.is_empty() || dial.digits.len() + group.len() > MOST + 3 || (open && near.get(end) != Some(b')')) {
            break;
        }
        if !dial.groups.is_empty() {
            dial.marks.push(mark);
        }
        if open {
            dial.bracket = dial.groups.len() + 1;
        }
        group.iter().for_each(|digit| dial.digits.push(*digit));
        dial.groups.push(group.len());
        dial.end = end + usize::from(open);
        at = dial.end;
        mark = if open { b')' } else { b'(' };
        if let Some(byte @ (b' ' | b'-' | b'.' | b'/')) = near.get(at) {
            mark = byte;
            at += 1;
            // ` - ` and ` / ` as some write it.
            if let (b' ', [between @ (b'-' | b'/'), b' ']) = (byte, near.slice(at, at + 2)) {
                (mark, at) = (*between, at + 2);
            }
        } else if near.get(at) != Some(b'(') && !open {
            break;
        }
        if dial.groups.len() >= GROUPS {
            break;
        }
    }
    (!dial.groups.is_empty()).then_some(dial)
}

/// The end of ` x123`, `ext. 12` behind a number.
fn extension(near: Near<'_>, end: usize) -> usize {
    let at = near.run(end, |byte| byte == b' ' || byte == b',');
    let names: [&[u8]; 5] = [b"extension ", b"ext. ", b"ext.", b"ext ", b"x"];
    let starts = |name: &&&[u8]| near.slice(at, at + name.len()).eq_ignore_ascii_case(name);
    let Some(name) = names.iter().find(starts).filter(|_| at - end <= 2) else { return end };
    let digits = at + name.len();
    let after = near.run(digits, |byte| byte.is_ascii_digit());
    if (2..=6).contains(&(after - digits)) { after } else { end }
}

/// A phone number that starts at the anchor: a digit, a `+` or a bracket.
pub(super) fn look(near: Near<'_>, context: &mut impl FnMut(usize) -> Context) -> Option<Found> {
    let glued = match near.before(near.at) {
        Some(byte) if byte.is_ascii_alphanumeric() => true,
        Some(b'_' | b'$' | b'%' | b'+' | b'=' | b'&') if near.get(near.at) == Some(b'(') => true,
        Some(b'_' | b'$' | b'%' | b'#' | b'\\') => true,
        Some(b'-' | b'.' | b'/' | b'(' | b')') => {
            near.at >= 2 && near.bytes[near.at - 2].is_ascii_alphanumeric() && near.get(near.at) != Some(b'+')
        }
        _ => false,
    };
    if glued {
        return None;
    }
    let mut dial = read(near).filter(|dial| dial.digits.len() >= LEAST)?;
    let context = context(dial.end);
    // Behind the number a word may speak of the next one: a short number needs it before.
    let spoken = context.leads(Topic::Phone) || (context.has(Topic::Phone) && dial.digits.len() > 8);
    let named = spoken && !context.is_thing();
    loop {
        let end = extension(near, dial.end);
        let labelled = label_follows(near, end);
        let alone = labelled || near.ends_alone(end);
        let confidence = if alone { judge(&dial, near, context, named || labelled) } else { 0.0 };
        if confidence >= 0.5 {
            return found(Id::phone_number, near.at, end, confidence);
        }
        // The last group may belong to what comes next.
        drop_group(&mut dial, near)?;
        if dial.digits.len() < LEAST {
            return None;
        }
    }
}

/// `… office`, `…-Fax`, `… (mobile)`, as address books print them.
fn label_follows(near: Near<'_>, end: usize) -> bool {
    let at = near.run(end, |byte| b" -(".contains(&byte));
    let labels: [&[u8]; 6] = [b"office", b"fax", b"mobile", b"home", b"work", b"cell"];
    let word = near.slice(at, at + 7);
    let word = &word[..word.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(word.len())];
    (1..=2).contains(&(at - end)) && labels.iter().any(|label| word.eq_ignore_ascii_case(label))
}

fn drop_group(dial: &mut Dial, near: Near<'_>) -> Option<()> {
    let group = dial.groups.pop().filter(|_| !dial.groups.is_empty())?;
    if dial.marks.pop() != Some(b' ') || dial.bracket > dial.groups.len() {
        return None;
    }
    dial.digits.length -= group;
    let mut end = dial.end - group;
    while end > near.at && !near.before(end).is_some_and(|byte| byte.is_ascii_digit() || byte == b')') {
        end -= 1;
    }
    dial.end = end;
    Some(())
}

/// How sure it is that this is a phone number.
fn judge(dial: &Dial, near: Near<'_>, context: Context, named: bool) -> f32 {
    let count = dial.digits.len();
    let most = dial.groups.iter().copied().max().unwrap_or(0);
    if dial.plus {
        let code = calling_code(&dial.digits);
        let whole =
            (8..=MOST + 1).contains(&count) && code.is_some() && dial.groups[1..].iter().all(|&group| group <= 10);
        let grouped = dial.groups.len() > 1 || count >= 10;
        return if whole && (grouped || named) && !sum(near) { 0.9 } else { 0.0 };
    }
    if count > MOST || dial.digits.starts_with(b"000") || (context.is_thing() && !named) || dated(dial) {
        return 0.0;
    }
    if american(dial) {
        return if named { 0.9 } else { 0.75 };
    }
    let among = among_digits(near, dial.end);
    // Pieces of a decimal number, an amount or a list are no phone number, whatever stands near.
    let plausible = dial.groups.iter().all(|&group| group > 1 || dial.bracket > 0 || dial.digits[0] == b'1') || named;
    if named
        && plausible
        && (7..=MOST).contains(&count)
        && (dial.groups.len() > 1 || count >= 9)
        && dial.groups.len() < 7
    {
        return 0.8;
    }
    if dial.digits.starts_with(b"00") && !among && dial.groups.len() > 1 && (11..=MOST + 2).contains(&count) {
        return if calling_code(&dial.digits[2..]).is_some() && plausible { 0.75 } else { 0.0 };
    }
    if plausible && most < 9 && !among && national(dial) { 0.6 } else { 0.0 }
}

/// A piece of a longer row of digits.
fn among_digits(near: Near<'_>, end: usize) -> bool {
    let digit = |at: Option<usize>| at.and_then(|at| near.get(at)).is_some_and(|byte| byte.is_ascii_digit());
    (near.before(near.at) == Some(b' ') && digit(near.at.checked_sub(2)))
        || (near.get(end) == Some(b' ') && digit(Some(end + 1)))
}

/// `3 + 4`: a sum.
fn sum(near: Near<'_>) -> bool {
    near.before(near.at) == Some(b' ') && near.at >= 2 && near.bytes[near.at - 2].is_ascii_digit()
}

/// `2023-01-02 10`, `01.02.2023`: dates are read as groups too.
fn dated(dial: &Dial) -> bool {
    let year = |at: usize| matches!(dial.digits.get(at..at + 2), Some(b"19" | b"20"));
    match dial.groups[..] {
        [4, 2, 2, ..] => year(0),
        [1 | 2, 1 | 2, 4, ..] => year(dial.groups[0] + dial.groups[1]),
        [4, 4] => year(0) && year(4),
        _ => false,
    }
}

/// The North American plan: `(212) 555-0100`, `1-800-555-0100`, `212.555.0100`.
fn american(dial: &Dial) -> bool {
    let (groups, digits, marks) = match (&dial.groups[..], dial.digits[0]) {
        ([1, rest @ ..], b'1') => (rest, &dial.digits[1..], dial.marks.get(1..).unwrap_or_default()),
        (rest, _) => (rest, &dial.digits[..], &dial.marks[..]),
    };
    let [3, 3, 4] = groups else { return false };
    let area = matches!(digits[0], b'2'..=b'9') && &digits[..3] != b"999" || dial.bracket > 0;
    let exchange = matches!(digits[3], b'2'..=b'9');
    let even = marks.len() == 2 && (marks[0] == marks[1] || dial.bracket > 0);
    let firm = dial.bracket > 0 || marks[1] == b'-' || marks[1] == b'.';
    area && even && (exchange || firm)
}

/// The plans of other countries, in the groups in which they are written.
fn national(dial: &Dial) -> bool {
    let count = dial.digits.len();
    let (groups, digits) = (&dial.groups[..], &dial.digits[..]);
    let even = dial.marks.windows(2).all(|pair| pair[0] == pair[1]);
    if dial.bracket == 1 {
        // `(71) 4233-6306`, `(030) 123456`, `(0161) 496 0000`.
        return (2..=5).contains(&groups[0])
            && groups.len() > 1
            && (8..=11).contains(&count)
            && groups[1..].iter().all(|&group| group >= 2);
    }
    // Russia and Kazakhstan with their trunk prefix: `8 (495) 123-45-67`.
    if dial.bracket == 2 && groups[0] == 1 && digits[0] == b'8' {
        return count == 11;
    }
    let dots = dial.marks.contains(&b'.');
    match groups {
        // France, Belgium: pairs.
        [2, 2, 2, 2, 2] => digits[0] == b'0' && digits[1] != b'0' && even,
        // Japan, Korea, China, India, Germany with a trunk prefix, the United Kingdom, Australia, Switzerland.
        // A ZIP code and a social security number of the USA.
        [5, 4] | [3, 2, 4] => false,
        [2..=5, rest @ ..] if !rest.is_empty() && digits[0] == b'0' && digits[1] != b'0' => {
            let least = if dial.marks[0] == b' ' { 10 } else { 9 };
            !dots
                && even_or_slash(dial)
                && (least..=12).contains(&count)
                && rest.iter().all(|&group| (2..=8).contains(&group))
        }
        // China: 138-1234-5678. India: 98765 43210. Brazil without brackets: 11 98765-4321.
        [3, 4, 4] => digits[0] == b'1' && digits[1] >= b'3' && even && !dots,
        [5, 5] => digits[0] >= b'6' && !dots,
        [2, 5, 4] => digits[2] == b'9' && dial.marks[1] == b'-',
        _ => false,
    }
}

/// One kind of separator; `030/123 456` has another after the area.
fn even_or_slash(dial: &Dial) -> bool {
    let later = dial.marks.get(1..).unwrap_or_default();
    later.iter().all(|mark| *mark == dial.marks[0]) || dial.marks[0] == b'/'
}
