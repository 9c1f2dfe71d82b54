//! Addresses of machines and mailboxes.

use super::context::{Context, Topic};
use super::found;
use super::rules::Id;
use crate::scanners::nearby::{Found, Near};

/// Four numbers of at most 255, and the length of a network if there is one. Versions look the same: what stands
/// before tells them apart. The addresses that every machine has are nobody's.
pub(super) fn ipv4(near: Near<'_>, context: &mut impl FnMut(usize) -> Context) -> Option<Found> {
    let (octets, end) = octets(near, near.at)?;
    let before = near.before(near.at);
    let earlier = near.at.checked_sub(2).and_then(|at| near.get(at));
    let glued = match before {
        Some(b'.' | b'-' | b'_') => earlier.is_some_and(|byte| byte.is_ascii_alphanumeric()),
        // `Chrome/114.0.0.0`, but `http://10.1.2.3`.
        Some(b'/') => earlier.is_some_and(|byte| byte.is_ascii_alphanumeric()),
        _ => before.is_some_and(|byte| byte.is_ascii_alphanumeric()),
    };
    let goes_on = match near.get(end) {
        Some(b'.' | b'-') => near.get(end + 1).is_some_and(|byte| byte.is_ascii_alphanumeric()),
        next => next.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
    };
    if glued || goes_on || nobodys(octets) {
        return None;
    }
    let context = context(end);
    let known = [[8, 8, 8, 8], [8, 8, 4, 4], [1, 1, 1, 1], [1, 0, 0, 1], [9, 9, 9, 9]].contains(&octets);
    let small = octets.iter().all(|octet| *octet < 32) && !known;
    // `==1.2.3.4`, `^1.2.3.4`: a version in a list of dependencies.
    let pinned = matches!(before, Some(b'^' | b'~')) || (before == Some(b'=') && earlier == Some(b'='));
    if pinned
        || (!context.leads(Topic::Ip) && (context.is_thing() || (small && octets[..2] != [10, 0]) || listed(near, end)))
    {
        return None;
    }
    found(Id::ip_address, near.at, network(near, end, 32), if small { 0.7 } else { 0.85 })
}

/// Among numbers, as in the path of a drawing.
fn listed(near: Near<'_>, end: usize) -> bool {
    let before = near.slice(0, near.at).trim_ascii_end().last();
    let after = near.slice(end, end + 4).trim_ascii_start().first();
    before.is_some_and(u8::is_ascii_digit) && after.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-')
}

fn nobodys(octets: [u8; 4]) -> bool {
    octets[0] == 127 || octets == [0; 4] || (octets[0] == 255 && octets[3] == 0)
}

/// Reads `1.2.3.4`.
fn octets(near: Near<'_>, at: usize) -> Option<([u8; 4], usize)> {
    let (mut octets, mut end) = ([0; 4], at);
    for (place, octet) in octets.iter_mut().enumerate() {
        if place > 0 {
            if near.get(end) != Some(b'.') {
                return None;
            }
            end += 1;
        }
        let start = end;
        end = near.run(start, |byte| byte.is_ascii_digit());
        let text = near.slice(start, end);
        if text.is_empty() || text.len() > 3 || (text.len() > 1 && text[0] == b'0') {
            return None;
        }
        *octet = std::str::from_utf8(text).ok()?.parse().ok()?;
    }
    Some((octets, end))
}

/// The end of `/24` behind an address, or of the address.
fn network(near: Near<'_>, end: usize, most: u8) -> usize {
    let after = near.run(end + 1, |byte| byte.is_ascii_digit());
    let text = std::str::from_utf8(near.slice(end + 1, after)).unwrap_or_default();
    let fits = near.get(end) == Some(b'/') && text.parse::<u8>().is_ok_and(|bits| bits <= most);
    if fits { after } else { end }
}

/// What the standard library reads as an IPv6 address, with a scope and a network. `::` alone is an operator of many
/// languages.
pub(super) fn ipv6(near: Near<'_>, context: &mut impl FnMut(usize) -> Context) -> Option<Found> {
    let before = near.before(near.at);
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'>' | b')')) {
        return None;
    }
    let mut end = near.run(near.at, |byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.').min(near.at + 45);
    while end > near.at
        && (near.before(end) == Some(b'.') || (near.before(end) == Some(b':') && near.before(end - 1) != Some(b':')))
    {
        end -= 1;
    }
    let text = near.slice(near.at, end);
    if text.iter().filter(|byte| **byte == b':').count() < 2
        || text.len() < 3
        || near.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return None;
    }
    let address: std::net::Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    // `a::b` is a path, `1::2` a range: a real one has a number and two groups at least.
    let groups = text.split(|byte| *byte == b':').filter(|group| !group.is_empty()).count();
    let long = text.iter().any(u8::is_ascii_digit) && (groups > 2 || text.len() > 6);
    if address.is_loopback() || !long {
        let named = context(end).leads(Topic::Ip) && text.iter().any(u8::is_ascii_digit);
        if !named {
            return None;
        }
    }
    if near.get(end) == Some(b'%') {
        end = near.run(end + 1, |byte| byte.is_ascii_alphanumeric());
    }
    found(Id::ip_address, near.at, network(near, end, 128), 0.85)
}

/// Six pairs of hexadecimal digits, or three groups of four with dots.
pub(super) fn mac(near: Near<'_>) -> Option<Found> {
    let mark = near.get(near.at + 2).filter(|byte| matches!(byte, b':' | b'-'));
    let (group, count, mark) = match mark {
        Some(mark) => (2, 6, mark),
        None => (4, 3, b'.'),
    };
    let end = near.at + count * (group + 1) - 1;
    let text = near.slice(near.at, end);
    let fits = |(place, byte): (usize, &u8)| {
        if place % (group + 1) == group { *byte == mark } else { byte.is_ascii_hexdigit() }
    };
    let glues = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_'));
    let ends = near.get(end) == Some(mark) && near.get(end + 1).is_some_and(|byte| byte.is_ascii_hexdigit());
    if text.len() != end - near.at
        || !text.iter().enumerate().all(fits)
        || glues(near.before(near.at))
        || near.before(near.at) == Some(mark)
        || ends
        || (glues(near.get(end)) && near.get(end) != Some(b':'))
    {
        return None;
    }
    let digits = || text.iter().filter(|byte| byte.is_ascii_hexdigit());
    // All alike is a broadcast or nothing; twelve decimal digits in fours are a number.
    if digits().all(|digit| *digit == text[0]) || (mark == b'.' && digits().all(u8::is_ascii_digit)) {
        return None;
    }
    found(Id::mac_address, near.at, end, 0.85)
}

/// Ends of names that stand behind an `@` but are no domains: pictures (`icon@2x.png`), packages, units of systemd.
const NO_DOMAIN: &[&[u8]] = &[
    b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"js", b"jsx", b"ts", b"tsx", b"css", b"scss", b"json", b"html",
    b"yaml", b"yml", b"toml", b"lock", b"service", b"socket", b"timer", b"target", b"mount", b"conf", b"rb", b"java",
    b"php",
];

/// A mailbox; the anchor is the `@`.
pub(super) fn email(near: Near<'_>) -> Option<Found> {
    // The standard allows more, but in practice that quotes or joins a name.
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte);
    let mut start = near.at;
    while near.at - start < 64 && near.before(start).is_some_and(bare) {
        start -= 1;
    }
    while start < near.at && matches!(near.bytes[start], b'.' | b'%' | b'+' | b'-') {
        start += 1;
    }
    let end = domain(near, near.at + 1)?;
    let text = near.slice(start, near.at);
    let name = text.iter().any(u8::is_ascii_alphanumeric) && text.last() != Some(&b'.');
    // `https://user:password@host` and `git@host:path` are no mailboxes.
    let login = near.before(start).is_some_and(|byte| byte == b':' || byte == b'/')
        && near.slice(start.saturating_sub(40), start).windows(3).any(|window| window == b"://");
    let scp = near.get(end) == Some(b':')
        && near.get(end + 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'/')
        && text == b"git";
    if !name || login || scp {
        return None;
    }
    found(Id::email_address, start, end, 0.95)
}

/// The end of a domain name whose last label is a word.
fn domain(near: Near<'_>, at: usize) -> Option<usize> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte >= 0x80;
    let (mut from, mut last, mut labels) = (at, (at, at), 0);
    loop {
        let end = near.run(from, word);
        let label = near.slice(from, end);
        // A dot that ends a sentence is followed by a space, or by a word that is no label.
        if label.is_empty() || label.len() > 63 || label[0] == b'-' || labels > 8 {
            break;
        }
        last = (from, end);
        labels += 1;
        if near.get(end) != Some(b'.') {
            break;
        }
        from = end + 1;
    }
    let top = near.slice(last.0, last.1);
    let top = top.split(|byte| *byte == b'-').next().filter(|_| !top.starts_with(b"xn--")).unwrap_or(top);
    let letters = top.len() >= 2
        && (top.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80) || top.starts_with(b"xn--"));
    let known = !NO_DOMAIN.contains(&top.to_ascii_lowercase().as_slice());
    let mut end = last.0 + top.len();
    // Text in a script without spaces goes on right after the address.
    let ascii = near.slice(last.0, end).iter().position(|byte| !byte.is_ascii()).unwrap_or(end - last.0);
    if ascii >= 2 {
        end = last.0 + ascii;
    }
    (labels >= 2 && letters && known).then_some(end)
}
