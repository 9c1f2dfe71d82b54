//! Files of Parquet as JSON lines, a row each. Empty cells are left out.

use anyhow::Context as _;
use arrow::json::LineDelimitedWriter;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// The rows of a file.
pub(super) fn as_lines(bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).context("this is no file of Parquet")?;
    let mut lines = LineDelimitedWriter::new(Vec::new());
    for batch in builder.build()? {
        let batch = batch.context("its rows can't be read")?;
        lines.write(&batch).context("a column is of a kind that JSON has no word for")?;
    }
    lines.finish()?;
    Ok(lines.into_inner())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
    use arrow::datatypes::Int32Type;
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, GzipLevel, ZstdLevel};
    use parquet::file::properties::WriterProperties;

    use super::*;

    fn file(compression: Compression) -> Vec<u8> {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from(vec![1, 2]))),
            ("question", Arc::new(StringArray::from(vec![Some("why? \"ü\"\n"), None]))),
            ("weight", Arc::new(Float64Array::from(vec![0.5, 1.0]))),
            ("tags", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), Some(2)]), None]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut out = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        out
    }

    #[test]
    fn rows_are_lines_however_they_are_packed() {
        let expected =
            "{\"id\":1,\"question\":\"why? \\\"ü\\\"\\n\",\"weight\":0.5,\"tags\":[1,2]}\n{\"id\":2,\"weight\":1.0}\n";
        for compression in [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::ZSTD(ZstdLevel::default()),
            Compression::GZIP(GzipLevel::default()),
            Compression::LZ4_RAW,
        ] {
            let lines = as_lines(file(compression)).unwrap();
            assert_eq!(String::from_utf8(lines).unwrap(), expected, "{compression:?}");
        }
    }

    #[test]
    fn what_is_no_parquet_is_told() {
        assert!(format!("{:#}", as_lines(b"id,x\n1,2\n".to_vec()).unwrap_err()).contains("no file of Parquet"));
    }
}
