//! Whether a text is well-formed XML: one root, tags that close, attributes that are quoted and stand once, references that are known.

/// What is wrong, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) what: String,
}

/// Reads a document; its number of elements.
///
/// # Errors
/// It isn't well-formed.
pub(super) fn elements(text: &str) -> Result<usize, Wrong> {
    let mut reader = Reader { at: 0, open: Vec::new(), elements: 0, own_entities: false };
    while let Some(rest) = text.get(reader.at..).filter(|rest| !rest.is_empty()) {
        let Some(to_tag) = rest.find('<') else {
            reader.characters(rest)?;
            reader.at = text.len();
            break;
        };
        let (before, tag) = rest.split_at(to_tag);
        reader.characters(before)?;
        reader.at += to_tag;
        reader.markup(tag)?;
    }
    match (reader.open.pop(), reader.elements) {
        (Some(name), _) => Err(reader.wrong(format!("`<{name}>` isn't closed"))),
        (None, 0) => Err(reader.wrong("there is no element")),
        (None, count) => Ok(count),
    }
}

struct Reader<'a> {
    at: usize,
    open: Vec<&'a str>,
    elements: usize,
    /// A document type may declare others than XML's own.
    own_entities: bool,
}

impl<'a> Reader<'a> {
    fn wrong(&self, what: impl Into<String>) -> Wrong {
        Wrong { at: self.at, what: what.into() }
    }

    fn characters(&self, text: &str) -> Result<(), Wrong> {
        if self.open.is_empty() && !text.trim_start_matches('\u{feff}').trim().is_empty() {
            return Err(self.wrong("text stands outside of the root element"));
        }
        if text.contains("]]>") {
            return Err(self.wrong("`]]>` stands in text"));
        }
        if let Some(char) = text.chars().find(|char| char.is_control() && !char.is_whitespace()) {
            return Err(self.wrong(format!("the character U+{:04X} isn't allowed", u32::from(char))));
        }
        self.references(text)
    }

    fn references(&self, text: &str) -> Result<(), Wrong> {
        for part in text.split('&').skip(1) {
            let name =
                part.split_once(';').map(|(name, _)| name).ok_or_else(|| self.wrong("`&` begins no reference"))?;
            let is_number =
                |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).is_some();
            let known = match name.strip_prefix('#') {
                Some(number) => {
                    number.strip_prefix('x').map_or_else(|| is_number(number, 10), |hex| is_number(hex, 16))
                }
                None => matches!(name, "amp" | "lt" | "gt" | "quot" | "apos") || (self.own_entities && is_name(name)),
            };
            if !known {
                return Err(self.wrong(format!("`&{name};` is no reference that XML knows")));
            }
        }
        Ok(())
    }

    /// What begins with `<`.
    fn markup(&mut self, tag: &'a str) -> Result<(), Wrong> {
        for (begin, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
            if let Some(inner) = tag.strip_prefix(begin) {
                let length = inner.find(end).ok_or_else(|| self.wrong(format!("`{begin}` isn't closed by `{end}`")))?;
                if begin == "<![CDATA[" && self.open.is_empty() {
                    return Err(self.wrong("text stands outside of the root element"));
                }
                self.at += begin.len() + length + end.len();
                return Ok(());
            }
        }
        if tag.starts_with("<!DOCTYPE") {
            return self.doctype(tag);
        }
        let end = tag_end(tag).ok_or_else(|| self.wrong("a tag isn't closed by `>`"))?;
        let inner = tag.get(1..end).unwrap_or_default();
        if let Some(name) = inner.strip_prefix('/') {
            let name = name.trim_end();
            if self.open.pop() != Some(name) {
                return Err(self.wrong(format!("`</{name}>` closes nothing that is open")));
            }
        } else {
            self.element(inner)?;
        }
        self.at += end + 1;
        Ok(())
    }

    fn doctype(&mut self, tag: &str) -> Result<(), Wrong> {
        if self.elements > 0 {
            return Err(self.wrong("a document type stands behind the root element"));
        }
        let (mut depth, mut end) = (0_usize, None);
        for (at, char) in tag.char_indices() {
            match char {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                '>' if depth == 0 => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        self.own_entities = true;
        self.at += end.ok_or_else(|| self.wrong("a document type isn't closed"))? + 1;
        Ok(())
    }

    fn element(&mut self, inner: &'a str) -> Result<(), Wrong> {
        let closed = inner.ends_with('/');
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let end = inner.find(char::is_whitespace).unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(end);
        if !is_name(name) {
            return Err(self.wrong(format!("`{name}` is no name of an element")));
        }
        if self.open.is_empty() && self.elements > 0 {
            return Err(self.wrong(format!("`<{name}>` is a second root element")));
        }
        self.attributes(attributes)?;
        self.elements += 1;
        if !closed {
            self.open.push(name);
        }
        Ok(())
    }

    fn attributes(&self, text: &str) -> Result<(), Wrong> {
        let mut names = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (name, value) =
                rest.split_once('=').ok_or_else(|| self.wrong(format!("`{}` has no value", rest.trim())))?;
            let name = name.trim_end();
            if !is_name(name) || names.contains(&name) {
                let what = if names.contains(&name) { "stands twice" } else { "is no name of an attribute" };
                return Err(self.wrong(format!("`{name}` {what}")));
            }
            names.push(name);
            let value = value.trim_start();
            let quote = value.chars().next().filter(|char| matches!(char, '"' | '\''));
            let quote = quote.ok_or_else(|| self.wrong(format!("the value of `{name}` isn't quoted")))?;
            let (value, behind) = value
                .strip_prefix(quote)
                .and_then(|value| value.split_once(quote))
                .ok_or_else(|| self.wrong(format!("the value of `{name}` isn't closed")))?;
            if value.contains('<') {
                return Err(self.wrong(format!("`<` stands in the value of `{name}`")));
            }
            self.references(value)?;
            if !behind.is_empty() && !behind.starts_with(char::is_whitespace) {
                return Err(self.wrong(format!("a space is missing behind `{name}`")));
            }
            rest = behind.trim_start();
        }
        Ok(())
    }
}

/// Where a tag ends; a `>` in quotes doesn't.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, char) in tag.char_indices() {
        match (quote, char) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), other) if open == other => quote = None,
            _ => {}
        }
    }
    None
}

fn is_name(name: &str) -> bool {
    let begins = |char: char| char.is_alphabetic() || matches!(char, '_' | ':');
    name.starts_with(begins)
        && name.chars().all(|char| begins(char) || char.is_numeric() || matches!(char, '-' | '.' | '·'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        for good in [
            "<a/>",
            "<?xml version='1.0'?>\n<!-- x --><a b=\"1 > 0\" c='&lt;'>t&#233;<b></b><![CDATA[<x>&]]></a>\n",
            "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
            "<ä:ö/>",
        ] {
            assert!(elements(good).is_ok(), "{good}: {:?}", elements(good));
        }
        for bad in [
            "",
            "text",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a b=1/>",
            "<a b='1' b='2'/>",
            "<a>&nbsp;</a>",
            "<a>& b</a>",
            "<a b/>",
            "<1/>",
            "<a b='<'/>",
            "<a",
            "<a><!-- </a>",
            "x<a/>",
            "<a b='1'c='2'/>",
            "<a>]]></a>",
        ] {
            assert!(elements(bad).is_err(), "{bad}");
        }
    }
}
