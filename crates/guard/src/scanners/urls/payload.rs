//! Judges what an address carries: data in its query, its path or its host.

use super::{Address, Id};
use crate::scanners::nearby::Found;

/// Keys of values that are long by nature: signatures, sizes, tracking.
const ORDINARY: &[&str] = &[
    "sig",
    "signature",
    "expires",
    "token",
    "policy",
    "hmac",
    "hash",
    "key-pair-id",
    "se",
    "sp",
    "sv",
    "sr",
    "st",
    "ixid",
    "ixlib",
    "v",
    "ver",
    "version",
    "s",
    "oh",
    "oe",
    "url",
    "src",
    "u",
    "image",
    "logo",
    "label",
    "color",
    "style",
    "cb",
    "etag",
    "response-content-disposition",
    "googleaccessid",
    "key",
    "auth",
    "jwt",
    "ig_cache_key",
];

/// Keys that say that something is carried away.
const CARRIERS: &[&str] = &[
    "data",
    "payload",
    "exfil",
    "exfiltrate",
    "leak",
    "leaked",
    "secret",
    "secrets",
    "cookie",
    "cookies",
    "chat",
    "conversation",
    "history",
    "prompt",
    "context",
    "memory",
    "dump",
    "stolen",
    "steal",
    "msg",
    "message",
    "messages",
    "text",
    "content",
    "info",
    "d",
    "log",
    "password",
    "pass",
    "system",
    "system_prompt",
    "userdata",
    "user_data",
    "summary",
    "body",
    "c",
    "p",
];

/// Words for what is to be put in.
const HOLES: &[&[u8]] = &[
    b"{{",
    b"${",
    b"%7b%7b",
    b"[data",
    b"{data",
    b"<data",
    b"[secret",
    b"{secret",
    b"[insert",
    b"{insert",
    b"[chat",
    b"{chat",
    b"[conversation",
    b"{conversation",
    b"[prompt",
    b"{prompt",
    b"[history",
    b"[summary",
    b"{summary",
    b"[base64",
    b"{base64",
    b"[user",
    b"{user",
    b"{system",
    b"[system",
    b"[encoded",
    b"{encoded",
    b"[password",
    b"{password",
    b"your_data",
    b"data_here",
    b"[content",
    b"{content",
    b"[message",
    b"{message",
];

/// Hosts whose pictures have such addresses.
const PICTURES: &[&str] = &[
    "googleusercontent.com",
    "githubusercontent.com",
    "shields.io",
    "medium.com",
    "fbcdn.net",
    "cdninstagram.com",
    "twimg.com",
    "licdn.com",
    "pinimg.com",
    "ggpht.com",
    "gstatic.com",
    "imgix.net",
    "substackcdn.com",
    "cloudinary.com",
    "notion.so",
    "media-amazon.com",
    "wp.com",
    "gravatar.com",
];

pub(super) fn judge(address: &Address<'_>) -> Option<Found> {
    let confidence = query(address).into_iter().chain(path(address)).chain(host(address)).reduce(f32::max)?;
    let id = if address.image { Id::ImageExfiltration } else { Id::LinkExfiltration };
    id.found(address.start, address.end, confidence)
}

fn is_any(word: &[u8], known: &[&str]) -> bool {
    known.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

fn of_pictures(host: &[u8]) -> bool {
    PICTURES.iter().any(|known| {
        host.len() >= known.len() && host[host.len() - known.len()..].eq_ignore_ascii_case(known.as_bytes())
    })
}

fn query(address: &Address<'_>) -> Option<f32> {
    let mark = address.rest.iter().position(|byte| *byte == b'?')?;
    let query = &address.rest[mark + 1..];
    let query = query.split(|byte| *byte == b'#').next().unwrap_or_default();
    let mut best: Option<f32> = None;
    for part in query.split(|byte| *byte == b'&').take(24) {
        let equals = part.iter().position(|byte| *byte == b'=');
        let (key, value) = equals.map_or((&part[..0], part), |at| (&part[..at], &part[at + 1..]));
        let signed = key.get(..2).is_some_and(|head| head.eq_ignore_ascii_case(b"x-")) || is_any(key, ORDINARY);
        let carrier = is_any(key, CARRIERS);
        let found = match (address.image, carrier) {
            _ if signed => continue,
            (true, _) if has_hole(value) => 0.9,
            (true, true) if carries(value, 16) => 0.85,
            (true, false) if carries(value, 32) && !of_pictures(address.host) => 0.7,
            (false, true) if key.len() > 1 && has_hole(value) => 0.75,
            (false, true) if key.len() > 3 && coded(value, 40) => 0.6,
            _ => continue,
        };
        best = Some(best.map_or(found, |best| best.max(found)));
    }
    best
}

fn has_hole(value: &[u8]) -> bool {
    let starts =
        |at: usize, hole: &[u8]| value.get(at..at + hole.len()).is_some_and(|part| part.eq_ignore_ascii_case(hole));
    let marked = value.iter().any(|byte| b"{[<%_$".contains(byte));
    marked && (0..value.len()).any(|at| HOLES.iter().any(|hole| starts(at, hole)))
}

/// Whether a value is text, or something coded.
fn carries(value: &[u8], shortest: usize) -> bool {
    let spaces =
        value.iter().filter(|byte| **byte == b'+').count() + value.windows(3).filter(|three| *three == b"%20").count();
    let text = spaces >= 3 && value.len() >= 24;
    let pairs = value.windows(3).filter(|three| three[0] == b'%' && three[1].is_ascii_hexdigit()).count();
    let spelled = pairs * 3 * 2 > value.len()
        && value.len() >= 48
        && !value.windows(9).any(|nine| nine.eq_ignore_ascii_case(b"%3a%2f%2f"));
    text || spelled || coded(value, shortest)
}

/// Base64 or hexadecimal of some length, and no word or number.
fn coded(value: &[u8], shortest: usize) -> bool {
    let value = &value[..value.iter().position(|byte| matches!(byte, b'%')).unwrap_or(value.len())];
    let code = value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte));
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let mixed = has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && (has(u8::is_ascii_digit) || value.ends_with(b"="));
    let hex = value.len() >= 2 * shortest && value.iter().all(u8::is_ascii_hexdigit) && has(u8::is_ascii_alphabetic);
    value.len() >= shortest && code && (mixed || hex)
}

/// A long piece of code in the path of a picture.
fn path(address: &Address<'_>) -> Option<f32> {
    if !address.image || of_pictures(address.host) {
        return None;
    }
    let path = address.rest.split(|byte| matches!(byte, b'?' | b'#')).next()?;
    let long = |part: &[u8]| coded(part, 60) && !part.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    (path.split(|byte| *byte == b'/').any(long) || has_hole(path)).then_some(0.6)
}

/// A long piece of code for a name of a host.
fn host(address: &Address<'_>) -> Option<f32> {
    let label = address.host.split(|byte| *byte == b'.').next()?;
    let code = label.len() >= 40
        && label.iter().all(u8::is_ascii_alphanumeric)
        && label.iter().filter(|byte| byte.is_ascii_digit()).count() >= 6;
    code.then_some(0.6)
}
