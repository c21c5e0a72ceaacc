//! Columns of numbers as comma-separated values: one header line with units, then one line per row.

/// Named columns of numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Columns {
    columns: Vec<(String, Vec<f64>)>,
}

impl Columns {
    /// No columns yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a column; its header names quantity and unit.
    pub(crate) fn add(
        &mut self,
        header: impl Into<String>,
        values: impl IntoIterator<Item = f64>,
    ) -> &mut Self {
        self.columns.push((header.into(), values.into_iter().collect()));
        self
    }

    /// The text. Numbers have as many digits as it takes to read the same bits again; short columns end in empty
    /// cells.
    pub(crate) fn render(&self) -> String {
        let headers: Vec<String> = self.columns.iter().map(|(header, _)| quoted(header)).collect();
        let mut text = headers.join(",") + "\n";
        let rows = self.columns.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
        for row in 0..rows {
            let cell = |values: &[f64]| values.get(row).map_or(String::new(), f64::to_string);
            let cells: Vec<String> = self.columns.iter().map(|(_, values)| cell(values)).collect();
            text += &(cells.join(",") + "\n");
        }
        text
    }
}

/// A header as RFC 4180 wants it.
fn quoted(header: &str) -> String {
    if header.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", header.replace('"', "\"\""))
    } else {
        header.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inverse of `render` for headers that need no quotes.
    fn parse(text: &str) -> Columns {
        let mut lines = text.lines();
        let headers = lines.next().unwrap().split(',');
        let mut columns =
            Columns { columns: headers.map(|header| (header.to_owned(), Vec::new())).collect() };
        for line in lines {
            for (column, cell) in columns.columns.iter_mut().zip(line.split(',')) {
                if !cell.is_empty() {
                    column.1.push(cell.parse().unwrap());
                }
            }
        }
        columns
    }

    #[test]
    fn what_is_read_back_has_the_same_bits() {
        let mut columns = Columns::new();
        columns
            .add("pulse (number)", [0.0, 1.0, 2.0])
            .add("weight (normalised)", [f64::from(0.1_f32), -1.0 / 3.0, 1e-310])
            .add("short (s)", [f64::MAX]);
        let text = columns.render();
        assert!(text.starts_with("pulse (number),weight (normalised),short (s)\n0,0.1"), "{text}");
        assert_eq!(parse(&text), columns);
    }

    #[test]
    fn headers_cannot_break_the_table() {
        let mut columns = Columns::new();
        columns.add("a, \"b\"", [1.0]);
        assert_eq!(columns.render(), "\"a, \"\"b\"\"\"\n1\n");
        assert_eq!(Columns::new().render(), "\n");
    }
}
