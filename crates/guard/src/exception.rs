//! What is no finding after all: for a while, for somebody, or for one text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::context::Facts;
use crate::policy::{GuardError, Hint, PolicyProblem};
use crate::registry;

/// An exception from what policies do about a scanner's findings: they are still recorded, as flags, and say why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionConfig {
    /// The scanner whose findings are meant.
    pub scanner: String,
    /// Only these of its rules; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Only this found text, told by its SHA-256 in hexadecimal, so that it needn't stand here: `printf %s TEXT | sha256sum`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Only calls for this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only calls with the key of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The last day on which it counts, in UTC. Example: `2026-12-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Why it is no finding, and who said so.
    pub reason: String,
}

impl ExceptionConfig {
    /// Everything that is wrong with it; `index` is its position in the list.
    pub(crate) fn problems(&self, index: usize) -> Vec<GuardError> {
        let mut problems = Vec::new();
        let mut wrong = |field: &str, problem| {
            problems.push(GuardError { path: format!("exceptions[{index}].{field}"), problem });
        };
        let told = |problem: &str| PolicyProblem::Option(problem.to_owned());
        match registry::entry(&self.scanner) {
            None => wrong("scanner", PolicyProblem::unknown_scanner(&self.scanner)),
            Some(entry) => {
                let about = entry.about();
                for (place, name) in self.rules.iter().enumerate().filter(|(_, name)| about.rule(name).is_none()) {
                    let hint = Hint::nearest(name, about.rules.iter().map(|rule| rule.name));
                    let (scanner, found) = (about.name.to_owned(), name.clone());
                    wrong(&format!("rules[{place}]"), PolicyProblem::UnknownRule { scanner, found, hint });
                }
            }
        }
        if self.sha256.is_none() && self.user.is_none() && self.key.is_none() {
            wrong("sha256", told("expected it, `user` or `key`: an exception for everything is a policy to delete"));
        }
        let is_digest = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.sha256.as_ref().is_some_and(|text| !is_digest(text)) {
            wrong("sha256", told("expected 64 hexadecimal digits, as `printf %s TEXT | sha256sum` gives them"));
        }
        if self.until.as_ref().is_some_and(|text| day(text).is_none()) {
            wrong("until", told("expected a day as in `2026-12-31`"));
        }
        if self.reason.trim().is_empty() {
            wrong("reason", told("it is empty; say why it is no finding"));
        }
        problems
    }

    /// Whether its last day is over at this time, in Unix seconds.
    #[must_use]
    pub fn is_over(&self, now: i64) -> bool {
        self.until.as_deref().and_then(day).is_some_and(|last| now.div_euclid(DAY) > last)
    }
}

const DAY: i64 = 86_400;

/// Days since 1970 of `YYYY-MM-DD`.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-').map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part));
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let (year, month, day): (i64, i64, i64) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Days from civil, as in Howard Hinnant's chrono-compatible algorithms: years begin in March.
    let (shifted, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// One as it counts for a call.
#[derive(Debug, Clone)]
pub(crate) struct Exception {
    config: ExceptionConfig,
    /// It hangs on more than the found text.
    waits: bool,
}

impl Exception {
    pub(crate) fn new(config: &ExceptionConfig) -> Self {
        let waits = config.user.is_some() || config.key.is_some() || config.until.is_some();
        Self { config: config.clone(), waits }
    }

    /// Whether it depends on the call.
    pub(crate) fn reads_context(&self) -> bool {
        self.waits
    }

    pub(crate) fn is_about(&self, scanner: &str) -> bool {
        self.config.scanner == scanner
    }

    /// The same for one call; `None` if it doesn't count there.
    pub(crate) fn within(&self, facts: &Facts) -> Option<Self> {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        // Without a time, what ends may have ended.
        let counts = self.config.until.is_none() || (facts.now > 0 && !self.config.is_over(facts.now));
        let meant = counts && is(&self.config.user, &facts.user) && is(&self.config.key, &facts.key);
        meant.then(|| Self { config: self.config.clone(), waits: false })
    }

    /// Whether it excepts this.
    pub(crate) fn excepts(&self, rule: &str, found: &str) -> bool {
        !self.waits
            && (self.config.rules.is_empty() || self.config.rules.iter().any(|name| name == rule))
            && self.config.sha256.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(&digest(found)))
    }

    pub(crate) fn reason(&self) -> &str {
        self.config.reason.trim()
    }
}

/// In hexadecimal.
fn digest(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2000-02-29"), Some(11_016));
        assert_eq!(day("2026-11-28"), Some(20_785));
        for wrong in ["", "2026", "2026-1-1", "2026-02-29", "2026-13-01", "2026-11-31", "2026-11-28-1", "+026-11-28"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_last_day_is_its_own() {
        let config = ExceptionConfig {
            scanner: "secrets".to_owned(),
            rules: Vec::new(),
            sha256: Some(digest("abc")),
            user: None,
            key: None,
            until: Some("1970-01-02".to_owned()),
            reason: "An example.".to_owned(),
        };
        assert!(!config.is_over(2 * DAY - 1) && config.is_over(2 * DAY));
        assert!(digest("abc").starts_with("ba7816bf"));
        let exception = Exception::new(&config);
        assert!(!exception.excepts("x", "abc"), "nobody has said when it is");
        let at = |now| exception.within(&Facts { now, ..Facts::default() });
        assert!(at(0).is_none() && at(2 * DAY).is_none());
        assert!(at(DAY).is_some_and(|one| one.excepts("x", "abc") && !one.excepts("x", "abd")));
    }
}
