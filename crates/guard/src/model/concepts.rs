//! What words mean, as far as it matters here: a lexicon in a dozen languages, looked up by hash.

use std::sync::LazyLock;

use super::table::Table;
use crate::normalise::{Hashes, fold, words};

macro_rules! concepts {
    ($($id:ident $name:literal),+ $(,)?) => {
        /// A group of words that do the same thing in a sentence.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(dead_code, reason = "some are only features of the model")]
        pub(crate) enum Concept { $($id),+ }
        /// Names in the lexicon, in the order of [`Concept`].
        pub(super) const NAMES: &[&str] = &[$($name),+];
    };
}

concepts! {
    Override "override", Scope "scope", Instruction "instruction", Reveal "reveal", Prompt "prompt", Secret "secret",
    FromNow "fromnow", Instead "instead", Act "act", You "you", Ai "ai", Unrestricted "unrestricted", Dan "dan",
    Policy "policy", Negation "negation", Persona "persona", Fiction "fiction", Refusal "refusal", Exfil "exfil",
    Task "task", Halt "halt", Trick "trick", Header "header", How "how", Weapon "weapon", Drug "drug", Cyber "cyber",
    Crime "crime", Violence "violence", Sexual "sexual", Group "group", Hate "hate", Disinfo "disinfo",
    Undetected "undetected", Insult "insult", Profanity "profanity", Slur "slur", Threat "threat", Document "document",
    Tech "tech", Help "help", Config "config", ToldTo "toldto", Begin "begin", Chat "chat", Creator "creator",
    Ask "ask", Other "other", Reported "reported", Defence "defence", User "user", Hide "hide", Ack "ack", Exec "exec",
    Encode "encode", Grant "grant", Transact "transact", Question "question", First "first", Demand "demand",
    Quote "quote", Void "void", Exact "exact", Shift "shift",
}

/// How many concepts there are.
pub(super) const COUNT: usize = NAMES.len();
const _: () = assert!(COUNT <= 64, "a set of concepts is a u64");

/// The concept alone, as a set.
pub(crate) const fn set(concept: Concept) -> u64 {
    1 << concept as u64
}

const SLOTS: usize = 1 << 13;
/// Beginnings are other keys than whole words.
const STEM: u32 = 0x5bd1_e995;

/// Sets of concepts by hash of a word, of the beginning of one, or of a phrase.
static LEXICON: LazyLock<Table<u64>> = LazyLock::new(|| {
    let mut lexicon = Table::new(SLOTS);
    for line in include_str!("data/lexicon.txt").lines().filter(|line| !line.starts_with('#')) {
        let Some((name, entries)) = line.split_once(": ") else { continue };
        let Some(index) = NAMES.iter().position(|known| *known == name) else { continue };
        for entry in entries.split(' ') {
            *lexicon.entry(key(entry)) |= 1 << index;
        }
    }
    lexicon
});

/// The key of an entry of the lexicon: as text is read, so is the entry.
fn key(entry: &str) -> u32 {
    let (phrase, stem) = match entry.strip_suffix('*') {
        Some(stem) => (stem, STEM),
        None => (entry, 0),
    };
    let folded = fold(phrase);
    let mut key = None;
    for part in folded.text.split('_') {
        let mut whole = 0;
        // Of Chinese and Japanese the longest pair counts, as in text.
        words(part, |word| whole = if whole != 0 && word.bytes.len() < 4 { whole } else { word.hashes().whole });
        key = Some(key.map_or(whole, |before| join(before, whole)));
    }
    key.unwrap_or(0) ^ stem
}

/// The hash of a phrase and one word more.
#[inline]
pub(super) fn join(before: u32, word: u32) -> u32 {
    (before.rotate_left(7) ^ word).wrapping_mul(0x9E37_79B1) ^ before >> 15
}

/// What a word means by itself.
pub(super) fn alone(word: &Hashes) -> u64 {
    word.stems().iter().fold(get(word.whole), |found, &stem| found | get(stem ^ STEM))
}

/// What a word means as the end of phrases of two and of three words.
pub(super) fn ending(two: u32, three: u32) -> u64 {
    get(two) | get(three)
}

fn get(key: u32) -> u64 {
    LEXICON.get(key).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lexicon_is_whole() {
        let text = include_str!("data/lexicon.txt");
        let text: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let names: Vec<_> = text.iter().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
        assert_eq!(names, NAMES, "a line for each concept, in their order");
        let used = LEXICON.len();
        assert!(used * 2 < SLOTS, "{used} of {SLOTS} slots are taken");
        for entry in text.iter().filter_map(|line| line.split_once(": ")).flat_map(|(_, entries)| entries.split(' ')) {
            let stem = entry.strip_suffix('*').map_or(3, |stem| fold(stem).text.len());
            assert!(crate::normalise::STEMS.contains(&stem), "{entry}: a beginning has 3 to 12 bytes");
        }
    }

    #[test]
    fn words_mean_something() {
        let means = |text: &str| {
            let (mut found, mut one, mut two) = (0, 0, 0);
            let text = fold(text).text.into_owned();
            words(&text, |word| {
                let hashes = word.hashes();
                let pair = join(one, hashes.whole);
                found |= alone(&hashes) | ending(pair, join(two, hashes.whole));
                (one, two) = (hashes.whole, pair);
            });
            found
        };
        let overrides =
            ["Ignoring", "1gn0r3", "i g n o r e", "忽略", "Игнорируй", "Ignoriere", "Zignoruj", "무시하고", "تجاهل"];
        for text in overrides {
            assert_eq!(means(text), set(Concept::Override), "{text}");
        }
        assert!(means("do anything now") & set(Concept::Dan) != 0);
        assert_eq!(means("table"), 0);
    }
}
