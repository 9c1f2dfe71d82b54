//! Calls as Python writes them: `[f(a=1, b="x"), g()]`. Literals only, as in the Berkeley leaderboard's prompts.

use serde_json::{Map, Number, Value, json};

/// Deeper literals are refused: no model writes them, and each level is a frame of the stack.
const DEEPEST: usize = 32;

/// The calls of a text; `None` if it is something else.
pub(super) fn calls(text: &str) -> Option<Vec<Value>> {
    let mut reader = Reader { rest: text };
    let bracketed = reader.take('[');
    let mut calls = Vec::new();
    loop {
        if bracketed && reader.take(']') {
            break;
        }
        calls.push(reader.call()?);
        let goes_on = reader.take(',') || (bracketed && reader.peek() == Some(']'));
        if !goes_on {
            break;
        }
    }
    reader.peek().is_none().then_some(calls)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, char: char) -> bool {
        let found = self.peek() == Some(char);
        if found {
            self.rest = self.rest.strip_prefix(char).unwrap_or(self.rest);
        }
        found
    }

    fn word(&mut self, more: &[char]) -> Option<&'a str> {
        self.peek()?;
        let end =
            self.rest.find(|char: char| !(char.is_alphanumeric() || more.contains(&char))).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn call(&mut self) -> Option<Value> {
        let name = self.word(&['_', '.'])?;
        if name.starts_with(|char: char| char.is_ascii_digit()) || !self.take('(') {
            return None;
        }
        let mut arguments = Map::new();
        while !self.take(')') {
            let key = self.word(&['_'])?;
            if !self.take('=') {
                return None;
            }
            arguments.insert(key.to_owned(), self.value(0)?);
            if !self.take(',') && self.peek() != Some(')') {
                return None;
            }
        }
        Some(json!({"name": name, "arguments": arguments}))
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        match self.peek()? {
            '"' | '\'' => self.string().map(Value::String),
            '[' => self.items('[', ']', depth),
            '(' => self.items('(', ')', depth),
            '{' => self.object(depth),
            '-' | '+' | '0'..='9' | '.' => self.number(),
            _ => match self.word(&['_'])? {
                "True" | "true" => Some(Value::Bool(true)),
                "False" | "false" => Some(Value::Bool(false)),
                "None" | "null" => Some(Value::Null),
                _ => None,
            },
        }
    }

    fn items(&mut self, open: char, close: char, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.take(open);
        while !self.take(close) {
            items.push(self.value(depth + 1)?);
            if !self.take(',') && self.peek() != Some(close) {
                return None;
            }
        }
        Some(Value::Array(items))
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut object = Map::new();
        self.take('{');
        while !self.take('}') {
            let key = match self.value(depth + 1)? {
                Value::String(key) => key,
                other => other.to_string(),
            };
            if !self.take(':') {
                return None;
            }
            object.insert(key, self.value(depth + 1)?);
            if !self.take(',') && self.peek() != Some('}') {
                return None;
            }
        }
        Some(Value::Object(object))
    }

    fn number(&mut self) -> Option<Value> {
        let end = self
            .rest
            .find(|char: char| !matches!(char, '0'..='9' | '.' | '-' | '+' | 'e' | 'E' | '_'))
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        let digits = digits.replace('_', "");
        let whole = digits.trim_start_matches('+').parse::<i64>().ok().map(Value::from);
        whole.or_else(|| digits.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number))
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.peek()?;
        let mut chars = self.rest.char_indices().skip(1);
        let mut text = String::new();
        while let Some((at, char)) = chars.next() {
            match char {
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    other @ ('\\' | '\'' | '"') => text.push(other),
                    other => text.extend(['\\', other]),
                },
                _ if char == quote => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(text);
                }
                _ => text.push(char),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_with_literals() {
        let read = calls("[a.b(x=1, y=-2.5, z='it\\'s', s=[True, None,], d={'k': (1, 2)}), g()]").unwrap();
        assert_eq!(
            read,
            [
                json!({"name": "a.b", "arguments": {"x": 1, "y": -2.5, "z": "it's", "s": [true, null], "d": {"k": [1, 2]}}}),
                json!({"name": "g", "arguments": {}})
            ]
        );
        for other in ["hello", "f(1)", "f(a=b)", "f(a=1", "f(a=1) and more", "[f(a='x)]"] {
            assert_eq!(calls(other), None, "{other}");
        }
        assert_eq!(calls(&format!("f(a={}", "[".repeat(100_000))), None);
    }
}
