//! Judges the host of an address, and what stands before it.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::brands::{BRANDS, CATCHERS, LURES};
use super::{Address, Id, punycode};
use crate::scanners::invisible_chars::patterns::latin_twin;
use crate::scanners::nearby::Found;

/// `https://well-known.example@elsewhere.example`.
pub(super) fn userinfo(address: &Address<'_>) -> Option<Found> {
    let name = address.user.split(|byte| *byte == b':').next().unwrap_or_default();
    let name = name.strip_prefix(b"www.").unwrap_or(name);
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    let (head, top) = (&name[..dot], &name[dot + 1..]);
    let host = head.iter().any(u8::is_ascii_alphabetic)
        && head.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte))
        && TOPS.iter().any(|known| top.eq_ignore_ascii_case(known.as_bytes()));
    host.then(|| Id::Userinfo.found(address.start, address.end, 0.9)).flatten()
}

/// Ends of names that stand for a host where they stand before an `@`; a user may be called `ada.lovelace`.
const TOPS: &[&str] = &[
    "com", "org", "net", "gov", "edu", "io", "co", "uk", "de", "fr", "ru", "cn", "jp", "app", "dev", "ai", "bank",
    "info", "us",
];

/// A service that records requests.
pub(super) fn catcher(address: &Address<'_>) -> Option<Found> {
    let host = address.host;
    let is = |known: &&str| {
        let known = known.as_bytes();
        host.len() >= known.len()
            && host[host.len() - known.len()..].eq_ignore_ascii_case(known)
            && (host.len() == known.len() || host[host.len() - known.len() - 1] == b'.')
    };
    CATCHERS.iter().any(is).then(|| Id::RequestCatcher.found(address.start, address.end, 0.7)).flatten()
}

/// Numbers in disguise, and names that pass for others.
pub(super) fn judge(address: &Address<'_>) -> Option<Found> {
    let (start, end) = (address.start, address.end);
    if let Some((id, confidence)) = number(address.host) {
        return id.found(start, end, confidence);
    }
    let host = std::str::from_utf8(address.host).ok()?.to_lowercase();
    let labels: Vec<&str> = host.split(['.', '\u{3002}', '\u{FF0E}']).collect();
    if labels.len() < 2 || labels.len() > 32 {
        return None;
    }
    let main = main_label(&labels);
    let mut best: Option<(Id, f32)> = None;
    let mut better = |found: Option<(Id, f32)>| {
        if let Some((_, confidence)) = found
            && best.is_none_or(|(_, known)| confidence > known)
        {
            best = found;
        }
    };
    for label in &labels {
        better(beyond_ascii(label));
    }
    better(passes_for(labels[main]).map(|confidence| (Id::Lookalike, confidence)));
    better(borrowed(&labels, main));
    best.and_then(|(id, confidence)| id.found(start, end, confidence))
}

/// The label that somebody registered: before `.com`, `.co.uk`.
fn main_label(labels: &[&str]) -> usize {
    const SECOND: [&str; 7] = ["co", "com", "org", "net", "gov", "ac", "edu"];
    let last = labels.len() - 1;
    let second = last >= 2 && labels[last].len() == 2 && SECOND.contains(&labels[last - 1]);
    last - 1 - usize::from(second)
}

/// Hosts that are numbers.
fn number(host: &[u8]) -> Option<(Id, f32)> {
    let text = std::str::from_utf8(host).ok()?;
    if let Some(inside) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let address: Ipv6Addr = inside.split('%').next()?.parse().ok()?;
        let nobodys = address.is_loopback() || address.is_unspecified();
        let local = address.segments()[0] & 0xffc0 == 0xfe80 || address.segments()[0] & 0xfe00 == 0xfc00;
        return Some((Id::IpHost, if nobodys || local { 0.3 } else { 0.55 }));
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        let local =
            address.is_private() || address.is_loopback() || address.is_unspecified() || address.is_link_local();
        return Some((Id::IpHost, if local { 0.3 } else { 0.6 }));
    }
    // What `inet_aton` reads: fewer parts, octal, hexadecimal.
    let parts: Vec<&str> = text.split('.').collect();
    let part = |part: &&str| {
        let hex = part.strip_prefix("0x").or_else(|| part.strip_prefix("0X"));
        match hex {
            Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            None => !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()),
        }
    };
    // A small number alone is a port or a place in a document.
    let alone = parts.len() == 1 && text.len() < 8;
    (parts.len() <= 4 && parts.iter().all(part) && !alone).then_some((Id::DisguisedIp, 0.85))
}

/// A label with letters beyond ASCII.
fn beyond_ascii(label: &str) -> Option<(Id, f32)> {
    let (shown, hidden) = match label.strip_prefix("xn--") {
        Some(code) => (Cow::Owned(punycode::decode(code.as_bytes())?), true),
        None => (Cow::Borrowed(label), false),
    };
    if shown.is_ascii() {
        return None;
    }
    let (mut latin, mut twins, mut others, mut bare) = (0, 0, 0, String::new());
    for c in shown.chars() {
        match latin_twin(c) {
            _ if c.is_ascii() => {
                latin += usize::from(c.is_ascii_alphabetic());
                bare.push(c);
            }
            Some(twin) => {
                twins += 1;
                bare.push(twin.to_ascii_lowercase());
            }
            None => {
                // `ö` is an `o` to those who look once.
                let plain: String = std::iter::once(c).nfkd().filter(|c| !is_combining_mark(*c)).collect();
                others += usize::from(!plain.is_ascii());
                bare.push_str(&plain);
            }
        }
    }
    let known = BRANDS.contains(&bare.as_str()) || passes_for(&bare).is_some();
    if known {
        return Some((Id::Lookalike, 0.95));
    }
    if twins > 0 && others == 0 && (latin > 0 || twins > 3) {
        return Some((Id::Lookalike, if latin > 0 { 0.9 } else { 0.7 }));
    }
    hidden.then_some((Id::Punycode, 0.4))
}

/// How surely a label is a well-known one that was changed a little.
fn passes_for(label: &str) -> Option<f32> {
    if BRANDS.contains(&label) || !label.is_ascii() {
        return None;
    }
    label
        .split('-')
        .chain(label.contains('-').then_some(label))
        .filter_map(|part| near_miss(part.as_bytes()))
        .reduce(f32::max)
}

fn near_miss(part: &[u8]) -> Option<f32> {
    if !(4..=20).contains(&part.len()) || BRANDS.iter().any(|brand| brand.as_bytes() == part) {
        return None;
    }
    let mut best: Option<f32> = None;
    for brand in BRANDS.iter().map(|brand| brand.as_bytes()).filter(|brand| brand.len().abs_diff(part.len()) <= 2) {
        let found = if brand.len() >= 5 && shape(part).eq(shape(brand)) {
            0.9
        } else if brand.len() >= 6 && slipped(part, brand) {
            0.65
        } else {
            continue;
        };
        best = Some(best.map_or(found, |best| best.max(found)));
    }
    best
}

/// Letters as they look: `0` and `o`, `1`, `l` and `i`, `rn` and `m`.
fn shape(word: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let byte = *word.get(at)?;
        let pair = word.get(at + 1).copied();
        at += 1;
        Some(match (byte, pair) {
            (b'r', Some(b'n')) => {
                at += 1;
                b'm'
            }
            (b'v', Some(b'v')) => {
                at += 1;
                b'w'
            }
            (b'0', _) => b'o',
            (b'1' | b'l' | b'!', _) => b'i',
            (b'3', _) => b'e',
            (b'4', _) => b'a',
            (b'5', _) => b's',
            (b'7', _) => b't',
            (b'8', _) => b'b',
            (byte, _) => byte,
        })
    })
}

/// Two letters were swapped, one was doubled, or one is missing from a long name.
fn slipped(part: &[u8], brand: &[u8]) -> bool {
    let same = part.iter().zip(brand).take_while(|(a, b)| a == b).count();
    match part.len().checked_sub(brand.len()) {
        Some(0) => {
            let swapped = same + 1 < brand.len() && part[same] == brand[same + 1] && part[same + 1] == brand[same];
            swapped && part[same + 2..] == brand[same + 2..]
        }
        Some(1) => same > 0 && part[same] == part[same - 1] && part[same + 1..] == brand[same..],
        None => brand.len() >= 7 && part.len() + 1 == brand.len() && same > 0 && part[same..] == brand[same + 1..],
        _ => false,
    }
}

/// `paypal.com.elsewhere.example`, `paypal-login.example`.
fn borrowed(labels: &[&str], main: usize) -> Option<(Id, f32)> {
    let known = |label: &str| BRANDS.contains(&label);
    if known(labels[main]) {
        return None;
    }
    let tops = ["com", "net", "org", "co"];
    let inside = labels[..main].windows(2).any(|pair| known(pair[0]) && tops.contains(&pair[1]));
    // The last top may be the label that was registered: `paypal.com.example`.
    let inside = inside || (main > 0 && known(labels[main - 1]) && tops.contains(&labels[main]));
    if inside {
        return Some((Id::MisleadingHost, 0.85));
    }
    let parts: Vec<&str> = labels[main].split('-').collect();
    let named = parts.iter().any(|part| known(part));
    let lured = parts.iter().any(|part| LURES.contains(part));
    (named && lured).then_some((Id::MisleadingHost, 0.7))
}
