//! A generator that gives the same numbers everywhere and for ever.

/// xorshift64*.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or_default() % n.max(1)
    }

    pub(crate) fn choose<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices.get(self.below(choices.len())).copied().unwrap_or_default()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// Puts `items` into `kept`, but for about the share `left_out` of them.
    pub(crate) fn thin(&mut self, items: &[u32], left_out: f32, kept: &mut Vec<u32>) {
        kept.clear();
        if left_out == 0.0 {
            kept.extend(items);
            return;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is between 0 and 1")]
        let least = (left_out * 65536.0) as u64;
        kept.resize(items.len(), 0);
        // Most of the time of training goes by here: four decisions to a number, and no branches.
        let mut count = 0;
        for four in items.chunks(4) {
            let mut drawn = self.next();
            for item in four {
                kept[count] = *item;
                count += usize::from(drawn & 0xFFFF >= least);
                drawn >>= 16;
            }
        }
        kept.truncate(count);
    }

    /// The text as somebody else would type it.
    pub(crate) fn restyle(&mut self, text: &str) -> String {
        match self.below(32) {
            0..4 => text.to_lowercase(),
            4..8 => text.to_uppercase(),
            8..12 => text.trim_end_matches(['.', '?', '!']).to_owned(),
            12..16 => text.replace([',', '.'], ""),
            16 => text.replace(' ', "\n"),
            _ => text.to_owned(),
        }
    }
}
