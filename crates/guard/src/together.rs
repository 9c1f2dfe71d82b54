//! Long texts are looked at by several threads, each scanner by one of them.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::model::Notes;
use crate::scanner::Text;

/// To start threads costs more than to look at anything shorter.
pub(crate) const LONG_BYTES: usize = 128 << 10;
/// One text takes no more of a large machine.
const MOST_THREADS: usize = 4;

/// Has `add` put what each of `all` sees in a text into one `Seen`, in order; of a long text by several threads, whose parts
/// `join` puts together. What shares notes is done by one thread, so that what they hold is computed once.
pub(crate) fn gather<One: Sync, Seen: Default + Send>(
    text: &str,
    all: &[One],
    shares: impl Fn(&One) -> bool,
    add: impl Fn(&mut Seen, &One, Text<'_>) + Sync,
    join: impl Fn(&mut Seen, Seen),
) -> Seen {
    let mut seen = Seen::default();
    if text.len() < LONG_BYTES {
        let notes = Notes::default();
        all.iter().for_each(|one| add(&mut seen, one, Text::whole(text).noted(&notes)));
        return seen;
    }
    let parts = each(
        all.len(),
        |number| shares(&all[number]),
        |number, notes| {
            let mut seen = Seen::default();
            add(&mut seen, &all[number], Text::whole(text).noted(notes));
            seen
        },
    );
    parts.into_iter().for_each(|part| join(&mut seen, part));
    seen
}

/// Does `job` once for each number below `count`, on several threads, and returns what came of each, in order.
fn each<T: Send>(count: usize, shares: impl Fn(usize) -> bool, job: impl Fn(usize, &Notes) -> T + Sync) -> Vec<T> {
    let (sharing, alone): (Vec<usize>, Vec<usize>) = (0..count).partition(|number| shares(*number));
    // The longest first.
    let parts: Vec<Vec<usize>> = std::iter::once(sharing)
        .chain(alone.into_iter().map(|number| vec![number]))
        .filter(|part| !part.is_empty())
        .collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    let work = || {
        while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let notes = Notes::default();
            let results: Vec<(usize, T)> = part.iter().map(|number| (*number, job(*number, &notes))).collect();
            done.lock().unwrap_or_else(PoisonError::into_inner).extend(results);
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS).min(parts.len());
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
    use std::thread::ThreadId;

    use super::*;

    #[test]
    fn all_is_done_once_in_order_and_what_shares_by_one_thread() {
        let seen: Vec<(usize, ThreadId)> =
            each(20, |number| number % 5 == 0, |number, _| (number, thread::current().id()));
        assert_eq!(seen.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
        let sharing: Vec<ThreadId> = seen.iter().filter(|(number, _)| number % 5 == 0).map(|(_, id)| *id).collect();
        assert!(sharing.windows(2).all(|two| two[0] == two[1]));
        assert_eq!(each(0, |_| false, |number, _| number), Vec::<usize>::new());
    }
}
