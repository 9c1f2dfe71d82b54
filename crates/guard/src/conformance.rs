//! What every scanner must keep, whatever it looks for. A scanner's tests call [`run`].

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::registry;
use crate::scanner::{Hit, Scanner, Text};

/// Lines of a scanner's `data/*.jsonl`: `{"text", "rule"?}`.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Sample {
    pub(crate) text: String,
    pub(crate) rule: Option<String>,
}

/// Reads samples. `{{` and `}}` are taken out: they keep whole keys out of the files, so that no scanner of
/// repositories calls.
pub(crate) fn samples(lines: &str) -> Vec<Sample> {
    lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let mut sample: Sample = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            sample.text = sample.text.replace("{{}}", "");
            sample
        })
        .collect()
}

/// Every sample of `hit` is found, by its rule where it names one; none of `miss` is.
pub(crate) fn finds_and_passes(scanner: &dyn Scanner, hit: &str, miss: &str) {
    let scan = |text: &str| {
        let mut hits = Vec::new();
        scanner.scan(Text::whole(text), &mut hits);
        hits.iter().map(|hit| (hit.rule.name, hit.confidence)).collect::<Vec<_>>()
    };
    for sample in samples(hit) {
        let found = scan(&sample.text);
        let right = |name: &str| sample.rule.as_deref().is_none_or(|rule| rule == name);
        assert!(found.iter().any(|(name, sure)| right(name) && *sure >= 0.5), "{sample:?}: {found:?}");
    }
    for sample in samples(miss) {
        let found = scan(&sample.text);
        assert!(found.iter().all(|(_, sure)| *sure < 0.5), "{sample:?}: {found:?}");
    }
}

/// Everything that any scanner's samples hold: material to build nasty texts from.
fn material() -> Vec<String> {
    let files = [
        include_str!("scanners/bias/data/hit.jsonl"),
        include_str!("scanners/gibberish/data/hit.jsonl"),
        include_str!("scanners/language/data/hit.jsonl"),
        include_str!("scanners/refusal/data/hit.jsonl"),
        include_str!("scanners/urls/data/hit.jsonl"),
        include_str!("scanners/code_injection/data/hit.jsonl"),
        include_str!("scanners/code_injection/data/miss.jsonl"),
        include_str!("scanners/invisible_chars/data/hit.jsonl"),
        include_str!("scanners/invisible_chars/data/miss.jsonl"),
        include_str!("scanners/pii/data/hit.jsonl"),
        include_str!("scanners/pii/data/miss.jsonl"),
        include_str!("scanners/prompt_injection/data/hit.jsonl"),
        include_str!("scanners/secrets/data/hit.jsonl"),
        include_str!("scanners/secrets/data/miss.jsonl"),
        include_str!("scanners/toxicity/data/hit.jsonl"),
    ];
    files.iter().flat_map(|file| samples(file)).map(|sample| sample.text).collect()
}

/// The whole suite.
pub(crate) fn run(scanner: &dyn Scanner) {
    assert!(registry::entry(scanner.about().name).is_some(), "it is listed in the registry");
    assert!(scanner.about().catches.len() > 100 && scanner.about().misses.len() > 100, "it says what it can and can't");
    let material = material();
    for text in &material {
        keeps_the_contract(scanner, text);
        for step in [1, 2, 3, 7] {
            same_when_cut(scanner, text, &(0..text.len()).step_by(step).collect::<Vec<_>>());
        }
    }
    any_text(scanner, material);
    linear(scanner);
}

/// Random texts, made of samples and of noise, cut at random.
fn any_text(scanner: &dyn Scanner, material: Vec<String>) {
    let glue =
        prop::sample::select(vec!["", " ", "\n", ".", "=", ": ", "\"", "-", "\u{200B}", "а", "@", "://", "key=", "🏴"]);
    let piece = prop_oneof![
        4 => prop::sample::select(material),
        1 => any::<String>(),
        1 => "[A-Za-z0-9_=:./@ -]{0,60}",
        1 => "[a-zA-Zа-яα-ω\u{200B}-\u{200F}\u{202A}-\u{202E}\u{FE00}-\u{FE0F}\u{E0020}-\u{E007F}\u{AD}\u{300}-\u{310}]{0,30}",
    ];
    let text = prop::collection::vec((piece, glue), 1..6)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, glue)| piece + glue).collect::<String>());
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..12);
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(text, cuts), |(text, cuts)| {
        keeps_the_contract(scanner, &text);
        let cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len().max(1))).collect();
        same_when_cut(scanner, &text, &cuts);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Hits are sorted, don't overlap, and sit on char boundaries.
fn keeps_the_contract(scanner: &dyn Scanner, text: &str) {
    let mut hits = Vec::new();
    let settled = scanner.scan(Text::whole(text), &mut hits);
    assert_eq!(settled, text.len(), "a whole text is settled to its end");
    let mut end = 0;
    for hit in &hits {
        assert!(hit.start >= end && hit.start < hit.end, "{hit:?} is sorted and not empty in {text:?}");
        assert!(text.get(hit.start..hit.end).is_some(), "{hit:?} is on char boundaries of {text:?}");
        assert!((0.0..=1.0).contains(&hit.confidence), "{hit:?}");
        assert!(hit.end - hit.start <= scanner.about().hold, "{hit:?} is not longer than what may be held");
        assert!(scanner.about().rules.contains(hit.rule), "{hit:?} has a listed rule");
        end = hit.end;
    }
}

/// Scanned in parts, with no more context than the scanner asks for, the same is found.
fn same_when_cut(scanner: &dyn Scanner, text: &str, cuts: &[usize]) {
    let mut whole = Vec::new();
    scanner.scan(Text::whole(text), &mut whole);
    let mut cuts: Vec<_> = cuts.iter().map(|&cut| text.floor_char_boundary(cut)).collect();
    cuts.sort_unstable();
    cuts.push(text.len());
    let (mut settled, mut found) = (0, Vec::new());
    let last = cuts.len();
    for (i, &cut) in cuts.iter().chain([&text.len()]).enumerate() {
        let base = text.floor_char_boundary(settled_context(settled, scanner));
        let part = text.get(base..cut).unwrap_or_default();
        let mut hits: Vec<Hit> = Vec::new();
        let now = base + scanner.scan(Text::part(part, settled - base, i < last).at(base), &mut hits);
        assert!(now >= settled && now <= cut, "it never goes back, nor past the end");
        assert!(cut - now <= scanner.about().hold, "{} bytes are held of {text:?}", cut - now);
        for hit in &mut hits {
            hit.start += base;
            hit.end += base;
            assert!(hit.start >= settled && hit.end <= now, "{hit:?} lies in what was settled");
        }
        found.extend(hits);
        settled = now;
    }
    assert_eq!(settled, text.len());
    assert_eq!(found, whole, "cut at {cuts:?}: {text:?}");
}

fn settled_context(settled: usize, scanner: &dyn Scanner) -> usize {
    settled.saturating_sub(scanner.about().lookback)
}

/// Texts that make careless scanners look at everything again and again. The bound is loose, for slow
/// machines and unoptimised code; what is quadratic would take minutes.
fn linear(scanner: &dyn Scanner) {
    let nasty = [
        "key=",
        "-----BEGIN PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.",
        "://a:",
        "token: \"",
        "curl -u a:",
        "sk-",
        "bearer ",
        "\u{200B}",
        "\u{E0041}",
        "а",
        "аb",
        "\u{1B}[",
        "\u{1B}]",
        "\u{300}",
        "Ａ",
        "password is ",
        "123456789:AA",
        "sig=sv=",
        "' or ",
        "on=\"",
        "{{7",
        "../",
        "1.1.1.1 ",
        "+49 30 1 ",
        "a@",
        "phone 123-",
        "&#x6a",
        "DE89 ",
        "http://a.b?c=",
        "![](http://a@",
        "javascript:",
        "http://xn--",
        "i can't ",
        "women are ",
        "asdf ",
        "1 1 1 ",
        "\" and (",
        "<script>",
        "Ã©",
        ".",
    ];
    for piece in nasty {
        let text = piece.repeat(200_000 / piece.len());
        let start = std::time::Instant::now();
        let mut hits = Vec::new();
        scanner.scan(Text::whole(&text), &mut hits);
        assert!(start.elapsed().as_secs() < 20, "{piece:?} takes {:?} for 200 KB", start.elapsed());
    }
}
