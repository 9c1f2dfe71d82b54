//! Long texts are looked at by several threads: each scanner by one of them, and the model's blocks by all.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::guard::Clock;
use crate::model::{self, Block, Notes};
use crate::scanner::Text;

/// To start threads costs more than to look at anything shorter.
pub(crate) const LONG_BYTES: usize = 128 << 10;
/// One text takes no more of a large machine.
const MOST_THREADS: usize = 4;
/// Blocks of the model that one thread scores at a time.
const PART_BLOCKS: usize = 32;

/// What came of one of the jobs on a long text.
enum Done<Seen> {
    /// What a scanner has seen.
    Seen(Seen),
    /// Blocks of the model, and the microseconds that they took.
    Blocks(Vec<Block>, f64),
}

/// Has `add` put what each of `all` sees in a text into one `Seen`, in order; of a long text by several threads, whose
/// parts `join` puts together. Those that `shares` says look at what the model notes, which is computed once; what that
/// takes by `clock` is told with the notes.
pub(crate) fn gather<One: Sync, Seen: Default + Send>(
    text: &str,
    all: &[One],
    shares: impl Fn(&One) -> bool,
    add: impl Fn(&mut Seen, &One, Text<'_>) + Sync,
    join: impl Fn(&mut Seen, Seen),
    clock: Option<&Clock<'_>>,
) -> Seen {
    let mut seen = Seen::default();
    if text.len() < LONG_BYTES {
        let notes = Notes::default();
        all.iter().for_each(|one| add(&mut seen, one, Text::whole(text).noted(&notes)));
        return seen;
    }
    let alone: Vec<&One> = all.iter().filter(|one| !shares(one)).collect();
    let ends: Vec<usize> =
        if alone.len() < all.len() { model::block_ends(text, 0, false).collect() } else { Vec::new() };
    let parts: Vec<&[usize]> = ends.chunks(PART_BLOCKS).collect();
    let now = || clock.map_or(0.0, |clock| clock());
    // The longest first.
    let done = each(alone.len() + parts.len(), |job| match job.checked_sub(alone.len()) {
        None => {
            let mut seen = Seen::default();
            add(&mut seen, alone[job], Text::whole(text));
            Done::Seen(seen)
        }
        Some(part) => {
            let began = now();
            let from = part.checked_sub(1).and_then(|before| parts[before].last()).copied().unwrap_or(0);
            let blocks = model::judge_all(text, from, parts[part].iter().copied());
            Done::Blocks(blocks, now() - began)
        }
    });
    let (mut ready, mut blocks, mut us) = (Vec::new(), Vec::with_capacity(ends.len()), 0.0);
    for done in done {
        match done {
            Done::Seen(seen) => ready.push(seen),
            Done::Blocks(more, took) => {
                blocks.extend(more);
                us += took;
            }
        }
    }
    let (mut ready, notes) = (ready.into_iter(), Notes::of_whole(blocks, us));
    for one in all {
        let ready = if shares(one) { None } else { ready.next() };
        match ready {
            Some(other) => join(&mut seen, other),
            None => add(&mut seen, one, Text::whole(text).noted(&notes)),
        }
    }
    seen
}

/// Does `job` once for each number below `count`, on several threads, and returns what came of each, in order.
fn each<T: Send>(count: usize, job: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                break;
            }
            let result = job(number);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS).min(count);
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_done_once_and_in_order() {
        let done = Mutex::new(Vec::new());
        let results = each(20, |number| {
            done.lock().unwrap().push(number);
            number * 2
        });
        assert_eq!(results, (0..20).map(|number| number * 2).collect::<Vec<_>>());
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
        assert_eq!(each(0, |number| number), Vec::<usize>::new());
    }
}
