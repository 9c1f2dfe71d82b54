//! Counting runs of tokens. A run is one number: four words of 32 bits, or six characters of 21.

/// All runs of `order` items, sorted. Items must fit into `bits`, and all of them into 128.
pub(super) fn sorted(items: &[u32], order: usize, bits: u32) -> Vec<u128> {
    if order == 0 || items.len() < order {
        return Vec::new();
    }
    let join = |run: &[u32]| run.iter().fold(0_u128, |key, item| (key << bits) | u128::from(*item));
    let mut runs: Vec<_> = items.windows(order).map(join).collect();
    runs.sort_unstable();
    runs
}

/// How many runs both have, each counted as often as it occurs in both.
pub(super) fn shared(left: &[u128], right: &[u128]) -> usize {
    let (mut i, mut j, mut found) = (0, 0, 0);
    while let (Some(a), Some(b)) = (left.get(i), right.get(j)) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                found += 1;
                i += 1;
                j += 1;
            }
        }
    }
    found
}

/// How many runs of `left` any of the others has, each counted as often as in the one that has it most.
pub(super) fn shared_with_any(left: &[u128], others: &[Vec<u128>]) -> usize {
    if let [only] = others {
        return shared(left, only);
    }
    left.chunk_by(|a, b| a == b)
        .map(|run| {
            let key = run.first().copied().unwrap_or_default();
            let most = others.iter().map(|other| count(other, key)).max().unwrap_or(0);
            run.len().min(most)
        })
        .sum()
}

fn count(sorted: &[u128], key: u128) -> usize {
    let from = sorted.partition_point(|other| *other < key);
    sorted.iter().skip(from).take_while(|other| **other == key).count()
}
