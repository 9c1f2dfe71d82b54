use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::fs::Fs;
use crate::recover::recover;
use crate::writer::{Request, Waiting, Writer};
use crate::{AppendError, OpenError, Record};

/// Called once with the record's number, when it is on disk, or with why it is not. Called in the
/// order of the numbers, on the journal's thread: it must be quick and must not panic.
pub(crate) type Done = Box<dyn FnOnce(Result<u64, AppendError>) + Send>;

/// Sizes and bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalConfig {
    /// A segment is closed when it is this long.
    pub segment_bytes: u64,
    /// So much, about, is written with one sync.
    pub group_bytes: usize,
    /// So many requests may wait.
    pub queue_requests: usize,
    /// So many bytes may wait.
    pub queue_bytes: usize,
    /// A record may be this long; at most 1 GiB.
    pub max_record_bytes: usize,
    /// A disk that was full is tried again after so long.
    pub full_retry: Duration,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            group_bytes: 8 << 20,
            queue_requests: 1_024,
            queue_bytes: 256 << 20,
            max_record_bytes: 256 << 20,
            full_retry: Duration::from_secs(10),
        }
    }
}

/// How a journal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalStats {
    /// Bytes on disk.
    pub bytes: u64,
    /// Segment files.
    pub segments: u64,
    /// The number of the first record that is still on disk.
    pub first_seq: u64,
    /// The number that the next record gets.
    pub next_seq: u64,
    /// Records that wait to be written.
    pub waiting: u64,
    /// Why it stopped, if it did.
    pub failed: Option<AppendError>,
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) bytes: AtomicU64,
    pub(crate) segments: AtomicU64,
    pub(crate) first_seq: AtomicU64,
    pub(crate) next_seq: AtomicU64,
    pub(crate) failed: Mutex<Option<AppendError>>,
    /// When it may be tried again after a failure; `None` if never.
    pub(crate) retry_at: Mutex<Option<Instant>>,
    waiting_requests: AtomicUsize,
    waiting_bytes: AtomicUsize,
}

impl Shared {
    /// Fails if nothing is taken now.
    pub(crate) fn check(&self) -> Result<(), AppendError> {
        let Some(error) = self.failed.lock().clone() else { return Ok(()) };
        if self.retry_at.lock().is_some_and(|at| Instant::now() >= at) { Ok(()) } else { Err(error) }
    }

    pub(crate) fn left(&self, bytes: usize) {
        self.waiting_requests.fetch_sub(1, Ordering::Relaxed);
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A log of numbered records in a folder. What was acknowledged survives a crash. Dropping it writes
/// what still waits and closes it.
pub struct Journal {
    config: JournalConfig,
    shared: Arc<Shared>,
    requests: Mutex<Option<SyncSender<Request>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal in `dir`, making one if there is none, and hands each record from `low_seq`
    /// on to `replay`, in order. Numbers begin at `low_seq` if there are no records.
    ///
    /// # Errors
    /// The file system refuses, a segment is damaged or missing, or `replay` can't use a record.
    pub fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        config: JournalConfig,
        low_seq: u64,
        replay: &mut dyn FnMut(Record) -> Result<(), String>,
    ) -> Result<Self, OpenError> {
        let recovered = recover(&*fs, dir, low_seq, replay)?;
        let shared = Arc::new(Shared::default());
        let writer = Writer::start(fs, dir.to_owned(), config, Arc::clone(&shared), recovered)?;
        let (requests, receiver) = sync_channel(config.queue_requests);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(OpenError::io("start the thread for", dir))?;
        let journal = Self { config, shared, requests: Mutex::new(Some(requests)), thread: Mutex::new(Some(thread)) };
        journal.trim(low_seq);
        Ok(journal)
    }

    /// Appends a record without waiting; `kind` is less than 128. `done` is called with its number
    /// once it is on disk, or with why it is not. If it is refused here, `done` is not called.
    ///
    /// # Errors
    /// There is no room, the record is too large, or the journal has stopped.
    pub fn submit(
        &self,
        kind: u8,
        payload: Bytes,
        done: impl FnOnce(Result<u64, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        debug_assert!(kind < 0x80, "the high bit is the journal's");
        let bytes = payload.len();
        let limit = self.config.max_record_bytes.min(1 << 30);
        if bytes > limit {
            return Err(AppendError::TooLarge { bytes, limit });
        }
        self.check()?;
        let waiting_bytes = self.shared.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.shared.waiting_requests.fetch_add(1, Ordering::Relaxed);
        // One record always fits, however large.
        let sent = if waiting_bytes > 0 && waiting_bytes + bytes > self.config.queue_bytes {
            Err(AppendError::Full)
        } else {
            let request = Request::Append(Waiting { kind, payload, done: Box::new(done) });
            let requests = self.requests.lock();
            requests.as_ref().map_or(Err(AppendError::Closed), |requests| {
                requests.try_send(request).map_err(|error| match error {
                    TrySendError::Full(_) => AppendError::Full,
                    TrySendError::Disconnected(_) => AppendError::Closed,
                })
            })
        };
        if sent.is_err() {
            self.shared.left(bytes);
        }
        sent
    }

    /// Whether records are taken now; after a full disk, whether it is time to try again.
    ///
    /// # Errors
    /// The journal has stopped.
    pub fn check(&self) -> Result<(), AppendError> {
        self.shared.check()
    }

    /// Appends a record and waits until it is on disk.
    ///
    /// # Errors
    /// There is no room, the record is too large, or the journal has stopped.
    pub async fn append(&self, kind: u8, payload: Bytes) -> Result<u64, AppendError> {
        let (done, appended) = oneshot::channel();
        // If nobody waits any more, nobody needs to hear of it.
        self.submit(kind, payload, |result| drop(done.send(result)))?;
        appended.await.unwrap_or(Err(AppendError::Closed))
    }

    /// Records below this number are not needed any more: removes segments that hold no others.
    /// Returns at once.
    pub fn trim(&self, below: u64) {
        let requests = self.requests.lock().clone();
        if let Some(requests) = requests {
            // Waits for room in the queue if there is none; fails only if the thread is gone, and
            // then the next start removes them.
            let _ = requests.send(Request::Trim { below });
        }
    }

    /// Begins a new segment, so that the records so far can go without those that follow. Returns at once.
    pub fn roll(&self) {
        let requests = self.requests.lock().clone();
        if let Some(requests) = requests {
            // As for `trim`.
            let _ = requests.send(Request::Roll);
        }
    }

    /// Writes what still waits and closes it: when this returns, nothing of it touches the folder any
    /// more, so that it can be opened again.
    pub fn close(&self) {
        drop(self.requests.lock().take());
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            // The last owner may be a callback that runs on the thread itself.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("the journal's thread panicked");
            }
        }
    }

    /// How it is.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        JournalStats {
            bytes: read(&self.shared.bytes),
            segments: read(&self.shared.segments),
            first_seq: read(&self.shared.first_seq),
            next_seq: read(&self.shared.next_seq),
            waiting: self.shared.waiting_requests.load(Ordering::Relaxed) as u64,
            failed: self.shared.failed.lock().clone(),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}
