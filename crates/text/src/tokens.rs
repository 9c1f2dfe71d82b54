//! Text to tokens, the same for index and query.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Goes up when the same text gives other tokens.
pub const TOKENS_VERSION: u32 = 1;

/// A token is cut to so many bytes.
const TOKEN_BYTES: usize = 64;
/// Letters and digits with hardly a sign between them are base64 from this length on, not words.
const BLOB_BYTES: usize = 60;
/// In base64, two of 64 characters are signs; in paths and identifiers, far more.
const BLOB_SIGNS: usize = 16;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word of a script that puts something between words.
    Word,
    /// Two neighbouring characters of a script without spaces.
    Pair,
    /// The last character of such a run, which starts no pair.
    Last,
}

/// The tokens of a text, in order; the n-th stands at position n.
#[derive(Debug)]
pub struct Tokens<'a> {
    text: &'a str,
    /// Everything before it is done.
    at: usize,
    /// What was looked at for base64 ends here.
    looked_until: usize,
    run: Run,
    token: String,
    source: Range<usize>,
    kind: Kind,
}

/// A run of word characters that are not all ASCII, being emitted piece by piece.
#[derive(Debug, Default)]
struct Run {
    folded: String,
    /// For each character of `folded`: where it ends there, and what it comes from in the text.
    chars: Vec<(usize, Range<usize>)>,
    pieces: Vec<Piece>,
    next: usize,
}

#[derive(Debug)]
struct Piece {
    /// Of `folded`.
    bytes: Range<usize>,
    source: Range<usize>,
    kind: Kind,
}

impl<'a> Tokens<'a> {
    /// The tokens of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, looked_until: 0, run: Run::default(), token: String::new(), source: 0..0, kind: Kind::Word }
    }

    /// Goes to the next token; false when there is none.
    pub fn advance(&mut self) -> bool {
        if self.next_piece() {
            return true;
        }
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if byte.is_ascii() {
                if !byte.is_ascii_alphanumeric() {
                    self.at += 1;
                    continue;
                }
                let start = self.at;
                if let Some(end) = self.blob(start) {
                    self.take_blob(start, end);
                    return true;
                }
                let end = ascii_end(bytes, start);
                let goes_on = bytes.get(end).is_some_and(|byte| !byte.is_ascii()) && self.word_char_at(end).is_some();
                if !goes_on {
                    self.take_ascii(start, end);
                    return true;
                }
            } else if self.word_char_at(self.at).is_none() {
                self.at += self.char_at(self.at).map_or(1, char::len_utf8);
                continue;
            }
            self.read_run();
            if self.next_piece() {
                return true;
            }
        }
        false
    }

    /// The token: lower case, normalised.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Where it stands in the text, in bytes.
    #[must_use]
    pub fn source(&self) -> Range<usize> {
        self.source.clone()
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    fn word_char_at(&self, at: usize) -> Option<char> {
        self.char_at(at).filter(|&char| is_word(char))
    }

    fn take_ascii(&mut self, start: usize, end: usize) {
        self.token.clear();
        self.token.push_str(self.text.get(start..end.min(start + TOKEN_BYTES)).unwrap_or_default());
        self.token.make_ascii_lowercase();
        (self.source, self.kind, self.at) = (start..end, Kind::Word, end);
    }

    /// Where the base64 that starts here ends, if it is some.
    fn blob(&mut self, start: usize) -> Option<usize> {
        if start < self.looked_until {
            return None;
        }
        let bytes = self.text.as_bytes().get(start..)?;
        // Most words end long before it could be one.
        let short = bytes.iter().take(BLOB_BYTES).position(|&byte| !is_blob(byte));
        if let Some(end) = short {
            self.looked_until = start + end;
            return None;
        }
        let end = bytes.iter().position(|&byte| !is_blob(byte)).unwrap_or(bytes.len());
        self.looked_until = start + end;
        let signs = bytes.iter().take(end).filter(|byte| !byte.is_ascii_alphanumeric()).count();
        (end >= BLOB_BYTES && signs * BLOB_SIGNS <= end).then_some(start + end)
    }

    /// One token for a blob, and for the lines of it that follow.
    fn take_blob(&mut self, start: usize, end: usize) {
        self.token.clear();
        self.token.push_str(self.text.get(start..end.min(start + TOKEN_BYTES)).unwrap_or_default());
        self.token.make_ascii_lowercase();
        let (mut until, bytes) = (end, self.text.as_bytes());
        loop {
            let space = bytes.iter().skip(until).take_while(|byte| byte.is_ascii_whitespace()).count();
            match self.blob(until + space) {
                Some(end) if space > 0 => until = end,
                _ => break,
            }
        }
        (self.source, self.kind, self.at) = (start..until, Kind::Word, until);
    }

    fn read_run(&mut self) {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let end = rest.char_indices().find(|&(_, char)| !is_word(char)).map_or(rest.len(), |(end, _)| end);
        let word = rest.get(..end).unwrap_or_default();
        self.at = start + end;
        self.run.fold(word, start);
        self.run.cut();
    }

    fn next_piece(&mut self) -> bool {
        let Some(piece) = self.run.pieces.get(self.run.next) else { return false };
        self.run.next += 1;
        let text = self.run.folded.get(piece.bytes.clone()).unwrap_or_default();
        self.token.clear();
        self.token.push_str(text.get(..text.floor_char_boundary(TOKEN_BYTES)).unwrap_or_default());
        (self.source, self.kind) = (piece.source.clone(), piece.kind);
        true
    }
}

impl Run {
    /// Takes a word that starts at byte `start` of the text: composed, lower case.
    fn fold(&mut self, word: &str, start: usize) {
        self.folded.clear();
        self.chars.clear();
        let composed = is_nfc_quick(word.chars()) == IsNormalized::Yes;
        if composed {
            for (at, char) in word.char_indices() {
                self.push(char, start + at..start + at + char.len_utf8());
            }
        } else {
            for char in word.nfc() {
                self.push(char, start..start + word.len());
            }
        }
    }

    fn push(&mut self, char: char, source: Range<usize>) {
        for lower in lower(char) {
            self.folded.push(lower);
            self.chars.push((self.folded.len(), source.clone()));
        }
    }

    /// Words where the script has them, else pairs of characters with their marks.
    fn cut(&mut self) {
        self.pieces.clear();
        self.next = 0;
        let mut units: Vec<Piece> = Vec::new();
        let mut before_dense = false;
        let mut start = 0;
        for (char, (end, source)) in self.folded.chars().zip(&self.chars) {
            let bytes = start..*end;
            start = *end;
            let mark = is_combining_mark(char);
            let dense = if mark { before_dense } else { is_dense(char) };
            let joins = if dense { mark } else { !before_dense };
            match units.last_mut() {
                Some(unit) if joins => {
                    (unit.bytes.end, unit.source.end) = (bytes.end, source.end);
                }
                _ => units.push(Piece {
                    bytes,
                    source: source.clone(),
                    kind: if dense { Kind::Last } else { Kind::Word },
                }),
            }
            before_dense = dense;
        }
        let mut units = units.into_iter().peekable();
        while let Some(unit) = units.next() {
            match units.peek() {
                Some(next) if unit.kind == Kind::Last && next.kind == Kind::Last => self.pieces.push(Piece {
                    bytes: unit.bytes.start..next.bytes.end,
                    source: unit.source.start..next.source.end,
                    kind: Kind::Pair,
                }),
                _ => self.pieces.push(unit),
            }
        }
    }
}

fn ascii_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len())
}

fn is_blob(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// The Kelvin sign would become an ASCII `k`, which nothing else outside of ASCII does but the wide
/// forms: [`super::matcher`] counts on that.
fn is_word(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphanumeric();
    }
    char != '\u{212A}' && (char.is_alphanumeric() || is_combining_mark(char) || is_picture(char))
}

fn is_picture(char: char) -> bool {
    matches!(char, '\u{2600}'..='\u{27BF}' | '\u{1F1E6}'..='\u{1F1FF}' | '\u{1F300}'..='\u{1FAFF}')
}

/// Characters of scripts that put no spaces between words, and pictures.
fn is_dense(char: char) -> bool {
    matches!(char,
        '\u{0E00}'..='\u{0FFF}' // Thai, Lao, Tibetan
        | '\u{1000}'..='\u{109F}' // Myanmar
        | '\u{1100}'..='\u{11FF}' // Korean letters
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{1950}'..='\u{19DF}' | '\u{1A20}'..='\u{1AAF}' // Tai scripts
        | '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{312F}' // Chinese radicals, Japanese kana
        | '\u{3130}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}' // Korean
        | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FFDC}'
        | '\u{1B000}'..='\u{1B16F}' | '\u{20000}'..='\u{3FFFF}')
        || is_picture(char)
}

fn lower(char: char) -> impl Iterator<Item = char> {
    let narrow = match char {
        '\u{FF10}'..='\u{FF5A}' => char::from_u32(u32::from(char) - 0xFEE0).unwrap_or(char),
        // The sigma at a word's end, which prefixes don't have.
        'ς' => 'σ',
        other => other,
    };
    narrow.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let mut tokens = Tokens::new(text);
        let mut found = Vec::new();
        while tokens.advance() {
            assert!(text.get(tokens.source()).is_some(), "{text}: {:?}", tokens.source());
            found.push(tokens.token().to_owned());
        }
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn words_and_identifiers() {
        check("", &[]);
        check(" -- ", &[]);
        check("Hello, WORLD!", &["hello", "world"]);
        check("order_4711 foo.bar gpt-4o", &["order", "4711", "foo", "bar", "gpt", "4o"]);
        check("0b1f-8c", &["0b1f", "8c"]);
        check("don't", &["don", "t"]);
    }

    #[test]
    fn other_scripts() {
        check("ZÜRICH Zu\u{308}rich", &["zürich", "zürich"]);
        check("ΟΔΟΣ οδός", &["οδοσ", "οδόσ"]);
        check("Привет, мир", &["привет", "мир"]);
        check("हिन्दी में", &["हिन्दी", "में"]);
        check("ＧＰＴ４", &["gpt4"]);
        check("300 \u{212A}elvin", &["300", "elvin"]);
        check("東京都に", &["東京", "京都", "都に", "に"]);
        check("猫", &["猫"]);
        check("GPT模型v2好", &["gpt", "模型", "型", "v2", "好"]);
        check("한국어 검색", &["한국", "국어", "어", "검색", "색"]);
        check("ที่นี่", &["ที่นี่", "นี่"]);
        check("👍🏽 ok ✓", &["👍🏽", "🏽", "ok", "✓"]);
    }

    #[test]
    fn base64_is_one_token() {
        let blob = "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4/8w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg";
        let start = blob.to_lowercase();
        let start = start.get(..TOKEN_BYTES).unwrap();
        check(
            &format!("see data:image/png;base64,{blob}== end"),
            &["see", "data", "image", "png", "base64", start, "end"],
        );
        check(&format!("{blob}\n{blob}\r\n{blob}\nend"), &[start, "end"]);
        let path = "usr/local/lib/python/site/packages/tool/deep/deeper/file/of/some/length";
        check(path, &path.split('/').collect::<Vec<_>>());
        let sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        check(sha, &[sha]);
        check(&"ä".repeat(60), &[&"ä".repeat(32)]);
    }

    #[test]
    fn sources_are_where_tokens_stand() {
        let mut tokens = Tokens::new("¡Größe 東京 Zu\u{308}rich");
        let mut sources = Vec::new();
        while tokens.advance() {
            sources.push("¡Größe 東京 Zu\u{308}rich".get(tokens.source()).unwrap());
        }
        assert_eq!(sources, ["Größe", "東京", "京", "Zu\u{308}rich"]);
    }
}
