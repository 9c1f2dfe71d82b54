//! Formats that no literal and no run of characters describes: tokens with structure, key blocks,
//! addresses, headers and command lines. Each looks only at bounded text around its anchor, and at
//! nothing behind the end of a text that is still open.

use super::Candidate;
use super::checksum;
use super::random::{contains, dummy, entropy, monotonous, random};
use super::rules::Id;
use super::text::{
    ANY64, AUTHORITY, AZURE, BASE64, BEARER, BLOCK, DASH, DIGIT, HEX, LABEL, PERCENT64, Run, URL64, View, WORD,
};

/// No hit is longer: an RSA key of 16384 bits in PEM has 12.7 KB.
pub(super) const LONGEST: usize = 16 * 1024;
/// How far back a rule looks for what its anchor belongs to.
pub(super) const BACK: usize = 300;

/// Looks at the text around an anchor.
type Look = fn(View<'_>, usize) -> Option<Candidate>;

/// Anchors and what to do there. Anchors are found in any case.
pub(super) static SPECIAL: &[(&str, Look)] = &[
    ("eyJ", jwt),
    ("-----BEGIN ", private_key),
    (":AA", telegram),
    (".", discord),
    ("-us", mailchimp),
    ("Q~", azure_client_secret),
    ("|", facebook),
    ("://", url_password),
    ("bearer", bearer),
    ("basic", basic),
    (" -u", command_line),
    ("--user", command_line),
    ("sig=", shared_access_signature),
];

/// Anchors at which the hit itself starts, so that half an anchor must be held back.
pub(super) static STARTS: &[&str] = &["eyJ", "-----BEGIN "];

/// More text may finish it.
fn open(rule: Id, start: usize) -> Option<Candidate> {
    Some(Candidate { rule, start, end: usize::MAX, confidence: 0.0, open: true })
}

fn found(rule: Id, start: usize, end: usize, confidence: f32) -> Option<Candidate> {
    Some(Candidate { rule, start, end, confidence, open: false })
}

/// `header.payload.signature`; the header must decode to JSON that names an algorithm.
fn jwt(view: View<'_>, at: usize) -> Option<Candidate> {
    if !view.starts(at, b"eyJ") || !view.token_may_start(at) {
        return None;
    }
    let header = view.run(at, &URL64, 1024);
    if header.unfinished {
        return open(Id::jwt, at);
    }
    if view.get(header.end) != Some(b'.') {
        return None;
    }
    let decoded = checksum::base64(view.slice(at, header.end))?;
    if !decoded.starts_with(b"{") || !(contains(&decoded, b"\"alg\"") || contains(&decoded, b"\"enc\"")) {
        return None;
    }
    let payload = view.run(header.end + 1, &URL64, 12 * 1024);
    if payload.unfinished {
        return open(Id::jwt, at);
    }
    let body = view.slice(header.end + 1, payload.end);
    if body.len() < 10 {
        return None;
    }
    let json = checksum::base64(body).is_some_and(|decoded| decoded.trim_ascii_start().starts_with(b"{"));
    if view.get(payload.end) != Some(b'.') {
        return if view.open && payload.end == view.bytes.len() {
            open(Id::jwt, at)
        } else if json {
            found(Id::jwt, at, payload.end, 0.8)
        } else {
            None
        };
    }
    let signature = view.run(payload.end + 1, &URL64, 1024);
    if signature.unfinished {
        return open(Id::jwt, at);
    }
    if signature.end - payload.end < 20 {
        return if json { found(Id::jwt, at, payload.end, 0.8) } else { None };
    }
    found(Id::jwt, at, signature.end, 0.95)
}

/// A PEM, OpenSSH or PGP block. Also one that was cut off before its end line.
fn private_key(view: View<'_>, at: usize) -> Option<Candidate> {
    if !view.starts(at, b"-----BEGIN ") {
        return None;
    }
    let label = view.run(at + 11, &LABEL, 48);
    if label.unfinished {
        return open(Id::private_key, at);
    }
    if !contains(view.slice(at + 11, label.end), b"PRIVATE KEY") {
        return None;
    }
    let dashes = view.run(label.end, &DASH, 5);
    if dashes.unfinished {
        return open(Id::private_key, at);
    }
    let (body, end_line) = key_body(view, dashes.end, at + LONGEST);
    let text = view.slice(dashes.end, body.end);
    let (mut longest, mut total, mut run, mut last) = (0, 0, 0, 0);
    for (i, &byte) in text.iter().take(end_line.unwrap_or(text.len())).enumerate() {
        run = if BASE64.has(byte) { run + 1 } else { 0 };
        total += usize::from(run > 0);
        longest = longest.max(run);
        if run >= 16 {
            last = i + 1;
        }
    }
    let (end, whole) = match end_line {
        Some(from) => {
            let tail = view.run(dashes.end + from + 5, &LABEL, 52);
            let close = view.run(tail.end, &DASH, 5);
            if tail.unfinished || close.unfinished {
                return open(Id::private_key, at);
            }
            let whole = view.starts(dashes.end + from + 5, b"END ");
            (if whole { close.end } else { dashes.end + last }, whole)
        }
        None if body.unfinished => return open(Id::private_key, at),
        None => (dashes.end + last, false),
    };
    if longest < 30 || total < 64 {
        return None;
    }
    found(Id::private_key, at, end, if whole { 0.98 } else { 0.9 })
}

/// The body of a key block, up to a line of dashes, and how many bytes stand before that line if there is one.
fn key_body(view: View<'_>, start: usize, most: usize) -> (Run, Option<usize>) {
    let rest = view.bytes.get(start..most.min(view.bytes.len())).unwrap_or_default();
    let mut dashes = 0;
    for (at, &byte) in rest.iter().enumerate() {
        dashes = if byte == b'-' { dashes + 1 } else { 0 };
        if !BLOCK.has(byte) {
            return (Run { end: start + at, unfinished: false }, None);
        }
        // No further: blocks that never end would make us read everything again for each of them.
        if dashes == 5 {
            return (Run { end: start + at + 1, unfinished: false }, Some(at - 4));
        }
    }
    (Run { end: start + rest.len(), unfinished: view.open && start + rest.len() < most }, None)
}

/// `123456789:AA…`, also behind `bot` in an address.
fn telegram(view: View<'_>, at: usize) -> Option<Candidate> {
    let start = view.run_back(at, &DIGIT, 11);
    let digits = at - start;
    let in_address = start >= 3 && view.slice(start - 3, start).eq_ignore_ascii_case(b"bot");
    if !view.starts(at, b":AA") || !(8..=10).contains(&digits) || !(in_address || view.token_may_start(start)) {
        return None;
    }
    let body = view.run(at + 1, &URL64, 37);
    if body.unfinished {
        return open(Id::telegram_token, start);
    }
    if !(34..=36).contains(&(body.end - at - 1)) || monotonous(view.slice(at + 3, body.end)) {
        return None;
    }
    found(Id::telegram_token, start, body.end, 0.92)
}

/// Three parts; the first is the bot's number in Base64, so that it starts with M, N or O.
fn discord(view: View<'_>, at: usize) -> Option<Candidate> {
    let second = at + 7;
    match view.get(second) {
        Some(b'.') => {}
        None if view.open => {}
        _ => return None,
    }
    let start = view.run_back(at, &URL64, 29);
    if !(23..=28).contains(&(at - start)) || !matches!(view.get(start)?, b'M' | b'N' | b'O') {
        return None;
    }
    let middle = view.run(at + 1, &URL64, 6);
    if middle.unfinished || (view.open && second >= view.bytes.len()) {
        return open(Id::discord_token, start);
    }
    if middle.end != second {
        return None;
    }
    let last = view.run(second + 1, &URL64, 41);
    if last.unfinished {
        return open(Id::discord_token, start);
    }
    let varied = entropy(view.slice(start, last.end)) >= 3.8;
    ((27..=40).contains(&(last.end - second - 1)) && varied)
        .then(|| found(Id::discord_token, start, last.end, 0.9))
        .flatten()
}

/// 32 hexadecimal digits and a data centre: `…-us12`.
fn mailchimp(view: View<'_>, at: usize) -> Option<Candidate> {
    let start = view.run_back(at, &HEX, 33);
    if !view.starts(at, b"-us") || at - start != 32 || !view.token_may_start(start) {
        return None;
    }
    let centre = view.run(at + 3, &WORD, 3);
    if centre.unfinished {
        return open(Id::mailchimp_api_key, start);
    }
    let digits = view.slice(at + 3, centre.end);
    let right = (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    (right && !dummy(view.slice(start, at))).then(|| found(Id::mailchimp_api_key, start, centre.end, 0.92)).flatten()
}

/// Three characters, a digit, `Q~`, and 31 to 34 more.
fn azure_client_secret(view: View<'_>, at: usize) -> Option<Candidate> {
    let start = at.checked_sub(4)?;
    let head = view.slice(start, at);
    let bounded = view.before(start).is_none_or(|byte| !AZURE.has(byte));
    if !view.starts(at, b"Q~") || !head[3].is_ascii_digit() || !head.iter().all(|&byte| AZURE.has(byte)) || !bounded {
        return None;
    }
    let body = view.run(at + 2, &AZURE, 35);
    if body.unfinished {
        return open(Id::azure_client_secret, start);
    }
    let text = view.slice(at + 2, body.end);
    let right = (31..=34).contains(&text.len()) && entropy(text) >= 3.3 && !dummy(text);
    right.then(|| found(Id::azure_client_secret, start, body.end, 0.95)).flatten()
}

/// An app's number, a bar, 27 characters.
fn facebook(view: View<'_>, at: usize) -> Option<Candidate> {
    let start = view.run_back(at, &DIGIT, 18);
    if !(15..=16).contains(&(at - start)) || !view.token_may_start(start) {
        return None;
    }
    let body = view.run(at + 1, &URL64, 28);
    if body.unfinished {
        return open(Id::facebook_token, start);
    }
    let text = view.slice(at + 1, body.end);
    (text.len() == 27 && random(text, 20)).then(|| found(Id::facebook_token, start, body.end, 0.9)).flatten()
}

/// `scheme://user:password@host`; the password alone is the hit. Also a token in the place of the user.
fn url_password(view: View<'_>, at: usize) -> Option<Candidate> {
    if !view.before(at)?.is_ascii_alphanumeric() {
        return None;
    }
    let start = at + 3;
    let authority = view.run(start, &AUTHORITY, 300);
    if authority.unfinished {
        return open(Id::url_password, start);
    }
    let text = view.slice(start, authority.end);
    let sign = text.iter().rposition(|&byte| byte == b'@')?;
    let (user_info, host) = (&text[..sign], &text[sign + 1..]);
    if host.is_empty() || host.starts_with(b"sha256:") || user_info.contains(&b'@') && !user_info.contains(&b':') {
        return None;
    }
    let Some(colon) = user_info.iter().position(|&byte| byte == b':') else {
        return random(user_info, 20).then(|| found(Id::url_password, start, start + sign, 0.8)).flatten();
    };
    let (user, password) = (&user_info[..colon], &user_info[colon + 1..]);
    if password.len() < 3 || stands_for_something(password) || user == password {
        return None;
    }
    let local = [&b"localhost"[..], b"127.0.0.1", b"example", b"host"].iter().any(|name| host.starts_with(name));
    found(Id::url_password, start + colon + 1, start + sign, if local { 0.7 } else { 0.9 })
}

/// `Bearer` and something random.
fn bearer(view: View<'_>, at: usize) -> Option<Candidate> {
    let start = after_spaces(view, at + 6)?;
    if !view.token_may_start(at) {
        return None;
    }
    let token = view.run(start, &BEARER, 4096);
    if token.unfinished {
        return open(Id::bearer_token, start);
    }
    let end = start + trim_end(view.slice(start, token.end)).len();
    random(view.slice(start, end), 16).then(|| found(Id::bearer_token, start, end, 0.8)).flatten()
}

/// `Basic` and the Base64 of `user:password`.
fn basic(view: View<'_>, at: usize) -> Option<Candidate> {
    let start = after_spaces(view, at + 5)?;
    let token = view.run(start, &ANY64, 512);
    if token.unfinished {
        return open(Id::basic_auth_header, start);
    }
    let text = view.slice(start, token.end);
    if text.len() < 8 {
        return None;
    }
    // A character that was mistyped or replaced still leaves most of it readable.
    let decoded = checksum::base64(text)?;
    let readable = decoded.iter().filter(|byte| byte.is_ascii_graphic() || **byte == b' ').count();
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    if readable * 10 < decoded.len() * 9 || stands_for_something(&decoded[colon + 1..]) && colon + 1 < decoded.len() {
        return None;
    }
    found(Id::basic_auth_header, start, token.end, 0.9)
}

/// `curl -u user:password`, with any quoting.
fn command_line(view: View<'_>, at: usize) -> Option<Candidate> {
    let option = if view.starts(at, b" -u") { 3 } else { 6 };
    let command = view.slice(at.saturating_sub(BACK), at);
    if !contains(command, b"curl") && !contains(command, b"http") && !contains(command, b"wget") {
        return None;
    }
    let mut start = at + option;
    while matches!(view.get(start), Some(b' ' | b'=')) && start < at + option + 3 {
        start += 1;
    }
    let (mut quote, mut end, mut colon) = (None, start, None);
    while let Some(byte) = view.get(end).filter(|_| end < start + 200) {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, _) if byte.is_ascii_whitespace() || byte == b'\\' => break,
            (_, b'\n') => break,
            (_, b':') => colon = colon.or(Some(end)),
            _ => {}
        }
        end += 1;
    }
    if end >= start + 200 {
        return None;
    }
    if view.open && end == view.bytes.len() {
        return open(Id::command_line_password, start);
    }
    let quotes = |byte: &u8| matches!(byte, b'"' | b'\'');
    let clean = |text: &[u8]| text.iter().copied().filter(|byte| !quotes(byte)).collect::<Vec<u8>>();
    let (user, password) = (clean(view.slice(start, colon?)), clean(view.slice(colon? + 1, end)));
    let strong = |text: &[u8], shortest: usize| {
        let has = |test: fn(&u8) -> bool| text.iter().any(test);
        let mixed = has(u8::is_ascii_alphabetic) && (has(u8::is_ascii_digit) || has(|byte| b"!@#%^&*~".contains(byte)));
        text.len() >= shortest && mixed && !stands_for_something(text)
    };
    if strong(&password, 5) {
        let skipped = view.slice(colon? + 1, end).iter().take_while(|byte| quotes(byte)).count();
        let trailing = view.slice(start, end).iter().rev().take_while(|byte| quotes(byte)).count();
        return found(Id::command_line_password, colon? + 1 + skipped, end - trailing, 0.85);
    }
    let skipped = view.slice(start, end).iter().take_while(|byte| quotes(byte)).count();
    (password.is_empty() && strong(&user, 10))
        .then(|| found(Id::command_line_password, start + skipped, colon?, 0.8))
        .flatten()
}

/// The signature of an Azure address; the fields that it signs stand before it.
fn shared_access_signature(view: View<'_>, at: usize) -> Option<Candidate> {
    let fields = view.slice(at.saturating_sub(BACK), at);
    if !contains(fields, b"sv=") && !contains(fields, b"se=") && !contains(fields, b"sr=") {
        return None;
    }
    let start = at + 4;
    let signature = view.run(start, &PERCENT64, 120);
    if signature.unfinished {
        return open(Id::azure_sas_token, start);
    }
    let text = view.slice(start, signature.end);
    let ends = text.ends_with(b"=") || text.to_ascii_lowercase().ends_with(b"%3d");
    (text.len() >= 43 && ends && entropy(text) > 3.5)
        .then(|| found(Id::azure_sas_token, start, signature.end, 0.92))
        .flatten()
}

/// Where the next word starts, if one to four spaces stand here.
fn after_spaces(view: View<'_>, at: usize) -> Option<usize> {
    let mut start = at;
    while view.get(start) == Some(b' ') && start < at + 4 {
        start += 1;
    }
    (start > at && start < view.bytes.len()).then_some(start)
}

/// Without the full stop of a sentence.
pub(super) fn trim_end(text: &[u8]) -> &[u8] {
    let dots = text.iter().rev().take_while(|&&byte| matches!(byte, b'.' | b',' | b':' | b';')).count();
    &text[..text.len() - dots]
}

/// Whether it is a variable, a template or a word that says "your password here".
pub(super) fn stands_for_something(text: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"password",
        b"passwd",
        b"pass",
        b"pwd",
        b"secret",
        b"token",
        b"user",
        b"username",
        b"test",
        b"admin",
        b"root",
        b"key",
        b"apikey",
        b"pw",
        b"mypass",
        b"mypassword",
        b"mysecretpassword",
        b"yyy",
        b"port",
        b"credentials",
        b"postgres",
        b"guest",
        b"changeme",
        b"database",
        b"string",
        b"none",
        b"null",
        b"undefined",
        b"true",
        b"false",
    ];
    let opens = matches!(text.first(), None | Some(b'$' | b'{' | b'<' | b'%' | b'[' | b'*' | b'(' | b'@'));
    let holds = [&b"${"[..], b"{{", b"$(", b"#{", b"<%", b"__", b"%s", b"..."].iter().any(|mark| contains(text, mark));
    let word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    opens || holds || word || dummy(text) || (text.first() == text.last() && text.first() == Some(&b'#'))
}

/// Where a token may start whose kind can be told only further on, given the end of an open text:
/// numbers (Telegram, Facebook), hexadecimal digits (Mailchimp), `M`, `N`, `O` (Discord), a digit at
/// the end of a word (Azure). Everything from there on is held back.
pub(super) fn loose_start(view: View<'_>) -> usize {
    let end = view.bytes.len();
    let mut hold = end;
    let digits = view.run_back(end, &DIGIT, 17);
    if digits < end && end - digits <= 16 {
        hold = hold.min(digits);
    }
    // Half of `:AA`, half of `-us`.
    for (class, most, tails) in
        [(&DIGIT, 16, &[&b":"[..], b":A", b":a", b":aa", b":Aa", b":aA"][..]), (&HEX, 32, &[b"-", b"-u"])]
    {
        for tail in tails {
            if view.bytes.ends_with(tail) {
                hold = hold.min(view.run_back(end - tail.len(), class, most));
            }
        }
    }
    let hex = view.run_back(end, &HEX, 33);
    if hex < end && end - hex <= 32 && view.token_may_start(hex) {
        hold = hold.min(hex);
    }
    let word = view.run_back(end, &URL64, 29);
    if word < end && end - word <= 28 && matches!(view.bytes[word], b'M' | b'N' | b'O') {
        hold = hold.min(word);
    }
    let azure = match view.bytes {
        [.., b'0'..=b'9'] => 4,
        [.., b'0'..=b'9', b'Q' | b'q'] => 5,
        _ => 0,
    };
    if azure > 0 && end >= azure && view.slice(end - azure, end).iter().all(|&byte| AZURE.has(byte)) {
        hold = hold.min(end - azure);
    }
    hold
}
