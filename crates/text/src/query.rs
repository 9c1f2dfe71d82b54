//! What a person types into a search box.

use crate::tokens::{Kind, Tokens};

/// A longer search is no question of a person.
const SEARCH_CHARS: usize = 1_000;
const SEARCH_WORDS: usize = 64;
/// A shorter prefix is of no use and costs a walk over much of an index.
const PREFIX_CHARS: usize = 2;

/// A search that can't be answered, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSearch(String);

/// A parsed search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextQuery {
    root: Node,
}

/// A part of a search. A row's texts answer it together: one word may stand in one text, the next in
/// another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Each of them.
    All(Vec<Node>),
    /// At least one of them.
    Any(Vec<Node>),
    /// Not this one.
    Not(Box<Node>),
    /// These tokens, at these places from another, in one text.
    Phrase(Phrase),
}

/// Tokens that stand side by side. Never empty; the first is at offset 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The tokens, by offset.
    pub terms: Vec<Term>,
}

/// A token of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Its place, counted from the phrase's first token.
    pub offset: u32,
    /// The token.
    pub text: String,
    /// Any token that starts so. Only the last of a phrase is one.
    pub prefix: bool,
}

impl TextQuery {
    /// Reads a search: words that must all occur, `"a phrase"`, `pre*`, `-without`, `this OR that`.
    ///
    /// # Errors
    /// Nothing in it can be searched for, or it is too long.
    pub fn parse(search: &str) -> Result<Self, InvalidSearch> {
        if search.chars().count() > SEARCH_CHARS {
            return Err(InvalidSearch(format!("it is longer than {SEARCH_CHARS} characters; search for less")));
        }
        let mut all: Vec<Node> = Vec::new();
        let mut alternative = false;
        let mut words = 0;
        for word in Words(search) {
            if word.text == "OR" && !word.quoted && !word.without {
                alternative = !all.is_empty();
                continue;
            }
            let Some(phrase) = phrase_of(&word)? else { continue };
            words += 1;
            if words > SEARCH_WORDS {
                return Err(InvalidSearch(format!("it has more than {SEARCH_WORDS} words; search for fewer")));
            }
            let node = Node::Phrase(phrase);
            let node = if word.without { Node::Not(Box::new(node)) } else { node };
            match all.pop() {
                Some(Node::Any(mut nodes)) if alternative => {
                    nodes.push(node);
                    all.push(Node::Any(nodes));
                }
                Some(before) if alternative => all.push(Node::Any(vec![before, node])),
                before => all.extend(before.into_iter().chain([node])),
            }
            alternative = false;
        }
        match all.len() {
            0 => Err(InvalidSearch(format!(
                "there is no word in `{search}`; expected words, a \"phrase\", pre*, -without or this OR that"
            ))),
            1 => Ok(Self { root: all.remove(0) }),
            _ => Ok(Self { root: Node::All(all) }),
        }
    }

    /// What must hold.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Whether it is enough to know which words a row has, not where they stand.
    #[must_use]
    pub fn is_of_words(&self) -> bool {
        self.root.is_of_words()
    }

    /// What is looked for, without what must be absent.
    pub(crate) fn wanted(&self) -> Vec<&Phrase> {
        fn collect<'a>(node: &'a Node, into: &mut Vec<&'a Phrase>) {
            match node {
                Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| collect(node, into)),
                Node::Not(_) => {}
                Node::Phrase(phrase) => into.push(phrase),
            }
        }
        let mut phrases = Vec::new();
        collect(&self.root, &mut phrases);
        phrases
    }
}

impl Node {
    /// As [`TextQuery::is_of_words`].
    #[must_use]
    pub fn is_of_words(&self) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().all(Self::is_of_words),
            Self::Not(node) => node.is_of_words(),
            Self::Phrase(phrase) => phrase.terms.len() == 1,
        }
    }
}

struct Word<'a> {
    text: &'a str,
    quoted: bool,
    without: bool,
    prefix: bool,
}

/// Cuts a search at spaces, except within quotes. A quote that isn't closed goes to the end: so does
/// one that is still being typed.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let rest = self.0.trim_start();
        if rest.is_empty() {
            return None;
        }
        let (without, rest) = match rest.strip_prefix('-') {
            Some(after) if after.starts_with(|char: char| char == '"' || char.is_alphanumeric()) => (true, after),
            _ => (false, rest),
        };
        let quoted = rest.strip_prefix(['"', '“', '”']);
        let (text, rest) = match quoted {
            Some(inner) => inner.split_once(['"', '“', '”']).unwrap_or((inner, "")),
            None => {
                let end = rest.find(|char: char| char.is_whitespace() || char == '"').unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        // `"a phrase"*` is a prefix as `"a phrase*"` is.
        let (star, rest) = match rest.strip_prefix('*') {
            Some(after) if quoted.is_some() => (true, after),
            _ => (false, rest),
        };
        self.0 = rest;
        Some(Word { text, quoted: quoted.is_some(), without, prefix: star || text.ends_with('*') })
    }
}

/// The phrase that a word is: `order_4711` has two tokens. `None` if it is only signs.
fn phrase_of(word: &Word<'_>) -> Result<Option<Phrase>, InvalidSearch> {
    let mut terms: Vec<(Term, Kind)> = Vec::new();
    let mut tokens = Tokens::new(word.text);
    let mut offset = 0;
    while tokens.advance() {
        let follows_pair = terms.last().is_some_and(|(_, kind)| *kind == Kind::Pair);
        // What follows the last character of a pair in the text is unknown.
        if !(tokens.kind() == Kind::Last && follows_pair) {
            terms.push((Term { offset, text: tokens.token().to_owned(), prefix: false }, tokens.kind()));
        }
        offset += 1;
    }
    let ends_in_pair = terms.last().is_some_and(|(term, _)| term.offset + 1 < offset);
    if let Some((last, kind)) = terms.last_mut()
        && !ends_in_pair
    {
        // A single character of such a script starts every pair that has it first.
        last.prefix = *kind == Kind::Last || word.prefix;
        if *kind == Kind::Word && last.prefix && last.text.chars().count() < PREFIX_CHARS {
            let problem =
                format!("`{}*` is too short; write at least {PREFIX_CHARS} letters before the star", last.text);
            return Err(InvalidSearch(problem));
        }
    }
    let terms: Vec<Term> = terms.into_iter().map(|(term, _)| term).collect();
    Ok((!terms.is_empty()).then_some(Phrase { terms }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `All(a, Not(b+c*))` and so on.
    fn show(node: &Node) -> String {
        let list = |nodes: &[Node]| nodes.iter().map(show).collect::<Vec<_>>().join(" ");
        match node {
            Node::All(nodes) => format!("({})", list(nodes)),
            Node::Any(nodes) => format!("[{}]", list(nodes)),
            Node::Not(node) => format!("-{}", show(node)),
            Node::Phrase(phrase) => {
                let term = |term: &Term| format!("{}{}@{}", term.text, if term.prefix { "*" } else { "" }, term.offset);
                phrase.terms.iter().map(term).collect::<Vec<_>>().join("+")
            }
        }
    }

    fn check(search: &str, expected: &str) {
        let found = TextQuery::parse(search);
        let found = found.map_or_else(|error| error.to_string(), |query| show(query.root()));
        assert!(found == expected || found.contains(expected) && found.contains(' '), "{search}: {found}");
    }

    #[test]
    fn words_and_phrases() {
        check("parcel", "parcel@0");
        check("Late PARCEL", "(late@0 parcel@0)");
        check("\"late parcel\" x", "(late@0+parcel@1 x@0)");
        check("order_4711", "order@0+4711@1");
        check("order_47*", "order@0+47*@1");
        check("\"the par*\"", "the@0+par*@1");
        check("\"the par\"*", "the@0+par*@1");
        check("\"not closed", "not@0+closed@1");
        check("a-b -c -\"d e\" - f", "(a@0+b@1 -c@0 -d@0+e@1 f@0)");
        check("a b OR c OR d e", "(a@0 [b@0 c@0 d@0] e@0)");
        check("OR a OR", "a@0");
        check("100% _nothing_", "(100@0 nothing@0)");
    }

    #[test]
    fn scripts_without_spaces() {
        check("東京都", "東京@0+京都@1");
        check("東京", "東京@0");
        check("猫", "猫*@0");
        check("GPT模型v2", "gpt@0+模型@1+v2@3");
        check("猫GPT", "猫@0+gpt@1");
        check("GPT猫", "gpt@0+猫*@1");
        check("東京*", "東京@0");
    }

    #[test]
    fn nonsense_is_refused() {
        check("", "there is no word in ``");
        check(" -- \"\" ", "expected words");
        check("a*", "too short");
        check(&"a ".repeat(65), "more than 64 words");
        check(&"a".repeat(1_001), "longer than 1000");
    }
}
