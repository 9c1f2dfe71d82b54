//! Server-sent events, as bytes arrive. Follows the WHATWG "event stream interpretation".

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr2;

/// The largest event that a decoder takes unless told otherwise.
pub const DEFAULT_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// An event grew over the decoder's limit. The stream can't be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {limit_bytes} bytes")]
pub struct TooLong {
    /// The limit.
    pub limit_bytes: usize,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SseEvent {
    /// Its `event:` field.
    pub event: Option<String>,
    /// Its `data:` lines, joined by line breaks. Empty for a block of comments only.
    pub data: Bytes,
    /// All its bytes as they came, comments and the blank line included: what is passed on verbatim.
    pub raw: Bytes,
}

impl SseEvent {
    /// An event with this data, written in the plainest way.
    #[must_use]
    pub fn new(event: Option<&str>, data: &[u8]) -> Self {
        let raw = write(event, data);
        let start = raw.len() - 2 - data.len();
        let data = if data.contains(&b'\n') { Bytes::copy_from_slice(data) } else { raw.slice(start..raw.len() - 2) };
        Self { event: event.map(str::to_owned), data, raw }
    }

    /// The same event with other data: `event:` and comments stay as they are.
    #[must_use]
    pub fn with_data(&self, data: &[u8]) -> Bytes {
        match self.data_offset() {
            Some(offset) if !data.contains(&b'\n') => {
                let end = offset + self.data.len();
                crate::splice(&self.raw, &[(offset..end, data.to_vec())])
            }
            _ => write(self.event.as_deref(), data),
        }
    }

    /// Where `data` lies within `raw`; `None` if it was joined from several lines.
    fn data_offset(&self) -> Option<usize> {
        let offset = (self.data.as_ptr() as usize).checked_sub(self.raw.as_ptr() as usize)?;
        (!self.data.is_empty() && offset + self.data.len() <= self.raw.len()).then_some(offset)
    }
}

/// The bytes of an event.
#[must_use]
pub fn write(event: Option<&str>, data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len() + 32);
    if let Some(event) = event {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(event.as_bytes());
        out.extend_from_slice(b"\n");
    }
    for line in data.split(|byte| *byte == b'\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.extend_from_slice(b"\n");
    }
    out.extend_from_slice(b"\n");
    out.freeze()
}

/// Cuts a stream of bytes into events, however it was chunked.
#[derive(Debug)]
pub struct SseDecoder {
    buffer: BytesMut,
    /// How much of `buffer` has been looked at: always the start of a line or of unseen bytes.
    line_start: usize,
    scanned: usize,
    at_start: bool,
    limit_bytes: usize,
}

impl Default for SseDecoder {
    fn default() -> Self {
        Self::with_limit(DEFAULT_LIMIT_BYTES)
    }
}

impl SseDecoder {
    /// A decoder with the default limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A decoder that refuses events longer than this.
    #[must_use]
    pub fn with_limit(limit_bytes: usize) -> Self {
        Self { buffer: BytesMut::new(), line_start: 0, scanned: 0, at_start: true, limit_bytes }
    }

    /// Takes the next bytes. Call [`Self::next`] until it gives `None` before pushing more: what is
    /// left then is one unfinished event, and that is what the limit is about.
    ///
    /// # Errors
    /// [`TooLong`] if the unfinished event has outgrown the limit.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.buffer.len() > self.limit_bytes {
            return Err(TooLong { limit_bytes: self.limit_bytes });
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole event. Blocks of comments only come too, with empty data, so that passing on
    /// every `raw` gives the stream byte for byte.
    #[expect(clippy::should_implement_trait, reason = "it goes on after None, which an Iterator should not")]
    pub fn next(&mut self) -> Option<SseEvent> {
        self.skip_byte_order_mark()?;
        loop {
            let found = memchr2(b'\n', b'\r', self.buffer.get(self.scanned..)?);
            let Some(offset) = found else {
                self.scanned = self.buffer.len();
                return None;
            };
            let end = self.scanned + offset;
            let after = match (self.buffer.get(end), self.buffer.get(end + 1)) {
                (Some(b'\r'), Some(b'\n')) => end + 2,
                // A lone CR may be the first half of CRLF whose LF is still on its way.
                (Some(b'\r'), None) => {
                    self.scanned = end;
                    return None;
                }
                _ => end + 1,
            };
            let blank = end == self.line_start;
            self.line_start = after;
            self.scanned = after;
            if blank {
                return Some(self.take(after));
            }
        }
    }

    /// To be called after the last byte: the bytes of an event that was not ended by a blank line, if any.
    /// The standard says to drop it; some servers end their last event with a single line break or
    /// none, so it is read if its last line is whole. Half a line of a stream that broke off is dropped.
    pub fn finish(&mut self) -> Option<SseEvent> {
        if let Some(event) = self.next() {
            return Some(event);
        }
        let rest = self.buffer.len();
        let is_whole = matches!(self.buffer.last(), Some(b'\n' | b'\r')) || self.buffer.ends_with(b"data: [DONE]");
        if is_whole { Some(self.take(rest)) } else { None }
    }

    fn skip_byte_order_mark(&mut self) -> Option<()> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.at_start {
            let seen = self.buffer.len().min(MARK.len());
            if self.buffer.get(..seen) == MARK.get(..seen) {
                if seen < MARK.len() {
                    return None;
                }
                self.buffer.advance(MARK.len());
            }
            self.at_start = false;
        }
        Some(())
    }

    fn take(&mut self, len: usize) -> SseEvent {
        let raw = self.buffer.split_to(len).freeze();
        self.line_start = 0;
        self.scanned = 0;
        parse(raw)
    }
}

fn parse(raw: Bytes) -> SseEvent {
    let mut event = None;
    let mut lines: Vec<Bytes> = Vec::with_capacity(1);
    let mut start = 0;
    while start < raw.len() {
        let rest = raw.get(start..).unwrap_or_default();
        let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => {
                let value = colon + 1 + usize::from(line.get(colon + 1) == Some(&b' '));
                (line.get(..colon).unwrap_or_default(), start + value..start + length)
            }
            None => (line, start + length..start + length),
        };
        match name {
            b"data" => lines.push(raw.slice(value)),
            b"event" => event = Some(String::from_utf8_lossy(&raw.slice(value)).into_owned()),
            _ => {}
        }
        start += length + 1;
    }
    let data = match lines.len() {
        0 => Bytes::new(),
        1 => lines.swap_remove(0),
        _ => lines.join(&b'\n').into(),
    };
    SseEvent { event: event.filter(|event| !event.is_empty()), data, raw }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Option<String>, String)> {
        let mut decoder = SseDecoder::new();
        decoder.push(text.as_bytes()).unwrap();
        let mut events = Vec::new();
        while let Some(event) = decoder.next().or_else(|| decoder.finish()) {
            events.push((event.event, String::from_utf8(event.data.to_vec()).unwrap()));
        }
        events
    }

    #[test]
    fn reads_what_the_standard_allows() {
        let check = |text: &str, expect: &[(Option<&str>, &str)]| {
            let expect: Vec<_> = expect.iter().map(|(e, d)| (e.map(str::to_owned), (*d).to_owned())).collect();
            assert_eq!(read(text), expect, "{text:?}");
        };
        check("data: a\n\ndata: b\n\n", &[(None, "a"), (None, "b")]);
        check("data: a\r\n\r\ndata: b\r\r", &[(None, "a"), (None, "b")]);
        check("\u{FEFF}event: x\ndata:a\ndata: b\nid: 7\nretry: 5\n\n", &[(Some("x"), "a\nb")]);
        check(": hello\n\ndata\n\n", &[(None, ""), (None, "")]);
        check("data:  two spaces\n\n", &[(None, " two spaces")]);
        check("data: last line without a blank one\n", &[(None, "last line without a blank one")]);
        check("data: [DONE]", &[(None, "[DONE]")]);
        check("data: {\"half", &[]);
        check("event: \ndata: x\n\n", &[(None, "x")]);
    }

    #[test]
    fn refuses_an_endless_event() {
        let mut decoder = SseDecoder::with_limit(10);
        decoder.push(b"data: a\n\ndata: b\n\ndata: 12").unwrap();
        assert_eq!(std::iter::from_fn(|| decoder.next()).count(), 2);
        decoder.push(b"345").unwrap();
        assert_eq!(decoder.next(), None);
        assert_eq!(decoder.push(b"6"), Err(TooLong { limit_bytes: 10 }));
    }

    #[test]
    fn replaces_the_data_and_keeps_all_else() {
        let mut decoder = SseDecoder::new();
        decoder.push(b": note\r\nevent: x\r\ndata:{\"a\":1}\r\nid: 3\r\n\r\n").unwrap();
        let event = decoder.next().unwrap();
        assert_eq!(event.with_data(b"{}"), ": note\r\nevent: x\r\ndata:{}\r\nid: 3\r\n\r\n");
        let joined = SseEvent::new(Some("x"), b"a\nb");
        assert_eq!(joined.raw, "event: x\ndata: a\ndata: b\n\n");
        assert_eq!(joined.with_data(b"c"), "event: x\ndata: c\n\n");
    }
}
