//! SQL in a normal form: what differs only in writing is the same there.

use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{BinaryOperator, Expr, Statement, UnaryOperator, visit_expressions_mut};
use sqlparser::dialect::{Dialect, GenericDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Deeper expressions are refused rather than followed to the end of the stack.
const DEEPEST: usize = 48;

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// Whatever most databases take.
    Generic,
    MySql,
    Postgres,
    Sqlite,
}

/// Their names.
pub(super) const FLAVOURS: &[(&str, Flavour)] = &[
    ("generic", Flavour::Generic),
    ("mysql", Flavour::MySql),
    ("postgres", Flavour::Postgres),
    ("sqlite", Flavour::Sqlite),
];

/// The statements of a text in their normal form: names in lower case unless they are quoted, no parentheses that say nothing, operands of
/// `AND`, `OR`, `=`, `<>`, `+` and `*` sorted, `>` and `>=` turned round. Comments, spaces and a last semicolon don't count.
///
/// # Errors
/// The text can't be read; the message says where.
pub(super) fn statements(text: &str, flavour: Flavour) -> Result<Vec<Statement>, String> {
    let dialect: &dyn Dialect = match flavour {
        Flavour::Generic => &GenericDialect {},
        Flavour::MySql => &MySqlDialect {},
        Flavour::Postgres => &PostgreSqlDialect {},
        Flavour::Sqlite => &SQLiteDialect {},
    };
    let mut tokens = Tokenizer::new(dialect, text).tokenize_with_location().map_err(|error| error.to_string())?;
    for token in &mut tokens {
        if let Token::Word(word) = &mut token.token
            && word.quote_style.is_none()
        {
            word.value = word.value.to_lowercase();
        }
    }
    let mut parser = Parser::new(dialect).with_recursion_limit(DEEPEST).with_tokens_with_locations(tokens);
    let mut statements = parser.parse_statements().map_err(|error| error.to_string())?;
    let _ = visit_expressions_mut(&mut statements, |expression| {
        normalise(expression);
        ControlFlow::<()>::Continue(())
    });
    Ok(statements)
}

/// One expression, whose parts are normal already.
fn normalise(expression: &mut Expr) {
    match expression {
        Expr::Nested(inner) => {
            let inner = taken(inner);
            *expression = inner;
        }
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => {
            let inner = taken(expr);
            *expression = inner;
        }
        Expr::BinaryOp { left, op, right } => {
            match op {
                BinaryOperator::Gt => *op = BinaryOperator::Lt,
                BinaryOperator::GtEq => *op = BinaryOperator::LtEq,
                BinaryOperator::And | BinaryOperator::Or => return sort(expression),
                BinaryOperator::Eq | BinaryOperator::NotEq | BinaryOperator::Plus | BinaryOperator::Multiply => {
                    if left.to_string() > right.to_string() {
                        std::mem::swap(left, right);
                    }
                    return;
                }
                _ => return,
            }
            std::mem::swap(left, right);
        }
        _ => {}
    }
}

/// Takes an expression out of its place, which is about to be filled again.
fn taken(expression: &mut Expr) -> Expr {
    std::mem::replace(expression, Expr::Wildcard(AttachedToken::empty()))
}

/// Sorts the operands of a chain of one operator and leans it to the left.
fn sort(expression: &mut Expr) {
    let Expr::BinaryOp { op, .. } = expression else { return };
    let op = op.clone();
    let mut operands = Vec::new();
    take(taken(expression), &op, &mut operands);
    operands.sort_by_cached_key(ToString::to_string);
    let chain = operands.into_iter().reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: op.clone(),
        right: Box::new(right),
    });
    if let Some(chain) = chain {
        *expression = chain;
    }
}

fn take(expression: Expr, chain: &BinaryOperator, operands: &mut Vec<Expr>) {
    match expression {
        Expr::BinaryOp { left, op, right } if op == *chain => {
            take(*left, chain, operands);
            take(*right, chain, operands);
        }
        other => operands.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, two: &str) -> bool {
        statements(one, Flavour::Generic).unwrap() == statements(two, Flavour::Generic).unwrap()
    }

    #[test]
    fn what_differs_in_writing_only_is_the_same() {
        assert!(same(
            "select A, b from T where x = 1 and (y > 2) -- why\n;",
            "SELECT a, b FROM t WHERE 2 < y AND 1 = x"
        ));
        assert!(same("SELECT count(*) AS n FROM t", "select COUNT(*) n from t"));
        assert!(same(
            "SELECT a FROM t WHERE a != 1 OR b = 2 OR c = 3",
            "SELECT a FROM t WHERE c = 3 OR (b = 2 OR a <> 1)"
        ));
    }

    #[test]
    fn what_means_something_else_is_not() {
        for (one, two) in [
            ("SELECT a, b FROM t", "SELECT b, a FROM t"),
            ("SELECT a FROM t WHERE a < 1", "SELECT a FROM t WHERE a > 1"),
            ("SELECT a FROM t WHERE a = 'X'", "SELECT a FROM t WHERE a = 'x'"),
            ("SELECT a FROM t WHERE (a = 1 OR b = 2) AND c = 3", "SELECT a FROM t WHERE a = 1 OR (b = 2 AND c = 3)"),
            ("SELECT \"A\" FROM t", "SELECT \"a\" FROM t"),
            ("SELECT a - b FROM t", "SELECT b - a FROM t"),
        ] {
            assert!(!same(one, two), "{one} / {two}");
        }
    }

    #[test]
    fn what_can_not_be_read_says_where() {
        let problem = statements("SELECT a FROM t WHERE )", Flavour::Generic).unwrap_err();
        assert!(problem.contains("Line: 1"), "{problem}");
        assert!(statements(&format!("SELECT {}1", "(".repeat(10_000)), Flavour::Generic).is_err());
    }
}
