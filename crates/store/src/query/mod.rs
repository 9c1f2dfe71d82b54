//! Questions to the store, answered by DataFusion. Queries run on threads of their own, so that a
//! heavy one slows no call down; memory, time and number of those that run are bounded.

mod access;
mod answer;
mod describe;
mod engine;
mod export;
mod filter;
mod merge;
mod plan;
mod scan;
mod sql;

pub(crate) use engine::Engine;
pub(crate) use export::Rows as ExportRows;
