//! Columns of numbers and words as a Parquet file, for pandas, Polars, DuckDB and the like: numbers as DOUBLE, words as UTF-8.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::csv::{Cells, Columns};

/// The bytes of the file; columns must be equally long. The same columns give the same bytes.
pub(crate) fn encode(columns: &Columns) -> Result<Vec<u8>, ParquetError> {
    let field = |(header, cells): &(String, Cells)| {
        let builder = match cells {
            Cells::Numbers(_) => Type::primitive_type_builder(header, Physical::DOUBLE),
            Cells::Texts(_) => Type::primitive_type_builder(header, Physical::BYTE_ARRAY)
                .with_logical_type(Some(LogicalType::String)),
        };
        builder.with_repetition(Repetition::REQUIRED).build().map(Arc::new)
    };
    let fields = columns.columns().iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("table").with_fields(fields).build()?);
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::new()))?;
    let mut group = file.next_row_group()?;
    for (_, cells) in columns.columns() {
        let Some(mut column) = group.next_column()? else { break };
        match cells {
            Cells::Numbers(values) => {
                column.typed::<DoubleType>().write_batch(values, None, None)?;
            }
            Cells::Texts(texts) => {
                let texts: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(text.as_str())).collect();
                column.typed::<ByteArrayType>().write_batch(&texts, None, None)?;
            }
        }
        column.close()?;
    }
    group.close()?;
    file.close()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    #[test]
    fn what_is_written_is_read_back() {
        let mut columns = Columns::new();
        columns.add("loss (nats)", [0.1, f64::NAN, -1e300]);
        columns.add_texts("device, \"α\"", ["a", "", "ü"].map(str::to_owned).to_vec());
        let bytes = encode(&columns).unwrap();
        assert_eq!(encode(&columns).unwrap(), bytes);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let reader = SerializedFileReader::new(file.reopen().unwrap()).unwrap();
        let names: Vec<_> = reader
            .metadata()
            .file_metadata()
            .schema()
            .get_fields()
            .iter()
            .map(|f| f.name().to_owned())
            .collect();
        assert_eq!(names, ["loss (nats)", "device, \"α\""]);
        let rows: Vec<(f64, String)> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap())
            .map(|row| (row.get_double(0).unwrap(), row.get_string(1).unwrap().clone()))
            .collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0], (0.1, "a".to_owned()));
        assert!(rows[1].0.is_nan() && rows[1].1.is_empty());
        assert_eq!(rows[2], (-1e300, "ü".to_owned()));
    }
}
