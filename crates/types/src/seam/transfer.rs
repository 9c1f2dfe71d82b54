//! What goes in and out of a store as files.

use serde::{Deserialize, Serialize};

use crate::query::InvalidQuery;
use crate::table::{self, Column, Identity, Table};
use crate::time::TimeRange;

/// How rows are written down. DuckDB, pandas and Spark read each as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Apache Parquet, packed with zstd.
    Parquet,
    /// One JSON object a line: JSON columns as JSON, times as RFC 3339, every column on every line.
    Jsonl,
    /// RFC 4180 with a head: JSON columns, lists and maps as JSON text; what is absent is empty, and an empty
    /// text is `""`.
    Csv,
}

impl FileFormat {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Parquet, Self::Jsonl, Self::Csv];

    /// Its name, and the ending of its files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.as_str() == name)
    }

    /// For HTTP.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Jsonl => "application/jsonl",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Which rows leave as a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// The table.
    pub table: String,
    /// How they are written.
    pub format: FileFormat,
    /// By the table's time column.
    pub time: TimeRange,
    /// These columns, in this order; all if there are none.
    pub select: Vec<String>,
}

impl Export {
    /// The table and the columns, or what is wrong.
    ///
    /// # Errors
    /// There is no such table or column, or a column is named twice.
    pub fn check(&self) -> Result<(&'static Table, Vec<&'static Column>), InvalidQuery> {
        let table = known_table(&self.table)?;
        let mut columns: Vec<&'static Column> = Vec::new();
        for name in &self.select {
            let column = table.column(name).ok_or_else(|| {
                let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
                let problem = format!("`{}` has no column `{name}`; columns: {}", table.name, names.join(", "));
                InvalidQuery::new("select", problem)
            })?;
            if columns.contains(&column) {
                return Err(InvalidQuery::new("select", format!("`{name}` is named twice")));
            }
            columns.push(column);
        }
        if columns.is_empty() {
            columns.extend(table.columns);
        }
        Ok((table, columns))
    }
}

/// The table of this name.
///
/// # Errors
/// There is none.
pub fn known_table(name: &str) -> Result<&'static Table, InvalidQuery> {
    table::find(name).ok_or_else(|| {
        let names: Vec<&str> = table::ALL.iter().map(|table| table.name).collect();
        InvalidQuery::new("table", format!("there is no table `{name}`; tables: {}", names.join(", ")))
    })
}

/// The table of this name, if rows may be imported to it.
///
/// # Errors
/// There is none, or its rows come from elsewhere.
pub fn importable_table(name: &str) -> Result<&'static Table, InvalidQuery> {
    let table = known_table(name)?;
    let problem = match (table.identity, table.sums) {
        (Identity::BelongsTo(owner), _) => format!(
            "rows of `{name}` belong to those of `{}`, which bring them along; import `{}` instead",
            owner.name, owner.name
        ),
        (_, Some(sums)) => format!(
            "rows of `{name}` are sums of those of `{}`, and follow by themselves; import `{}` instead",
            sums.of.name, sums.of.name
        ),
        _ => return Ok(table),
    };
    Err(InvalidQuery::new("table", problem))
}

/// What came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Imported {
    /// Rows of the file. They replaced those of the same key.
    pub rows: u64,
}

/// What a backup did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BackupReport {
    /// Files of the backup.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were copied.
    pub copied: u64,
    /// Files that share their place on disk with the store's, which changes none that it has written.
    pub linked: u64,
    /// Files that were there from the backup before.
    pub kept: u64,
    /// Files of the backup before that this one doesn't need any more.
    pub removed: u64,
}
