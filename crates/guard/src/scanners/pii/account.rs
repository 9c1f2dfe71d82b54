//! Numbers that move money: payment cards, bank accounts, wallets.

use super::checksum::{base58check, bech32, luhn, mod97, number};
use super::context::{Context, Topic};
use super::found;
use super::rules::Id;
use super::shape::Plain;
use crate::scanners::nearby::{Found, Near};

/// A payment card: Luhn's check digit, and a range that an issuer has, or a word near it.
pub(super) fn card(near: Near<'_>, context: &mut impl FnMut(usize) -> Context) -> Option<Found> {
    if !near.starts_alone(near.at) {
        return None;
    }
    let (plain, groups) = card_groups(near)?;
    let digits = plain.text();
    if !near.ends_alone(plain.end) || !luhn(digits) || digits.iter().all(|digit| *digit == digits[0]) {
        return None;
    }
    let context = context(plain.end);
    if context.has(Topic::Card) && !context.is_thing() {
        return found(Id::credit_card, near.at, plain.end, 0.9);
    }
    let confidence = match (issuer(digits), groups) {
        (false, _) => return None,
        (true, true) => 0.85,
        (true, false) if digits.len() < 14 || context.is_thing() || context.has(Topic::Phone) => return None,
        (true, false) => 0.7,
    };
    found(Id::credit_card, near.at, plain.end, confidence)
}

/// The digits, in one piece or in the groups in which they are embossed.
fn card_groups(near: Near<'_>) -> Option<(Plain, bool)> {
    let mut plain = Plain::new(near.at);
    let mut groups = [0_usize; 5];
    let mut mark = None;
    for group in &mut groups {
        let end = near.run(plain.end, |byte| byte.is_ascii_digit());
        *group = end - plain.end;
        for &digit in near.slice(plain.end, end.min(plain.end + 20)) {
            plain.push(digit)?;
        }
        plain.end = end;
        let next = near.get(end);
        let goes_on = near.get(end + 1).is_some_and(|byte| byte.is_ascii_digit());
        let separates = matches!(next, Some(b' ' | b'-' | b'.')) && mark.is_none_or(|mark| Some(mark) == next);
        if !(goes_on && separates) || *group > 6 {
            break;
        }
        let (four, six) = (*group == 4, *group == 6 && plain.text().len() == 10);
        if !(four || six) || plain.text().len() >= 16 {
            break;
        }
        mark = next;
        plain.end += 1;
    }
    let grouped = matches!(groups, [4, 4, 4, 4, 0..=3] | [4, 6, 4 | 5, 0, 0]);
    ((grouped || groups[1] == 0) && (12..=19).contains(&plain.text().len())).then_some((plain, grouped))
}

/// Ranges as the issuers publish them, with the lengths that they use.
fn issuer(digits: &[u8]) -> bool {
    let head = number(&digits[..6]);
    match digits.len() {
        13 => digits[0] == b'4',
        14 => matches!(head / 1000, 300..=305) || matches!(head / 10_000, 36 | 38 | 39),
        15 => matches!(head / 10_000, 34 | 37) || matches!(head / 100, 1800 | 2131),
        16 | 19 => {
            digits[0] == b'4'
                || matches!(head / 10_000, 51..=55 | 62 | 65 | 50 | 56..=58 | 67)
                || matches!(head / 100, 2221..=2720 | 2200..=2204 | 3528..=3589 | 6011 | 6304)
                || matches!(head / 1000, 644..=649)
        }
        _ => false,
    }
}

/// Lengths by country: <https://www.swift.com/standards/data-standards/iban-international-bank-account-number>.
const IBAN: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// A country, a length, groups of four if any, and ISO 7064 MOD 97-10.
pub(super) fn iban(near: Near<'_>) -> Option<Found> {
    let start = near.slice(near.at, near.at + 4);
    let heads =
        start.len() == 4 && start[..2].iter().all(u8::is_ascii_alphabetic) && start[2..].iter().all(u8::is_ascii_digit);
    if !heads || near.before(near.at).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let country = [start[0].to_ascii_uppercase(), start[1].to_ascii_uppercase()];
    let length = IBAN.iter().find(|(known, _)| **known == country)?.1;
    let mut plain = Plain::new(near.at);
    let mut case = [false; 2];
    while plain.text().len() < length {
        let byte = near.get(plain.end)?;
        case[0] |= byte.is_ascii_uppercase();
        case[1] |= byte.is_ascii_lowercase();
        let parts = matches!(byte, b' ' | b'-') && plain.text().len().is_multiple_of(4);
        if byte.is_ascii_alphanumeric() {
            plain.push(byte)?;
        } else if !parts || near.before(plain.end) == Some(byte) {
            return None;
        }
        plain.end += 1;
    }
    let text = plain.text();
    let rotated = text[4..].iter().chain(&text[..4]).copied();
    let alone = !near.get(plain.end).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (alone && case != [true, true] && mod97(rotated) == 1)
        .then(|| found(Id::iban_code, near.at, plain.end, 0.95))
        .flatten()
}

/// Bitcoin by its checksums, Ethereum by its form and a word near it.
pub(super) fn wallet(near: Near<'_>, context: &mut impl FnMut(usize) -> Context) -> Option<Found> {
    let end = near.run(near.at, |byte| byte.is_ascii_alphanumeric());
    let text = near.slice(near.at, end);
    let alone = !matches!(near.before(near.at), Some(b'/' | b'+' | b'=' | b'_'))
        && !matches!(near.get(end), Some(b'/' | b'+' | b'=' | b'_'));
    let holds = match text {
        [b'1' | b'3', ..] => (26..=35).contains(&text.len()) && alone && base58check(text),
        [b'b', b'c', b'1', ..] | [b'B', b'C', b'1', ..] => {
            (14..=74).contains(&text.len()) && bech32(&text.to_ascii_lowercase())
        }
        [b'0', b'x', rest @ ..] => {
            // All in one case may be any number of that length.
            let mixed = rest.iter().any(u8::is_ascii_uppercase) && rest.iter().any(u8::is_ascii_lowercase);
            let form = rest.len() == 40 && rest.iter().all(u8::is_ascii_hexdigit) && alone;
            form && (mixed || context(end).has(Topic::Wallet))
        }
        _ => false,
    };
    let confidence = if text.starts_with(b"0x") { 0.7 } else { 0.95 };
    holds.then(|| found(Id::crypto, near.at, end, confidence)).flatten()
}
