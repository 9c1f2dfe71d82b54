//! Where in a JSON text a value stands that a pointer names. The text is known to be JSON.

use std::ops::Range;

/// The bytes of the value, quotes included.
pub(super) fn of(text: &str, pointer: &str) -> Option<Range<usize>> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    for step in pointer.split('/').skip(1) {
        reader.enter(&step.replace("~1", "/").replace("~0", "~"))?;
    }
    reader.blank();
    let start = reader.at;
    reader.skip()?;
    Some(start..reader.at)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes to the value that the step names within the one that begins here.
    fn enter(&mut self, step: &str) -> Option<()> {
        self.blank();
        let is_object = self.peek()? == b'{';
        let index: usize = if is_object { 0 } else { step.parse().ok()? };
        self.at += 1;
        for place in 0.. {
            self.blank();
            if is_object {
                let start = self.at;
                self.skip()?;
                let name: String = serde_json::from_slice(self.bytes.get(start..self.at)?).ok()?;
                self.blank();
                self.at += 1;
                if name == step {
                    return Some(());
                }
            } else if place == index {
                return Some(());
            }
            self.skip()?;
            self.blank();
            if self.peek()? != b',' {
                return None;
            }
            self.at += 1;
        }
        None
    }

    /// Over the value that begins here.
    fn skip(&mut self) -> Option<()> {
        self.blank();
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.text()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                byte if byte.is_ascii_whitespace() => self.at += 1,
                _ => {
                    let is_end = |byte: u8| b",:]}".contains(&byte) || byte.is_ascii_whitespace();
                    while self.peek().is_some_and(|byte| !is_end(byte)) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn text(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                _ => self.at += 1,
            }
        }
    }
}
