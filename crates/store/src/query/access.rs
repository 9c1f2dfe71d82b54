//! Which rows of a file are read: those that are wanted, without those that are dead.

use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use roaring::RoaringBitmap;

/// The rows to read of a file; `None` for all. Without `wanted`, all that are not dead.
pub(super) fn selection(
    rows: u64,
    wanted: Option<&RoaringBitmap>,
    dead: Option<&RoaringBitmap>,
) -> Option<ParquetRowSelection> {
    let dead = dead.filter(|dead| !dead.is_empty());
    let selection = match (wanted, dead) {
        (None, None) => return None,
        (Some(wanted), None) => runs(rows, wanted, false),
        (Some(wanted), Some(dead)) => runs(rows, &(wanted - dead), false),
        (None, Some(dead)) => runs(rows, dead, true),
    };
    Some(ParquetRowSelection::new(selection))
}

/// As runs of rows to read and to skip; the rows named are skipped if `skip`.
pub(crate) fn runs(rows: u64, named: &RoaringBitmap, skip: bool) -> RowSelection {
    let selector = |skipped: bool, count: u64| {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if skipped { RowSelector::skip(count) } else { RowSelector::select(count) }
    };
    let mut selectors = Vec::new();
    let mut done = 0;
    let mut named = named.iter().map(u64::from).take_while(|row| *row < rows).peekable();
    while let Some(start) = named.next() {
        let mut end = start + 1;
        while named.next_if_eq(&end).is_some() {
            end += 1;
        }
        selectors.push(selector(!skip, start - done));
        selectors.push(selector(skip, end - start));
        done = end;
    }
    selectors.push(selector(!skip, rows - done));
    // Joins neighbours and drops empty ones.
    selectors.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: u64, wanted: Option<&[u32]>, dead: Option<&[u32]>) -> Option<Vec<usize>> {
        let set = |rows: &[u32]| rows.iter().copied().collect::<RoaringBitmap>();
        let selection = selection(rows, wanted.map(set).as_ref(), dead.map(set).as_ref())?.into_inner();
        let mut at = 0;
        let mut read = Vec::new();
        for selector in selection.iter() {
            read.extend((!selector.skip).then_some(at..at + selector.row_count).into_iter().flatten());
            at += selector.row_count;
        }
        assert_eq!(at as u64, rows);
        Some(read)
    }

    #[test]
    fn wanted_without_dead() {
        assert_eq!(read(5, None, None), None);
        assert_eq!(read(5, None, Some(&[])), None);
        assert_eq!(read(5, None, Some(&[0, 3])), Some(vec![1, 2, 4]));
        assert_eq!(read(5, None, Some(&[3, 4])), Some(vec![0, 1, 2]));
        assert_eq!(read(5, Some(&[1, 2, 4]), None), Some(vec![1, 2, 4]));
        assert_eq!(read(5, Some(&[1, 2, 4]), Some(&[2, 3])), Some(vec![1, 4]));
        assert_eq!(read(5, Some(&[]), Some(&[2])), Some(vec![]));
    }
}
