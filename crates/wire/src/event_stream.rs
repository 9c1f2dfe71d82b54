//! How a stream's bytes are cut into events: server-sent events for everybody, and for Amazon its own binary frames
//! (`application/vnd.amazon.eventstream`). A frame is turned into an [`SseEvent`] and back, so that codecs, guards and
//! the record know of one kind of event only.
//!
//! A frame: total length, length of the headers, CRC32 of these two; headers; payload; CRC32 of all before. Numbers are
//! big-endian. <https://smithy.io/2.0/aws/amazon-eventstream.html>

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::sse::{DEFAULT_LIMIT_BYTES, SseDecoder, SseEvent, TooLong};

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;
const TEXT: u8 = 7;

/// How a stream is cut into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Sse,
    /// Amazon's binary frames.
    AmazonEventStream,
}

impl Framing {
    /// The media type of such a stream.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::AmazonEventStream => "application/vnd.amazon.eventstream",
        }
    }

    /// Whether a `Content-Type` is that of such a stream. Some servers name server-sent events freely.
    #[must_use]
    pub fn is_of(self, content_type: &str) -> bool {
        content_type.contains(match self {
            Self::Sse => "event-stream",
            Self::AmazonEventStream => self.content_type(),
        })
    }
}

/// Why a stream can't be cut into events any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// An event outgrew the limit.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// A frame is not one.
    #[error("a frame of the event stream is damaged: {0}")]
    Damaged(&'static str),
}

/// Cuts a stream of bytes into events, however it is framed and was chunked.
#[derive(Debug)]
pub enum EventDecoder {
    /// Server-sent events.
    Sse(SseDecoder),
    /// Amazon's frames.
    Amazon(FrameDecoder),
}

impl EventDecoder {
    /// A decoder with the default limit.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Self::Sse(SseDecoder::new()),
            Framing::AmazonEventStream => Self::Amazon(FrameDecoder::default()),
        }
    }

    /// Takes the next bytes; as [`SseDecoder::push`].
    ///
    /// # Errors
    /// [`FramingError`]: the stream can't be read any further.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FramingError> {
        match self {
            Self::Sse(sse) => Ok(sse.push(bytes)?),
            Self::Amazon(frames) => frames.push(bytes),
        }
    }

    /// The next whole event.
    #[expect(clippy::should_implement_trait, reason = "it goes on after None, which an Iterator should not")]
    pub fn next(&mut self) -> Option<SseEvent> {
        match self {
            Self::Sse(sse) => sse.next(),
            Self::Amazon(frames) => frames.next(),
        }
    }

    /// To be called after the last byte; as [`SseDecoder::finish`]. Half a frame is dropped.
    pub fn finish(&mut self) -> Option<SseEvent> {
        match self {
            Self::Sse(sse) => sse.finish(),
            Self::Amazon(frames) => frames.next(),
        }
    }
}

/// Cuts a stream of bytes into Amazon's frames, however it was chunked.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: BytesMut,
    damage: Option<FramingError>,
}

impl FrameDecoder {
    /// Takes the next bytes. Call [`Self::next`] until it gives `None` before pushing more.
    ///
    /// # Errors
    /// What came before was no frame, or a huge one.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FramingError> {
        if let Some(damage) = self.damage {
            return Err(damage);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole frame, as the event that it stands for: an exception's event is named by its type. What is no
    /// frame ends the stream; the next [`Self::push`] says why.
    #[expect(clippy::should_implement_trait, reason = "it goes on after None, which an Iterator should not")]
    pub fn next(&mut self) -> Option<SseEvent> {
        if self.damage.is_some() {
            return None;
        }
        match take_frame(&mut self.buffer) {
            Ok(event) => event,
            Err(damage) => {
                self.damage = Some(damage);
                None
            }
        }
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |mut four| four.get_u32())
}

fn take_frame(buffer: &mut BytesMut) -> Result<Option<SseEvent>, FramingError> {
    if buffer.len() < PRELUDE {
        return Ok(None);
    }
    // Before its lengths are believed: bytes that are no frame at all mustn't be waited for.
    if crc32fast::hash(buffer.get(..8).unwrap_or_default()) != number(buffer, 8) {
        return Err(FramingError::Damaged("the checksum of its lengths is wrong"));
    }
    let (total, headers) = (number(buffer, 0) as usize, number(buffer, 4) as usize);
    if total > DEFAULT_LIMIT_BYTES {
        return Err(TooLong { limit_bytes: DEFAULT_LIMIT_BYTES }.into());
    }
    if headers > total.saturating_sub(PRELUDE + CHECKSUM) || total < PRELUDE + CHECKSUM {
        return Err(FramingError::Damaged("its lengths don't fit together"));
    }
    if buffer.len() < total {
        return Ok(None);
    }
    let frame = buffer.split_to(total).freeze();
    let checked = total - CHECKSUM;
    if crc32fast::hash(frame.get(..checked).unwrap_or_default()) != number(&frame, checked) {
        return Err(FramingError::Damaged("its checksum is wrong"));
    }
    let said = Headers::read(frame.slice(PRELUDE..PRELUDE + headers))
        .ok_or(FramingError::Damaged("its headers can't be read"))?;
    Ok(Some(said.event(&frame.slice(PRELUDE + headers..checked))))
}

/// What a frame's headers say, of what is needed.
#[derive(Debug, Default)]
struct Headers {
    message: Option<String>,
    event: Option<String>,
    exception: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

impl Headers {
    fn read(mut bytes: Bytes) -> Option<Self> {
        let mut found = Self::default();
        while bytes.has_remaining() {
            let length = usize::from(bytes.try_get_u8().ok()?);
            let name = take(&mut bytes, length)?;
            let length = match bytes.try_get_u8().ok()? {
                0 | 1 => 0,
                2 => 1,
                3 => 2,
                4 => 4,
                5 | 8 => 8,
                6 | TEXT => usize::from(bytes.try_get_u16().ok()?),
                9 => 16,
                _ => return None,
            };
            let value = take(&mut bytes, length)?;
            let known = match name.as_ref() {
                b":message-type" => &mut found.message,
                b":event-type" => &mut found.event,
                b":exception-type" => &mut found.exception,
                b":error-code" => &mut found.code,
                b":error-message" => &mut found.error,
                _ => continue,
            };
            *known = Some(String::from_utf8(value.to_vec()).ok()?);
        }
        Some(found)
    }

    fn event(self, payload: &[u8]) -> SseEvent {
        match self.message.as_deref() {
            Some("exception") => SseEvent::new(self.exception.as_deref().or(Some("exception")), payload),
            Some("error") => {
                let message = self.error.or(self.code).unwrap_or_default();
                SseEvent::new(Some("error"), serde_json::json!({ "message": message }).to_string().as_bytes())
            }
            _ => SseEvent::new(self.event.as_deref(), payload),
        }
    }
}

fn take(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (bytes.len() >= length).then(|| bytes.split_to(length))
}

/// An event as one of Amazon's frames. A comment, which says nothing, gives none.
#[must_use]
pub fn frame(event: &SseEvent) -> Option<Bytes> {
    if event.data.is_empty() {
        return None;
    }
    let name = event.event.as_deref().unwrap_or("event");
    let is_exception = name.ends_with("Exception");
    let (kind, named) = if is_exception { ("exception", ":exception-type") } else { ("event", ":event-type") };
    let mut headers = BytesMut::with_capacity(96);
    for (name, value) in [(named, name), (":content-type", "application/json"), (":message-type", kind)] {
        // Names of events are short, so nothing is cut.
        headers.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
        headers.put_slice(name.as_bytes());
        headers.put_u8(TEXT);
        headers.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
        headers.put_slice(value.as_bytes());
    }
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let total = PRELUDE + headers.len() + event.data.len() + CHECKSUM;
    let mut out = BytesMut::with_capacity(total);
    out.put_u32(length(total));
    out.put_u32(length(headers.len()));
    out.put_u32(crc32fast::hash(&out));
    out.put_slice(&headers);
    out.put_slice(&event.data);
    out.put_u32(crc32fast::hash(&out));
    Some(out.freeze())
}

/// Server-sent events as Amazon's frames.
#[derive(Debug)]
pub struct Reframer(SseDecoder);

impl Default for Reframer {
    fn default() -> Self {
        Self(SseDecoder::with_limit(usize::MAX))
    }
}

impl Reframer {
    /// The frames of the events that these bytes complete.
    pub fn push(&mut self, bytes: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(bytes.len() + 128);
        if self.0.push(bytes).is_ok() {
            while let Some(event) = self.0.next() {
                out.extend_from_slice(&frame(&event).unwrap_or_default());
            }
        }
        out.freeze()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Amazon's own example of a frame with one header and a payload, from its test suite
    /// (`payload_one_str_header` of aws-c-event-stream).
    const PUBLISHED: &[u8] = b"\x00\x00\x00\x3d\x00\x00\x00\x20\x07\xfd\x83\x96\x0ccontent-type\x07\x00\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1";

    fn read(bytes: &[u8], cuts: &[usize]) -> Result<Vec<SseEvent>, FramingError> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut decoder = EventDecoder::new(Framing::AmazonEventStream);
        let mut events = Vec::new();
        for pair in cuts.windows(2) {
            decoder.push(&bytes[pair[0]..pair[1]])?;
            events.extend(std::iter::from_fn(|| decoder.next()));
        }
        decoder.push(b"")?;
        Ok(events)
    }

    #[test]
    fn reads_the_published_frame() {
        let events = read(PUBLISHED, &[]).unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].event.as_deref(), events[0].data.as_ref()), (None, b"{'foo':'bar'}".as_slice()));
    }

    #[test]
    fn an_exception_is_named_by_its_type_and_comes_back() {
        let event = SseEvent::new(Some("throttlingException"), br#"{"message":"slow"}"#);
        let bytes = frame(&event).unwrap();
        assert!(bytes.windows(9).any(|window| window == b"exception"));
        assert_eq!(read(&bytes, &[]).unwrap(), [event]);
    }

    #[test]
    fn an_error_without_payload_tells_its_message() {
        let mut headers = BytesMut::new();
        for (name, value) in [(":message-type", "error"), (":error-code", "Internal"), (":error-message", "gone")] {
            headers.put_u8(name.len() as u8);
            headers.put_slice(name.as_bytes());
            headers.put_u8(TEXT);
            headers.put_u16(value.len() as u16);
            headers.put_slice(value.as_bytes());
        }
        let mut bytes = BytesMut::new();
        bytes.put_u32((PRELUDE + headers.len() + CHECKSUM) as u32);
        bytes.put_u32(headers.len() as u32);
        bytes.put_u32(crc32fast::hash(&bytes));
        bytes.put_slice(&headers);
        bytes.put_u32(crc32fast::hash(&bytes));
        assert_eq!(read(&bytes, &[]).unwrap(), [SseEvent::new(Some("error"), br#"{"message":"gone"}"#)]);
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        for at in 0..PUBLISHED.len() {
            let mut damaged = PUBLISHED.to_vec();
            damaged[at] ^= 1;
            assert!(read(&damaged, &[]).is_err(), "byte {at}");
        }
        assert!(matches!(read(b"<html>this is no stream", &[]), Err(FramingError::Damaged(_))));
        let mut huge = BytesMut::new();
        huge.put_u32(u32::MAX);
        huge.put_u32(0);
        huge.put_u32(crc32fast::hash(&huge));
        assert!(matches!(read(&huge, &[]), Err(FramingError::TooLong(_))));
    }

    #[test]
    fn events_before_the_damage_are_told() {
        let event = SseEvent::new(Some("x"), b"{}");
        let mut decoder = FrameDecoder::default();
        decoder.push(&[frame(&event).unwrap(), Bytes::from_static(b"<html>garbage")].concat()).unwrap();
        assert_eq!(decoder.next(), Some(event));
        assert_eq!(decoder.next(), None);
        assert!(decoder.push(b"more").is_err());
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_events(
            texts in vec(("[a-zA-Z]{1,20}", "[^\\r\\n]{1,40}"), 1..6),
            cuts in vec(any::<usize>(), 0..8),
        ) {
            let events: Vec<SseEvent> =
                texts.iter().map(|(name, data)| SseEvent::new(Some(name), data.as_bytes())).collect();
            let bytes: Vec<u8> = events.iter().flat_map(|event| frame(event).unwrap().to_vec()).collect();
            prop_assert_eq!(&read(&bytes, &cuts).unwrap(), &events);
            let every_byte: Vec<usize> = (0..bytes.len()).collect();
            prop_assert_eq!(&read(&bytes, &every_byte).unwrap(), &events);
            let sse: Vec<u8> = events.iter().flat_map(|event| event.raw.to_vec()).collect();
            let mut reframer = Reframer::default();
            let again: Vec<u8> = sse.chunks(7).flat_map(|chunk| reframer.push(chunk).to_vec()).collect();
            prop_assert_eq!(again, bytes);
        }

        #[test]
        fn garbage_never_panics(bytes in vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, &[]);
        }
    }
}
