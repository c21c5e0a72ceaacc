//! Tables for the terminal.

/// Prints columns flush left, two blanks from the edge.
pub(crate) fn print_table<S: AsRef<str>>(headers: &[S], rows: &[Vec<String>]) {
    let head: Vec<String> = headers.iter().map(|header| header.as_ref().to_owned()).collect();
    let width =
        |column: usize| rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or(0);
    for row in [&head].into_iter().chain(rows) {
        let cells: Vec<String> =
            row.iter().enumerate().map(|(i, cell)| format!("{cell:<width$}", width = width(i))).collect();
        println!("  {}", cells.join("   ").trim_end());
    }
}
