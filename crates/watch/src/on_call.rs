//! Who is on call, by the clock of the place where the shifts are: a shift that begins at nine begins at nine in summer and in winter.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_types::Timestamp;

use crate::config::Problem;
use crate::mute::{Day, clock_time, local, time_zone, utc};

/// Who is on call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// Whose clock. Example: `Europe/Zurich`. Default `UTC`.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Rotations; the first that has somebody at a time decides.
    pub rotations: Vec<Rotation>,
    /// Exceptions, which come before all rotations.
    #[serde(default)]
    pub overrides: Vec<Override>,
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Names of `people`, in their order.
    pub people: Vec<String>,
    /// The day on which the first of them began. Example: `2026-01-05`.
    pub from: String,
    /// When shifts change, by the clock there. Default `09:00`.
    #[serde(default = "nine")]
    pub handover: String,
    /// Days of a shift. Default 7.
    #[serde(default = "week")]
    pub shift_days: u32,
    /// Only on these days: `mon`, `tue`, … Default: all.
    #[serde(default)]
    pub days: Vec<Day>,
    /// Only between these times. Example: `["09:00", "17:00"]`; from evening to morning is fine, and belongs to the day that it began on.
    #[serde(default)]
    pub hours: Option<[String; 2]>,
}

/// Somebody stands in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Who.
    pub person: String,
    /// From when.
    #[schemars(with = "String")]
    pub from: Timestamp,
    /// Until when.
    #[schemars(with = "String")]
    pub until: Timestamp,
}

/// Somebody who can be on call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name.
    pub name: String,
    /// Channels by which this person is told.
    pub notify: Vec<String>,
}

fn nine() -> String {
    "09:00".to_owned()
}

fn week() -> u32 {
    7
}

impl Schedule {
    /// Who is on call, if anybody is.
    #[must_use]
    pub fn who(&self, now: Timestamp) -> Option<&str> {
        let stands_in = self.overrides.iter().rev().find(|one| one.from <= now && now < one.until);
        if let Some(stands_in) = stands_in {
            return Some(&stands_in.person);
        }
        let zone = time_zone(&self.time_zone).ok()?;
        let local = local(now, &zone)?;
        self.rotations.iter().find_map(|rotation| rotation.who(local))
    }

    pub(crate) fn problems(&self, people: &[&str]) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(time_zone(&self.time_zone).err().map(|problem| Problem::new("time_zone", problem)));
        if self.rotations.is_empty() {
            problems.push(Problem::new("rotations", "is empty; expected at least one"));
        }
        let mut known = |field: String, name: &str| {
            if !people.contains(&name) {
                let problem =
                    format!("there is nobody called `{name}` among `people`; {}", crate::escalate::listed(people));
                problems.push(Problem::new(field, problem));
            }
        };
        for (i, rotation) in self.rotations.iter().enumerate() {
            rotation.people.iter().enumerate().for_each(|(j, name)| known(format!("rotations[{i}].people[{j}]"), name));
        }
        self.overrides.iter().enumerate().for_each(|(i, one)| known(format!("overrides[{i}].person"), &one.person));
        for (i, rotation) in self.rotations.iter().enumerate() {
            problems.extend(rotation.problems().into_iter().map(|problem| problem.under(&format!("rotations[{i}]"))));
        }
        for (i, one) in self.overrides.iter().enumerate().filter(|(_, one)| one.until <= one.from) {
            problems.push(Problem::new(format!("overrides[{i}].until"), format!("is not after `from` ({})", one.from)));
        }
        problems
    }
}

impl Rotation {
    fn who(&self, local: jiff::civil::DateTime) -> Option<&str> {
        let began = self.hours_began(local)?;
        if !self.days.is_empty() && !self.days.iter().any(|day| day.weekday() == began.weekday()) {
            return None;
        }
        let first: Date = self.from.parse().ok()?;
        let handover = clock_time(&self.handover).ok()?;
        // Before the handover it is still the day before.
        let day = if local.time() < handover { local.date().yesterday().ok()? } else { local.date() };
        let days = i64::from(first.until(day).ok()?.get_days());
        if days < 0 {
            return None;
        }
        let turn = days / i64::from(self.shift_days.max(1));
        let place = usize::try_from(turn).ok()?.checked_rem(self.people.len())?;
        self.people.get(place).map(String::as_str)
    }

    /// The day on which these hours began; `None` outside of them.
    fn hours_began(&self, local: jiff::civil::DateTime) -> Option<Date> {
        let Some([from, to]) = &self.hours else { return Some(local.date()) };
        let (from, to) = (clock_time(from).ok()?, clock_time(to).ok()?);
        let now = local.time();
        match from <= to {
            true => (from <= now && now < to).then(|| local.date()),
            false if now >= from => Some(local.date()),
            false if now < to => local.date().yesterday().ok(),
            false => None,
        }
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.people.is_empty() {
            problems.push(Problem::new("people", "is empty; expected names of `people`"));
        }
        if self.from.parse::<Date>().is_err() {
            problems.push(Problem::new("from", format!("`{}` is no day; expected e.g. `2026-01-05`", self.from)));
        }
        if !(1..=366).contains(&self.shift_days) {
            problems.push(Problem::new("shift_days", format!("is {}; expected 1 to 366", self.shift_days)));
        }
        let times = self.hours.iter().flatten().map(|time| ("hours", time)).chain([("handover", &self.handover)]);
        for (field, time) in times {
            problems.extend(clock_time(time).err().map(|problem| Problem::new(field, problem)));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(schedule: Value, expected: &[(&str, Option<&str>)]) {
        let schedule: Schedule = serde_json::from_value(schedule).unwrap();
        assert_eq!(schedule.problems(&["ann", "bob", "cia"]), []);
        for (at, who) in expected {
            assert_eq!(schedule.who(at.parse().unwrap()), *who, "{at}");
        }
    }

    #[test]
    fn people_take_turns() {
        let weeks = json!({"people": ["ann", "bob", "cia"], "from": "2026-01-05"});
        check(
            json!({"name": "s", "rotations": [weeks]}),
            &[
                ("2026-01-05T08:59:00Z", None),
                ("2026-01-05T09:00:00Z", Some("ann")),
                ("2026-01-12T08:59:59Z", Some("ann")),
                ("2026-01-12T09:00:00Z", Some("bob")),
                ("2026-01-19T09:00:00Z", Some("cia")),
                ("2026-01-26T09:00:00Z", Some("ann")),
            ],
        );
    }

    /// Clocks in Zurich go forward on 2026-03-29 and back on 2026-10-25.
    #[test]
    fn shifts_change_by_the_clock_of_the_place() {
        let days = json!({"people": ["ann", "bob"], "from": "2026-03-27", "shift_days": 1, "handover": "09:00"});
        check(
            json!({"name": "s", "time_zone": "Europe/Zurich", "rotations": [days]}),
            &[
                ("2026-03-28T07:59:00Z", Some("ann")),
                ("2026-03-28T08:00:00Z", Some("bob")),
                // Summer: nine is an hour earlier.
                ("2026-03-29T06:59:00Z", Some("bob")),
                ("2026-03-29T07:00:00Z", Some("ann")),
                ("2026-10-24T07:00:00Z", Some("bob")),
                ("2026-10-25T07:59:00Z", Some("bob")),
                ("2026-10-25T08:00:00Z", Some("ann")),
            ],
        );
    }

    #[test]
    fn hours_days_and_those_who_stand_in() {
        let office = json!({"people": ["ann"], "from": "2026-01-05", "handover": "00:00", "hours": ["09:00", "17:00"], "days": ["mon", "tue", "wed", "thu", "fri"]});
        let nights = json!({"people": ["bob"], "from": "2026-01-01", "hours": ["22:00", "06:00"], "days": ["fri"]});
        let stand_in = json!({"person": "cia", "from": "2026-01-06T10:00:00Z", "until": "2026-01-06T12:00:00Z"});
        check(
            json!({"name": "s", "rotations": [office, nights], "overrides": [stand_in]}),
            &[
                ("2026-01-05T10:00:00Z", Some("ann")),
                ("2026-01-05T17:00:00Z", None),
                ("2026-01-10T10:00:00Z", None),
                ("2026-01-06T10:00:00Z", Some("cia")),
                ("2026-01-06T12:00:00Z", Some("ann")),
                ("2026-01-09T23:00:00Z", Some("bob")),
                // The night of Friday goes on on Saturday.
                ("2026-01-10T05:59:00Z", Some("bob")),
                ("2026-01-10T22:30:00Z", None),
            ],
        );
    }
}
