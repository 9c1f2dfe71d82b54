//! Which characters matter, and what they are. Sources: Unicode 16 (UAX #9, UAX #31, UTS #39, UTS #51),
//! "Trojan Source" (Boucher and Anderson, 2021) and the published ways of hiding text from readers of prompts.

use unicode_script::{Script, UnicodeScript};

/// Invisible characters by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invisible {
    /// U+E0000 to U+E007F: a copy of ASCII that nothing displays.
    Tag,
    /// A variation selector: chooses a glyph of the character before it.
    Selector,
    /// Ends or overrides the direction of text.
    Override,
    /// Embeds or isolates text of another direction, or ends it.
    Embedding,
    /// A mark of direction: LRM, RLM, ALM.
    Direction,
    /// Zero-width space: a place to break a line.
    Space,
    /// Zero-width non-joiner.
    NonJoiner,
    /// Zero-width joiner.
    Joiner,
    /// Word joiner, byte order mark: a place not to break a line.
    WordJoiner,
    /// Invisible times, plus, separator, function application.
    Operator,
    /// Soft hyphen.
    SoftHyphen,
    /// Combining grapheme joiner and other ignorables.
    Ignorable,
    /// A character without a shape in an alphabet of syllables.
    HangulFiller,
    /// Interlinear annotation.
    Annotation,
}

/// What the character is, if it has no shape.
pub(crate) fn invisible(c: char) -> Option<Invisible> {
    Some(match c {
        '\u{AD}' => Invisible::SoftHyphen,
        '\u{34F}'
        | '\u{180E}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{2065}'
        | '\u{206A}'..='\u{206F}'
        | '\u{FFF0}'..='\u{FFF8}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0080}'..='\u{E00FF}'
        | '\u{E01F0}'..='\u{E0FFF}' => Invisible::Ignorable,
        '\u{61C}' | '\u{200E}' | '\u{200F}' => Invisible::Direction,
        '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' => Invisible::HangulFiller,
        '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => {
            Invisible::Selector
        }
        '\u{200B}' => Invisible::Space,
        '\u{200C}' => Invisible::NonJoiner,
        '\u{200D}' => Invisible::Joiner,
        '\u{202D}' | '\u{202E}' => Invisible::Override,
        '\u{202A}'..='\u{202C}' | '\u{2066}'..='\u{2069}' => Invisible::Embedding,
        '\u{2060}' | '\u{FEFF}' => Invisible::WordJoiner,
        '\u{2061}'..='\u{2064}' => Invisible::Operator,
        '\u{FFF9}'..='\u{FFFB}' => Invisible::Annotation,
        '\u{E0000}'..='\u{E007F}' => Invisible::Tag,
        _ => return None,
    })
}

/// For private use: shown as an icon of one font, or as a box.
pub(super) fn private_use(c: char) -> bool {
    matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
}

/// Marks that stack on a Latin letter.
pub(super) fn stacking_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{34E}' | '\u{350}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20F0}')
}

/// A Latin letter in another dress: full-width, mathematical, circled, squared.
pub(super) fn styled(c: char) -> Option<Style> {
    Some(match c {
        '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}' => Style::FullWidth,
        '\u{1D400}'..='\u{1D6A5}' => Style::Mathematical,
        '\u{24B6}'..='\u{24E9}' | '\u{1F130}'..='\u{1F149}' | '\u{1F150}'..='\u{1F169}' | '\u{1F170}'..='\u{1F189}' => {
            Style::Enclosed
        }
        '\u{1D00}'..='\u{1D6A}' | '\u{2071}' | '\u{207F}' => Style::Small,
        'ʰ' | 'ʲ' | 'ʳ' | 'ʷ' | 'ʸ' | 'ˡ' | 'ˢ' | 'ˣ' => Style::Small,
        _ if small_capital(c).is_some() => Style::Small,
        _ => return None,
    })
}

/// How a letter is dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// The width of a Chinese character: usual next to them.
    FullWidth,
    /// For formulas.
    Mathematical,
    /// In circles and squares.
    Enclosed,
    /// Small capitals and raised letters, made for phonetics.
    Small,
}

/// The letter that a small capital reads as; Unicode maps none of them.
pub(crate) fn small_capital(c: char) -> Option<char> {
    const SMALL: &[(char, char)] = &[
        ('ᴀ', 'a'),
        ('ʙ', 'b'),
        ('ᴄ', 'c'),
        ('ᴅ', 'd'),
        ('ᴇ', 'e'),
        ('ꜰ', 'f'),
        ('ɢ', 'g'),
        ('ʜ', 'h'),
        ('ɪ', 'i'),
        ('ᴊ', 'j'),
        ('ᴋ', 'k'),
        ('ʟ', 'l'),
        ('ᴍ', 'm'),
        ('ɴ', 'n'),
        ('ᴏ', 'o'),
        ('ᴘ', 'p'),
        ('ʀ', 'r'),
        ('ꜱ', 's'),
        ('ᴛ', 't'),
        ('ᴜ', 'u'),
        ('ᴠ', 'v'),
        ('ᴡ', 'w'),
        ('ʏ', 'y'),
        ('ᴢ', 'z'),
    ];
    SMALL.iter().find(|(small, _)| *small == c).map(|(_, plain)| *plain)
}

/// May an emoji variation selector or a joiner follow?
pub(super) fn emoji(c: char) -> bool {
    matches!(c,
        '#' | '*' | '0'..='9' | '\u{A9}' | '\u{AE}' | '\u{203C}'..='\u{3299}' | '\u{1F000}'..='\u{1FAFF}' | '\u{1FB00}'..='\u{1FBFF}')
        || ('\u{E0020}'..='\u{E007F}').contains(&c)
}

/// Scripts whose letters join or take part in conjuncts, where ZWNJ and ZWJ have a meaning (UAX #31, A1 and A2).
pub(super) fn joining(script: Script) -> bool {
    use Script as S;
    matches!(
        script,
        S::Arabic
            | S::Syriac
            | S::Nko
            | S::Mandaic
            | S::Mongolian
            | S::Phags_Pa
            | S::Adlam
            | S::Hanifi_Rohingya
            | S::Sogdian
            | S::Devanagari
            | S::Bengali
            | S::Gurmukhi
            | S::Gujarati
            | S::Oriya
            | S::Tamil
            | S::Telugu
            | S::Kannada
            | S::Malayalam
            | S::Sinhala
            | S::Khmer
            | S::Myanmar
            | S::Tibetan
            | S::Thai
            | S::Lao
            | S::Balinese
            | S::Javanese
            | S::Grantha
            | S::Newa
            | S::Tirhuta
            | S::Meetei_Mayek
            | S::Chakma
            | S::Brahmi
            | S::Kaithi
    )
}

/// Scripts written without spaces, where a zero-width space marks the end of a word.
pub(super) fn spaceless(script: Script) -> bool {
    use Script as S;
    matches!(
        script,
        S::Thai
            | S::Lao
            | S::Khmer
            | S::Myanmar
            | S::Tibetan
            | S::Javanese
            | S::Balinese
            | S::Tai_Le
            | S::New_Tai_Lue
            | S::Tai_Tham
            | S::Han
            | S::Hiragana
            | S::Katakana
    )
}

/// Chinese, Japanese and Korean: full-width letters are usual among them.
pub(super) fn east_asian(c: char) -> bool {
    matches!(c.script(), Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul | Script::Bopomofo)
        || matches!(c, '\u{3000}'..='\u{303F}' | '\u{FF10}'..='\u{FF19}')
}

/// A letter written from right to left.
pub(super) fn right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{61B}' | '\u{61D}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// The alphabets that share shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    Latin,
    Cyrillic,
    Greek,
    /// Armenian, Cherokee, Coptic.
    Other,
}

/// The alphabet of a letter; `None` for what is no letter of these.
pub(super) fn alphabet(c: char) -> Option<Alphabet> {
    match c {
        _ if small_capital(c).is_some() => None,
        'a'..='z' | 'A'..='Z' => Some(Alphabet::Latin),
        '\u{AA}' | '\u{B5}' | '\u{BA}' => None,
        '\u{C0}'..='\u{2AF}' | '\u{1E00}'..='\u{1EFF}' if c != '\u{D7}' && c != '\u{F7}' => Some(Alphabet::Latin),
        '\u{400}'..='\u{482}' | '\u{48A}'..='\u{52F}' => Some(Alphabet::Cyrillic),
        '\u{370}'..='\u{373}'
        | '\u{376}'
        | '\u{377}'
        | '\u{37B}'..='\u{37D}'
        | '\u{37F}'
        | '\u{386}'
        | '\u{388}'..='\u{3FF}' => Some(Alphabet::Greek),
        '\u{531}'..='\u{556}' | '\u{561}'..='\u{587}' | '\u{13A0}'..='\u{13FD}' => Some(Alphabet::Other),
        _ => None,
    }
}

/// Letters of other alphabets and the Latin letter that each passes for.
const TWINS: &[(char, char)] = &[
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Ζ', 'Z'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
    ('Υ', 'Y'),
    ('Χ', 'X'),
    ('α', 'a'),
    ('γ', 'y'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('υ', 'u'),
    ('χ', 'x'),
    ('ϲ', 'c'),
    ('Ϲ', 'C'),
    ('ϳ', 'j'),
    ('Ϳ', 'J'),
    ('ω', 'w'),
    ('η', 'n'),
    ('Ѕ', 'S'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('У', 'Y'),
    ('Х', 'X'),
    ('Ь', 'b'),
    ('а', 'a'),
    ('е', 'e'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('у', 'y'),
    ('х', 'x'),
    ('ѕ', 's'),
    ('і', 'i'),
    ('ї', 'i'),
    ('ј', 'j'),
    ('к', 'k'),
    ('т', 't'),
    ('м', 'm'),
    ('н', 'h'),
    ('в', 'b'),
    ('г', 'r'),
    ('п', 'n'),
    ('ѵ', 'v'),
    ('Ѵ', 'V'),
    ('ү', 'y'),
    ('Ү', 'Y'),
    ('һ', 'h'),
    ('Һ', 'H'),
    ('Ӏ', 'I'),
    ('ӏ', 'l'),
    ('ԁ', 'd'),
    ('Ԁ', 'D'),
    ('ԛ', 'q'),
    ('Ԛ', 'Q'),
    ('ԝ', 'w'),
    ('Ԝ', 'W'),
    ('ѡ', 'w'),
    ('ғ', 'f'),
    ('ҫ', 'c'),
    ('օ', 'o'),
    ('Օ', 'O'),
    ('ո', 'n'),
    ('ս', 'u'),
    ('հ', 'h'),
    ('ց', 'g'),
    ('զ', 'q'),
    ('ք', 'p'),
    ('Տ', 'S'),
    ('Լ', 'L'),
    ('Ꭺ', 'A'),
    ('Ᏼ', 'B'),
    ('Ꮯ', 'C'),
    ('Ꭰ', 'D'),
    ('Ꭼ', 'E'),
    ('Ꮐ', 'G'),
    ('Ꮋ', 'H'),
    ('Ꭻ', 'J'),
    ('Ꮶ', 'K'),
    ('Ꮮ', 'L'),
    ('Ꮇ', 'M'),
    ('Ꮲ', 'P'),
    ('Ꭱ', 'R'),
    ('Ꮪ', 'S'),
    ('Ꭲ', 'T'),
    ('Ꮩ', 'V'),
    ('Ꮃ', 'W'),
    ('Ꮓ', 'Z'),
];

/// Where Greek starts; [`TABLE`] goes on to the end of Cyrillic.
const TABLE_FROM: usize = 0x370;

/// [`TWINS`] by letter, for the alphabets that whole texts are written in.
static TABLE: [char; 0x530 - TABLE_FROM] = {
    let mut table = ['\0'; 0x530 - TABLE_FROM];
    let mut at = 0;
    while at < TWINS.len() {
        let place = TWINS[at].0 as usize - TABLE_FROM;
        if place < table.len() {
            table[place] = TWINS[at].1;
        }
        at += 1;
    }
    table
};

/// The Latin letter that a letter of another alphabet passes for.
pub(crate) fn latin_twin(c: char) -> Option<char> {
    if let Some(&twin) = (c as usize).checked_sub(TABLE_FROM).and_then(|place| TABLE.get(place)) {
        return (twin != '\0').then_some(twin);
    }
    TWINS.iter().find(|(foreign, _)| *foreign == c).map(|(_, latin)| *latin)
}

/// The Cyrillic letter that a Latin letter passes for, in a word that is mostly Cyrillic.
pub(super) fn cyrillic_twin(c: char) -> Option<char> {
    let same = |(foreign, latin): &&(char, char)| *latin == c && alphabet(*foreign) == Some(Alphabet::Cyrillic);
    TWINS.iter().find(same).map(|(foreign, _)| *foreign)
}
