//! The one thread that writes. It takes what is queued, writes it, syncs once and then completes
//! everyone who waits. After a failed sync it writes nothing any more: what that left on the disk can't
//! be known, and a second sync that succeeds would prove nothing. After a write that met a full disk
//! it tries again later, in a fresh segment.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use bytes::Bytes;
use tracing::{error, warn};

use crate::fs::{File, Fs};
use crate::journal::{Done, Shared};
use crate::recover::{Closed, Recovered};
use crate::{AppendError, JournalConfig, OpenError, frame, segment};

pub(crate) enum Request {
    Append(Waiting),
    Trim { below: u64 },
    Roll,
}

pub(crate) struct Waiting {
    pub(crate) kind: u8,
    pub(crate) payload: Bytes,
    pub(crate) done: Done,
}

pub(crate) struct Writer {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    config: JournalConfig,
    shared: Arc<Shared>,
    file: Box<dyn File>,
    active: Closed,
    closed: Vec<Closed>,
    frames: Vec<u8>,
    sync_failed: bool,
}

impl Writer {
    pub(crate) fn start(
        fs: Arc<dyn Fs>,
        dir: PathBuf,
        config: JournalConfig,
        shared: Arc<Shared>,
        recovered: Recovered,
    ) -> Result<Self, OpenError> {
        let Recovered { mut closed, next_seq } = recovered;
        // An empty segment of this number is replaced.
        closed.retain(|segment| segment.first_seq != next_seq);
        let path = segment::path(&dir, next_seq);
        let file = create_segment(&*fs, &dir, next_seq).map_err(OpenError::io("create", &path))?;
        let active = Closed { first_seq: next_seq, end_seq: next_seq, bytes: segment::HEADER as u64 };
        let writer = Self { fs, dir, config, shared, file, active, closed, frames: Vec::new(), sync_failed: false };
        writer.publish_stats();
        Ok(writer)
    }

    /// Serves requests until the journal is dropped.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) {
        let mut carried = None;
        loop {
            let Some(request) = carried.take().or_else(|| requests.recv().ok()) else { return };
            match request {
                Request::Trim { below } => self.trim(below),
                Request::Roll => self.roll_now(),
                Request::Append(first) => {
                    let mut bytes = first.payload.len();
                    let mut group = vec![first];
                    while bytes < self.config.group_bytes {
                        match requests.try_recv() {
                            Ok(Request::Append(next)) => {
                                bytes += next.payload.len();
                                group.push(next);
                            }
                            Ok(other) => {
                                carried = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.commit(group);
                }
            }
        }
    }

    fn commit(&mut self, group: Vec<Waiting>) {
        let written = self.write(&group);
        if let Err(error) = &written {
            self.fail(error);
        }
        for (i, waiting) in (0..).zip(group) {
            self.shared.left(waiting.payload.len());
            (waiting.done)(written.clone().map(|first_seq| first_seq + i));
        }
    }

    fn write(&mut self, group: &[Waiting]) -> Result<u64, AppendError> {
        self.resume()?;
        if self.active.bytes >= self.config.segment_bytes {
            self.roll()?;
        }
        let first_seq = self.active.end_seq;
        self.frames.clear();
        for (i, waiting) in (0..).zip(group) {
            frame::encode(first_seq + i, waiting.kind, i == 0, &waiting.payload, &mut self.frames);
        }
        self.file.write_all(&self.frames).map_err(|error| AppendError::of("writing the journal", &error))?;
        if let Err(error) = self.file.sync() {
            self.sync_failed = true;
            return Err(AppendError::of("syncing the journal", &error));
        }
        self.active.bytes += self.frames.len() as u64;
        self.active.end_seq += group.len() as u64;
        if self.frames.capacity() > self.config.group_bytes {
            self.frames = Vec::new();
        }
        self.publish_stats();
        Ok(first_seq)
    }

    fn check(&self) -> Result<(), AppendError> {
        self.shared.failed.lock().clone().map_or(Ok(()), Err)
    }

    fn fail(&self, error: &AppendError) {
        let mut failed = self.shared.failed.lock();
        let again = matches!(error, AppendError::DiskFull(_)) && !self.sync_failed;
        if failed.is_none() {
            error!(%error, again, "the journal stopped: nothing more is taken until there is room or a restart");
        }
        *failed = Some(error.clone());
        *self.shared.retry_at.lock() = again.then(|| Instant::now() + self.config.full_retry);
    }

    /// Goes on after a full disk, if it is time to try: cuts off what the failed write left, which
    /// was never acknowledged, and begins a fresh segment. What was synced before is not touched.
    fn resume(&mut self) -> Result<(), AppendError> {
        if self.check().is_ok() {
            return Ok(());
        }
        self.shared.check()?;
        let Closed { first_seq, end_seq, bytes } = self.active;
        if first_seq < end_seq {
            let path = segment::path(&self.dir, first_seq);
            self.fs.truncate(&path, bytes).map_err(|error| AppendError::of("cutting the journal", &error))?;
            self.roll()?;
        } else {
            // It holds nothing: it is replaced.
            self.file = create_segment(&*self.fs, &self.dir, end_seq)
                .map_err(|error| AppendError::of("creating a journal segment", &error))?;
            self.active.bytes = segment::HEADER as u64;
        }
        *self.shared.failed.lock() = None;
        *self.shared.retry_at.lock() = None;
        warn!("the disk has room again: the journal goes on");
        Ok(())
    }

    fn roll(&mut self) -> Result<(), AppendError> {
        let next_seq = self.active.end_seq;
        self.file = create_segment(&*self.fs, &self.dir, next_seq)
            .map_err(|error| AppendError::of("creating a journal segment", &error))?;
        let fresh = Closed { first_seq: next_seq, end_seq: next_seq, bytes: segment::HEADER as u64 };
        self.closed.push(std::mem::replace(&mut self.active, fresh));
        Ok(())
    }

    fn roll_now(&mut self) {
        if self.active.first_seq < self.active.end_seq
            && self.check().is_ok()
            && let Err(error) = self.roll()
        {
            self.fail(&error);
        }
        self.publish_stats();
    }

    fn trim(&mut self, below: u64) {
        self.remove_closed(below);
        if self.active.first_seq < self.active.end_seq && self.active.end_seq <= below && self.check().is_ok() {
            if let Err(error) = self.roll() {
                self.fail(&error);
            }
            self.remove_closed(below);
        }
        self.publish_stats();
    }

    fn remove_closed(&mut self, below: u64) {
        let (gone, kept): (Vec<_>, Vec<_>) = self.closed.drain(..).partition(|segment| segment.end_seq <= below);
        self.closed = kept;
        if gone.is_empty() {
            return;
        }
        // What can't be removed now is removed after the next start: it is only in the way.
        let removed = gone.iter().try_for_each(|closed| self.fs.remove(&segment::path(&self.dir, closed.first_seq)));
        if let Err(error) = removed.and_then(|()| self.fs.sync_dir(&self.dir)) {
            warn!(%error, dir = %self.dir.display(), "can't remove journal segments that are not needed any more");
        }
    }

    fn publish_stats(&self) {
        let bytes = self.active.bytes + self.closed.iter().map(|closed| closed.bytes).sum::<u64>();
        self.shared.bytes.store(bytes, Ordering::Relaxed);
        self.shared.segments.store(self.closed.len() as u64 + 1, Ordering::Relaxed);
        let first = self.closed.iter().map(|closed| closed.first_seq).min().unwrap_or(self.active.first_seq);
        self.shared.first_seq.store(first, Ordering::Relaxed);
        self.shared.next_seq.store(self.active.end_seq, Ordering::Relaxed);
    }
}

fn create_segment(fs: &dyn Fs, dir: &std::path::Path, first_seq: u64) -> std::io::Result<Box<dyn File>> {
    let mut file = fs.create(&segment::path(dir, first_seq))?;
    file.write_all(&segment::header(first_seq))?;
    file.sync()?;
    fs.sync_dir(dir)?;
    Ok(file)
}
