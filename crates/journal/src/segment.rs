//! A segment file: its name is the number of its first record, its first bytes say so again.

use std::path::{Path, PathBuf};

use bytes::BufMut;

/// Bytes before the first frame.
pub(crate) const HEADER: usize = 16;
const MAGIC: &[u8; 8] = b"SBXJRNL1";
const SUFFIX: &str = ".journal";

pub(crate) fn path(dir: &Path, first_seq: u64) -> PathBuf {
    dir.join(format!("{first_seq:020}{SUFFIX}"))
}

/// The number in a file's name; `None` if it is no segment.
pub(crate) fn first_seq_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

pub(crate) fn header(first_seq: u64) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER);
    header.put_slice(MAGIC);
    header.put_u64_le(first_seq);
    header
}

pub(crate) fn read_header(bytes: &[u8]) -> Result<u64, &'static str> {
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else { return Err("the file is shorter than its header") };
    let Some(first_seq) = rest.first_chunk::<8>() else { return Err("the file is shorter than its header") };
    if magic != MAGIC {
        return Err("it does not begin like a journal segment");
    }
    Ok(u64::from_le_bytes(*first_seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(path(Path::new("d"), 42), Path::new("d/00000000000000000042.journal"));
        assert_eq!(first_seq_of("00000000000000000042.journal"), Some(42));
        for name in [
            "",
            "42.journal",
            "00000000000000000042.tmp",
            "0000000000000000004x.journal",
            "99999999999999999999.journal",
        ] {
            assert_eq!(first_seq_of(name), None, "{name}");
        }
    }

    #[test]
    fn headers() {
        assert_eq!(header(42).len(), HEADER);
        assert_eq!(read_header(&header(42)), Ok(42));
        assert!(read_header(b"SBXJRNL1").is_err());
        assert!(read_header(b"something else here").is_err());
    }
}
