//! How hard a call looks, from 0 to 1: a sum over plain features of the request. It is the same
//! every time; it knows what a question looks like, not what it takes: a short hard riddle without any of the words below
//! looks easy.

use signalbox_types::{Modality, Part, Role};
use signalbox_wire::ChatRequest;
use signalbox_wire::canonical::Reasoning;

/// So much of the question is looked at, from its start: a long paste says no more by its end.
const MOST_BYTES: usize = 16 << 10;

/// Asks for work that takes several steps. Starts of words in lower case; with a point at their end, whole words.
const HARD: &[&str] = &[
    "prove.",
    "proof.",
    "proofs.",
    "derive",
    "derivation",
    "theorem",
    "algorithm",
    "refactor",
    "debug",
    "implement",
    "architect",
    "optimiz",
    "optimise",
    "optimisation",
    "optimal",
    "step-by-step",
    "trade-off",
    "tradeoff",
    "diagnos",
    "formaliz",
    "formalis",
    "simulat",
    "complexity",
    "concurren",
    "deadlock",
    "integral.",
    "differential",
    "equation",
    "probabilit",
    "bayes",
    "beweis",
    "begründ",
    "demuestr",
    "démontr",
    "证明",
    "推导",
    "算法",
    "优化",
    "証明",
    "最適化",
];
/// Asks for a judgement, or for a result that takes some steps.
const WEIGHED: &[&str] = &[
    "why.",
    "analy",
    "assess",
    "calculat",
    "carefully.",
    "compar",
    "comput",
    "critique",
    "design",
    "estimate",
    "evaluat",
    "explain",
    "implication",
    "infer.",
    "investigat",
    "justif",
    "migrat",
    "pitfall",
    "plan.",
    "plans.",
    "pros.",
    "recommend",
    "review",
    "risks.",
    "solve",
    "strateg",
    "versus.",
    "vergleich",
    "bewert",
    "warum.",
    "pourquoi.",
    "explica",
    "为什么",
    "分析",
    "比较",
    "设计",
    "计算",
    "なぜ",
    "比較",
    "設計",
    "計算",
];
/// What is built, computed and operated.
const TECHNICAL: &[&str] = &[
    "api.",
    "apis.",
    "async",
    "authenticat",
    "backend",
    "cache",
    "class.",
    "classes.",
    "codebase",
    "compiler",
    "database",
    "deploy",
    "distributed",
    "docker",
    "endpoint",
    "frontend",
    "function.",
    "functions.",
    "graph.",
    "integer",
    "java.",
    "javascript",
    "kubernetes",
    "latency",
    "matrix",
    "microservice",
    "mutex",
    "parser",
    "pipeline",
    "polynomial",
    "prime.",
    "primes.",
    "python",
    "query.",
    "recursi",
    "regex",
    "rust.",
    "schema",
    "server.",
    "sql.",
    "thread.",
    "threads.",
    "throughput",
    "typescript",
    "unit-test",
    "vector.",
    "vectors.",
    "数据库",
    "函数",
    "データベース",
    "関数",
];
/// As [`HARD`], of more than one word.
const PHRASES: &[&str] = &[
    "step by step",
    "root cause",
    "think carefully",
    "think hard",
    "chain of thought",
    "how many ways",
    "show all steps",
    "show your work",
    "expected number",
    "expected value",
    "time complexity",
    "edge cases",
    "from scratch",
    "such that",
];

/// A score, and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Complexity {
    /// 0 to 1.
    pub(super) score: f64,
    /// For the span: `0.44: code, 2 weighing words`.
    pub(super) why: String,
}

impl Complexity {
    pub(super) fn of(request: &ChatRequest) -> Self {
        let mut sum = Sum::default();
        let question = question(request);
        sum.question(&question);
        sum.rest(request);
        let score = sum.score.clamp(0.0, 1.0);
        let whys = if sum.whys.is_empty() { "nothing about it looks hard".to_owned() } else { sum.whys.join(", ") };
        Self { score, why: format!("{score:.2}: {whys}") }
    }
}

/// What the person asked last.
pub(super) fn question(request: &ChatRequest) -> String {
    let last = request.messages.iter().rev().find(|message| {
        message.role == Role::User && message.parts.iter().any(|part| matches!(part, Part::Text { .. }))
    });
    let mut question = String::new();
    for part in last.map(|message| message.parts.as_slice()).unwrap_or_default() {
        if let Part::Text { content } = part {
            let room = MOST_BYTES.saturating_sub(question.len());
            question.push_str(content.get(..content.floor_char_boundary(room)).unwrap_or_default());
            question.push('\n');
        }
    }
    question
}

#[derive(Default)]
struct Sum {
    score: f64,
    whys: Vec<String>,
}

impl Sum {
    fn add(&mut self, points: f64, why: impl Into<String>) {
        if points > 0.0 {
            self.score += points;
            self.whys.push(why.into());
        }
    }

    fn question(&mut self, question: &str) {
        let lower = question.to_lowercase();
        let words: Vec<&str> = lower
            .split(|char: char| !(char.is_alphanumeric() || char == '-'))
            .filter(|word| !word.is_empty())
            .collect();
        // Scripts without spaces: a character says about half a word.
        let wide = lower.chars().filter(|char| is_wide(*char)).count();
        let length = words.len() + wide / 2;
        self.add(length_points(length as f64, 20.0, 1_000.0) * 0.2, format!("{length} words"));

        let code = code_points(question);
        self.add(code * 0.2, "code");
        let maths = maths_points(question);
        self.add(maths * 0.2, "formulas");

        let is_hit = |start: &&&str| match start.strip_suffix('.') {
            Some(whole) => words.contains(&whole),
            None => words.iter().any(|word| word.starts_with(**start)) || (has_wide(start) && lower.contains(**start)),
        };
        let hit = |list: &[&str]| list.iter().filter(is_hit).count();
        let phrases = PHRASES.iter().filter(|phrase| lower.contains(**phrase)).count();
        let hard = hit(HARD) + phrases;
        self.add((hard as f64 * 0.3).min(0.55), counted(hard, "demanding word"));
        let weighed = hit(WEIGHED);
        self.add((weighed as f64 * 0.12).min(0.3), counted(weighed, "weighing word"));
        let technical = hit(TECHNICAL);
        self.add((technical as f64 * 0.08).min(0.24), counted(technical, "technical word"));

        let asked = lower.chars().filter(|char| matches!(char, '?' | '？' | '؟')).count() + listed(question);
        self.add((asked.saturating_sub(1) as f64 * 0.05).min(0.2), format!("{asked} things asked"));
    }

    /// What is around the question.
    fn rest(&mut self, request: &ChatRequest) {
        let tools = request.tools.len() + request.other_tools.len();
        self.add((tools as f64 * 0.03).min(0.12), counted(tools, "tool"));
        let parts = || request.messages.iter().flat_map(|message| &message.parts);
        let answers = parts().filter(|part| matches!(part, Part::ToolCallResponse { .. })).count();
        self.add((answers as f64 * 0.03).min(0.12), counted(answers, "answer of tools"));
        let seen = parts().filter(|part| match part {
            Part::Blob { modality, .. } | Part::Uri { modality, .. } => *modality != Modality::Audio,
            _ => false,
        });
        let seen = seen.count();
        self.add((seen as f64 * 0.08).min(0.16), counted(seen, "picture or document"));
        let turns = request.messages.iter().filter(|message| message.role == Role::User).count();
        self.add((turns.saturating_sub(3) as f64 * 0.02).min(0.1), counted(turns, "turn"));
        let texts =
            parts().filter_map(|part| if let Part::Text { content } = part { Some(content.len()) } else { None });
        let bytes: usize = texts.sum();
        self.add(length_points(bytes as f64, 8_000.0, 200_000.0) * 0.2, format!("{} KB of context", bytes >> 10));
        if request.response_format.is_some() {
            self.add(0.04, "a given shape");
        }
        self.add(wanted(request.reasoning.as_ref()), "thinking is asked for");
    }
}

/// What the caller says itself of how much thinking it takes.
fn wanted(reasoning: Option<&Reasoning>) -> f64 {
    const LITTLE: u64 = 2_048;
    const MUCH: u64 = 16_384;
    let tokens = match reasoning {
        None | Some(Reasoning::Off) => return 0.0,
        Some(Reasoning::Effort(effort) | Reasoning::Adaptive(Some(effort))) => effort.budget(),
        Some(Reasoning::Budget(tokens)) => *tokens,
        // The model decides: no word of the caller's.
        Some(Reasoning::Adaptive(None)) => return 0.0,
    };
    (tokens.saturating_sub(LITTLE) as f64 / (MUCH - LITTLE) as f64).min(1.0) * 0.35
}

/// 0 up to `from`, 1 from `to` on, by the logarithm between.
fn length_points(length: f64, from: f64, to: f64) -> f64 {
    ((length / from).ln() / (to / from).ln()).clamp(0.0, 1.0)
}

/// 0 to 1: how much of it is a program.
fn code_points(text: &str) -> f64 {
    if text.contains("```") {
        return 1.0;
    }
    let is_code = |line: &str| {
        let line = line.trim();
        let ends = line.ends_with([';', '{', '}']) || line.ends_with("):") || line.ends_with("->");
        let starts = ["def ", "fn ", "class ", "import ", "#include", "SELECT ", "public ", "func ", "Traceback"];
        let calls = line.contains("=>") || line.contains("==") || line.contains("::") || line.contains("();");
        !line.is_empty() && (ends || calls || starts.iter().any(|start| line.starts_with(start)))
    };
    let lines = text.lines().filter(|line| is_code(line)).count();
    (lines as f64 / 4.0).min(1.0)
}

/// 0 to 1: how much of it is mathematics.
fn maths_points(text: &str) -> f64 {
    let symbols = text
        .chars()
        .filter(|char| matches!(char, '∑' | '∫' | '√' | '≤' | '≥' | '≠' | '∀' | '∃' | '∂' | '∞' | '∈' | '⊂' | '→'));
    let commands = ["\\frac", "\\sum", "\\int", "\\sqrt", "\\begin{", "\\lim", "$$", "^2", "^n", "mod "];
    let found = symbols.count() + commands.iter().filter(|command| text.contains(**command)).count();
    (found as f64 / 2.0).min(1.0)
}

/// Items of lists.
fn listed(text: &str) -> usize {
    let is_item = |line: &&str| {
        let line = line.trim_start();
        let number = line.trim_start_matches(|char: char| char.is_ascii_digit());
        line.starts_with("- ")
            || line.starts_with("* ")
            || line.starts_with("• ")
            || (number.len() < line.len() && (number.starts_with(". ") || number.starts_with(") ")))
    };
    text.lines().filter(is_item).count()
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Of a script that puts no spaces between words.
pub(super) fn is_wide(char: char) -> bool {
    matches!(char, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{e00}'..='\u{e7f}')
}

fn has_wide(text: &str) -> bool {
    text.chars().any(is_wide)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use signalbox_wire::{Dialect, codec};

    use super::*;

    fn of(body: serde_json::Value) -> Complexity {
        let request = codec(Dialect::OpenaiChat).decode_request(body.to_string().as_bytes()).unwrap();
        Complexity::of(&request)
    }

    fn asked(text: &str) -> Complexity {
        of(json!({"model": "m", "messages": [{"role": "user", "content": text}]}))
    }

    #[test]
    fn plain_questions_look_easy_and_demanding_ones_hard() {
        for text in [
            "Hi there!",
            "What is the capital of France?",
            "Translate 'good morning' into Spanish.",
            "Fix the typo in this sentence: He go to school.",
            "Set a timer for ten minutes",
            "Give me a synonym for happy, at a reasonable length",
            "Which planet is the largest? And the smallest?",
            "Proofread my proverb about plants",
            "你好",
            "Wie spät ist es in Tokio?",
        ] {
            let found = asked(text);
            assert!(found.score < 0.1, "{text}: {found:?}");
        }
        for text in [
            "Prove that the square root of 2 is irrational.",
            "Implement an LRU cache in Rust and explain the complexity of each operation.",
            "Debug this:\n```python\ndef f(x):\n  return f(x)\n```\nWhy does it overflow?",
            "Compare three designs for a payment ledger and recommend one. Explain the trade-offs step by step.",
            "How many ways can 8 queens be placed on a chessboard so that none attacks another?",
            "Design a distributed rate limiter that survives node failures",
            "Create a migration strategy from a monolith to microservices with risks",
            "Solve x^2 + 5x + 6 = 0 and show all steps",
            "证明根号二是无理数",
        ] {
            let found = asked(text);
            assert!(found.score >= 0.2, "{text}: {found:?}");
        }
    }

    #[test]
    fn what_is_around_a_question_counts_and_is_named() {
        let messages = json!([{"role": "user", "content": "And now?"}]);
        let plain = of(json!({"model": "m", "messages": messages}));
        assert_eq!((plain.score, plain.why.as_str()), (0.0, "0.00: nothing about it looks hard"));
        let tool = json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}});
        let tools = of(json!({"model": "m", "messages": messages, "tools": [tool, tool]}));
        assert_eq!(tools.why, "0.06: 2 tools");
        let thinking = of(json!({"model": "m", "messages": messages, "reasoning_effort": "high"}));
        assert!(thinking.score > 0.3, "{thinking:?}");
        let low = of(json!({"model": "m", "messages": messages, "reasoning_effort": "low"}));
        assert_eq!(low.score, 0.0);
    }

    #[test]
    fn a_score_is_between_nought_and_one_whatever_is_asked() {
        let all =
            format!("{} {} ```x``` ∑∫ a?b?c?d?e?f?", HARD.join(" ").replace('.', ""), WEIGHED.join(" ")).repeat(200);
        let found = asked(&all);
        assert!((0.9..=1.0).contains(&found.score), "{}", found.score);
        assert_eq!(asked("").score, 0.0);
        // Cut within a character.
        assert!(asked(&"é".repeat(MOST_BYTES)).score <= 1.0);
    }
}
