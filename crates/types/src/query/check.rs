//! What a query must be before a store answers it: whatever would be silently wrong is refused here,
//! with the place and what was expected.

use std::time::Duration;

use super::{BUCKET, InvalidQuery, MAX_LIMIT, MAX_TOP, Measure, OTHER, Order, Query, SEARCH_HIGHLIGHT, find_field};
use crate::Timestamp;
use crate::table::{self, ColumnType, Table};

impl Query {
    /// The table, once every name and value in the query was checked against it.
    ///
    /// # Errors
    /// The first thing that can't be answered, with the place and what was expected.
    pub fn check(&self) -> Result<&'static Table, InvalidQuery> {
        let table = table::find(&self.table).ok_or_else(|| {
            let names: Vec<_> = table::ALL.iter().map(|table| table.name).collect();
            InvalidQuery::new(
                "table",
                format!("there is no table `{}`; expected one of {}", self.table, names.join(", ")),
            )
        })?;
        for (i, name) in self.select.iter().enumerate() {
            if name == SEARCH_HIGHLIGHT && self.search.is_some() {
                continue;
            }
            find_field(table, name, || format!("select[{i}]"))?;
        }
        for (i, name) in self.group_by.iter().enumerate() {
            let column = find_field(table, name, || format!("group_by[{i}]"))?;
            let problem = match column.ty {
                ColumnType::Json => format!("`{name}` holds JSON, which can't be grouped by"),
                ColumnType::TextMap if column.name == name => {
                    format!("`{name}` holds many values; name one of its keys, as in `{name}.key`")
                }
                _ => continue,
            };
            return Err(InvalidQuery::new(format!("group_by[{i}]"), problem));
        }
        if let Some(filter) = &self.filter {
            filter.check(table, "filter")?;
        }
        if table.sums.is_some() && self.measures.is_empty() {
            let problem = format!(
                "`{}` holds sums, of which each may be in parts; ask for measures, e.g. {{\"fn\": \"sum\", \"column\": \"cost\"}}",
                table.name
            );
            return Err(InvalidQuery::new("measures", problem));
        }
        for (i, measure) in self.measures.iter().enumerate() {
            measure.check(table, &format!("measures[{i}]"))?;
        }
        self.bucket_width()?;
        self.check_shape()?;
        self.check_top()?;
        self.check_names()?;
        self.check_order(table)?;
        Ok(table)
    }

    /// The width of the buckets, if any.
    ///
    /// # Errors
    /// The text is no duration of at least one second.
    pub fn bucket_width(&self) -> Result<Option<Duration>, InvalidQuery> {
        let Some(text) = &self.bucket else { return Ok(None) };
        match crate::time::parse_duration(text) {
            Some(width) if width >= Duration::from_secs(1) => Ok(Some(width)),
            _ => Err(InvalidQuery::new(
                "bucket",
                format!("`{text}` is no bucket width; expected e.g. `1m`, `1h` or `1d`, at least `1s`"),
            )),
        }
    }

    /// The first moment in and the first moment after the time range, when it is `now`.
    ///
    /// # Errors
    /// The range ends before it begins, or where it begins.
    pub fn range(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), InvalidQuery> {
        let (from, to) = self.time.resolve(now);
        if from < to {
            return Ok((from, to));
        }
        let problem = if from == to {
            format!("there is no time between `from` and `to` ({from}); choose an earlier `from`, e.g. `now-1h`")
        } else {
            format!("`from` ({from}) is after `to` ({to}); swap them, or choose an earlier `from`, e.g. `now-1h`")
        };
        Err(InvalidQuery::new("time.from", problem))
    }

    /// By how many seconds a `rate` divides: those of a bucket, or else of the time range.
    ///
    /// # Errors
    /// As [`Query::bucket_width`].
    pub fn rate_seconds(&self, now: Timestamp) -> Result<f64, InvalidQuery> {
        if let Some(width) = self.bucket_width()? {
            return Ok(width.as_secs_f64());
        }
        // Not as `resolve` says: the microsecond that `now` adds is no part of what people mean by an hour.
        let range = self.time.to.resolve(now).since(self.time.from.resolve(now));
        Ok(range.max(Duration::from_micros(1)).as_secs_f64())
    }

    /// What decides which groups are the greatest: `order` without the buckets, or else the first measure.
    #[must_use]
    pub fn rank(&self) -> Vec<Order> {
        let given: Vec<Order> = self.order.iter().filter(|order| order.by != BUCKET).cloned().collect();
        let first = self.measures.first().map(|measure| Order { by: measure.name(), desc: true });
        if given.is_empty() { first.into_iter().collect() } else { given }
    }

    fn check_shape(&self) -> Result<(), InvalidQuery> {
        if self.measures.is_empty() && !(self.group_by.is_empty() && self.bucket.is_none()) {
            return Err(InvalidQuery::new(
                "measures",
                "`group_by` and `bucket` need at least one measure, e.g. {\"fn\": \"count\"}",
            ));
        }
        if !self.measures.is_empty() && !self.select.is_empty() {
            return Err(InvalidQuery::new(
                "select",
                "a query has either `select` (rows) or `measures` (numbers), not both",
            ));
        }
        if self.cursor.is_some() && !(self.measures.is_empty() && self.order.is_empty()) {
            return Err(InvalidQuery::new(
                "cursor",
                "only rows in default order (newest first) can be paged by cursor; leave out `measures` and `order`",
            ));
        }
        let limit = self.rows_at_most();
        if limit == 0 || limit > MAX_LIMIT {
            return Err(InvalidQuery::new("limit", format!("{limit} is out of range; expected 1 to {MAX_LIMIT}")));
        }
        Ok(())
    }

    fn check_top(&self) -> Result<(), InvalidQuery> {
        let Some(top) = self.top else { return Ok(()) };
        if self.group_by.is_empty() {
            let problem = "needs groups to choose from; add e.g. \"group_by\": [\"model\"], or use `limit`";
            return Err(InvalidQuery::new("top", problem));
        }
        if !(1..=MAX_TOP).contains(&top) {
            return Err(InvalidQuery::new("top", format!("{top} is out of range; expected 1 to {MAX_TOP}")));
        }
        Ok(())
    }

    /// No two columns of the answer have one name: whoever reads rows as objects would lose one.
    fn check_names(&self) -> Result<(), InvalidQuery> {
        let mut taken: Vec<String> = Vec::new();
        taken.extend(self.bucket.is_some().then(|| BUCKET.to_owned()));
        taken.extend(self.top.is_some().then(|| OTHER.to_owned()));
        let fields = [("select", &self.select), ("group_by", &self.group_by)];
        for (list, names) in fields {
            for (i, name) in names.iter().enumerate() {
                if taken.contains(name) {
                    return Err(InvalidQuery::new(
                        format!("{list}[{i}]"),
                        format!("`{name}` is already in the answer; leave one of them out"),
                    ));
                }
                taken.push(name.clone());
            }
        }
        for (i, measure) in self.measures.iter().enumerate() {
            let name = measure.name();
            if taken.contains(&name) {
                let problem = format!("the answer already has a column `{name}`; give this one another name by `as`");
                return Err(InvalidQuery::new(format!("measures[{i}].as"), problem));
            }
            taken.push(name);
        }
        Ok(())
    }

    fn check_order(&self, table: &Table) -> Result<(), InvalidQuery> {
        for (i, order) in self.order.iter().enumerate() {
            let place = || format!("order[{i}].by");
            if self.order.iter().take(i).any(|before| before.by == order.by) {
                return Err(InvalidQuery::new(
                    place(),
                    format!("`{}` is already ordered by; leave this out", order.by),
                ));
            }
            if self.measures.is_empty() {
                let column = find_field(table, &order.by, place)?;
                if column.ty == ColumnType::TextMap && column.name == order.by {
                    let problem = format!("`{0}` holds many values; name one of its keys, as in `{0}.key`", order.by);
                    return Err(InvalidQuery::new(place(), problem));
                }
                continue;
            }
            let mut names: Vec<String> =
                self.measures.iter().map(Measure::name).chain(self.group_by.iter().cloned()).collect();
            names.extend(self.bucket.is_some().then(|| BUCKET.to_owned()));
            if !names.contains(&order.by) {
                let problem = format!("there is no `{}` in the answer; expected one of {}", order.by, names.join(", "));
                return Err(InvalidQuery::new(place(), problem));
            }
        }
        Ok(())
    }
}
