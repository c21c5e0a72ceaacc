//! The outcome of a comparison: tables for a page, and every case as CSV.

use super::FileOutcome;
use crate::csv::Columns;
use crate::report::{PROGRAM, Report};

/// The page of `cargo xtask golden --out`.
pub(super) fn render(files: &[FileOutcome]) -> String {
    let mut report =
        Report::new("Golden data", "Every case of the reference data, against this implementation");
    let cases: usize = files.iter().map(|file| file.cases.len()).sum();
    let agree: usize = files.iter().map(FileOutcome::passed).sum();
    let (cases, agree) = (cases.to_string(), agree.to_string());
    report.highlights(&[("cases", &cases), ("of them agree", &agree)]);
    add_tables(&mut report, files);
    report.section("How to get this again").paragraph(&format!("{PROGRAM}, cargo xtask golden"));
    report.render()
}

/// A row per file, and a row per case that differs.
pub(crate) fn add_tables(report: &mut Report, files: &[FileOutcome]) {
    let row =
        |file: &FileOutcome| vec![file.name.clone(), file.cases.len().to_string(), file.passed().to_string()];
    let rows: Vec<Vec<String>> = files.iter().map(row).collect();
    report.table(
        &["file", "cases", "agree"],
        &rows,
        "Comparison with measurements of AIHWKit; every case is in golden.csv.",
    );
    let failing = files.iter().flat_map(|file| file.failing().map(move |case| (file, case)));
    let rows: Vec<Vec<String>> =
        failing.map(|(file, case)| vec![file.name.clone(), case.name.clone(), case.words.clone()]).collect();
    if !rows.is_empty() {
        report.table(&["file", "case", "what differs"], &rows, "Cases that differ.");
    }
}

/// A row per case.
pub(crate) fn csv(files: &[FileOutcome]) -> String {
    let cases: Vec<_> =
        files.iter().flat_map(|file| file.cases.iter().map(move |case| (file, case))).collect();
    let mut columns = Columns::new();
    columns
        .add_texts("file", cases.iter().map(|(file, _)| file.name.clone()).collect())
        .add_texts("case", cases.iter().map(|(_, case)| case.name.clone()).collect())
        .add_texts("comparison", cases.iter().map(|(_, case)| case.words.clone()).collect())
        .add_texts(
            "verdict",
            cases.iter().map(|(_, case)| if case.passed { "agrees" } else { "DIFFERS" }.to_owned()).collect(),
        );
    columns.render()
}
