//! What was said, each message once. Agents send their whole history with every call: rows of spans name
//! messages (and tool definitions) by hash, and [`MESSAGES`] holds each body.
//!
//! A body is found by its hash and the day of a span that names it: a body is only named by spans that
//! began at most [`REACH_MICROS`] before or after the one that it came with, and it is kept so much longer.

mod bodies;
mod parts;
mod recent;
mod reference;
mod split;
mod window;

use signalbox_types::table::ColumnType::{Int, Json, Text, Time};
use signalbox_types::table::{self, Cell, Column, Identity, Record, Retention, Table};
use signalbox_types::{ProjectId, Timestamp};

pub(crate) use bodies::{Bodies, said_first};
pub(crate) use recent::Recent;
use reference::hex;
pub(crate) use reference::{Reference, each_reference, hash_of};
pub(crate) use split::{Learned, split, split_rows};
pub(crate) use window::Window;

/// How far the spans that name a body may begin from the one that it came with.
pub(crate) const REACH_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
/// Bodies are kept so many days longer than what names them: the reach, and files of whole days twice.
pub(crate) const GRACE_DAYS: u32 = 3;

/// The bodies of messages. No query names it: columns of spans answer with what it holds.
pub(crate) static MESSAGES: Table = Table {
    name: "messages",
    doc: "One row for each message body.",
    columns: &[
        Column::hot("project_id", Text, "The tenant.").required(),
        Column::hot("hash", Text, "BLAKE3 of project and body, 128 bits, 32 hexadecimal digits.").required(),
        Column::hot("day", Int, "Of `time`, since 1970.").required(),
        Column::hot("time", Time, "When the span began that it came with.").required(),
        Column::body("body", Json, "A message without its finish reason, or tool definitions.").required(),
    ],
    time_column: "time",
    sort: &["project_id", "time"],
    key: &["hash", "day"],
    identity: Identity::Replaced,
    sums: None,
    retention: Retention::Bodies,
};

/// Every table that the store keeps.
pub(crate) fn tables() -> impl Iterator<Item = &'static Table> {
    table::ALL.iter().copied().chain([&MESSAGES])
}

/// The table of this name, among those that queries may name and others.
pub(crate) fn find_table(name: &str) -> Option<&'static Table> {
    tables().find(|table| table.name == name)
}

/// Rows of spans as they are stored, of an append that knows of no other.
#[cfg(test)]
pub(crate) fn stored(spans: &[signalbox_types::Span]) -> crate::rows::TableBatch {
    split(&parking_lot::Mutex::default(), spans).unwrap().spans.unwrap()
}

/// A row of [`MESSAGES`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MessageRow {
    pub(crate) project: ProjectId,
    pub(crate) hash: u128,
    pub(crate) time: Timestamp,
    pub(crate) body: String,
}

impl Record for MessageRow {
    fn table() -> &'static Table {
        &MESSAGES
    }

    fn cells<'a>(&'a self, out: &mut Vec<Cell<'a>>) {
        out.extend([
            Cell::Text(self.project.as_str().into()),
            Cell::Text(hex(self.hash).into()),
            Cell::Int(crate::manifest::day_of(self.time.as_micros())),
            Cell::Time(self.time),
            Cell::Text(self.body.as_str().into()),
        ]);
    }
}
