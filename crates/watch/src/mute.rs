//! When nobody is told: silences that people make, maintenance that recurs, and incidents that follow from others.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use crate::config::{Length, Problem};
use crate::incident::Incident;
use crate::state::Labels;

/// A label and what it must be. `monitor` and `severity` are labels, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SilenceMatcher)]
pub struct Matcher {
    /// The label: one of the series', one of the monitor's, `monitor` or `severity`.
    pub label: String,
    /// Its value; `*` stands for any characters.
    pub is: String,
}

impl Matcher {
    fn holds(&self, incident: &Incident) -> bool {
        let label = match self.label.as_str() {
            "monitor" => Some(incident.monitor.as_str()),
            "severity" => Some(incident.severity.as_str()),
            name => label_of(&incident.labels, incident, name),
        };
        label.is_some_and(|label| glob(&self.is, label))
    }
}

/// A label that all firing series share.
fn label_of<'a>(labels: &'a Labels, incident: &'a Incident, name: &str) -> Option<&'a str> {
    if let Some(value) = labels.get(name) {
        return Some(value);
    }
    let mut firing = incident.series.iter().filter(|one| one.firing).map(|one| one.labels.get(name));
    let first = firing.next()??;
    firing.all(|value| value == Some(first)).then_some(first.as_str())
}

/// Whether all of them hold.
#[must_use]
pub(crate) fn matches(matchers: &[Matcher], incident: &Incident) -> bool {
    matchers.iter().all(|matcher| matcher.holds(incident))
}

/// Whether a text has this form; `*` stands for any characters.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(last)
}

/// Nobody is told of what it matches, until then. Incidents are opened and shown all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// What it matches: all of them. None matches everything.
    pub matchers: Vec<Matcher>,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub by: String,
}

impl Silence {
    /// Whether it holds of an incident now.
    #[must_use]
    pub fn holds(&self, incident: &Incident, now: Timestamp) -> bool {
        self.from <= now && now < self.until && matches(&self.matchers, incident)
    }
}

/// A time that recurs, in which nobody is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Its name.
    pub name: String,
    /// On which days it begins: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`. Default: all.
    #[serde(default)]
    pub days: Vec<Day>,
    /// When it begins, by the clock there. Example: `22:00`.
    pub at: String,
    /// How long it lasts, at most 7d. Example: `2h`.
    pub lasts: Length,
    /// Whose clock. Example: `Europe/Zurich`. Default `UTC`.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// What it matches. Default: everything.
    #[serde(default)]
    pub matchers: Vec<Matcher>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    pub(crate) fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

pub(crate) fn utc() -> String {
    "UTC".to_owned()
}

impl Maintenance {
    /// Whether it is on.
    #[must_use]
    pub fn is_on(&self, now: Timestamp) -> bool {
        let (Ok(zone), Ok(at)) = (time_zone(&self.time_zone), clock_time(&self.at)) else { return false };
        let Some(local) = local(now, &zone) else { return false };
        // It may have begun days ago.
        let back = i64::try_from(self.lasts.as_secs() / 86_400 + 1).unwrap_or(8);
        (0..=back.min(8)).any(|days| {
            let Ok(date) = local.date().checked_sub(jiff::Span::new().days(days)) else { return false };
            if !self.days.is_empty() && !self.days.iter().any(|day| day.weekday() == date.weekday()) {
                return false;
            }
            // A time that the clocks skip is the moment at which they do.
            let Ok(began) = date.to_datetime(at).to_zoned(zone.clone()) else { return false };
            let began = Timestamp::from_micros(began.timestamp().as_microsecond());
            began <= now && now < began.plus(self.lasts.0)
        })
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(time_zone(&self.time_zone).err().map(|problem| Problem::new("time_zone", problem)));
        problems.extend(clock_time(&self.at).err().map(|problem| Problem::new("at", problem)));
        if self.lasts > Length::days(7) || self.lasts < Length::minutes(1) {
            problems.push(Problem::new("lasts", format!("is {}; expected 1m to 7d", self.lasts)));
        }
        problems
    }
}

pub(crate) fn time_zone(name: &str) -> Result<TimeZone, String> {
    let problem = |_| format!("`{name}` is no time zone; expected a name like `Europe/Zurich` or `UTC`");
    TimeZone::get(name).map_err(problem)
}

pub(crate) fn clock_time(text: &str) -> Result<Time, String> {
    let problem = || format!("`{text}` is no time of day; expected e.g. `09:00`");
    let (hour, minute) = text.split_once(':').ok_or_else(problem)?;
    let (hour, minute) = (hour.parse().map_err(|_| problem())?, minute.parse().map_err(|_| problem())?);
    Time::new(hour, minute, 0, 0).map_err(|_| problem())
}

/// The wall clock of a place.
pub(crate) fn local(now: Timestamp, zone: &TimeZone) -> Option<jiff::civil::DateTime> {
    let now = jiff::Timestamp::from_microsecond(now.as_micros()).ok()?;
    Some(now.to_zoned(zone.clone()).datetime())
}

/// An incident that follows from another one, of which people know already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inhibition {
    /// While an incident like this is open …
    #[serde(rename = "while")]
    pub while_: Vec<Matcher>,
    /// … nobody is told of one like this …
    pub mute: Vec<Matcher>,
    /// … if these labels of both are the same.
    #[serde(default)]
    pub equal: Vec<String>,
}

impl Inhibition {
    /// Whether the one mutes the other.
    #[must_use]
    pub fn holds(&self, cause: &Incident, incident: &Incident) -> bool {
        cause.id != incident.id
            && cause.fires()
            && matches(&self.while_, cause)
            && matches(&self.mute, incident)
            // What is muted mutes nothing: two that match each other would both be lost.
            && !matches(&self.mute, cause)
            && self.equal.iter().all(|name| {
                let (one, other) = (label_of(&cause.labels, cause, name), label_of(&incident.labels, incident, name));
                one.is_some() && one == other
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-*", "gpt-4o", true),
            ("*", "", true),
            ("*mini", "gpt-4o-mini", true),
            ("g*-*i", "gpt-4o-mini", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn maintenance_recurs_by_the_clock_of_the_place() {
        let check = |one: serde_json::Value, expected: &[(&str, bool)]| {
            let maintenance: Maintenance = serde_json::from_value(one).unwrap();
            assert_eq!(maintenance.problems(), []);
            for (at, on) in expected {
                assert_eq!(maintenance.is_on(at.parse().unwrap()), *on, "{at}");
            }
        };
        check(
            json!({"name": "m", "days": ["sat"], "at": "23:00", "lasts": "3h", "time_zone": "Europe/Zurich"}),
            &[
                ("2026-01-10T21:59:00Z", false),
                ("2026-01-10T22:00:00Z", true),
                ("2026-01-11T00:59:00Z", true),
                ("2026-01-11T01:00:00Z", false),
                ("2026-07-11T21:00:00Z", true),
                ("2026-01-11T22:30:00Z", false),
            ],
        );
        // At 02:30 on 2026-03-29 there is no 02:30 in Zurich: it begins all the same.
        check(
            json!({"name": "m", "at": "02:30", "lasts": "1h", "time_zone": "Europe/Zurich"}),
            &[("2026-03-29T01:35:00Z", true), ("2026-03-29T03:00:00Z", false), ("2026-03-30T00:45:00Z", true)],
        );
        check(json!({"name": "m", "days": ["mon"], "at": "00:00", "lasts": "7d"}), &[("2026-01-18T23:00:00Z", true)]);
    }
}
