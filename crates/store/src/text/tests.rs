//! What the index finds is what the texts themselves say.

use proptest::prelude::*;
use roaring::RoaringBitmap;
use signalbox_text::{Matcher, TextQuery};

use super::build::Builder;
use super::index::TextIndex;

/// An index of these rows in a file of its own.
fn index(rows: &[Vec<String>]) -> (tempfile::TempDir, TextIndex) {
    let dir = tempfile::tempdir().unwrap();
    let mut builder = Builder::new(Vec::new());
    for row in rows {
        builder.row(&row.join("\0")).unwrap();
    }
    std::fs::write(dir.path().join("1.index"), builder.finish().unwrap()).unwrap();
    let index = TextIndex::open(dir.path(), "1.index").unwrap();
    (dir, index)
}

fn read(rows: &[Vec<String>], query: &TextQuery) -> RoaringBitmap {
    let mut matcher = Matcher::new(query);
    let mut found = RoaringBitmap::new();
    for (number, row) in (0..).zip(rows) {
        matcher.start();
        row.iter().for_each(|text| matcher.read(text));
        if matcher.matches() {
            found.insert(number);
        }
    }
    found
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a1",
        "b2",
        "late",
        "later",
        "parcel",
        "order_4711",
        "foo.bar",
        "4711",
        "東京都",
        "京都",
        "猫",
        "GPT模型v2",
        "ทดสอบ",
        "한국어",
        "Zürich",
        "zu\u{308}rich",
        "👍",
        "-",
        "OR",
        "don't",
        "LATE",
    ])
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 0..8).prop_map(|words| words.join(" "))
}

fn search() -> impl Strategy<Value = String> {
    let part = (prop::sample::select(vec!["", "", "-"]), prop::collection::vec(word(), 1..4), 0..5_u8);
    let part = part.prop_map(|(sign, words, form)| match form {
        0 => format!("{sign}\"{}\"", words.join(" ")),
        1 => format!("{sign}\"{}*\"", words.join(" ")),
        2 => format!("{sign}{}*", words[0]),
        3 => format!("{} OR {sign}{}", words[0], words[words.len() - 1]),
        _ => format!("{sign}{}", words[0]),
    });
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_what_the_texts_say(
        rows in prop::collection::vec(prop::collection::vec(text(), 0..3), 0..30),
        searches in prop::collection::vec(search(), 10),
    ) {
        let (_dir, index) = index(&rows);
        prop_assert_eq!(index.rows() as usize, rows.len());
        for search in searches {
            let Ok(query) = TextQuery::parse(&search) else { continue };
            let expected = read(&rows, &query);
            let found = index.search(&query).unwrap();
            prop_assert!(expected.is_subset(&found), "{} in {:?}: {:?}", search, rows, found);
            if query.is_of_words() {
                prop_assert_eq!(&found, &expected, "{} in {:?}", search, rows);
            }
        }
    }
}

#[test]
fn a_damaged_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut builder = Builder::new(Vec::new());
    builder.row("some text").unwrap();
    let whole = builder.finish().unwrap();
    for length in 0..whole.len() {
        std::fs::write(dir.path().join("1.index"), &whole[..length]).unwrap();
        assert!(TextIndex::open(dir.path(), "1.index").is_err(), "{length} bytes");
    }
    assert!(TextIndex::open(dir.path(), "2.index").is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound));
}

/// Figures, not a test: `-- --ignored --nocapture text_speed`.
#[test]
#[ignore = "takes a minute; prints figures"]
fn text_speed() {
    const ROWS: u32 = 200_000;
    let words: Vec<String> =
        (0..60_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 36)).collect();
    let mut state = 1_u64;
    // Words of a language: the n-th is used one n-th as often as the first.
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let fraction = (state >> 11) as f64 / (1_u64 << 53) as f64;
        (60_000_f64.powf(fraction) as usize).min(59_999)
    };
    let mut builder = Builder::new(Vec::new());
    let (mut bytes, mut took) = (0, std::time::Duration::ZERO);
    for row in 0..ROWS {
        let text = (0..150).map(|_| words[next()].as_str()).collect::<Vec<_>>().join(" ");
        let text = format!("{text} order_{row}");
        bytes += text.len();
        let began = std::time::Instant::now();
        builder.row(&text).unwrap();
        took += began.elapsed();
    }
    let began = std::time::Instant::now();
    let index = builder.finish().unwrap();
    took += began.elapsed();
    println!(
        "built at {:.1} MB/s, {:.0} % of {} MB",
        bytes as f64 / 1e6 / took.as_secs_f64(),
        index.len() as f64 * 100.0 / bytes as f64,
        bytes >> 20
    );
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("1.index"), index).unwrap();
    let began = std::time::Instant::now();
    let index = TextIndex::open(dir.path(), "1.index").unwrap();
    println!("opened in {:.2} ms", began.elapsed().as_secs_f64() * 1e3);
    for search in [
        "order_177777".to_owned(),
        words[0].clone(),
        format!("{} {}", words[1], words[2]),
        format!("\"{} {}\"", words[1], words[2]),
        format!("{} order_1777*", words[1]),
        "ab*".to_owned(),
        format!("{} -{}", words[20_000], words[0]),
    ] {
        let query = TextQuery::parse(&search).unwrap();
        let began = std::time::Instant::now();
        let found = index.search(&query).unwrap().len();
        println!("{search}: {:.2} ms, {found} rows", began.elapsed().as_secs_f64() * 1e3);
    }
}
