//! Whatever is on the disk: the journal's reader answers, and makes no more of it than there is.
#![no_main]

use std::convert::Infallible;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use signalbox_journal::read_segment;

fuzz_target!(|bytes: &[u8]| {
    let mut total = 0;
    let damage = read_segment::<Infallible>(&Bytes::copy_from_slice(bytes), |record| {
        total += record.payload.len();
        Ok(())
    });
    assert!(total <= bytes.len());
    let Ok(damage) = damage;
    assert!(damage.is_none_or(|damage| damage.offset <= bytes.len() as u64));
});
