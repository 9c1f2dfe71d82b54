//! Bodies that come packed (`content-encoding`): unpacked piece by piece while they arrive, so that an event that was sent
//! is seen at once, and however much is packed into few bytes, little of it is in memory at a time.
//!
//! Providers are asked to pack nothing; what stands between them and us may do it all the same. Callers may pack what they
//! send.

mod body;
mod coder;

use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

pub use body::Unpacked;
pub(crate) use body::{Broke, poll_unpacked};
use coder::{Coder, Step};

/// So much is unpacked at a time.
const PIECE: usize = 16 << 10;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952, also several of them in a row.
    Gzip,
    /// RFC 1950, or, as some send it, RFC 1951.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878, with windows of up to 8 MiB, as RFC 9659 has it for HTTP.
    Zstd,
}

impl Packing {
    /// The word in `content-encoding`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    fn of(word: &str) -> Option<Self> {
        match word {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// A `content-encoding` that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`content-encoding: {found}` is not supported; use gzip, deflate, br or zstd, or send the body as it is")]
pub struct UnknownPacking {
    /// What stands there, shortened if it is long.
    pub found: String,
}

/// A body that is not what its `content-encoding` says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// What came is nothing that this packing makes.
    #[error("it is no valid {}: {reason}", .packing.as_str())]
    Broken {
        /// What it should be.
        packing: Packing,
        /// What was seen.
        reason: String,
    },
    /// It ended before its end.
    #[error("its {} ends in the middle", .packing.as_str())]
    Short {
        /// What it is.
        packing: Packing,
    },
}

/// Unpacks one body.
pub struct Unpacker {
    packing: Packing,
    coder: Coder,
    /// What came and was not unpacked yet.
    input: Bytes,
    /// Something came.
    began: bool,
    /// The last step filled its room: there may be more without more input.
    full: bool,
    room: Box<[u8]>,
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacker").field("packing", &self.packing).finish_non_exhaustive()
    }
}

impl Unpacker {
    /// For a body of this kind.
    #[must_use]
    pub fn new(packing: Packing) -> Self {
        let room = vec![0; PIECE].into_boxed_slice();
        Self { packing, coder: Coder::new(packing), input: Bytes::new(), began: false, full: false, room }
    }

    /// What unpacks the body that has these headers; none if it is not packed. The headers are afterwards those of the
    /// unpacked body.
    ///
    /// # Errors
    /// It is packed in a way that can't be read; then the headers are as they were.
    pub fn take(headers: &mut HeaderMap) -> Result<Option<Self>, UnknownPacking> {
        let packing = packing(headers)?;
        headers.remove(CONTENT_ENCODING);
        let Some(packing) = packing else { return Ok(None) };
        headers.remove(CONTENT_LENGTH);
        Ok(Some(Self::new(packing)))
    }

    /// The next bytes that came. What was there before must have been unpacked.
    pub fn push(&mut self, packed: Bytes) {
        debug_assert!(self.input.is_empty(), "what came before was not unpacked");
        self.began |= !packed.is_empty();
        self.input = packed;
    }

    /// The next piece of what can be unpacked of it; none if more must come first.
    ///
    /// # Errors
    /// It is not what it says.
    pub fn unpack(&mut self) -> Result<Option<Bytes>, UnpackError> {
        while !self.input.is_empty() || (self.full && !self.coder.is_at_end()) {
            let step = self.coder.step(&self.input, &mut self.room).map_err(|reason| self.broken(reason))?;
            let Step { read, written } = step;
            if read == 0 && written == 0 {
                if self.input.is_empty() {
                    self.full = false;
                    break;
                }
                return Err(self.broken("it leads nowhere".to_owned()));
            }
            self.input.advance(read);
            self.full = written == self.room.len();
            if written > 0 {
                return Ok(self.room.get(..written).map(Bytes::copy_from_slice));
            }
        }
        Ok(None)
    }

    /// No more will come.
    ///
    /// # Errors
    /// More should have.
    pub fn finish(&self) -> Result<(), UnpackError> {
        // An empty body is empty, whatever it should be.
        if self.began && !self.coder.is_at_end() {
            return Err(UnpackError::Short { packing: self.packing });
        }
        Ok(())
    }

    fn broken(&self, reason: String) -> UnpackError {
        UnpackError::Broken { packing: self.packing, reason }
    }
}

fn packing(headers: &HeaderMap) -> Result<Option<Packing>, UnknownPacking> {
    let mut found = None;
    for value in headers.get_all(CONTENT_ENCODING) {
        let all = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        // Some servers name the character set there.
        let is_none = |word: &&str| matches!(*word, "" | "identity" | "none" | "utf-8" | "utf8");
        for word in all.split(',').map(str::trim).filter(|word| !is_none(word)) {
            let known = Packing::of(word).filter(|_| found.is_none());
            // Twice packed is not worth its risks: what is small may be huge in between.
            found = Some(known.ok_or_else(|| UnknownPacking { found: all.chars().take(40).collect() })?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
