//! Cuts a text into blocks, each by its own bytes alone.

/// No block is longer.
pub const LONGEST: usize = 1280;
/// A block ends at the last good place after this many bytes.
const SHORTEST: usize = 640;

/// Where the block ends that starts at `from`; `None` at the end of the text, or if more text decides.
#[must_use]
pub fn block_end(text: &str, from: usize, open: bool) -> Option<usize> {
    let rest = text.get(from..)?;
    if rest.len() <= LONGEST {
        return (!open && !rest.is_empty()).then_some(text.len());
    }
    let bytes = rest.as_bytes().get(..LONGEST)?;
    let last =
        |test: &dyn Fn(&[u8]) -> bool| (SHORTEST..LONGEST).rev().find(|&at| bytes.get(at - 2..at).is_some_and(test));
    let end = last(&|pair| pair == b"\n\n")
        .or_else(|| last(&|pair| pair[1] == b'\n'))
        .or_else(|| last(&|pair| matches!(pair[0], b'.' | b'!' | b'?') && pair[1] == b' '))
        .or_else(|| last(&|pair| pair[1] == b' '))
        .unwrap_or(LONGEST);
    Some(from + rest.floor_char_boundary(end))
}
