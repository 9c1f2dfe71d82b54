//! Counting runs of tokens. A run is one number: four words of 32 bits, or six characters of 21.

/// The runs of a text, up to `order` items long, sorted once: those that begin alike are neighbours, so shorter ones are
/// sorted as well.
#[derive(Debug)]
pub(super) struct Runs {
    /// For each item the run that begins there; zeros stand for what would be after the end.
    keys: Vec<u128>,
    /// The last items, from the end, that begin shorter runs only.
    ends: Vec<u32>,
    order: usize,
    bits: u32,
}

impl Runs {
    /// Items must be less than the largest number of `bits`, and `order` of them fit into 128.
    pub(super) fn new(items: &[u32], order: usize, bits: u32) -> Self {
        let all = u128::MAX.checked_shr(128 - bits * order as u32).unwrap_or(0);
        let (mut keys, mut key) = (Vec::with_capacity(items.len()), 0_u128);
        let shorter = order.saturating_sub(1);
        let behind = std::iter::repeat_n(0, shorter);
        for (at, item) in items.iter().map(|item| u128::from(*item) + 1).chain(behind).enumerate() {
            key = ((key << bits) | item) & all;
            if at + 1 >= order {
                keys.push(key);
            }
        }
        keys.sort_unstable();
        Self { keys, ends: items.iter().rev().take(shorter).copied().collect(), order, bits }
    }

    /// How many runs of so many items there are.
    pub(super) fn count(&self, length: usize) -> usize {
        (self.keys.len() + 1).saturating_sub(length)
    }

    /// How far keys are moved so that only their first items are left.
    fn shift(&self, length: usize) -> u32 {
        self.bits * (self.order - length) as u32
    }

    /// How often each run of so many items occurs, in order.
    fn groups(&self, length: usize) -> impl Iterator<Item = (usize, u128)> {
        let (shift, last) = (self.shift(length), (1_u128 << self.bits) - 1);
        let groups = self.keys.chunk_by(move |a, b| a >> shift == b >> shift);
        let counted = groups.filter_map(move |group| Some((group.len(), group.first()? >> shift)));
        // Shorter runs at the end aren't runs of that length.
        counted.filter(move |(_, key)| key & last != 0)
    }

    /// How many runs of so many items differ from each other.
    pub(super) fn different(&self, length: usize) -> usize {
        self.groups(length).count()
    }

    /// How many runs of so many items both have, each counted as often as it occurs in both.
    pub(super) fn shared(&self, other: &Self, length: usize) -> usize {
        let (shift, mut i, mut j, mut found) = (self.shift(length), 0, 0, 0);
        while let (Some(own), Some(their)) = (self.keys.get(i), other.keys.get(j)) {
            let (own, their) = (own >> shift, their >> shift);
            // No branches: nobody can guess which of two is less.
            found += usize::from(own == their);
            i += usize::from(own <= their);
            j += usize::from(their <= own);
        }
        // Both may end alike, with what is too short to be a run.
        let alike = self.ends.iter().zip(&other.ends).take_while(|(a, b)| a == b).count();
        found - alike.min(length - 1)
    }

    /// How many runs of so many items any of the others has, each counted as often as in the one that has it most.
    pub(super) fn shared_with_any(&self, others: &[Self], length: usize) -> usize {
        if let [only] = others {
            return self.shared(only, length);
        }
        let shift = self.shift(length);
        let mut places = vec![0; others.len()];
        self.groups(length)
            .map(|(own, key)| {
                let times = others.iter().zip(&mut places).map(|(other, place)| other.times(key, shift, place));
                own.min(times.max().unwrap_or(0))
            })
            .sum()
    }

    /// How often this run occurs, looked for from a place on, which is moved behind it.
    fn times(&self, run: u128, shift: u32, place: &mut usize) -> usize {
        let rest = self.keys.get(*place..).unwrap_or_default();
        let before = rest.iter().take_while(|key| **key >> shift < run).count();
        let times = rest.iter().skip(before).take_while(|key| **key >> shift == run).count();
        *place += before + times;
        times
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All runs of `order` items, sorted. Items must fit into `bits`, and all of them into 128.
    fn sorted(items: &[u32], order: usize, bits: u32) -> Vec<u128> {
        if order == 0 || items.len() < order {
            return Vec::new();
        }
        let join = |run: &[u32]| run.iter().fold(0_u128, |key, item| (key << bits) | u128::from(*item));
        let mut runs: Vec<_> = items.windows(order).map(join).collect();
        runs.sort_unstable();
        runs
    }

    /// How many runs both have, each counted as often as it occurs in both.
    fn shared(left: &[u128], right: &[u128]) -> usize {
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

    proptest! {
        /// What is sorted once counts as what is sorted for each length.
        #[test]
        fn one_order_serves_all_lengths(
            left in prop::collection::vec(0_u32..3, 0..30),
            right in prop::collection::vec(0_u32..3, 0..30),
            third in prop::collection::vec(0_u32..3, 0..30),
        ) {
            let own = Runs::new(&left, 6, 21);
            let others = [Runs::new(&right, 6, 21), Runs::new(&third, 6, 21)];
            for length in 1..=6 {
                let [a, b, c] = [&left, &right, &third].map(|items| sorted(items, length, 21));
                prop_assert_eq!(own.count(length), a.len());
                prop_assert_eq!(own.different(length), a.chunk_by(|a, b| a == b).count());
                prop_assert_eq!(own.shared(&others[0], length), shared(&a, &b));
                let times = |runs: &[u128], key: u128| runs.iter().filter(|other| **other == key).count();
                let most = |run: &[u128]| run.len().min(times(&b, run[0]).max(times(&c, run[0])));
                let any: usize = a.chunk_by(|a, b| a == b).map(most).sum();
                prop_assert_eq!(own.shared_with_any(&others, length), any);
            }
        }
    }
}
