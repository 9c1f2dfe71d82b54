//! Scanners and the stream window on any text, cut anywhere: no panic, offsets on characters, the same findings whole and
//! in parts, the same text out of a window as out of a check. And what a remote check answers, and a model that repeats placeholders.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_guard::{Answers, Guard, GuardConfig, Hit, Scanner, Text, Vocabulary, format, registry};

/// The first byte says how often the text is cut; as many say where.
fn read(bytes: &[u8]) -> Option<(Vec<usize>, String)> {
    let (&count, rest) = bytes.split_first()?;
    let count = usize::from(count % 8);
    let (places, text) = rest.split_at_checked(count)?;
    let text = String::from_utf8_lossy(text).into_owned();
    let mut cuts: Vec<usize> =
        places.iter().map(|&place| text.floor_char_boundary(text.len() * usize::from(place) / 255)).collect();
    cuts.sort_unstable();
    cuts.push(text.len());
    Some((cuts, text))
}

fn whole(scanner: &dyn Scanner, text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    assert_eq!(scanner.scan(Text::whole(text), &mut hits), text.len());
    assert!(hits.is_sorted_by(|a, b| a.end <= b.start), "sorted, no overlaps");
    assert!(hits.iter().all(|hit| hit.start < hit.end && text.get(hit.start..hit.end).is_some()));
    hits
}

fn in_parts(scanner: &dyn Scanner, text: &str, cuts: &[usize]) -> Vec<Hit> {
    let (mut settled, mut found) = (0_usize, Vec::new());
    for (at, &cut) in cuts.iter().enumerate() {
        let base = text.floor_char_boundary(settled.saturating_sub(scanner.about().lookback));
        let mut hits = Vec::new();
        let open = at + 1 < cuts.len();
        let now = base + scanner.scan(Text::part(&text[base..cut], settled - base, open), &mut hits);
        assert!(now >= settled && cut - now <= scanner.about().hold);
        found.extend(hits.into_iter().map(|hit| Hit { start: hit.start + base, end: hit.end + base, ..hit }));
        settled = now;
    }
    found
}

fuzz_target!(|bytes: &[u8]| {
    let Some((cuts, text)) = read(bytes) else { return };
    for scanner in registry::ALL {
        assert_eq!(in_parts(*scanner, &text, &cuts), whole(*scanner, &text), "{}", scanner.about().name);
    }
    let Ok(guard) = Guard::compile(&GuardConfig::default()) else { return };
    let check = guard.check(signalbox_types::Place::Output, &text);
    let mut window = guard.window(signalbox_types::Place::Output);
    let (mut out, mut before) = (String::new(), 0);
    for cut in cuts {
        out += &window.push(&text[before..cut]).text;
        before = cut;
    }
    out += &window.finish().text;
    assert_eq!(out, check.redacted.unwrap_or_else(|| text.clone()));
    for judgement in format::read(bytes, &[&text]).into_iter().flatten() {
        assert!(judgement.spans.iter().all(|(range, _)| text.get(range.clone()).is_some_and(|found| !found.is_empty())));
    }
    for answers in [Answers::of_whole_texts(), Answers::of_running_texts()] {
        let (mut at, mut pieces) = (0, String::new());
        while let Some(end) = answers.piece(&text, at, false) {
            pieces += &text[at..end];
            at = end;
        }
        assert_eq!(pieces, text);
    }
    let mut vocabulary = Vocabulary::default();
    vocabulary.token("email", "a\"b");
    vocabulary.restore(&text, true);
});
