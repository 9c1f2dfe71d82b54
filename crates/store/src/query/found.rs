//! The part of a query that is a search: it narrows the snapshot before anything is planned.

use std::sync::Arc;

use datafusion::logical_expr::Expr;
use serde_json::Value;
use signalbox_text::{Highlight, TextQuery, json};
use signalbox_types::Timestamp;
use signalbox_types::query::{InvalidQuery, SEARCH_HIGHLIGHT};
use signalbox_types::seam::StoreError;
use signalbox_types::table::ColumnType;

use super::plan::Question;
use crate::text::Search;

/// A search goes so many pages back before it is looked whether one is full: other filters take some away.
const ENOUGH_PAGES: u64 = 20;

impl Question<'_> {
    /// The search that the query has, if any.
    pub(super) fn search(&self) -> Result<Option<Search>, StoreError> {
        let Some(text) = &self.query.search else { return Ok(None) };
        let query = TextQuery::parse(text).map_err(|error| InvalidQuery::new("search", error.to_string()))?;
        let threads = self.state.config().target_partitions();
        Ok(Some(Search::new(Arc::new(query), self.table, &self.snapshot, self.project, self.time, threads)))
    }

    /// Narrows the snapshot to all rows that answer the search, if there is one.
    pub(super) async fn find_all(&mut self) -> Result<(), StoreError> {
        if let Some(mut search) = self.search()? {
            search.go_on().await?;
            while search.searched_down_to().is_some() {
                search.go_on().await?;
            }
            self.snapshot = search.so_far();
        }
        Ok(())
    }

    /// Narrows the snapshot to rows that answer the search, back to where the page is full for certain.
    /// Answers the time of the page's last row, if it is full.
    pub(super) async fn find_newest(
        &mut self,
        mut search: Search,
        also: Option<&Expr>,
        limit: usize,
    ) -> Result<Option<Timestamp>, StoreError> {
        loop {
            search.go_on().await?;
            let ahead = search.searched_down_to();
            // Looking into an index is cheaper than a query for nothing.
            let enough = if ahead.is_some() { ENOUGH_PAGES * limit as u64 } else { limit as u64 };
            if search.rows() > enough {
                self.snapshot = search.so_far();
                let oldest = self.oldest_of_page(also.cloned(), limit).await?;
                let done = |oldest: Timestamp| ahead.is_none_or(|latest| latest < oldest.as_micros());
                if ahead.is_none() || oldest.is_some_and(done) {
                    return Ok(oldest);
                }
            } else if ahead.is_none() {
                self.snapshot = search.so_far();
                return Ok(None);
            }
        }
    }

    /// Puts where the row answers the search into the columns that were asked for it.
    pub(super) fn highlight(&self, query: &TextQuery, names: &[&str], texts_from: usize, row: &mut [Value]) {
        let Some((shown, texts)) = row.split_at_mut_checked(texts_from) else { return };
        let mut highlight = Highlight::new(query);
        let searchable = self.table.columns.iter().filter(|column| column.searchable);
        for (column, text) in searchable.zip(texts.iter().map(Value::as_str)) {
            match (column.ty, text) {
                (ColumnType::Json, Some(text)) => json::each_text(text, &mut |text| highlight.read(column.name, text)),
                (_, Some(text)) => highlight.read(column.name, text),
                (_, None) => {}
            }
        }
        let highlight = highlight.finish();
        for (value, _) in shown.iter_mut().zip(names).filter(|(_, name)| **name == SEARCH_HIGHLIGHT) {
            *value = highlight.clone();
        }
    }
}
