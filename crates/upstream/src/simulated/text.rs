//! Words: random numbers, tokens, and answers that look natural.

use std::collections::HashSet;

/// SplitMix64 (Steele, Lea, Flood 2014): small, quick, and the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let place = self.below(from.len() as u64) as usize;
        from.get(place).copied().unwrap_or_default()
    }
}

/// A digest of texts. Quick, and not for anything that must withstand malice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x51_67_6e_61_6c_62_6f_78)
    }

    pub(crate) fn add(&mut self, text: &str) {
        let mut chunks = text.as_bytes().chunks_exact(8);
        for chunk in &mut chunks {
            self.mix(chunk.try_into().map_or(0, u64::from_le_bytes));
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(chunks.remainder()) {
            *to = *from;
        }
        self.mix(u64::from_le_bytes(last));
        self.mix(text.len() as u64);
    }

    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 29;
    }

    pub(crate) fn finish(self) -> u64 {
        Random::new(self.0).next()
    }
}

/// The output tokens of a text: white space goes with the word after it, and long words are several.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    const MAX_CHARS: usize = 7;
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut letters = 0;
        let end = rest.char_indices().find(|(_, c)| {
            let stops = letters == MAX_CHARS || (c.is_whitespace() && letters > 0);
            letters += usize::from(!c.is_whitespace());
            stops
        });
        let (piece, after) = rest.split_at(end.map_or(rest.len(), |(place, _)| place));
        rest = after;
        Some(piece)
    })
}

/// The text up to so many tokens, and how many it has.
pub(crate) fn cut(text: &str, tokens: u64) -> (&str, u64) {
    let mut end = 0;
    let mut count = 0;
    for piece in pieces(text) {
        if count == tokens {
            break;
        }
        count += 1;
        end += piece.len();
    }
    (text.split_at(end).0, count)
}

/// About how many tokens an input has.
pub(crate) fn estimate(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4)
}

const STOP_WORDS: &[&str] = &[
    "about",
    "after",
    "also",
    "analyse",
    "analyze",
    "answer",
    "based",
    "because",
    "before",
    "being",
    "below",
    "best",
    "between",
    "both",
    "briefly",
    "check",
    "compare",
    "context",
    "could",
    "create",
    "describe",
    "difference",
    "documents",
    "does",
    "doing",
    "each",
    "explain",
    "find",
    "following",
    "from",
    "generate",
    "give",
    "good",
    "have",
    "having",
    "hello",
    "help",
    "here",
    "into",
    "just",
    "know",
    "large",
    "like",
    "list",
    "long",
    "make",
    "more",
    "most",
    "name",
    "need",
    "note",
    "only",
    "other",
    "over",
    "paragraph",
    "please",
    "provide",
    "question",
    "recent",
    "recommend",
    "review",
    "same",
    "sentence",
    "sentences",
    "should",
    "show",
    "small",
    "some",
    "such",
    "suggest",
    "summarise",
    "summarize",
    "summary",
    "tell",
    "than",
    "thank",
    "thanks",
    "that",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "through",
    "today",
    "translate",
    "under",
    "until",
    "user",
    "using",
    "very",
    "want",
    "were",
    "what",
    "when",
    "where",
    "which",
    "while",
    "will",
    "with",
    "work",
    "working",
    "works",
    "would",
    "write",
    "your",
    "yours",
];

/// The words that a text is about, first ones first.
pub(crate) fn keywords(text: &str, most: usize) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::with_capacity(most);
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '\'');
    for word in words.take(400) {
        let word = word.trim_matches(['-', '\'']);
        let is_new = !found.iter().any(|other| other.eq_ignore_ascii_case(word));
        if word.len() >= 4
            && word.len() <= 24
            && is_new
            && !STOP_WORDS.iter().any(|stop| stop.eq_ignore_ascii_case(word))
        {
            found.push(word);
            if found.len() == most {
                break;
            }
        }
    }
    found
}

const OPENERS: &[&str] = &[
    "Here is how I would look at {a}.",
    "Good question: {a} comes down to a few points.",
    "In short, {a} and {b} belong together.",
    "Let me go through {a} step by step.",
    "The short answer about {a} is yes, with one caveat.",
    "It depends mostly on {a}, and a little on {b}.",
    "Thanks for the details about {a}.",
    "There are two things to know about {a}.",
];
const BODIES: &[&str] = &[
    "Start with {a}, because everything else depends on it.",
    "Most people who look into {b} find that the defaults already work well.",
    "If {c} matters to you, check it before you change anything else.",
    "A common mistake is to treat {a} and {b} as the same thing.",
    "You can try this on a small example of {c} first and compare the results.",
    "The usual trade-off is between how quick {b} is and how much it costs.",
    "Keep a note of what {a} looked like before, so that you can go back.",
    "When {c} changes, it is worth measuring {a} again.",
    "For {b}, two or three attempts are normally enough.",
    "The documentation describes {a} in more depth, including the less common cases.",
    "That said, {c} is rarely the bottleneck in practice.",
    "Once {a} is in place, {b} follows without much extra work.",
    "It also helps to agree on what a good result for {c} would be.",
    "Teams often review {b} once a week and adjust it in small steps.",
    "Be careful with {a} when several people work on it at once.",
    "In the end {c} should be easy to explain to somebody new.",
    "One practical approach is to write down {b} and remove what isn't needed.",
    "Compared with last year, {a} has become much simpler.",
    "You don't have to decide about {c} right away.",
    "The numbers for {b} vary, but the direction is clear.",
];
const CLOSERS: &[&str] = &[
    "Let me know if you would like an example.",
    "Shall I go into more detail on {a}?",
    "I hope that makes {b} clearer.",
    "That should be enough to get started.",
    "Feel free to ask about {c} as well.",
    "If something looks off, share the details and I will take another look.",
];
const FALLBACK: &[&str] = &["the request", "the details", "the next step", "the plan", "the result", "the overview"];

fn fill(out: &mut String, template: &str, topics: &[&str], random: &mut Random) {
    if !out.is_empty() {
        out.push(' ');
    }
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((slot, after)) = after.split_once('}') else { break };
        let place = match slot {
            "a" => 0,
            "b" => 1,
            _ => 2,
        };
        out.push_str(topics.get(place).copied().unwrap_or_else(|| random.pick(FALLBACK)));
        rest = after;
    }
    out.push_str(rest);
}

/// About so many tokens of prose around the topics, which begins after what `out` holds already.
pub(crate) fn prose(out: &mut String, topics: &[&str], tokens: u64, random: &mut Random) {
    // About five bytes a token, the space included.
    let wanted = usize::try_from(tokens.saturating_mul(5)).unwrap_or(usize::MAX).min(4 << 20);
    out.reserve(wanted.min(1 << 16) + 120);
    if out.is_empty() {
        fill(out, random.pick(OPENERS), topics, random);
    }
    let mut place = random.below(BODIES.len() as u64) as usize;
    let mut turn = 0;
    while out.len() + 60 < wanted {
        // Another topic first each time, so that no sentence comes twice too soon.
        let rotated = [0, 1, 2].map(|slot| topics.get((slot + turn) % topics.len().max(1)).copied().unwrap_or("it"));
        let topics = if topics.is_empty() { &[] } else { &rotated[..] };
        fill(out, BODIES.get(place % BODIES.len()).copied().unwrap_or_default(), topics, random);
        place += 7;
        turn += 1;
    }
    if out.len() < wanted {
        fill(out, random.pick(CLOSERS), topics, random);
    }
}

/// The sentences of a context that say most about a question, in their order.
pub(crate) fn quotes<'a>(context: &'a str, question: &str, most: usize) -> Vec<&'a str> {
    let wanted: HashSet<String> = keywords(question, 12).into_iter().map(stem).collect();
    let mut scored: Vec<(usize, usize, &str)> = sentences(context)
        .take(400)
        .enumerate()
        .filter(|(_, sentence)| (20..400).contains(&sentence.len()))
        .map(|(place, sentence)| {
            let words: HashSet<String> = keywords(sentence, 40).into_iter().map(stem).collect();
            (words.intersection(&wanted).count(), place, sentence)
        })
        .filter(|(score, ..)| *score > 0)
        .collect();
    scored.sort_by_key(|(score, place, _)| (std::cmp::Reverse(*score), *place));
    scored.truncate(most);
    scored.sort_by_key(|(_, place, _)| *place);
    scored.into_iter().map(|(_, _, sentence)| sentence).collect()
}

/// Words that differ only in their ending count as the same.
fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    word.chars().take(6).collect::<String>().trim_end_matches('s').to_owned()
}

/// The sentences of a text, without marks of lists and headings. A full stop within a number or name ends none.
pub(crate) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let raw = std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut chars = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((place, c)) = chars.next() {
            let before_space = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
            if c == '\n' || (matches!(c, '.' | '!' | '?') && before_space) {
                end = place + c.len_utf8();
                break;
            }
        }
        let (sentence, after) = rest.split_at(end);
        rest = after;
        Some(sentence)
    });
    raw.map(|sentence| without_marks(sentence.trim())).filter(|sentence| !sentence.is_empty())
}

/// Without what makes a line a heading, an item of a list, or a numbered source (`[1]`, `(2)`).
fn without_marks(line: &str) -> &str {
    let line = line.trim_start_matches(['#', '*', '-', '>', ' ']);
    let numbered = line.strip_prefix(['[', '(']).and_then(|rest| rest.split_once([']', ')']));
    match numbered {
        Some((number, rest)) if number.len() < 16 => rest.trim_start(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_text_again() {
        for text in [
            "",
            " ",
            "a",
            "Hello, wonderful world!\n\nNew  lines 🦀🦀",
            "internationalisation",
            "тест 文字文字文字文字文字",
        ] {
            assert_eq!(pieces(text).collect::<String>(), text);
        }
        assert_eq!(pieces("one two three-hundred").count(), 4);
        assert_eq!(cut("one two three", 2), ("one two", 2));
        assert_eq!(cut("one", 9), ("one", 1));
    }

    #[test]
    fn quotes_what_fits_the_question() {
        let context = "Refunds are paid within five days. Our office is in Berlin. Shipping to Norway costs ten euros.";
        assert_eq!(quotes(context, "How long does a refund take?", 1), ["Refunds are paid within five days."]);
        assert!(quotes(context, "Tell me a joke", 2).is_empty());
        let listed = "Context:\n[1] Refunds take 3.5 days on average. (doc 2) Gift cards never expire at all.\n- Returns are free of charge.";
        let all: Vec<&str> = sentences(listed).skip(1).collect();
        assert_eq!(
            all,
            ["Refunds take 3.5 days on average.", "Gift cards never expire at all.", "Returns are free of charge."]
        );
    }

    #[test]
    fn prose_has_about_the_length_and_the_topics() {
        for tokens in [20, 100, 1_000] {
            let mut text = String::new();
            prose(&mut text, &["backups", "retention"], tokens, &mut Random::new(7));
            let count = pieces(&text).count() as u64;
            assert!(count > tokens / 2 && count < tokens * 2, "{tokens}: {count}");
            assert!(text.contains("backups"), "{text}");
        }
    }
}
