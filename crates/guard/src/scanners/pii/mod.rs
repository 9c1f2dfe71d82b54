//! Personal data: mailboxes, phones, cards, accounts, ids, machines, addresses, dates of birth.
//!
//! A walk over the words finds the few that can start something: those with a digit, an `@`, a `+`, a bracket or
//! the name of a month. At each of them the kinds look at bounded text around it, and the surest one wins. Names of
//! people are not found: that takes a model.

use std::borrow::Cow;

use self::context::Context;
use self::rules::Id;
use super::nearby::{self, Found, Near, Reach};
use crate::scanner::{About, Hit, Rule, Scanner, Text};

mod account;
mod checksum;
mod context;
mod country;
mod ids;
mod life;
mod net;
mod phone;
mod rules;
mod shape;
#[cfg(test)]
mod tests;
mod walk;

/// Finds personal data.
#[derive(Debug, Clone, Copy)]
pub struct Pii;

const REACH: Reach = Reach { back: 72, before: 64, forward: 144 };

static ABOUT: About = About {
    name: "pii",
    summary: "Finds personal data: e-mail, phone, cards, bank accounts, national ids, addresses.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: rules::ALL,
    lookback: REACH.lookback(),
    hold: REACH.hold(),
};

impl Scanner for Pii {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let settled = nearby::scan(text, REACH, walk::Walk::new(text.bytes(), text.from()), look, hits);
        if text.is_open() { walk::next_start(text.bytes(), settled) } else { settled }
    }

    fn kind(&self, rule: &Rule) -> Cow<'static, str> {
        match rule.name {
            "date_of_birth" => Cow::Borrowed("DATE_TIME"),
            "street_address" => Cow::Borrowed("LOCATION"),
            name => Cow::Owned(name.to_ascii_uppercase()),
        }
    }
}

/// What can start at an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    /// A word that starts with a digit.
    Number,
    /// A word that starts with a letter and holds a digit, or a short one before a digit or a colon.
    Mixed,
    At,
    Plus,
    Bracket,
    Month,
    Colons,
}

fn found(id: Id, start: usize, end: usize, confidence: f32) -> Option<Found> {
    Some(Found { rule: id.rule(), start, end, confidence })
}

/// The surest thing at an anchor; what comes first wins a tie.
fn look(near: Near<'_>, anchor: Anchor) -> Option<Found> {
    // Most anchors fall through on their shape: the words around are read once, and only if they are asked for.
    let mut read: Option<(usize, Context)> = None;
    let mut context = |end: usize| match read {
        Some((known, context)) if known == end => context,
        _ => read.insert((end, Context::read(near, near.at, end))).1,
    };
    let candidates = match anchor {
        Anchor::At => return net::email(near),
        Anchor::Colons => return net::ipv6(near, &mut context),
        Anchor::Month => return life::birth(near, &mut context),
        Anchor::Plus | Anchor::Bracket => return phone::look(near, &mut context),
        Anchor::Mixed => [
            account::iban(near),
            account::wallet(near, &mut context),
            net::mac(near),
            net::ipv6(near, &mut context),
            ids::look(near, &mut context),
            life::document(near, &mut context),
            None,
            None,
            None,
        ],
        Anchor::Number => [
            net::ipv4(near, &mut context),
            net::mac(near),
            net::ipv6(near, &mut context),
            account::card(near, &mut context),
            account::wallet(near, &mut context),
            ids::look(near, &mut context),
            phone::look(near, &mut context),
            life::birth(near, &mut context),
            life::street(near).or_else(|| life::document(near, &mut context)),
        ],
    };
    let surer = |best: Found, next: Found| if next.confidence > best.confidence { next } else { best };
    candidates.into_iter().flatten().reduce(surer)
}
