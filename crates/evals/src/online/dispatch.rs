//! From the queue to the scorers, in batches; some spans wait for the rest of their trace first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::worker::{Shared, Work, score_works};

/// Spans that are scored together.
const BATCH: usize = 256;

/// Until the queue is closed and empty.
pub(super) async fn run(shared: Arc<Shared>, mut queue: mpsc::Receiver<Work>) {
    let settle = Duration::from_millis(shared.parts.config.settle_ms);
    let mut settling: VecDeque<(Instant, Work)> = VecDeque::new();
    let mut batches = JoinSet::new();
    let (mut got, mut ready) = (Vec::with_capacity(BATCH), Vec::new());
    let mut closed = false;
    loop {
        let due = settling.front().map(|(due, _)| *due);
        tokio::select! {
            taken = queue.recv_many(&mut got, BATCH), if !closed && settling.len() < shared.parts.config.queue => {
                closed = taken == 0;
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            else => break,
        }
        let now = Instant::now();
        for work in got.drain(..) {
            if work.live.waits_for_trace(&work.span) {
                settling.push_back((now + settle, work));
            } else {
                ready.push(work);
            }
        }
        // The end of the queue ends all waiting.
        while let Some((_, work)) = settling.pop_front_if(|(due, _)| closed || *due <= now) {
            ready.push(work);
        }
        while !ready.is_empty() {
            let rest = ready.split_off(ready.len().min(BATCH));
            let batch = std::mem::replace(&mut ready, rest);
            let Ok(turn) = Arc::clone(&shared.turns).acquire_owned().await else { return };
            let shared = Arc::clone(&shared);
            batches.spawn(async move {
                score_works(&shared, batch).await;
                drop(turn);
            });
        }
        while batches.try_join_next().is_some() {}
    }
    while batches.join_next().await.is_some() {}
}
