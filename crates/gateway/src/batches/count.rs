//! Counts what the lines of results say, while they pass by. It holds one line at most, keeps nobody waiting, and what it
//! can't read passes all the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use signalbox_types::Timestamp;
use signalbox_wire::batch::{self, Line, LineKind};

use super::{Batches, Bearer, Used, nothing, results_of, span};
use crate::Gateway;
use crate::call::Call;
use crate::held::Held;
use crate::stages::settle::Settler;

/// A longer line isn't read: an answer is shorter.
const MOST_LINE: usize = 4 << 20;
/// Names of models come from strangers.
const MOST_MODELS: usize = 64;

/// Counts one file of results.
pub(crate) struct Counter {
    bearer: Bearer,
    batches: Arc<Batches>,
    settler: Arc<Settler>,
    /// The line that has begun.
    line: Vec<u8>,
    /// What it takes, at most.
    held: Held,
    /// It is too long: the rest of it is passed over.
    is_skipped: bool,
    by_model: BTreeMap<String, Used>,
    failed: u64,
    unread: u64,
    latest: Option<i64>,
}

impl Counter {
    /// For what a call comes for, if that are the results of a batch, and all of them.
    pub(crate) fn of(call: &Call, gateway: &Gateway) -> Option<Self> {
        // Half a file says half of it.
        if call.replied != Some(StatusCode::OK) {
            return None;
        }
        Some(Self {
            bearer: results_of(call, &gateway.owners)?,
            batches: Arc::clone(&gateway.batches),
            settler: Arc::clone(&gateway.settler),
            line: Vec::new(),
            held: call.held.another(),
            is_skipped: false,
            by_model: BTreeMap::new(),
            failed: 0,
            unread: 0,
            latest: None,
        })
    }

    pub(crate) fn see(&mut self, mut data: &[u8]) {
        while let Some(end) = data.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = data.split_at(end);
            // Most lines come in pieces, but one that doesn't needs no copy.
            if self.line.is_empty() && !self.is_skipped {
                self.read(line);
            } else {
                self.keep(line);
                self.end_line();
            }
            data = rest.get(1..).unwrap_or_default();
        }
        self.keep(data);
    }

    fn keep(&mut self, more: &[u8]) {
        if self.is_skipped || more.is_empty() {
            return;
        }
        let wanted = self.line.len() + more.len();
        let has_room = wanted <= self.held.bytes() || self.held.try_grow(wanted - self.held.bytes());
        if wanted > MOST_LINE || !has_room {
            self.is_skipped = true;
            self.line = Vec::new();
            return;
        }
        self.line.extend_from_slice(more);
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.is_skipped) {
            self.unread += 1;
            return;
        }
        let line = std::mem::take(&mut self.line);
        self.read(&line);
        self.line = line;
        self.line.clear();
    }

    fn read(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        match batch::line(line) {
            Some(line) => self.add(line),
            None => self.unread += 1,
        }
    }

    fn add(&mut self, line: Line) {
        self.latest = self.latest.max(line.created);
        self.failed += u64::from(line.failed);
        if line.usage.is_unknown() {
            return;
        }
        if !self.by_model.contains_key(&line.model) && self.by_model.len() >= MOST_MODELS {
            self.unread += 1;
            return;
        }
        // Each by itself: a long context costs more, but not many short ones.
        let cost = self.settler.batch_cost(&self.bearer.otel_name, &line.model, &line.usage, line.charges);
        let used = self.by_model.entry(line.model).or_insert_with_key(|model| Used {
            model: model.clone(),
            kind: line.kind,
            usage: signalbox_types::Usage::default(),
            cost: Some(nothing()),
            requests: 0,
            failed: 0,
        });
        if used.kind != line.kind {
            used.kind = LineKind::Other;
        }
        used.usage = used.usage.plus(&line.usage);
        used.cost = used.cost.as_ref().zip(cost.as_ref()).map(|(sum, cost)| sum.plus(cost));
        used.requests += 1;
    }

    /// All of it has passed.
    pub(crate) fn finish(mut self, now: Timestamp) {
        // The last line may have no end.
        self.end_line();
        if self.by_model.is_empty() {
            return;
        }
        let batch = self.batches.get(&self.bearer.results);
        let latest = self.latest.and_then(|seconds| seconds.checked_mul(1_000_000)).map(Timestamp::from_micros);
        let time = batch.done.or(latest).unwrap_or(now);
        for (place, mut used) in std::mem::take(&mut self.by_model).into_values().enumerate() {
            if place == 0 {
                // Failures name no model.
                used.failed = self.failed;
            }
            let mut span = span(&self.bearer, &batch, place, &used, time);
            if let Some(span) = span.as_mut().filter(|_| self.unread > 0) {
                span.attributes.insert("signalbox.batch.unread_lines".to_owned(), self.unread.to_string());
            }
            if let Some(span) = span {
                self.settler.emit(span);
            }
        }
        self.batches.note(&self.bearer.results, |batch| batch.is_booked = true);
    }
}
