//! Addresses that lead elsewhere than they seem to, run something, or carry data away.
//!
//! An automaton finds the beginnings of addresses; each is read as a browser would read it, and its parts are judged: the
//! host, what stands before the host, the query, and whether it is a picture that is loaded without a click.

use std::sync::LazyLock;

use signalbox_types::Severity;

use super::nearby::{self, Found, Near, Reach};
use crate::literals::Literals;
use crate::scanner::{About, Hit, Rule, Scanner, Text};

mod brands;
mod host;
mod payload;
mod punycode;
#[cfg(test)]
mod tests;

/// Finds addresses that deceive, run something or carry data away.
#[derive(Debug, Clone, Copy)]
pub struct Urls;

const REACH: Reach = Reach { back: 96, before: 16, forward: 640 };

macro_rules! rules {
    ($($id:ident $name:literal $severity:ident $message:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Id { $($id),+ }
        static RULES: &[Rule] = &[$(Rule { name: $name, severity: Severity::$severity, message: $message }),+];
    };
}

rules! {
    DataUrl "data_url" High "An address that holds a page or a script itself. Don't open it, and don't let pages link to it.";
    DisguisedIp "disguised_ip" High "A host that is a number in disguise. Nobody writes hosts like that but to get past a filter.";
    ImageExfiltration "image_exfiltration" High "A picture whose address carries data away as soon as it is shown. Don't load it.";
    IpHost "ip_host" Low "An address with a bare IP number for a host. Check whose it is before it is opened.";
    LinkExfiltration "link_exfiltration" Medium "A link whose address carries data away when it is opened. Check what it sends.";
    Lookalike "lookalike_host" High "A host that looks like a well-known one and is another. Don't open it, and don't type anything there.";
    MisleadingHost "misleading_host" High "A host that bears the name of another one. What counts is its end: check that before it is opened.";
    Punycode "punycode_host" Low "A host with letters beyond ASCII, in the form that hides them. Check what it reads before it is opened.";
    RequestCatcher "request_catcher" Medium "A service that records what is sent to it, as those use it who carry data away. Check who set it up.";
    Script "script_url" High "An address that runs a script. Show it as text, never as a link.";
    Userinfo "userinfo_host" High "An address that puts another host's name before the `@`: it leads to what follows that. Don't open it.";
}

impl Id {
    fn found(self, start: usize, end: usize, confidence: f32) -> Option<Found> {
        Some(Found { rule: &RULES[self as usize], start, end, confidence })
    }
}

static ABOUT: About = About {
    name: "urls",
    summary: "Finds addresses that deceive, run something or carry data away.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: REACH.lookback(),
    hold: REACH.hold(),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    /// `://`
    Scheme,
    /// `www.`
    Bare,
    /// `javascript:`
    Script,
    /// `data:`
    Data,
}

const ANCHORS: [(&str, Anchor); 5] = [
    ("://", Anchor::Scheme),
    ("www.", Anchor::Bare),
    ("javascript:", Anchor::Script),
    ("vbscript:", Anchor::Script),
    ("data:", Anchor::Data),
];
const LONGEST_ANCHOR: usize = 11;

static WORDS: LazyLock<Literals> = LazyLock::new(|| Literals::new(ANCHORS.iter().map(|(word, _)| word)));

impl Scanner for Urls {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let first = text.from().saturating_sub(LONGEST_ANCHOR);
        // The `://` of `javascript://` is no anchor of its own.
        let mut done = 0;
        let found = WORDS.find(&text.bytes()[first..]).filter(|found| {
            let free = found.start() >= done;
            done = if free { found.end() } else { done };
            free
        });
        // At the end of the word, so that half a word at the end of an open text is no anchor yet.
        let anchors = found.map(|found| (first + found.end(), ANCHORS[found.pattern().as_usize()].1));
        nearby::scan(text, REACH, anchors, look, hits)
    }
}

fn look(near: Near<'_>, anchor: Anchor) -> Option<Found> {
    match anchor {
        Anchor::Scheme => web(near),
        Anchor::Bare => bare(near),
        Anchor::Script => script(near),
        Anchor::Data => data(near),
    }
}

/// The parts of an address, as offsets.
#[derive(Debug, Clone, Copy)]
struct Address<'a> {
    start: usize,
    end: usize,
    /// Before the `@`, without it.
    user: &'a [u8],
    /// Without the port.
    host: &'a [u8],
    /// From the first `/`, `?` or `#` on.
    rest: &'a [u8],
    /// Loaded when it is shown: a picture in Markdown or HTML.
    image: bool,
}

/// Bytes that end an address in running text.
fn ends(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'|' | 0x7f)
}

fn run(bytes: &[u8], from: usize, stops: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|&byte| stops(byte)).unwrap_or(rest.len())
}

impl<'a> Address<'a> {
    /// Reads the address whose authority starts at `from`.
    fn read(near: Near<'a>, start: usize, from: usize) -> Option<Self> {
        let bytes = near.bytes;
        let before = &bytes[..start];
        let trimmed = before.strip_suffix(b"<").unwrap_or(before);
        let linked = trimmed.ends_with(b"](");
        let authority_end =
            run(bytes, from, |byte| ends(byte) || matches!(byte, b'/' | b'?' | b'#' | b'\\' | b')' | b'('));
        let mut end = run(bytes, authority_end, |byte| ends(byte) || (linked && byte == b')'));
        // The full stop of a sentence, a bracket around the address.
        while end > authority_end
            && matches!(bytes[end - 1], b'.' | b',' | b';' | b':' | b'!' | b'?' | b')' | b']' | b'*')
        {
            end -= 1;
        }
        let authority = bytes.get(from..authority_end)?;
        let sign = authority.iter().rposition(|byte| *byte == b'@');
        let (user, host) =
            sign.map_or((&authority[..0], authority), |sign| (&authority[..sign], &authority[sign + 1..]));
        let host = if host.first() == Some(&b'[') {
            host.iter().position(|byte| *byte == b']').map_or(host, |close| &host[..=close])
        } else {
            host.iter().position(|byte| *byte == b':').map_or(host, |colon| &host[..colon])
        };
        let host = host.strip_suffix(b".").unwrap_or(host);
        let host = host
            .iter()
            .rposition(|byte| !matches!(byte, b',' | b';' | b'!' | b']' | b'*'))
            .map_or(&host[..0], |last| &host[..=last]);
        let host = if authority.starts_with(b"[") && !host.ends_with(b"]") {
            &authority[..=host.len().min(authority.len() - 1)]
        } else {
            host
        };
        (!host.is_empty()).then_some(Self {
            start,
            end,
            user,
            host,
            rest: bytes.get(authority_end..end).unwrap_or_default(),
            image: (linked && opens_image(trimmed)) || is_source(before),
        })
    }
}

/// `![…](` right before.
fn opens_image(before: &[u8]) -> bool {
    let text = &before[..before.len().saturating_sub(2)];
    let open = text.iter().rposition(|byte| *byte == b'[');
    open.and_then(|open| open.checked_sub(1)).is_some_and(|mark| text[mark] == b'!')
}

/// `<img … src="` right before, or the address of a background.
fn is_source(before: &[u8]) -> bool {
    let text = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")).unwrap_or(before);
    let text = text.trim_ascii_end();
    let ends = |word: &[u8]| text.len() >= word.len() && text[text.len() - word.len()..].eq_ignore_ascii_case(word);
    let tag = || {
        let open = text.iter().rposition(|byte| *byte == b'<');
        open.is_some_and(|open| text[open..].get(1..4).is_some_and(|name| name.eq_ignore_ascii_case(b"img")))
    };
    ends(b"src=") && tag()
}

/// `http://…` and its like.
fn web(near: Near<'_>) -> Option<Found> {
    let colon = near.at - 3;
    let mut start = colon;
    while start > 0 && colon - start < 8 && near.bytes[start - 1].is_ascii_alphabetic() {
        start -= 1;
    }
    let scheme = &near.bytes[start..colon];
    let known = [&b"http"[..], b"https", b"ftp", b"ws", b"wss", b"hxxp", b"hxxps"];
    if !known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    judge(&Address::read(near, start, near.at)?)
}

/// `www.…`, which programs make a link of.
fn bare(near: Near<'_>) -> Option<Found> {
    let start = near.at - 4;
    let alone = start.checked_sub(1).and_then(|at| near.bytes.get(at));
    if alone.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"/.-_@=%&".contains(byte)) {
        return None;
    }
    let address = Address::read(near, start, start)?;
    host::judge(&address)
}

fn judge(address: &Address<'_>) -> Option<Found> {
    let candidates = [host::userinfo(address), host::judge(address), payload::judge(address), host::catcher(address)];
    let surer = |best: Found, next: Found| if next.confidence > best.confidence { next } else { best };
    candidates.into_iter().flatten().reduce(surer)
}

/// `javascript:` where an address stands, and more than nothing behind it.
fn script(near: Near<'_>) -> Option<Found> {
    let word =
        if near.at >= 11 && near.bytes[near.at - 11..near.at].eq_ignore_ascii_case(b"javascript:") { 11 } else { 9 };
    let start = near.at - word;
    let rest = &near.bytes[near.at..];
    let line = &rest[..rest.len().min(300)];
    let code = &line[..line.iter().position(|&byte| byte == b'\n').unwrap_or(line.len())];
    let end = run(near.bytes, near.at, |byte| matches!(byte, b' ' | b'\n' | b'"' | b'\'' | b'>' | b'<')).max(near.at);
    let before = start.checked_sub(1).and_then(|at| near.bytes.get(at)).copied().unwrap_or(b' ');
    if before.is_ascii_alphanumeric() || matches!(before, b'-' | b'_' | b'/' | b'.') || end == near.at {
        return None;
    }
    let quiet = [&b"void"[..], b";", b"//", b"history.", b"window.history", b"return false"];
    let call = code.iter().any(|byte| matches!(byte, b'(' | b'=' | b'`')) || code.starts_with(b"%");
    if !call || quiet.iter().any(|word| code.starts_with(word)) {
        return Id::Script.found(start, end, 0.3);
    }
    let linked = matches!(before, b'(' | b'"' | b'\'' | b'=' | b'<');
    Id::Script.found(start, end, if linked { 0.9 } else { 0.65 })
}

/// `data:` with a page or a script in it.
fn data(near: Near<'_>) -> Option<Found> {
    let start = near.at - 5;
    if start > 0
        && (near.bytes[start - 1].is_ascii_alphanumeric() || matches!(near.bytes[start - 1], b'-' | b'_' | b'.'))
    {
        return None;
    }
    let end = run(near.bytes, near.at, |byte| matches!(byte, b' ' | b'\n' | b'"' | b'\'' | b')'));
    let body = &near.bytes[near.at..end];
    let starts = |kind: &[u8]| body.len() > kind.len() && body[..kind.len()].eq_ignore_ascii_case(kind);
    let page = [
        &b"text/html"[..],
        b"text/javascript",
        b"application/javascript",
        b"application/x-javascript",
        b"application/xhtml+xml",
    ];
    if page.iter().any(|kind| starts(kind)) && body.contains(&b',') {
        return Id::DataUrl.found(start, end, 0.85);
    }
    let active = [&b"<script"[..], b"%3cscript", b"onload", b"javascript:"];
    let lower = body.to_ascii_lowercase();
    let holds = |word: &&[u8]| lower.windows(word.len()).any(|window| window == *word);
    (starts(b"image/svg+xml") && active.iter().any(holds)).then(|| Id::DataUrl.found(start, end, 0.85)).flatten()
}
