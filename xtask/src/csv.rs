//! Columns of numbers or words as comma-separated values: one header line with units, then one line per row.

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cells {
    /// Numbers; NaN where there is none.
    Numbers(Vec<f64>),
    /// Words.
    Texts(Vec<String>),
}

/// Named columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Columns {
    columns: Vec<(String, Cells)>,
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Texts(texts) => texts.len(),
        }
    }

    fn cell(&self, row: usize) -> Option<String> {
        match self {
            Self::Numbers(values) => values.get(row).map(f64::to_string),
            Self::Texts(texts) => texts.get(row).map(|text| quoted(text)),
        }
    }
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
        self.columns.push((header.into(), Cells::Numbers(values.into_iter().collect())));
        self
    }

    /// Adds a column of words.
    pub(crate) fn add_texts(&mut self, header: impl Into<String>, texts: Vec<String>) -> &mut Self {
        self.columns.push((header.into(), Cells::Texts(texts)));
        self
    }

    /// Headers and what stands below them.
    pub(crate) fn columns(&self) -> &[(String, Cells)] {
        &self.columns
    }

    /// The text. Numbers have as many digits as it takes to read the same bits again; short columns end in empty
    /// cells.
    pub(crate) fn render(&self) -> String {
        let headers: Vec<String> = self.columns.iter().map(|(header, _)| quoted(header)).collect();
        let mut text = headers.join(",") + "\n";
        let rows = self.columns.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        for row in 0..rows {
            let cells: Vec<String> =
                self.columns.iter().map(|(_, cells)| cells.cell(row).unwrap_or_default()).collect();
            text += &(cells.join(",") + "\n");
        }
        text
    }
}

/// A header or a text as RFC 4180 wants it.
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
        let mut columns: Vec<(&str, Vec<f64>)> = headers.map(|header| (header, Vec::new())).collect();
        for line in lines {
            for (column, cell) in columns.iter_mut().zip(line.split(',')) {
                if !cell.is_empty() {
                    column.1.push(cell.parse().unwrap());
                }
            }
        }
        let mut read = Columns::new();
        columns.into_iter().for_each(|(header, values)| {
            read.add(header, values);
        });
        read
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
        columns.add_texts("c", vec!["d, \"e\"".to_owned()]);
        assert_eq!(columns.render(), "\"a, \"\"b\"\"\",c\n1,\"d, \"\"e\"\"\"\n");
        assert_eq!(Columns::new().render(), "\n");
    }
}
