//! Whether a text has what the judge says that it quotes, and where. Case, white space and the shape of quotation marks and
//! dashes may differ; words may not.

/// A text as it is compared, with the place of each of its bytes in the original.
#[derive(Debug)]
pub(super) struct Searched {
    folded: String,
    /// For each byte of `folded`, where its character begins and ends.
    places: Vec<(usize, usize)>,
}

impl Searched {
    pub(super) fn new(text: &str) -> Self {
        let (mut folded, mut places) = (String::with_capacity(text.len()), Vec::with_capacity(text.len()));
        for (at, one) in text.char_indices() {
            let end = at + one.len_utf8();
            let mut push = |folded: &mut String, one: char| {
                folded.push(one);
                places.extend(std::iter::repeat_n((at, end), one.len_utf8()));
            };
            match one {
                _ if one.is_whitespace() => {
                    if !folded.is_empty() && !folded.ends_with(' ') {
                        push(&mut folded, ' ');
                    }
                }
                '‘' | '’' | '‚' | '´' | '`' => push(&mut folded, '\''),
                '“' | '”' | '„' | '«' | '»' => push(&mut folded, '"'),
                '‐' | '‑' | '‒' | '–' | '—' | '−' => push(&mut folded, '-'),
                '\u{ad}' | '\u{200b}' | '\u{feff}' => {}
                _ => one.to_lowercase().for_each(|one| push(&mut folded, one)),
            }
        }
        if folded.ends_with(' ') {
            folded.pop();
            places.pop();
        }
        Self { folded, places }
    }

    /// Where a quotation stands, from `from` on: its bytes in the original, and where to go on looking.
    fn find(&self, quote: &str, from: usize) -> Option<(usize, usize, usize)> {
        let at = from + self.folded.get(from..)?.find(quote)?;
        let last = at + quote.len().checked_sub(1)?;
        Some((self.places.get(at)?.0, self.places.get(last)?.1, last + 1))
    }

    /// Where a quotation stands, in pieces if it leaves something out (`…`); none if it isn't there.
    pub(super) fn places(&self, quote: &str) -> Vec<(usize, usize)> {
        let folded = Self::new(quote).folded;
        let whole = folded.trim_matches(['"', '\'', ' ']);
        if !whole.contains(char::is_alphanumeric) {
            // Marks alone show nothing, unless they are all that the text has.
            return match self.find(&folded, 0) {
                Some((start, end, _)) if !folded.is_empty() && folded == self.folded => vec![(start, end)],
                _ => Vec::new(),
            };
        }
        if let Some((start, end, _)) = self.find(&folded, 0).or_else(|| self.find(whole, 0)) {
            return vec![(start, end)];
        }
        let dotted = whole.replace("[...]", "…").replace("[…]", "…").replace("...", "…");
        let pieces = dotted.split('…').map(str::trim).filter(|piece| piece.contains(char::is_alphanumeric));
        let pieces: Vec<&str> = pieces.collect();
        if !dotted.contains('…') {
            return Vec::new();
        }
        let (mut found, mut from) = (Vec::with_capacity(pieces.len()), 0);
        for piece in pieces {
            let Some((start, end, next)) = self.find(piece, from) else { return Vec::new() };
            found.push((start, end));
            from = next;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, quote: &str, expected: &[&str]) {
        let places = Searched::new(text).places(quote);
        let found: Vec<&str> = places.iter().map(|(start, end)| text.get(*start..*end).unwrap()).collect();
        assert_eq!(found, expected, "{quote:?} in {text:?}");
    }

    #[test]
    fn what_stands_there_is_found() {
        let text = "The bridge\n was   opened in 1937 – “a triumph”, İzmir’s paper said. It closed. It re-opened.";
        check(text, "the bridge was opened in 1937", &["The bridge\n was   opened in 1937"]);
        check(text, "\"A triumph\"", &["“a triumph”"]);
        check(text, "'a TRIUMPH'", &["a triumph"]);
        check(text, "1937 - \"a", &["1937 – “a"]);
        check(text, "İzmir's paper", &["İzmir’s paper"]);
        check(text, "The bridge … It closed", &["The bridge", "It closed"]);
        check(text, "It closed. [...] re-opened", &["It closed.", "re-opened"]);
        check(" hi ", "hi", &["hi"]);
        check("?!", "?!", &["?!"]);
        check("Straße 5", "straße 5", &["Straße 5"]);
    }

    #[test]
    fn what_does_not_stand_there_is_not() {
        let text = "The bridge was opened in 1937.";
        for quote in ["The bridge was opened in 1938", "", " ", "\"\"", ".", "opened … bridge", "The bridges", "…"]
        {
            check(text, quote, &[]);
        }
        check("", "a", &[]);
    }
}
