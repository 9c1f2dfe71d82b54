//! Rules that need no training: concepts in an order, close to each other. Each is worth a firm score of
//! its own, and a feature of the model.

use super::Head;
use super::concepts::Concept::{self, *};
use super::concepts::set;
use super::features::bits;

/// A pattern of concepts inside one sentence.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The rule in findings.
    pub(crate) rule: &'static str,
    pub(crate) head: Head,
    /// How far above the threshold a text is that has it.
    pub(crate) margin: f32,
    /// Each step: the concepts that may stand there, and how many words after the step before at most.
    pub(super) steps: &'static [(u64, u32)],
}

const fn any(concepts: &[Concept]) -> u64 {
    let (mut all, mut i) = (0, 0);
    while i < concepts.len() {
        all |= set(concepts[i]);
        i += 1;
    }
    all
}

const fn pattern(rule: &'static str, head: Head, margin: f32, steps: &'static [(u64, u32)]) -> Pattern {
    Pattern { rule, head, margin, steps }
}

use Head::{HarmfulRequest as HARM, Jailbreak as JAIL, PromptInjection as INJECT, Toxicity as TOXIC};

/// All patterns. At most 64.
pub(crate) const PATTERNS: &[Pattern] = &[
    pattern("instruction_override", INJECT, 1.5, &[(set(Override), 0), (set(Scope), 5), (set(Instruction), 5)]),
    pattern(
        "instruction_override",
        INJECT,
        1.0,
        &[(set(Override), 0), (set(You), 3), (any(&[Instruction, Prompt]), 3)],
    ),
    pattern(
        "instruction_override",
        INJECT,
        0.5,
        &[(set(Override), 0), (set(Scope), 2), (any(&[Instead, Task, Act]), 6)],
    ),
    pattern("prompt_extraction", INJECT, 1.0, &[(set(Reveal), 0), (set(You), 3), (set(Prompt), 4)]),
    pattern(
        "prompt_extraction",
        INJECT,
        0.5,
        &[(set(Reveal), 0), (set(Scope), 5), (any(&[Prompt, Instruction]), 3), (any(&[Reveal, You]), 5)],
    ),
    pattern(
        "role_impersonation",
        INJECT,
        0.5,
        &[(set(FromNow), 0), (any(&[Act, You]), 4), (any(&[Ai, Persona, Unrestricted]), 5)],
    ),
    pattern(
        "addresses_the_model",
        INJECT,
        0.5,
        &[(set(Header), 0), (set(Ai), 4), (any(&[Task, Reveal, Exfil, Override]), 8)],
    ),
    pattern("data_exfiltration", INJECT, 0.3, &[(set(Exfil), 0), (any(&[Secret, Prompt]), 5), (set(Exfil), 8)]),
    pattern("unrestricted_persona", JAIL, 1.0, &[(any(&[Act, FromNow]), 0), (set(Dan), 8)]),
    pattern(
        "unrestricted_persona",
        JAIL,
        1.0,
        &[(any(&[Ai, Persona, You]), 0), (set(Unrestricted), 6), (set(Policy), 6)],
    ),
    pattern(
        "refusal_suppression",
        JAIL,
        0.8,
        &[(set(Negation), 0), (set(Refusal), 3), (any(&[Policy, Refusal, Ai]), 8)],
    ),
    pattern("policy_bypass", JAIL, 0.5, &[(set(Override), 0), (any(&[Policy]), 4), (set(Policy), 4)]),
    pattern("weapons", HARM, 0.0, &[(set(How), 0), (set(Weapon), 8), (set(Undetected), 8)]),
    pattern("cybercrime", HARM, 0.0, &[(set(How), 0), (set(Cyber), 8), (any(&[Undetected, Crime, Secret]), 8)]),
    pattern("crime", HARM, 0.0, &[(set(How), 0), (any(&[Crime, Violence]), 8), (set(Undetected), 8)]),
    pattern("slur", TOXIC, 0.5, &[(set(Slur), 0), (any(&[Profanity, Insult, Hate, Threat]), 4)]),
    pattern(
        "insult",
        TOXIC,
        0.5,
        &[(set(You), 0), (any(&[Insult, Profanity, Slur]), 4), (any(&[Insult, Profanity, Slur]), 4)],
    ),
    pattern("threat", TOXIC, 0.5, &[(set(Threat), 0), (set(You), 3), (any(&[Insult, Profanity, Slur]), 6)]),
];

/// The strongest of the patterns in a set that speak for a head.
pub(super) fn strongest(patterns: u64, head: usize) -> Option<&'static Pattern> {
    let mut strongest: Option<&Pattern> = None;
    bits(patterns, |i| {
        let pattern = &PATTERNS[i];
        // Of equals the last.
        if pattern.head as usize == head && strongest.is_none_or(|known| pattern.margin >= known.margin) {
            strongest = Some(pattern);
        }
    });
    strongest
}

/// Of each concept, the patterns that have it.
static WANTED: [u64; u64::BITS as usize] = {
    let (mut wanted, mut i) = ([0; u64::BITS as usize], 0);
    while i < PATTERNS.len() {
        let mut k = 0;
        while k < PATTERNS[i].steps.len() {
            let mut left = PATTERNS[i].steps[k].0;
            while left != 0 {
                wanted[left.trailing_zeros() as usize] |= 1 << i;
                left &= left - 1;
            }
            k += 1;
        }
        i += 1;
    }
    wanted
};

/// How far each pattern has been matched: for every step the place of the last word that completed it.
#[derive(Debug)]
pub(super) struct Matching {
    reached: [[u32; 4]; PATTERNS.len()],
}

impl Matching {
    pub(super) fn new() -> Self {
        Self { reached: [[0; 4]; PATTERNS.len()] }
    }

    /// Takes the word at `place` (counted from 1) and returns the patterns that it completes.
    pub(super) fn step(&mut self, place: u32, concepts: u64) -> u64 {
        let (mut completed, mut wanted) = (0, 0);
        bits(concepts, |concept| wanted |= WANTED[concept]);
        bits(wanted, |i| {
            let (pattern, reached) = (&PATTERNS[i], &mut self.reached[i]);
            // From the last step down, so that one word is not two steps.
            for (k, &(wanted, gap)) in pattern.steps.iter().enumerate().rev() {
                if concepts & wanted == 0 || (k > 0 && (reached[k - 1] == 0 || place - reached[k - 1] > gap)) {
                    continue;
                }
                reached[k] = place;
                if k + 1 == pattern.steps.len() {
                    completed |= 1 << i;
                }
            }
        });
        completed
    }
}
