//! Which bodies have been found to be JSON lately: several stages of a call read the same body, and to parse it each time
//! costs more than all that is then read of it.

use std::cell::Cell;
use std::hash::BuildHasher;
use std::sync::LazyLock;

/// Of shorter ones, the pieces of streams, few are read twice.
const SHORTEST: usize = 256;
/// A question and its answer, twice.
const MOST: usize = 4;

/// Its seed is the process's own, so that nobody can tell which bodies have one hash. If two had, the second one would be
/// read as far as it is JSON, and go out as it is.
static HASHER: LazyLock<foldhash::quality::RandomState> = LazyLock::new(foldhash::quality::RandomState::default);

thread_local! {
    static LATELY: Cell<[u64; MOST]> = const { Cell::new([0; MOST]) };
}

/// What a body is known by; `None` if it is too short to be remembered.
pub(super) fn key(bytes: &[u8]) -> Option<u64> {
    // Never 0, which is no body.
    (bytes.len() >= SHORTEST).then(|| HASHER.hash_one(bytes) | 1)
}

/// Whether this thread has found lately that this is one JSON value.
pub(super) fn is_json(key: u64) -> bool {
    LATELY.get().contains(&key)
}

/// Remembers that it is.
pub(super) fn remember(key: u64) {
    let mut lately = LATELY.get();
    lately.rotate_right(1);
    lately[0] = key;
    LATELY.set(lately);
}

#[cfg(test)]
mod tests {
    use crate::json::Body;

    #[test]
    fn what_is_known_is_read_as_what_is_new_is() {
        let plain = format!(" \n{{\"text\": \"{}\", \"n\": [1, 2]}}\t", "a".repeat(300));
        let bodies: Vec<String> = (0..9).map(|number| plain.replace('1', &number.to_string())).collect();
        for body in bodies.iter().chain(&bodies).chain(&bodies[7..]) {
            let read = Body::parse(body.as_bytes()).unwrap();
            assert_eq!(read.root().raw(), body.trim());
            assert_eq!(read.range(read.root()), 2..body.len() - 1);
        }
        let is_known = |body: &str| super::key(body.as_bytes()).is_some_and(super::is_json);
        assert!(is_known(&bodies[8]) && !is_known(&bodies[0]) && super::key(b"{}").is_none());
        // What is nearly the same is not.
        let broken = bodies[8].replace('}', "]");
        assert!(Body::parse(broken.as_bytes()).is_err() && Body::parse(broken.as_bytes()).is_err());
    }
}
