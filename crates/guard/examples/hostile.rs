//! How long scanners take for texts that make careless ones look at everything again and again: milliseconds for
//! a megabyte, the slowest texts first. `cargo run --release -p signalbox-guard --example hostile [scanner …] [text=…]`
#![expect(clippy::print_stdout, reason = "the output of a command line tool")]

use std::hint::black_box;
use std::time::Instant;

use signalbox_guard::{Notes, Text, registry};

const SIZE: usize = 1 << 20;

/// Halves of what scanners look for. Texts are made of one of them, and of all in a random order.
const PIECES: &[&str] = &[
    "' or ",
    "' or '",
    "' or 1=",
    "\" and (",
    "1 union ",
    "select (",
    ";id;",
    "; cat /",
    "on=\"",
    "<img onx=",
    "<script>",
    "{{7",
    "{{7{{a",
    "${a",
    "../",
    "..%2f",
    "%27%20or%20",
    "&#x6a",
    ")(|",
    "$ne:",
    "<!entity a ",
    "http://127.",
    "1 1 1 ",
    "1.1.1.1 ",
    "11 11 11 11 ",
    "123 456 ",
    "0123 4567 ",
    "12345678901 ",
    "+49 30 1 ",
    "+49 30 1234567 ",
    "(212) 555 ",
    "phone 123-",
    "phone 123 4567 ",
    "4111 1111 1111 ",
    "DE89 3704 ",
    "a@",
    "a@b.c",
    "a@b.co ",
    "::1 ",
    "1:2:3::",
    "12/12/1990 ",
    "born 12/12/1990",
    "12 Aa Bb ",
    "1AAAAAAAAAAAAAAAAAAAAAAAAAAA ",
    "bc1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq ",
    "AB 12 34 56 C",
    "key=",
    "key=\"",
    "api_key: ",
    "password is ",
    "token: \"",
    "secret_key=a1b2c3d4e5f6g7 ",
    "-----BEGIN PRIVATE KEY-----",
    "eyJhbGciOiJIUzI1NiJ9.",
    "://a:",
    "://a:b@c ",
    "curl -u a:",
    "sk-",
    "bearer ",
    "123456789:AA",
    "sig=sv=",
    ".",
    ".aaaaaa.",
    "M.",
    "\u{200B}",
    "а",
    "аb",
    "ab а",
    "\u{1B}[",
    "\u{300}",
    "Ａ",
    "е\u{301}",
    "http://a.b/",
    "![](http://a.b?",
    "xn--",
    "(",
    "\"",
    "a",
    " ",
    "é",
    "忽",
];

fn main() {
    let (texts_named, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("text="));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        usize::try_from(state >> 40).unwrap_or_default()
    };
    let mut mixed = String::new();
    while mixed.len() < SIZE {
        mixed.push_str(PIECES[random() % PIECES.len()]);
    }
    let mut texts: Vec<(String, String)> =
        PIECES.iter().map(|piece| (format!("{piece:?}"), piece.repeat(SIZE / piece.len()))).collect();
    texts.push(("all mixed".to_owned(), mixed));
    for (name, alphabet) in [
        ("random digits", "0123456789 "),
        ("random digits and signs", "0123456789 -./+():"),
        ("random hex", "0123456789abcdef"),
        ("random base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
        ("random ASCII", "ABCDEFabcdefghijklmnopqrstuvwxyz0123456789 !\"#$%&'()*+,-./:;<=>?@[]^_`{|}~\n"),
        ("random letters", "abcdefghijklmnopqrstuvwxyz     "),
        ("random quotes", "'\"()=;|&- or1"),
    ] {
        let letters: Vec<char> = alphabet.chars().collect();
        texts.push((name.to_owned(), (0..SIZE).map(|_| letters[random() % letters.len()]).collect()));
    }
    let prose = "The express to Leeds was 4 minutes late on Monday at 8:15; nobody passes a signal at danger. ";
    texts.push(("prose".to_owned(), prose.repeat(SIZE / prose.len())));
    texts.retain(|(name, _)| {
        texts_named.is_empty() || texts_named.iter().any(|wanted| wanted.strip_prefix("text=") == Some(name.as_str()))
    });
    for scanner in registry::ALL {
        let name = scanner.about().name;
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        let mut hits = Vec::new();
        let mut rows: Vec<(f64, &str)> = texts
            .iter()
            .map(|(name, text)| {
                let best = (0..2)
                    .map(|_| {
                        hits.clear();
                        let notes = Notes::default();
                        let start = Instant::now();
                        scanner.scan(Text::whole(black_box(text)).noted(&notes), &mut hits);
                        black_box(&hits);
                        start.elapsed().as_secs_f64() * 1e3
                    })
                    .fold(f64::INFINITY, f64::min);
                (best, name.as_str())
            })
            .collect();
        let plain = rows.last().map_or(0.0, |(ms, _)| *ms);
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        println!("{name}: prose {plain:.1} ms");
        for (ms, text) in rows.iter().take(12) {
            println!("  {ms:8.1} ms  {text}");
        }
    }
}
