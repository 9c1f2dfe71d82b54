//! Reading the store's answers into types.

use serde::Deserialize;
use serde::de::value::MapDeserializer;
use signalbox_types::Answer;

use crate::error::ApiError;

/// Each row as a `T` by column name; absent values are left out.
pub(crate) fn read<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<Vec<T>, ApiError> {
    let read = |row: &'a Vec<serde_json::Value>| {
        let named = answer.columns.iter().map(|column| column.name.as_str()).zip(row);
        let present = named.filter(|(_, value)| !value.is_null());
        T::deserialize(MapDeserializer::<_, serde_json::Error>::new(present))
    };
    answer
        .rows
        .iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map_err(|error| ApiError::internal(&format!("the store answered an unexpected row: {error}")))
}
