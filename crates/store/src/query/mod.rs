//! Questions to the store, answered by DataFusion. Queries run on threads of their own, so that a
//! heavy one slows no call down; memory, time and number of those that run are bounded. What a user
//! wrote in SQL runs on threads that no other query shares.

mod access;
mod answer;
mod cursor;
mod describe;
mod engine;
mod export;
mod filter;
mod footers;
mod found;
mod guard;
mod merge;
mod numbers;
mod plan;
mod said;
mod scan;
mod scores;
mod sql;
mod threads;
mod weighed;

pub(crate) use access::runs;
pub(crate) use engine::Engine;
pub(crate) use export::Rows as ExportRows;
pub(crate) use footers::Footers;
