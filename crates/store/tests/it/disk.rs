use std::sync::Arc;

use signalbox_journal::fs::{Faults, Faulty, Real};
use signalbox_store::{OpenError, Store, StoreConfig};
use signalbox_types::seam::{EventStore, StoreError};

use crate::{clock, count, numbers, open, spans};

fn open_faulty(dir: &std::path::Path) -> (Arc<Store>, Arc<Faults>) {
    let (fs, faults) = Faulty::new(Arc::new(Real));
    (Store::open_on(Arc::new(fs), dir, StoreConfig::default(), clock()).unwrap(), faults)
}

#[tokio::test]
async fn a_second_process_is_told_whats_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let error = Store::open(dir.path(), StoreConfig::default(), clock()).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&dir.path().display().to_string()) && text.contains("--data"), "{text}");
    drop(first);
    open(dir.path());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "x").unwrap();
    let error = Store::open(&dir.path().join("file/data"), StoreConfig::default(), clock()).unwrap_err();
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains("file/data"), "{error}");
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_reads_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let (store, faults) = open_faulty(dir.path());
    store.append(spans(0..10).into()).await.unwrap();
    faults.disk_full_after(100);
    let error = store.append(spans(10..20).into()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Disk(text) if text.contains("full")), "{error}");
    faults.mend();
    assert!(
        matches!(store.append(spans(10..20).into()).await, Err(StoreError::Disk(_))),
        "for ten seconds, or until a restart"
    );
    assert!(store.stats().read_only);
    assert_eq!(count(&*store).await, 10);
    drop(store);
    let store = open(dir.path());
    store.append(spans(10..20).into()).await.unwrap();
    assert_eq!(numbers(&*store).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_failed_sync_refuses_writes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, faults) = open_faulty(dir.path());
    store.append(spans(0..10).into()).await.unwrap();
    faults.sync_fails();
    assert!(matches!(store.append(spans(10..20).into()).await, Err(StoreError::Disk(_))));
    assert_eq!(count(&*store).await, 10);
    assert!(store.stats().read_only);
}

/// The disk fills up at some point of a flush, or a sync fails; then the process dies, or the disk
/// is mended and it tries again. Either way every row is there once.
#[tokio::test]
async fn a_flush_that_fails_anywhere_loses_and_doubles_nothing() {
    let expected: Vec<u64> = (0..60).collect();
    for (room, dies) in (0..30).flat_map(|step| [(step * 997, true), (step * 997, false)]) {
        let dir = tempfile::tempdir().unwrap();
        let (store, faults) = open_faulty(dir.path());
        store.append(spans(0..40).into()).await.unwrap();
        store.flush().await.unwrap();
        store.append(spans(40..60).into()).await.unwrap();
        if room == 0 {
            faults.sync_fails();
        } else {
            faults.disk_full_after(room);
        }
        let failed = store.flush().await.is_err();
        assert_eq!(numbers(&*store).await, expected, "after a flush with room for {room} bytes");
        faults.mend();
        if dies {
            drop(store);
            let store = open(dir.path());
            assert_eq!(numbers(&*store).await, expected, "after a restart, {room} bytes");
            store.close().await.unwrap();
        } else if failed {
            store.flush().await.unwrap();
            assert_eq!(store.stats().memtable_rows, 0);
            assert_eq!(numbers(&*store).await, expected, "after another flush, {room} bytes");
        }
    }
}
