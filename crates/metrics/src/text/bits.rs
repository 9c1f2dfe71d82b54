//! Comparing characters 64 at a time: a bit for each place of a text.

/// For each character the places where it stands in a text.
pub(super) struct Places {
    /// Rows of `words` numbers; the first is of characters that don't occur.
    bits: Vec<u64>,
    /// The row of a character below 256; 0 if it doesn't occur.
    low: [u16; 256],
    /// The rows of the others, by character.
    high: Vec<(char, usize)>,
    /// Numbers that a row takes.
    words: usize,
}

impl Places {
    /// The places in a text.
    pub(super) fn of(text: &[char]) -> Self {
        let words = text.len().div_ceil(64).max(1);
        let mut places = Self { bits: vec![0; words], low: [0; 256], high: Vec::new(), words };
        for (at, char) in text.iter().enumerate() {
            let mut row = places.row(*char);
            if row == 0 {
                row = places.bits.len() / words;
                places.bits.resize(places.bits.len() + words, 0);
                match (places.low.get_mut(*char as usize), u16::try_from(row)) {
                    (Some(low), Ok(row)) => *low = row,
                    _ => {
                        let before = places.high.partition_point(|(other, _)| other < char);
                        places.high.insert(before, (*char, row));
                    }
                }
            }
            places.bits[row * words + at / 64] |= 1 << (at % 64);
        }
        places
    }

    fn row(&self, char: char) -> usize {
        let low = self.low.get(char as usize).map_or(0, |row| usize::from(*row));
        if low > 0 || self.high.is_empty() {
            return low;
        }
        self.high.binary_search_by_key(&char, |(other, _)| *other).map_or(0, |at| self.high[at].1)
    }

    /// Where a character stands.
    pub(super) fn places(&self, char: char) -> &[u64] {
        let row = self.row(char) * self.words;
        &self.bits[row..row + self.words]
    }
}

/// The fewest insertions, deletions and replacements of a character: Myers 1999, over several words as Hyyrö 2003 has it.
pub(super) fn distance(left: &[char], right: &[char]) -> usize {
    let same = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let (left, right) = (&left[same..], &right[same..]);
    let same = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    let (left, right) = (&left[..left.len() - same], &right[..right.len() - same]);
    // Fewer words for the shorter one.
    let (left, right) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    let Some(last) = left.len().checked_sub(1) else { return right.len() };
    let places = Places::of(left);
    // A column of the table as differences from cell to cell: where it goes up by one, and where down.
    let mut column = vec![(u64::MAX, 0_u64); places.words];
    let (end, bit) = (last / 64, last % 64);
    let mut distance = left.len();
    for char in right {
        // The first row goes up by one from column to column.
        let (mut carry_up, mut carry_down) = (1, 0);
        for (at, (equal, (up, down))) in places.places(*char).iter().zip(&mut column).enumerate() {
            let vertical = equal | *down;
            let equal = equal | carry_down;
            let horizontal = (((equal & *up).wrapping_add(*up)) ^ *up) | equal;
            let across_up = *down | !(horizontal | *up);
            let across_down = *up & horizontal;
            if at == end {
                distance = distance + ((across_up >> bit) & 1) as usize - ((across_down >> bit) & 1) as usize;
            }
            let shifted_up = (across_up << 1) | carry_up;
            let shifted_down = (across_down << 1) | carry_down;
            (carry_up, carry_down) = (across_up >> 63, across_down >> 63);
            *up = shifted_down | !(vertical | shifted_up);
            *down = shifted_up & vertical;
        }
    }
    distance
}

/// Characters of `left`, one after another, each with the first of `right` that is the same, no more than `window` places away and not taken yet: the
/// pairs of Jaro. Gives how many there are, and how many of them stand in another order.
pub(super) fn matches(left: &[char], right: &[char], window: usize) -> (usize, usize) {
    let places = Places::of(right);
    let mut taken = vec![0_u64; places.words];
    let mut matched = Vec::with_capacity(left.len().min(right.len()));
    for (at, char) in left.iter().enumerate() {
        let (first, end) = (at.saturating_sub(window), (at + window + 1).min(right.len()));
        if first >= end {
            continue;
        }
        let row = places.places(*char);
        for word in first / 64..=(end - 1) / 64 {
            let mut free = row[word] & !taken[word];
            if word == first / 64 {
                free &= u64::MAX << (first % 64);
            }
            if word == (end - 1) / 64 {
                free &= u64::MAX >> (63 - (end - 1) % 64);
            }
            if free != 0 {
                taken[word] |= free & free.wrapping_neg();
                matched.push(*char);
                break;
            }
        }
    }
    let mut own = matched.iter();
    let mut apart = 0;
    for (word, mut bits) in taken.into_iter().enumerate() {
        while bits != 0 {
            let other = right[word * 64 + bits.trailing_zeros() as usize];
            apart += usize::from(own.next() != Some(&other));
            bits &= bits - 1;
        }
    }
    (matched.len(), apart)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the books have it, cell by cell.
    fn plain(left: &[char], right: &[char]) -> usize {
        let mut row: Vec<usize> = (0..=right.len()).collect();
        for (i, a) in left.iter().enumerate() {
            let mut diagonal = std::mem::replace(&mut row[0], i + 1);
            for (j, b) in right.iter().enumerate() {
                let replace = diagonal + usize::from(a != b);
                diagonal = row[j + 1];
                row[j + 1] = replace.min(diagonal + 1).min(row[j] + 1);
            }
        }
        row[right.len()]
    }

    fn pairs(left: &[char], right: &[char], window: usize) -> (usize, usize) {
        let mut taken = vec![false; right.len()];
        let mut matched = Vec::new();
        for (at, char) in left.iter().enumerate() {
            let mut places = at.saturating_sub(window)..(at + window + 1).min(right.len());
            if let Some(place) = places.find(|place| !taken[*place] && right[*place] == *char) {
                taken[place] = true;
                matched.push(*char);
            }
        }
        let others = right.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(char, _)| char);
        (matched.len(), matched.iter().zip(others).filter(|(a, b)| a != b).count())
    }

    fn text() -> impl Strategy<Value = Vec<char>> {
        prop::collection::vec(prop::sample::select(vec!['a', 'b', 'c', 'ÿ', 'Ā', '猫', '😀']), 0..300)
    }

    proptest! {
        #[test]
        fn the_same_as_cell_by_cell(left in text(), right in text(), window in 0_usize..200) {
            prop_assert_eq!(distance(&left, &right), plain(&left, &right));
            prop_assert_eq!(matches(&left, &right, window), pairs(&left, &right, window));
        }
    }

    #[test]
    fn at_the_ends_of_words() {
        for length in [0, 1, 63, 64, 65, 127, 128, 129] {
            let left: Vec<char> = ('a'..='z').cycle().take(length).collect();
            let right: Vec<char> = left.iter().rev().copied().collect();
            assert_eq!(distance(&left, &right), plain(&left, &right), "{length}");
            assert_eq!(distance(&left, &[]), length);
            assert_eq!(matches(&left, &right, length / 2), pairs(&left, &right, length / 2), "{length}");
        }
    }
}
