//! Reads what invisible characters spell, for pages that show a finding to a person.

/// The text that tag characters, variation selectors or zero-width bits in `hidden` spell; `None` if they
/// spell nothing.
#[must_use]
pub fn reveal(hidden: &str) -> Option<String> {
    let tags: String = hidden
        .chars()
        .filter_map(|c| char::from_u32(u32::from(c).checked_sub(0xE0000)?))
        .filter(|c| matches!(c, ' '..='~' | '\n'))
        .collect();
    if !tags.is_empty() {
        return Some(tags);
    }
    // VS1 to VS256 stand for a byte each (Butler, 2025).
    let selectors: Vec<u8> = hidden
        .chars()
        .filter_map(|c| match c {
            '\u{FE00}'..='\u{FE0F}' => u8::try_from(u32::from(c) - 0xFE00).ok(),
            '\u{E0100}'..='\u{E01EF}' => u8::try_from(u32::from(c) - 0xE0100 + 16).ok(),
            _ => None,
        })
        .collect();
    let spelled = String::from_utf8(selectors).ok().filter(|text| text.chars().count() > 1 && readable(text));
    if spelled.is_some() {
        return spelled;
    }
    let bits: Vec<bool> = hidden
        .chars()
        .filter_map(|c| match c {
            '\u{200B}' => Some(false),
            '\u{200C}' => Some(true),
            _ => None,
        })
        .collect();
    let bytes = bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |value, &bit| value << 1 | u8::from(bit)));
    String::from_utf8(bytes.collect()).ok().filter(|text| !text.is_empty() && readable(text))
}

fn readable(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_hidden() {
        let tags: String = "ignore all".chars().filter_map(|c| char::from_u32(0xE0000 + c as u32)).collect();
        assert_eq!(reveal(&format!("hello{tags}")).as_deref(), Some("ignore all"));
        let bits: String = b"hi"
            .iter()
            .flat_map(|b| (0..8).rev().map(move |i| if b >> i & 1 == 1 { '\u{200C}' } else { '\u{200B}' }))
            .collect();
        assert_eq!(reveal(&bits).as_deref(), Some("hi"));
        let selectors: String = b"hi".iter().filter_map(|b| char::from_u32(0xE0100 + u32::from(*b) - 16)).collect();
        assert_eq!(reveal(&selectors).as_deref(), Some("hi"));
        assert_eq!(reveal("nothing"), None);
        assert_eq!(reveal("❤\u{FE0F}"), None);
    }
}
