//! Rows out to files and in from files: Parquet, JSON Lines, CSV. Both directions go batch by batch, so
//! that a file may be larger than the memory.

mod csv;
mod encode;
mod import;
mod parquet_in;
mod read;
mod value;
mod write;

pub(crate) use encode::encode;
pub(crate) use import::{Piece, Pieces, prepare};
pub(crate) use parquet_in::ParquetFile;
pub(crate) use read::TextReader;
