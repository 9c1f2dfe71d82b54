use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use signalbox_journal::OpenError;
use signalbox_journal::fs::{Fs, Memory, Real};

use crate::{DIR, append, open, payloads, try_open};

#[test]
fn everything_acknowledged_comes_back_in_order() {
    let fs: Arc<dyn Fs> = Arc::new(Memory::default());
    let sent: Vec<Vec<u8>> = (0..100_u8).map(|i| vec![i; usize::from(i)]).collect();
    let (journal, records) = open(&fs, 1);
    assert!(records.is_empty());
    for (payload, seq) in sent.iter().zip(1..) {
        assert_eq!(append(&journal, payload), Ok(seq));
    }
    assert!(journal.stats().segments > 10);
    drop(journal);
    let (journal, records) = open(&fs, 1);
    assert_eq!(payloads(&records), sent);
    assert!(records.iter().zip(1..).all(|(record, seq)| record.seq == seq && record.kind == 1));
    assert_eq!(append(&journal, b"next"), Ok(101));
}

#[test]
fn trimmed_segments_are_gone_and_numbers_go_on() {
    let memory = Memory::default();
    let fs: Arc<dyn Fs> = Arc::new(memory.clone());
    let (journal, _) = open(&fs, 1);
    for _ in 0..20 {
        append(&journal, &[7; 50]).unwrap();
    }
    journal.trim(21);
    assert_eq!(append(&journal, b"after"), Ok(21));
    assert_eq!(journal.stats().segments, 1);
    drop(journal);
    let after: Arc<dyn Fs> = Arc::new(memory.after_power_loss(0));
    let (journal, records) = open(&after, 21);
    assert_eq!(payloads(&records), [b"after".to_vec()]);
    journal.trim(22);
    drop(journal);
    // Nothing is left but the number that an empty segment carries.
    let (journal, records) = open(&after, 22);
    assert!(records.is_empty());
    assert_eq!(append(&journal, b"on"), Ok(22));
}

#[test]
fn segments_below_the_low_mark_are_not_read() {
    let fs: Arc<dyn Fs> = Arc::new(Memory::default());
    let (journal, _) = open(&fs, 1);
    for _ in 0..20 {
        append(&journal, &[7; 90]).unwrap();
    }
    drop(journal);
    let first = Path::new(DIR).join("00000000000000000001.journal");
    fs.truncate(&first, 20).unwrap();
    let (_, records) = open(&fs, 15);
    assert_eq!(records.first().map(|record| record.seq), Some(15));
    assert!(fs.read(&first).is_err(), "it should have been removed");
}

#[test]
fn works_on_the_real_file_system() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let open = |low_seq| {
        let mut count = 0;
        let mut replay = |_| {
            count += 1;
            Ok(())
        };
        let journal =
            signalbox_journal::Journal::open(Arc::new(Real), &path, crate::small(), low_seq, &mut replay).unwrap();
        (journal, count)
    };
    let (journal, _) = open(1);
    for _ in 0..20 {
        append(&journal, &[1; 100]).unwrap();
    }
    drop(journal);
    let (journal, count) = open(1);
    assert_eq!(count, 20);
    journal.trim(21);
    append(&journal, b"x").unwrap();
    assert_eq!(Real.list(&path).unwrap().len(), 1);
}

#[test]
fn a_missing_segment_is_refused() {
    let fs: Arc<dyn Fs> = Arc::new(Memory::default());
    let (journal, _) = open(&fs, 1);
    for _ in 0..20 {
        append(&journal, &[7; 90]).unwrap();
    }
    drop(journal);
    let names = fs.list(Path::new(DIR)).unwrap();
    fs.remove(&Path::new(DIR).join(&names[1])).unwrap();
    assert!(matches!(try_open(&fs, 1), Err(OpenError::Gap { .. })));
}

#[test]
fn damage_that_no_crash_can_leave_is_refused() {
    // Each append waits, so each record is a group of its own: all but the last record of the last
    // segment stand in front of something that was written after a sync.
    let fs: Arc<dyn Fs> = Arc::new(Memory::default());
    let (journal, _) = open(&fs, 1);
    for i in 0..12 {
        append(&journal, &[i; 20]).unwrap();
    }
    drop(journal);
    let names = fs.list(Path::new(DIR)).unwrap();
    let last = names.last().unwrap();
    assert_eq!(names.len(), 3);
    for (name, offset) in [(&names[0], 3), (&names[0], 16), (&names[0], 199), (&names[1], 50), (last, 16), (last, 33)] {
        let path = Path::new(DIR).join(name);
        let whole = fs.read(&path).unwrap();
        let mut bytes = whole.to_vec();
        bytes[offset] ^= 0x10;
        fs.create(&path).unwrap().write_all(&bytes).unwrap();
        let error = try_open(&fs, 1).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{name} {offset}: {error}");
        assert!(error.to_string().contains(name.as_str()), "{error}");
        fs.create(&path).unwrap().write_all(&whole).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Power is lost at a random moment, with any number of unsynced bytes on the disk: exactly the
    /// acknowledged records come back, and after them perhaps some that were being written.
    #[test]
    fn the_acknowledged_prefix_survives(
        lives in prop::collection::vec((prop::collection::vec(0_usize..120, 0..12), 0_usize..300, any::<bool>()), 1..5),
    ) {
        let mut memory = Memory::default();
        let mut expected: Vec<Vec<u8>> = Vec::new();
        for (sizes, torn, trims) in lives {
            let fs: Arc<dyn Fs> = Arc::new(memory.clone());
            let (journal, records) = open(&fs, 1);
            prop_assert_eq!(payloads(&records), expected.clone());
            for (i, size) in sizes.into_iter().enumerate() {
                let payload = vec![i as u8; size];
                append(&journal, &payload).unwrap();
                expected.push(payload);
            }
            if trims {
                journal.trim(1);
            }
            memory = memory.after_power_loss(torn);
        }
    }

    /// The last segment is cut at every byte: what comes back is the longest whole prefix.
    #[test]
    fn a_torn_tail_is_cut_off(sizes in prop::collection::vec(0_usize..30, 1..6)) {
        let memory = Memory::default();
        let fs: Arc<dyn Fs> = Arc::new(memory.clone());
        let (journal, _) = open(&fs, 1);
        let sent: Vec<Vec<u8>> = sizes.iter().map(|&size| vec![5; size]).collect();
        for payload in &sent {
            append(&journal, payload).unwrap();
        }
        drop(journal);
        let names = fs.list(Path::new(DIR)).unwrap();
        let last = Path::new(DIR).join(names.last().unwrap());
        for len in (0..fs.len(&last).unwrap()).rev() {
            let torn = memory.after_power_loss(0);
            torn.truncate(&last, len).unwrap();
            let torn: Arc<dyn Fs> = Arc::new(torn);
            let (journal, records) = open(&torn, 1);
            let found = payloads(&records);
            prop_assert_eq!(&found[..], &sent[..found.len()]);
            // It goes on where it stopped, and the cut stays cut.
            append(&journal, b"more").unwrap();
            drop(journal);
            prop_assert_eq!(open(&torn, 1).1.len(), found.len() + 1);
        }
    }
}
