//! Whether an answer is one to the question, and says all that it should. By words, not by meaning.

use std::collections::HashSet;

use crate::about::{About, Direction, Family, Range};
use crate::case::{Case, Input, Problem};
use crate::score::{Evidence, Outcome};

use super::context::{COVERAGE, Held, make, sentences_in};
use super::read::{Reader, Word};
use super::source::Source;

pub(crate) static ANSWER_RELEVANCY: About = About {
    name: "answer_relevancy",
    aliases: &["answer_relevance", "relevancy"],
    family: Family::Grounding,
    summary: "Whether the answer speaks of what was asked.",
    formula: "Share w of the different words of the question, without those that say nothing, that the answer has in \
              any form. Where the question begins one that asks for a number or a time (how many, how much, when, \
              …), a name (who, where), or yes or no, and the answer has such a thing, (1 + w) / 2; if it has none, w \
              / 2. 0 of an answer that only declines; 1 of no question. English questions; other languages by their \
              words alone.",
    source: "Signalbox's own; the question, and 0 for answers that commit to nothing, are those of Es et al. 2024 \
             (Ragas), https://aclanthology.org/2024.eacl-demo.16; kinds of answers: Li and Roth 2002, \
             https://aclanthology.org/C02-1150",
    inputs: &[Input::Input, Input::Output],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.5,
    options: &[],
    make: |_| Ok(Box::new(relevancy)),
};

pub(crate) static COMPLETENESS: About = About {
    name: "completeness",
    aliases: &["answer_completeness"],
    family: Family::Grounding,
    summary: "How much of the right answer the given answer says.",
    formula: "Share of the reference's sentences of which the answer has at least `coverage` of the words' weight, \
              ln(1 + words / occurrences). Of several references the one of which it says most; 1 of no sentence.",
    source: "Nenkova and Passonneau 2004 (pyramids), https://aclanthology.org/N04-1019, with sentences as units and \
             words in place of annotation",
    inputs: &[Input::Output, Input::Reference],
    also: &[],
    range: Range::UNIT,
    direction: Direction::Higher,
    threshold: 0.8,
    options: &[COVERAGE],
    make: |options| make(options, completeness),
};

fn completeness(case: &Case, coverage: f64) -> Result<Outcome, Problem> {
    let output = case.text(Input::Output)?;
    let references = case.texts(Input::Reference)?;
    let sentences = sentences_in(&[output], &references);
    let said = |text: usize| {
        let of: Vec<&Held> = sentences.iter().filter(|sentence| sentence.text == text).collect();
        let count = of.iter().filter(|sentence| sentence.most() >= coverage).count();
        (if of.is_empty() { 1.0 } else { count as f64 / of.len() as f64 }, count, of.len())
    };
    let all = (0..references.len()).map(said);
    let best = all.reduce(|best, other| if other.0 > best.0 { other } else { best }).unwrap_or((1.0, 0, 0));
    Ok(Outcome::new(best.0, format!("{} of {} sentences are said", best.1, best.2)))
}

/// What a question asks for, as far as its first words tell.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wanted {
    Number,
    Name,
    YesOrNo,
    Other,
}

/// Openings of an answer that commits to nothing.
const DECLINES: [&str; 10] = [
    "i don't know",
    "i do not know",
    "i'm not sure",
    "i am not sure",
    "i can't answer",
    "i cannot answer",
    "i have no information",
    "i don't have enough information",
    "i do not have enough information",
    "there is not enough information",
];

fn relevancy(case: &Case) -> Result<Outcome, Problem> {
    let (question, answer) = (case.text(Input::Input)?, case.text(Input::Output)?);
    let mut reader = Reader::default();
    let source = Source::new(&mut reader, &[answer]);
    let asked = reader.read(question);
    if asked.is_empty() {
        return Ok(Outcome::new(1.0, "nothing is asked"));
    }
    if source.words.is_empty() {
        return Ok(Outcome::new(0.0, "nothing is answered"));
    }
    if declines(answer) {
        return Ok(Outcome::new(0.0, "it declines to answer"));
    }
    let wanted = wanted(&asked);
    let mut seen = HashSet::new();
    let content: Vec<&Word> = asked.iter().filter(|word| word.is_content() && seen.insert(word.stem)).collect();
    let missing: Vec<&&Word> = content.iter().filter(|word| !source.has(word.stem)).collect();
    let share = if content.is_empty() { 1.0 } else { 1.0 - missing.len() as f64 / content.len() as f64 };
    let has = match wanted {
        Wanted::Number => source.words.iter().any(|word| word.number.is_some()),
        // A short answer opens with the name.
        Wanted::Name => source.words.iter().any(|word| word.is_name() || (word.is_capital && source.words.len() <= 6)),
        Wanted::YesOrNo => source.words.iter().any(|word| matches!(word.lower.as_str(), "yes" | "no" | "not")),
        Wanted::Other => false,
    };
    let value = match wanted {
        Wanted::Other => share,
        _ if has => f64::midpoint(1.0, share),
        // Yes and no are often said in other words.
        Wanted::YesOrNo => share,
        _ => share / 2.0,
    };
    let kind = match (wanted, has) {
        (Wanted::Other, _) | (Wanted::YesOrNo, false) => "",
        (_, true) => "; it has what such a question asks for",
        (Wanted::Number, false) => "; a number or a time is asked for, and it has none",
        (Wanted::Name, false) => "; a name is asked for, and it has none",
    };
    let reason =
        format!("{} of {} words of the question are in the answer{kind}", content.len() - missing.len(), content.len());
    let evidence = missing.iter().map(|word| Evidence {
        input: Input::Input,
        start: word.start,
        end: word.end,
        note: "the answer doesn't speak of it".to_owned(),
    });
    Ok(Outcome { value, reason, evidence: evidence.collect() })
}

/// Whether an answer does nothing but decline: it begins so and is short.
fn declines(answer: &str) -> bool {
    const LONGEST: usize = 200;
    let plain = answer.trim().to_lowercase().replace('’', "'");
    let plain = plain.strip_prefix("sorry, ").or_else(|| plain.strip_prefix("i'm sorry, ")).unwrap_or(&plain);
    let plain = plain.strip_prefix("but ").unwrap_or(plain);
    plain.len() <= LONGEST && DECLINES.iter().any(|opening| plain.starts_with(opening))
}

fn wanted(question: &[Word]) -> Wanted {
    let word = |at: usize| question.get(at).map_or("", |word| word.lower.as_str());
    match (word(0), word(1)) {
        ("when", _) => Wanted::Number,
        (
            "how",
            "many" | "much" | "long" | "old" | "far" | "tall" | "high" | "big" | "large" | "often" | "deep" | "fast",
        ) => Wanted::Number,
        ("what" | "which" | "in", "year" | "date" | "time" | "percentage" | "number" | "age" | "which" | "what")
            if word(0) != "in" || word(2) == "year" =>
        {
            Wanted::Number
        }
        ("who" | "whose" | "whom" | "where", _) => Wanted::Name,
        (
            "is" | "are" | "was" | "were" | "do" | "does" | "did" | "can" | "could" | "will" | "would" | "should"
            | "has" | "have" | "had",
            _,
        ) => Wanted::YesOrNo,
        _ => Wanted::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{near, value_with};
    use crate::options::Options;

    fn relevancy_of(question: &str, answer: &str) -> f64 {
        let case = Case::new().with(Input::Input, question).with(Input::Output, answer);
        value_with(&ANSWER_RELEVANCY, &Options::new(), &case)
    }

    #[test]
    fn an_answer_to_the_question() {
        near(relevancy_of("When was the tower built?", "The tower was built in 1173."), 1.0);
        near(relevancy_of("When was the tower built?", "1173"), 0.5);
        near(relevancy_of("When was the tower built?", "The tower was built by Italians."), 0.5);
        near(relevancy_of("When was the tower built?", "Pigs are animals."), 0.0);
        near(relevancy_of("Who wrote Emma?", "Jane Austen"), 0.5);
        near(relevancy_of("Explain photosynthesis", "Photosynthesis makes sugar out of light."), 0.5);
        near(relevancy_of("When was the tower built?", "I'm sorry, but I don't know when the tower was built."), 0.0);
        near(relevancy_of("", "Anything"), 1.0);
        near(relevancy_of("What?", ""), 0.0);
    }

    #[test]
    fn what_is_left_unsaid() {
        let case = |output: &str| {
            let reference = "The tower leans by four degrees. It was built in 1173. Galileo dropped balls from it.";
            Case::new().with(Input::Reference, reference).with(Input::Output, output)
        };
        let value = |output: &str| value_with(&COMPLETENESS, &Options::new(), &case(output));
        near(value("Built in 1173, the tower leans by four degrees."), 2.0 / 3.0);
        near(value("I like pigs."), 0.0);
        let either = case("Yes.").with(Input::Reference, vec!["Of course not.", ""]);
        near(value_with(&COMPLETENESS, &Options::new(), &either), 1.0);
    }
}
