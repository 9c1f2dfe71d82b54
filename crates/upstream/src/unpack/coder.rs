//! The ways of packing, each read step by step.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, Operation as _};

use super::Packing;

/// The largest that deflate has.
const FLATE_WINDOW_BITS: u8 = 15;
/// 8 MiB: who packs for HTTP may use no larger one.
const ZSTD_WINDOW_BITS: u32 = 23;
/// What a member of a gzip begins with.
const GZIP_MAGIC: u8 = 0x1f;

/// What a step did.
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
}

pub(super) enum Coder {
    Gzip(Gzip),
    Deflate(Deflate),
    Brotli(Box<Brotli>),
    Zstd(Zstd),
}

impl Coder {
    pub(super) fn new(packing: Packing) -> Self {
        match packing {
            Packing::Gzip => Self::Gzip(Gzip { inflate: Decompress::new_gzip(FLATE_WINDOW_BITS), ended: false }),
            Packing::Deflate => Self::Deflate(Deflate { first: None, inflate: None, ended: false }),
            Packing::Brotli => Self::Brotli(Box::new(Brotli::new())),
            Packing::Zstd => Self::Zstd(Zstd { decoder: None, ended: false }),
        }
    }

    /// Unpacks some of the input into the output. Takes all that it is given as long as there is room.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        match self {
            Self::Gzip(gzip) => gzip.step(input, output),
            Self::Deflate(deflate) => deflate.step(input, output),
            Self::Brotli(brotli) => brotli.step(input, output),
            Self::Zstd(zstd) => zstd.step(input, output),
        }
    }

    /// What came so far is whole.
    pub(super) fn is_at_end(&self) -> bool {
        match self {
            Self::Gzip(Gzip { ended, .. }) | Self::Deflate(Deflate { ended, .. }) | Self::Zstd(Zstd { ended, .. }) => {
                *ended
            }
            Self::Brotli(brotli) => brotli.ended,
        }
    }
}

/// What follows a whole body is padding: browsers and curl pass it over, too.
fn padding(input: &[u8]) -> Step {
    Step { read: input.len(), written: 0 }
}

fn inflate(inflate: &mut Decompress, input: &[u8], output: &mut [u8]) -> Result<(Step, bool), String> {
    let (read, written) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, output, FlushDecompress::Sync).map_err(|error| error.to_string())?;
    let since = |before: u64, now: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
    let step = Step { read: since(read, inflate.total_in()), written: since(written, inflate.total_out()) };
    Ok((step, status == Status::StreamEnd))
}

pub(super) struct Gzip {
    inflate: Decompress,
    /// A member of it; another one may follow.
    ended: bool,
}

impl Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        if self.ended {
            if input.first() != Some(&GZIP_MAGIC) {
                return Ok(padding(input));
            }
            self.inflate = Decompress::new_gzip(FLATE_WINDOW_BITS);
        }
        let (step, ended) = inflate(&mut self.inflate, input, output)?;
        self.ended = ended;
        Ok(step)
    }
}

pub(super) struct Deflate {
    /// Of two bytes that say which of the two kinds it is.
    first: Option<u8>,
    inflate: Option<Decompress>,
    ended: bool,
}

impl Deflate {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        if self.ended {
            return Ok(padding(input));
        }
        if self.inflate.is_none() {
            let Some(&next) = input.first() else { return Ok(padding(input)) };
            let Some(first) = self.first else {
                self.first = Some(next);
                return Ok(Step { read: 1, written: 0 });
            };
            let is_zlib = first & 0x0f == 8 && u16::from_be_bytes([first, next]) % 31 == 0;
            let mut made = Decompress::new(is_zlib);
            // Too little to make anything of it yet.
            inflate(&mut made, &[first], &mut [])?;
            self.inflate = Some(made);
        }
        let Some(made) = &mut self.inflate else { return Ok(padding(input)) };
        let (step, ended) = inflate(made, input, output)?;
        self.ended = ended;
        Ok(step)
    }
}

pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    ended: bool,
}

impl Brotli {
    fn new() -> Self {
        let alloc = StandardAlloc::default;
        // Strictly: windows of up to 1 GiB are no part of the standard.
        Self { state: BrotliState::new_strict(alloc(), alloc(), alloc()), ended: false }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        if self.ended {
            return Ok(padding(input));
        }
        let (mut left, mut read, mut room, mut written, mut total) = (input.len(), 0, output.len(), 0, 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            input,
            &mut room,
            &mut written,
            output,
            &mut total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultSuccess => self.ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultFailure => return Err("corrupt data".to_owned()),
        }
        Ok(Step { read, written })
    }
}

pub(super) struct Zstd {
    /// Made when it is needed.
    decoder: Option<Decoder<'static>>,
    /// A frame of it; another one may follow.
    ended: bool,
}

impl Zstd {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            none => {
                let mut decoder = Decoder::new().map_err(|error| error.to_string())?;
                let most = DParameter::WindowLogMax(ZSTD_WINDOW_BITS);
                decoder.set_parameter(most).map_err(|error| error.to_string())?;
                none.insert(decoder)
            }
        };
        let status = decoder.run_on_buffers(input, output).map_err(|error| error.to_string())?;
        self.ended = status.remaining == 0;
        Ok(Step { read: status.bytes_read, written: status.bytes_written })
    }
}
