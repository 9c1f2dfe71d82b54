//! What only words around it make personal: dates of birth, addresses, numbers of documents and records.

use super::checksum::number;
use super::context::{Context, Topic};
use super::found;
use super::rules::Id;
use crate::scanners::nearby::{Found, Near};

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// How the names of months begin in other languages, where that is not as in English.
const OTHER_MONTHS: [&str; 24] = [
    "jän", "mär", "mai", "okt", "dez", "janv", "fév", "avr", "juin", "juil", "aoû", "déc", "ene", "abr", "ago", "dic",
    "gen", "mag", "giu", "lug", "set", "ott", "fev", "out",
];

/// Whether a word is the name of a month, in one of some languages of Europe.
fn any_month(word: &[u8]) -> bool {
    let starts = |name: &&str| word.len() >= name.len() && word[..name.len()].eq_ignore_ascii_case(name.as_bytes());
    month(word) || (word.len() < 14 && (OTHER_MONTHS.iter().any(starts) || word.eq_ignore_ascii_case(b"mei")))
}

/// Whether a word is the name of a month in English.
pub(super) fn month(word: &[u8]) -> bool {
    word.len() >= 3 && word.len() < 10 && MONTHS.iter().any(|month| word[..3].eq_ignore_ascii_case(month))
}

/// A date near a word of birth: `1990-03-12`, `12/03/1990`, `12. March 1990`, `March 12, 1990`.
pub(super) fn birth(near: Near<'_>, context: &mut impl FnMut(usize) -> Context) -> Option<Found> {
    let end = date(near)?;
    (near.starts_alone(near.at) && near.ends_alone(end) && context(end).leads(Topic::Birth))
        .then(|| found(Id::date_of_birth, near.at, end, 0.8))
        .flatten()
}

/// The end of a date with a year of this or the last century.
fn date(near: Near<'_>) -> Option<usize> {
    let (mut at, mut years, mut months, mut days) = (near.at, 0, 0, 0);
    if let Some(end) = compact(near) {
        return Some(end);
    }
    for part in 0..3 {
        let word = near.run(at, |byte| byte.is_ascii_alphabetic() || byte >= 0x80);
        let end = near.run(at, |byte| byte.is_ascii_digit());
        if word > at && any_month(near.slice(at, word)) {
            months += 1;
            at = word;
        } else {
            match near.slice(at, end) {
                [b'1', b'9', _, _] | [b'2', b'0', _, _] => years += 1,
                [_] | [_, _] => days += 1,
                _ => return None,
            }
            at = end;
            let ordinal = near.slice(at, at + 2);
            if [&b"st"[..], b"nd", b"rd", b"th"].contains(&ordinal) {
                at += 2;
            }
        }
        if part < 2 {
            let marks = near.run(at, |byte| b" ./-,".contains(&byte));
            if marks == at || marks > at + 2 {
                return None;
            }
            at = marks;
            // `14 de marzo de 1985`.
            at += if near.slice(at, at + 3).eq_ignore_ascii_case(b"de ") { 3 } else { 0 };
        }
    }
    let short = years == 0 && days == 3 && matches!(near.get(near.at + 2), Some(b'/' | b'.' | b'-'));
    ((years == 1 && days + months == 2 && months <= 1) || short).then_some(at)
}

/// `19850314`.
fn compact(near: Near<'_>) -> Option<usize> {
    let end = near.run(near.at, |byte| byte.is_ascii_digit());
    let digits = near.slice(near.at, end);
    let fits = digits.len() == 8
        && (digits.starts_with(b"19") || digits.starts_with(b"20"))
        && (1..=12).contains(&number(&digits[4..6]))
        && (1..=31).contains(&number(&digits[6..]));
    fits.then_some(end)
}

/// Words that end the name of a street, and those that start it in French and Spanish.
const STREETS: &[&[u8]] = &[
    b"street",
    b"st",
    b"avenue",
    b"ave",
    b"road",
    b"rd",
    b"lane",
    b"ln",
    b"drive",
    b"dr",
    b"boulevard",
    b"blvd",
    b"court",
    b"ct",
    b"place",
    b"pl",
    b"terrace",
    b"way",
    b"parkway",
    b"pkwy",
    b"circle",
    b"cir",
    b"highway",
    b"hwy",
    b"square",
    b"trail",
    b"crescent",
    b"close",
    b"mews",
    b"turnpike",
    b"alley",
];
const STREETS_BEFORE: &[&[u8]] = &[b"rue", b"avenue", b"boulevard", b"chemin", b"place", b"allee", b"quai", b"impasse"];

/// Ends of names of streets that stand before the number, in German, Dutch and the languages of the North.
const STREET_ENDS: &[&str] = &[
    "straße", "strasse", "str.", "gasse", "allee", "platz", "weg", "ufer", "damm", "straat", "laan", "gracht", "gatan",
    "vägen", "gade", "vej", "gata", "veien",
];
/// Words before such a name in Spanish, Portuguese, Italian, Polish.
const STREET_HEADS: &[&str] = &[
    "calle", "avenida", "paseo", "plaza", "rua", "via", "viale", "corso", "piazza", "ulica", "ul.", "ulitsa",
    "travessa",
];

/// Whether a word may be the name of a street, or begin one, that a number follows.
pub(super) fn begins_street(word: &[u8]) -> bool {
    STREET_HEADS.iter().any(|head| word.eq_ignore_ascii_case(head.as_bytes()))
        || STREET_ENDS.iter().any(|end| ends_in(word, end))
}

fn ends_in(word: &[u8], end: &str) -> bool {
    word.len() > end.len() && word[word.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// The name of a street before a number: `Hauptstraße 12`, `Calle de Alcalá 45`.
fn named_before(near: Near<'_>, number: usize) -> Option<Found> {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'.' | b'-' | b'\'');
    let last = near.at.checked_sub(1).filter(|&at| near.get(at) == Some(b' ') || near.get(at) == Some(b','))?;
    let mut end = last;
    for place in 0..4 {
        let mut start = end;
        while start > 0 && near.at - start < 60 && near.get(start - 1).is_some_and(letter) {
            start -= 1;
        }
        let word = near.slice(start, end);
        let capital = word.first().is_some_and(|byte| byte.is_ascii_uppercase() || *byte >= 0x80);
        if place == 0 && capital && STREET_ENDS.iter().any(|name| ends_in(word, name)) {
            return found(Id::street_address, start, number, 0.7);
        }
        if place > 0 && capital && STREET_HEADS.iter().any(|head| word.eq_ignore_ascii_case(head.as_bytes())) {
            return found(Id::street_address, start, number, 0.65);
        }
        if word.is_empty() || (!capital && word.len() > 3) || start == 0 || near.get(start - 1) != Some(b' ') {
            return None;
        }
        end = start - 1;
    }
    None
}

/// A house number and the name of a street: `1600 Pennsylvania Avenue`, `12 rue de Rivoli`.
pub(super) fn street(near: Near<'_>) -> Option<Found> {
    let number = near.run(near.at, |byte| byte.is_ascii_digit());
    if number - near.at > 5 || !near.starts_alone(near.at) || near.get(near.at) == Some(b'0') {
        return None;
    }
    let whole = near.ends_alone(number) && number - near.at < 5;
    if let Some(found) = whole.then(|| named_before(near, number)).flatten() {
        return Some(found);
    }
    let letter = near.get(number).is_some_and(|byte| byte.is_ascii_alphabetic());
    let mut at = number + usize::from(letter);
    for place in 0..5 {
        let comma = place == 0 && near.get(at) == Some(b',');
        at += usize::from(comma);
        if near.get(at) != Some(b' ') {
            return None;
        }
        let start = at + 1;
        let end = near.run(start, |byte| byte.is_ascii_alphanumeric() || byte == b'\'' || byte >= 0x80);
        let word = near.slice(start, end);
        let is = |known: &&[u8]| word.eq_ignore_ascii_case(known);
        if place == 0 && STREETS_BEFORE.iter().any(is) {
            return french(near, end);
        }
        // `42nd` is a word, another number is none.
        let numbered = word.first().is_some_and(u8::is_ascii_digit) && word.last().is_some_and(u8::is_ascii_lowercase);
        let capital = numbered || word.first().is_some_and(|byte| byte.is_ascii_uppercase() || *byte >= 0x80);
        if place > 0 && capital && STREETS.iter().any(is) {
            let long = word.len() > 3 || near.get(end) == Some(b'.') || near.get(end) == Some(b',');
            // `5 Easy Way`, `3 Top Place`: without more after it, short ones are titles as well.
            let confidence = if long && number - near.at > 1 { 0.75 } else { 0.55 };
            return found(Id::street_address, near.at, end, confidence);
        }
        let dotted = matches!(word, b"N" | b"S" | b"E" | b"W" | b"NE" | b"NW" | b"SE" | b"SW" | b"St");
        if !capital || word.is_empty() {
            return None;
        }
        at = end + usize::from(dotted && near.get(end) == Some(b'.'));
    }
    None
}

/// The name that follows `rue`: small words and one with a capital.
fn french(near: Near<'_>, from: usize) -> Option<Found> {
    let mut at = from;
    for _ in 0..4 {
        if near.get(at) != Some(b' ') {
            return None;
        }
        let end = near.run(at + 1, |byte| byte.is_ascii_alphabetic() || byte == b'\'' || byte == b'-' || byte >= 0x80);
        let word = near.slice(at + 1, end);
        if word.iter().any(u8::is_ascii_uppercase) {
            return found(Id::street_address, near.at, end, 0.75);
        }
        if word.len() > 3 {
            return None;
        }
        at = end;
    }
    None
}

/// Numbers of documents and records: no checksum, only the word right before them.
pub(super) fn document(near: Near<'_>, context: &mut impl FnMut(usize) -> Context) -> Option<Found> {
    let head = near.slice(near.at, near.at + 17);
    let length = head.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'-')).unwrap_or(head.len());
    let end = near.at + length;
    let text = &head[..length];
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = text.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    if !(5..=16).contains(&text.len())
        || digits < 4
        || letters > 6
        || !near.starts_alone(near.at)
        || !near.ends_alone(end)
    {
        return None;
    }
    let context = context(end);
    let id = if context.leads(Topic::Record) {
        Id::medical_record_number
    } else if context.leads(Topic::Passport) && (7..=9).contains(&text.len()) && letters <= 2 {
        Id::us_passport
    } else if context.leads(Topic::Driver) && digits >= 5 {
        Id::us_driver_license
    } else {
        return None;
    };
    (!context.is_thing()).then(|| found(id, near.at, end, 0.7)).flatten()
}
