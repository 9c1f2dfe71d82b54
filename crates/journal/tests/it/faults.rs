use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use bytes::Bytes;
use signalbox_journal::fs::{Faults, Faulty, Fs, Memory};
use signalbox_journal::{AppendError, Journal, JournalConfig};

use crate::{DIR, append, open, payloads, small};

fn faulty() -> (Arc<dyn Fs>, Arc<Faults>, Memory) {
    let memory = Memory::default();
    let (fs, faults) = Faulty::new(Arc::new(memory.clone()));
    (Arc::new(fs), faults, memory)
}

fn stays_failed(journal: &Journal, faults: &Faults, error: &AppendError) {
    assert_eq!(append(journal, b"x").as_ref(), Err(error));
    faults.mend();
    assert_eq!(append(journal, b"x").as_ref(), Err(error), "it must not try again on the same file");
    assert_eq!(journal.stats().failed.as_ref(), Some(error));
}

#[test]
fn a_full_disk_fails_the_append_and_loses_nothing() {
    for room in 0..40 {
        let (fs, faults, memory) = faulty();
        let (journal, _) = open(&fs, 1);
        append(&journal, b"kept").unwrap();
        faults.disk_full_after(room);
        let error = append(&journal, &[1; 40]).unwrap_err();
        assert!(matches!(error, AppendError::DiskFull(_)), "{error}");
        stays_failed(&journal, &faults, &error);
        drop(journal);
        // The half-written record is cut off at the next start.
        for torn in [0, usize::MAX] {
            let after: Arc<dyn Fs> = Arc::new(memory.after_power_loss(torn));
            assert_eq!(payloads(&open(&after, 1).1), [b"kept".to_vec()]);
        }
    }
}

#[test]
fn goes_on_when_the_disk_has_room_again() {
    for (kept, room) in (0..3).flat_map(|kept| (0..80).map(move |room| (kept, room))) {
        let (fs, faults, memory) = faulty();
        let config = JournalConfig { full_retry: Duration::ZERO, ..small() };
        let journal = Journal::open(Arc::clone(&fs), Path::new(DIR), config, 1, &mut |_| Ok(())).unwrap();
        let mut expected = vec![b"kept".to_vec(); kept];
        for payload in &expected {
            append(&journal, payload).unwrap();
        }
        faults.disk_full_after(room);
        for payload in [[1_u8; 60], [2; 60]] {
            match append(&journal, &payload) {
                Ok(_) => expected.push(payload.to_vec()),
                Err(error) => assert!(matches!(error, AppendError::DiskFull(_)), "{error}"),
            }
        }
        faults.mend();
        append(&journal, b"after").unwrap();
        expected.push(b"after".to_vec());
        assert_eq!(journal.stats().failed, None);
        drop(journal);
        let after: Arc<dyn Fs> = Arc::new(memory.after_power_loss(0));
        assert_eq!(payloads(&open(&after, 1).1), expected, "{kept} kept, room for {room} bytes");
    }
}

#[test]
fn a_failed_sync_fails_everyone_who_waits() {
    let (fs, faults, memory) = faulty();
    let (journal, _) = open(&fs, 1);
    append(&journal, b"kept").unwrap();
    faults.sync_fails();
    let error = append(&journal, b"unknown").unwrap_err();
    assert!(matches!(error, AppendError::Io(_)), "{error}");
    stays_failed(&journal, &faults, &error);
    drop(journal);
    let after: Arc<dyn Fs> = Arc::new(memory.after_power_loss(0));
    assert_eq!(payloads(&open(&after, 1).1), [b"kept".to_vec()]);
}

#[test]
fn short_writes_are_finished() {
    let (fs, faults, _) = faulty();
    let (journal, _) = open(&fs, 1);
    faults.short_writes();
    append(&journal, &[3; 500]).unwrap();
    drop(journal);
    assert_eq!(payloads(&open(&fs, 1).1), [vec![3; 500]]);
}

#[test]
fn refuses_what_is_too_large() {
    let (fs, _, _) = faulty();
    let (journal, _) = open(&fs, 1);
    let error = append(&journal, &[0; 1_025]).unwrap_err();
    assert_eq!(error, AppendError::TooLarge { bytes: 1_025, limit: 1_024 });
    append(&journal, &[0; 1_024]).unwrap();
}

#[test]
fn the_queue_is_bounded() {
    let (fs, _, _) = faulty();
    let (journal, _) = open(&fs, 1);
    // The first record's callback holds the journal's thread up, so that the rest must wait.
    let (go, wait) = sync_channel::<()>(1);
    journal.submit(1, Bytes::new(), move |_| wait.recv().unwrap()).unwrap();
    let mut taken = 0;
    let refused = loop {
        match journal.submit(1, Bytes::from_static(&[0; 100]), |_| ()) {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, AppendError::Full);
    assert!(taken <= 64, "{taken}");
    go.send(()).unwrap();
    // Room comes back.
    while append(&journal, b"x") == Err(AppendError::Full) {
        std::thread::yield_now();
    }
    assert_eq!(journal.stats().waiting, 0);
}
