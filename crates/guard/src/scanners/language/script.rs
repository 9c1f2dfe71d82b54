//! Scripts, and the languages that have one of their own.

/// A script that texts are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called what they are called")]
pub enum Script {
    Latin,
    Cyrillic,
    Arabic,
    Devanagari,
    Greek,
    Hebrew,
    Armenian,
    Georgian,
    Bengali,
    Gujarati,
    Gurmukhi,
    Tamil,
    Telugu,
    Kannada,
    Malayalam,
    Sinhala,
    Thai,
    Lao,
    Khmer,
    Burmese,
    Ethiopic,
    Hangul,
    Han,
    Kana,
}

const SCRIPTS: usize = Script::Kana as usize + 1;

impl Script {
    /// Scripts that several languages share, which takes a table to tell apart.
    pub const SHARED: [Self; 4] = [Self::Latin, Self::Cyrillic, Self::Arabic, Self::Devanagari];

    /// The language that has the script for itself.
    pub(super) fn language(self) -> Option<&'static str> {
        Some(match self {
            Self::Latin | Self::Cyrillic | Self::Arabic | Self::Devanagari => return None,
            Self::Greek => "el",
            Self::Hebrew => "he",
            Self::Armenian => "hy",
            Self::Georgian => "ka",
            Self::Bengali => "bn",
            Self::Gujarati => "gu",
            Self::Gurmukhi => "pa",
            Self::Tamil => "ta",
            Self::Telugu => "te",
            Self::Kannada => "kn",
            Self::Malayalam => "ml",
            Self::Sinhala => "si",
            Self::Thai => "th",
            Self::Lao => "lo",
            Self::Khmer => "km",
            Self::Burmese => "my",
            Self::Ethiopic => "am",
            Self::Hangul => "ko",
            Self::Han => "zh",
            Self::Kana => "ja",
        })
    }

    /// The mean cost of letters in a row beyond which text is in none of the languages of the table.
    pub(super) fn strangest(self) -> f32 {
        if self == Self::Latin { 9.2 } else { 9.6 }
    }

    /// Of a letter.
    #[must_use]
    pub fn of(c: char) -> Option<Self> {
        Some(match c {
            'a'..='z' | 'A'..='Z' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => Self::Latin,
            '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => Self::Greek,
            '\u{400}'..='\u{52F}' => Self::Cyrillic,
            '\u{531}'..='\u{587}' => Self::Armenian,
            '\u{5D0}'..='\u{5EA}' => Self::Hebrew,
            '\u{620}'..='\u{64A}' | '\u{671}'..='\u{6D3}' | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}' => {
                Self::Arabic
            }
            '\u{900}'..='\u{963}' => Self::Devanagari,
            '\u{980}'..='\u{9E3}' => Self::Bengali,
            '\u{A01}'..='\u{A65}' | '\u{A70}'..='\u{A75}' => Self::Gurmukhi,
            '\u{A81}'..='\u{AE3}' => Self::Gujarati,
            '\u{B82}'..='\u{BD7}' => Self::Tamil,
            '\u{C00}'..='\u{C63}' => Self::Telugu,
            '\u{C80}'..='\u{CE3}' => Self::Kannada,
            '\u{D00}'..='\u{D63}' => Self::Malayalam,
            '\u{D81}'..='\u{DDF}' => Self::Sinhala,
            '\u{E01}'..='\u{E4E}' => Self::Thai,
            '\u{E81}'..='\u{ECD}' => Self::Lao,
            '\u{1000}'..='\u{103F}' => Self::Burmese,
            '\u{10A0}'..='\u{10FF}' => Self::Georgian,
            '\u{1200}'..='\u{135A}' => Self::Ethiopic,
            '\u{1780}'..='\u{17D3}' => Self::Khmer,
            '\u{1100}'..='\u{11FF}' | '\u{AC00}'..='\u{D7A3}' => Self::Hangul,
            '\u{3041}'..='\u{30FF}' => Self::Kana,
            '\u{3400}'..='\u{9FFF}' | '\u{20000}'..='\u{2FFFF}' => Self::Han,
            _ => return None,
        })
    }
}

/// The script of most letters, and how many those are.
pub(crate) fn main(text: &str) -> Option<(Script, usize)> {
    let mut counts = [0_usize; SCRIPTS];
    let mut known = [None; SCRIPTS];
    counts[Script::Latin as usize] = plain_letters(text);
    if !text.is_ascii() {
        for script in text.chars().filter(|c| !c.is_ascii()).filter_map(Script::of) {
            counts[script as usize] += 1;
            known[script as usize] = Some(script);
        }
    }
    known[Script::Latin as usize] = Some(Script::Latin);
    // A character of Chinese is a word or half of one, and Japanese has both kinds.
    let (han, kana) = (counts[Script::Han as usize], counts[Script::Kana as usize]);
    if kana * 8 > han {
        counts[Script::Kana as usize] += han;
        counts[Script::Han as usize] = 0;
    }
    for wide in [Script::Han, Script::Kana, Script::Hangul] {
        counts[wide as usize] *= 2;
    }
    let (place, count) = counts.iter().copied().enumerate().max_by_key(|(_, count)| *count)?;
    let script = known[place].filter(|_| count > 0)?;
    Some((script, count))
}

/// How many of its characters are letters of ASCII.
fn plain_letters(text: &str) -> usize {
    // So few at a time that a byte can count them, which the compiler does side by side.
    let count = |bytes: &[u8]| bytes.iter().map(|byte| u8::from(byte.is_ascii_alphabetic())).sum::<u8>();
    text.as_bytes().chunks(usize::from(u8::MAX)).map(|bytes| usize::from(count(bytes))).sum()
}
