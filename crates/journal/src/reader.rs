//! Reads a segment. Nothing in it is trusted: lengths are held against the file before anything is
//! taken for a record, and no byte is copied.

use bytes::Bytes;

use crate::frame::{self, Frame};
use crate::{Record, segment};

/// Where a segment stops making sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The offset of the first byte that belongs to no whole record.
    pub offset: u64,
    /// What is wrong there.
    pub problem: String,
    /// A crash while writing may have left it: nothing behind it had been synced.
    pub may_be_torn: bool,
}

/// Hands the records of a segment to `each`, in order, and says where and how it is damaged, if it is.
///
/// # Errors
/// What `each` returns; reading stops there.
pub fn read_segment<E>(bytes: &Bytes, mut each: impl FnMut(Record) -> Result<(), E>) -> Result<Option<Damage>, E> {
    let first_seq = match segment::read_header(bytes) {
        Ok(first_seq) => first_seq,
        Err(problem) => {
            // Created, but not yet synced: a crash leaves a short file or zeroes.
            let may_be_torn = bytes.len() <= segment::HEADER || bytes.iter().all(|&byte| byte == 0);
            return Ok(Some(Damage { offset: 0, problem: problem.to_owned(), may_be_torn }));
        }
    };
    let (mut offset, mut expected) = (segment::HEADER, first_seq);
    loop {
        let problem = match frame::decode(bytes, offset) {
            Frame::End => return Ok(None),
            Frame::Whole { record, next, .. } if record.seq == expected => {
                each(record)?;
                (offset, expected) = (next, expected.saturating_add(1));
                continue;
            }
            Frame::Whole { record, .. } => format!("record {expected} was expected, not {}", record.seq),
            Frame::Broken(problem) => problem.to_owned(),
        };
        let may_be_torn = frame::find_later_group(bytes, offset + 1, expected).is_none();
        return Ok(Some(Damage { offset: offset as u64, problem, may_be_torn }));
    }
}
