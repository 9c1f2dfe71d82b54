//! How a record lies in a segment: `len u32 | crc u32 | seq u64 | kind u8 | payload`, little-endian.
//! `len` counts the payload; `crc` (CRC-32) covers everything but itself.

use bytes::{BufMut, Bytes};

/// Bytes before the payload.
pub(crate) const HEADER: usize = 17;

/// Set in `kind` on the first record of a group: when it was written, everything before it had been
/// synced. So damage in front of such a record is no torn tail.
const FIRST_OF_GROUP: u8 = 0x80;

/// A record as it was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number; one more than that of the record before.
    pub seq: u64,
    /// What it is, for whoever reads it; less than 128.
    pub kind: u8,
    /// Its bytes.
    pub payload: Bytes,
}

/// What stands at an offset.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A record, whether it begins a group, and the offset after it.
    Whole { record: Record, first_of_group: bool, next: usize },
    /// Nothing: the file ends here.
    End,
    /// Something that is no record.
    Broken(&'static str),
}

pub(crate) fn encode(seq: u64, kind: u8, first_of_group: bool, payload: &[u8], out: &mut Vec<u8>) {
    let kind = kind | if first_of_group { FIRST_OF_GROUP } else { 0 };
    // `JournalConfig::max_record_bytes` keeps payloads below 4 GiB.
    let len = payload.len() as u32;
    out.reserve(HEADER + payload.len());
    out.put_u32_le(len);
    out.put_u32_le(checksum(len, seq, kind, payload));
    out.put_u64_le(seq);
    out.put_u8(kind);
    out.extend_from_slice(payload);
}

/// Reads the frame at `offset`. Allocates nothing: the payload is a slice of `bytes`.
pub(crate) fn decode(bytes: &Bytes, offset: usize) -> Frame {
    let rest = bytes.get(offset..).unwrap_or_default();
    if rest.is_empty() {
        return Frame::End;
    }
    let Some((header, body)) = rest.split_first_chunk::<HEADER>() else { return Frame::Broken("half a header") };
    let (len, crc, seq, kind) = fields(header);
    let Some(payload) = body.get(..len as usize) else { return Frame::Broken("the record is longer than the file") };
    if checksum(len, seq, kind, payload) != crc {
        return Frame::Broken("the checksum does not match");
    }
    let start = offset + HEADER;
    let payload = bytes.slice(start..start + len as usize);
    let next = start + payload.len();
    let record = Record { seq, kind: kind & !FIRST_OF_GROUP, payload };
    Frame::Whole { record, first_of_group: kind & FIRST_OF_GROUP != 0, next }
}

/// The offset of a record that begins a group and follows record `seq`, at or after `from`: proof
/// that all before it had been synced.
pub(crate) fn find_later_group(bytes: &Bytes, from: usize, seq: u64) -> Option<usize> {
    // Few places hold a plausible number and the flag, so the checksum is seldom calculated.
    const FAR: u64 = 1 << 24;
    let plausible = |header: &[u8; HEADER]| {
        let (_, _, found, kind) = fields(header);
        kind & FIRST_OF_GROUP != 0 && found > seq && found - seq < FAR
    };
    let last = bytes.len().checked_sub(HEADER)?;
    (from..=last).find(|&at| {
        let header = bytes.get(at..).and_then(|rest| rest.first_chunk::<HEADER>());
        header.is_some_and(plausible) && matches!(decode(bytes, at), Frame::Whole { .. })
    })
}

fn fields(header: &[u8; HEADER]) -> (u32, u32, u64, u8) {
    let [l0, l1, l2, l3, c0, c1, c2, c3, s0, s1, s2, s3, s4, s5, s6, s7, kind] = *header;
    let seq = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
    (u32::from_le_bytes([l0, l1, l2, l3]), u32::from_le_bytes([c0, c1, c2, c3]), seq, kind)
}

fn checksum(len: u32, seq: u64, kind: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&len.to_le_bytes());
    hasher.update(&seq.to_le_bytes());
    hasher.update(&[kind]);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let mut out = vec![9; 3];
        encode(7, 2, true, b"hello", &mut out);
        encode(8, 3, false, b"", &mut out);
        let bytes = Bytes::from(out);
        let Frame::Whole { record, first_of_group: true, next } = decode(&bytes, 3) else { panic!("no frame") };
        assert_eq!(record, Record { seq: 7, kind: 2, payload: Bytes::from_static(b"hello") });
        let Frame::Whole { record, first_of_group: false, next } = decode(&bytes, next) else { panic!("no frame") };
        assert_eq!((record.seq, record.kind), (8, 3));
        assert_eq!(decode(&bytes, next), Frame::End);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut out = Vec::new();
        encode(1, 1, true, b"payload", &mut out);
        for bit in 0..out.len() * 8 {
            let mut bytes = out.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(decode(&bytes.into(), 0), Frame::Broken(_)), "bit {bit}");
        }
    }
}
