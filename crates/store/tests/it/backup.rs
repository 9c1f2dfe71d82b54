use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signalbox_store::{OpenError, RestoreError, Store, Verification, restore, verify};
use signalbox_types::seam::EventStore;

use crate::{count, numbers, open, spans};

fn read(dir: &Path) -> Verification {
    verify(dir, &mut |_, _| {}).unwrap()
}

fn bring_back(from: &Path, to: &Path, force: bool) -> Result<signalbox_store::Restored, RestoreError> {
    restore(from, to, force, &mut |_, _| {})
}

async fn back_up(store: &Store, to: &Path) -> signalbox_types::seam::BackupReport {
    let report = store.backup(to).await.unwrap();
    // The catalog's crate writes it.
    std::fs::write(to.join("catalog.db"), "keys").unwrap();
    report
}

#[tokio::test]
async fn what_was_there_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (data, to, back) = (dir.path().join("data"), dir.path().join("backup"), dir.path().join("back"));
    let store = open(&data);
    store.append(spans(0..500).into()).await.unwrap();
    let first = back_up(&store, &to).await;
    assert_eq!((first.kept, first.removed), (0, 0), "{first:?}");
    assert_eq!(first.files, first.linked + first.copied);
    // Replaces rows in a file, and adds some.
    store.append(spans(400..600).into()).await.unwrap();
    let second = back_up(&store, &to).await;
    assert!(second.kept >= first.files, "{second:?}");
    store.compact().await.unwrap();
    let third = back_up(&store, &to).await;
    assert!(third.removed >= first.files, "{third:?}");
    assert_eq!(read(&to).damages, []);
    store.append(spans(600..700).into()).await.unwrap();

    let restored = bring_back(&to, &back, false).unwrap();
    assert_eq!((restored.files, restored.rows), (third.files + 1, 600));
    let copy = open(&back);
    assert_eq!(numbers(&*copy).await, (0..600).collect::<Vec<_>>());
    copy.append(spans(600..610).into()).await.unwrap();
    assert_eq!(count(&*copy).await, 610);
    assert_eq!(std::fs::read_to_string(back.join("catalog.db")).unwrap(), "keys");

    let error = store.backup(&back).await.unwrap_err().to_string();
    assert!(error.contains("is using it") || error.contains("no backup"), "{error}");
    drop(copy);
    assert!(matches!(bring_back(&to, &back, false).unwrap_err(), RestoreError::NotEmpty { .. }));
    let forced = bring_back(&to, &back, true).unwrap();
    assert!(forced.moved_aside.unwrap().ends_with("replaced-1"));
    assert_eq!(count(&*open(&back)).await, 600);
}

/// Rows arrive, are replaced and merged all the time. Each row of a backup is there once, and none is missing
/// that was there before it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_busy_store_is_backed_up_as_of_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    let (data, to) = (dir.path().join("data"), dir.path().join("backup"));
    let store = open(&data);
    store.append(spans(0..200).into()).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let busy = tokio::spawn({
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        async move {
            let mut next = 200;
            while !stop.load(Ordering::Relaxed) && next < 4_000 {
                // Half of them replace others.
                store.append(spans(next - 20..next + 20).into()).await.unwrap();
                next += 20;
                if next % 300 == 0 {
                    store.flush().await.unwrap();
                    store.compact().await.unwrap();
                }
            }
        }
    });
    for round in 0..6 {
        let before = count(&*store).await;
        back_up(&store, &to).await;
        let after = count(&*store).await;
        assert_eq!(read(&to).damages, []);
        assert_eq!(read(&data).damages, [], "a look at a folder in use");
        let back = dir.path().join(format!("back-{round}"));
        bring_back(&to, &back, false).unwrap();
        let copy = open(&back);
        let found = numbers(&*copy).await;
        assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>(), "round {round}");
        assert!((before..=after).contains(&(found.len() as u64)), "{before} ≤ {} ≤ {after}", found.len());
    }
    stop.store(true, Ordering::Relaxed);
    busy.await.unwrap();
}

fn change(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x40;
    std::fs::write(path, bytes).unwrap();
}

fn only_file(dir: &Path) -> std::path::PathBuf {
    std::fs::read_dir(dir).unwrap().next().unwrap().unwrap().path()
}

#[tokio::test]
async fn damage_is_found_and_never_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (data, to, back) = (dir.path().join("data"), dir.path().join("backup"), dir.path().join("back"));
    let store = open(&data);
    store.append(spans(0..50).into()).await.unwrap();
    back_up(&store, &to).await;
    store.append(spans(50..60).into()).await.unwrap();
    drop(store);
    let found = read(&data);
    assert_eq!((found.rows, found.journal_records, found.damages.len()), (50, 1, 0));

    // A copy, so that the data folder's own file stays whole.
    let rows = only_file(&to.join("files/spans"));
    let whole = std::fs::read(&rows).unwrap();
    std::fs::remove_file(&rows).unwrap();
    std::fs::write(&rows, &whole).unwrap();
    change(&rows, whole.len() / 2);
    let damages = read(&to).damages;
    assert_eq!(damages.len(), 1);
    assert!(damages[0].path == rows && damages[0].problem.contains("checksum"), "{damages:?}");
    let error = bring_back(&to, &back, false).unwrap_err();
    assert!(matches!(error, RestoreError::Copy { .. }), "{error}");
    let error = Store::open(&back, signalbox_store::StoreConfig::default(), crate::clock()).unwrap_err();
    assert!(matches!(&error, OpenError::Manifest { problem, .. } if problem.contains("restore")), "{error}");
    std::fs::write(&rows, &whole).unwrap();
    bring_back(&to, &back, true).unwrap();
    assert_eq!(count(&*open(&back)).await, 50);

    change(&only_file(&data.join("keys/spans")), 40);
    let damages = read(&data).damages;
    assert!(damages.iter().any(|damage| damage.advice.contains("made anew")), "{damages:?}");
    std::fs::remove_file(only_file(&data.join("files/spans"))).unwrap();
    assert!(read(&data).damages.iter().any(|damage| damage.advice.contains("restore a backup")));
    let error = verify(&dir.path().join("nothing"), &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("neither a data folder nor a backup"), "{error}");
}
