use std::convert::Infallible;

use bytes::Bytes;
use proptest::prelude::*;
use signalbox_journal::read_segment;

/// Reads whatever is there; payloads can't be longer than the file.
fn read(bytes: &[u8]) {
    let mut total = 0;
    let damage = read_segment::<Infallible>(&Bytes::copy_from_slice(bytes), |record| {
        total += record.payload.len();
        Ok(())
    });
    assert!(total <= bytes.len());
    let Ok(damage) = damage;
    assert!(damage.is_none_or(|damage| damage.offset <= bytes.len() as u64));
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read(&bytes);
    }

    /// With a good header, so that the frames are reached; huge lengths included.
    #[test]
    fn arbitrary_frames(first in any::<u64>(), frames in prop::collection::vec((any::<u32>(), any::<u64>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..20)) {
        let mut bytes = b"SBXJRNL1".to_vec();
        bytes.extend(first.to_le_bytes());
        for (len, seq, kind, payload) in frames {
            bytes.extend(len.to_le_bytes());
            bytes.extend(len.rotate_left(7).to_le_bytes());
            bytes.extend(seq.to_le_bytes());
            bytes.push(kind);
            bytes.extend(payload);
        }
        read(&bytes);
    }
}
