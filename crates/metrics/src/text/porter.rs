//! Porter's stemmer with NLTK's extensions, which rouge-score and NLTK's METEOR use.
//!
//! Porter 1980, <https://tartarus.org/martin/PorterStemmer/def.txt>; what NLTK adds is said where it is added.

/// Words that the rules would get wrong (NLTK).
const IRREGULAR: &[(&str, &str)] = &[
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

const STEP_2: &[(&str, &str)] = &[
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
];

const STEP_3: &[(&str, &str)] =
    &[("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];

const STEP_4: &[&str] = &[
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
];

/// The stem of a word in lower case.
pub(crate) fn stem(word: &str) -> String {
    // None of them is longer.
    if word.len() <= 8
        && let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word)
    {
        return (*stem).to_owned();
    }
    if word.chars().nth(2).is_none() {
        return word.to_owned();
    }
    let mut word = word.to_owned();
    step_1a(&mut word);
    step_1b(&mut word);
    step_1c(&mut word);
    step_2(&mut word);
    if let Some((stem, suffix)) = first_suffix(&word, STEP_3)
        && measure(&stem) > 0
    {
        word = stem + suffix;
    }
    step_4(&mut word);
    step_5(&mut word);
    word
}

fn step_1a(word: &mut String) {
    // NLTK: `ties` is of `tie`.
    if word.ends_with("ies") && word.chars().count() == 4 {
        word.truncate(word.len() - 1);
    } else if word.ends_with("sses") || word.ends_with("ies") {
        word.truncate(word.len() - 2);
    } else if word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
}

fn step_1b(word: &mut String) {
    // NLTK: `died` is of `die`, `spied` of `spi`.
    if word.ends_with("ied") {
        let short = word.chars().count() == 4;
        word.truncate(word.len() - if short { 1 } else { 2 });
        return;
    }
    if let Some(stem) = word.strip_suffix("eed") {
        if measure(stem) > 0 {
            word.pop();
        }
        return;
    }
    let stem = ["ed", "ing"].into_iter().find_map(|suffix| word.strip_suffix(suffix).filter(|stem| has_vowel(stem)));
    let Some(stem) = stem.map(str::to_owned) else { return };
    *word = stem;
    if word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz") {
        word.push('e');
    } else if ends_double_consonant(word) {
        if !word.ends_with(['l', 's', 'z']) {
            word.pop();
        }
    } else if measure(word) == 1 && ends_cvc(word) {
        word.push('e');
    }
}

/// NLTK: only behind a consonant, and not in words of two letters.
fn step_1c(word: &mut String) {
    if let Some(stem) = word.strip_suffix('y')
        && consonants(stem).last() == Some(&true)
        && stem.chars().nth(1).is_some()
    {
        word.pop();
        word.push('i');
    }
}

fn step_2(word: &mut String) {
    // NLTK: after ALLI → AL the step is done again.
    while let Some(stem) = word.strip_suffix("alli").filter(|stem| measure(stem) > 0) {
        *word = format!("{stem}al");
    }
    if let Some((stem, suffix)) = first_suffix(word, STEP_2) {
        if measure(&stem) > 0 {
            *word = stem + suffix;
        }
    } else if word.ends_with("logi") {
        // NLTK: the L counts as part of the stem.
        let stem = word.strip_suffix("ogi").unwrap_or_default();
        if measure(stem) > 0 {
            word.pop();
        }
    }
}

fn step_4(word: &mut String) {
    let Some(stem) = STEP_4.iter().find_map(|suffix| {
        let stem = word.strip_suffix(suffix)?;
        Some((stem, *suffix))
    }) else {
        return;
    };
    let (stem, suffix) = stem;
    if measure(stem) > 1 && (suffix != "ion" || stem.ends_with(['s', 't'])) {
        word.truncate(stem.len());
    }
}

fn step_5(word: &mut String) {
    if let Some(stem) = word.strip_suffix('e') {
        let measure = measure(stem);
        if measure > 1 || (measure == 1 && !ends_cvc(stem)) {
            word.pop();
        }
    }
    if word.ends_with("ll") && word.get(..word.len() - 1).is_some_and(|stem| measure(stem) > 1) {
        word.pop();
    }
}

/// The first suffix of a list that a word ends with: what stands before it, and what it turns into.
fn first_suffix(word: &str, rules: &[(&str, &'static str)]) -> Option<(String, &'static str)> {
    rules.iter().find_map(|(suffix, instead)| word.strip_suffix(suffix).map(|stem| (stem.to_owned(), *instead)))
}

/// Of each letter whether it is a consonant. A Y is one where none stands before it.
fn consonants(word: &str) -> Vec<bool> {
    let mut flags: Vec<bool> = Vec::with_capacity(word.len());
    for char in word.chars() {
        let flag = match char {
            'a' | 'e' | 'i' | 'o' | 'u' => false,
            'y' => flags.last().is_none_or(|before| !before),
            _ => true,
        };
        flags.push(flag);
    }
    flags
}

/// How often a vowel is followed by a consonant.
fn measure(stem: &str) -> usize {
    consonants(stem).windows(2).filter(|pair| !pair[0] && pair[1]).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

fn ends_double_consonant(word: &str) -> bool {
    let mut last = word.chars().rev();
    let (one, two) = (last.next(), last.next());
    one.is_some() && one == two && consonants(word).last() == Some(&true)
}

/// Consonant, vowel, consonant other than W, X, Y; NLTK: or a word of vowel and consonant.
fn ends_cvc(word: &str) -> bool {
    match consonants(word).as_slice() {
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        [false, true] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_paper() {
        let examples = [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("cats", "cat"),
            ("feed", "feed"),
            ("agreed", "agre"),
            ("plastered", "plaster"),
            ("motoring", "motor"),
            ("sing", "sing"),
            ("conflated", "conflat"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("happy", "happi"),
            ("relational", "relat"),
            ("vietnamization", "vietnam"),
            ("electriciti", "electr"),
            ("hopefulness", "hope"),
            ("adoption", "adopt"),
            ("controll", "control"),
            ("roll", "roll"),
            ("ties", "tie"),
            ("dying", "die"),
            ("enjoy", "enjoy"),
            ("geology", "geolog"),
        ];
        for (word, expected) in examples {
            assert_eq!(stem(word), expected, "{word}");
        }
    }
}
