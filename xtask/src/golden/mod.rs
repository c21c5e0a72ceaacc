//! `cargo xtask golden DIR`: every case of every golden file in DIR against this implementation.
//!
//! One runner per kind of file; what to run follows from the parameters in the case, never from its name.
//! A kind or a parameter that is not implemented counts as failed.

mod digits_split;
mod grouped;
mod hwa_stats;
mod inference_accuracy;
mod inference_stats;
mod mvm;
pub(crate) mod page;
mod pulse_exact;
mod pulse_population;
mod training;
mod transfer_trace;
mod translate;
mod update_stats;

use std::path::{Path, PathBuf};
use std::time::Instant;

use aimc_device::ConfigError;
use aimc_testkit::golden::{Comparison, GoldenError, GoldenFile, Node, read_folder};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::files::{OutputError, Outputs, check_folder};
use crate::interrupt::{self, Interrupted};

/// Seed of all draws of the comparison.
const SEED: u64 = 20_260_101;

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct GoldenArguments {
    /// Folder with golden files (*.json).
    dir: PathBuf,
    /// Folder for report.html and golden.csv; without it nothing is written.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The golden files cannot be read, or the comparison was stopped.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The results cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Why a case could not be compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaseError {
    /// The file does not hold what its kind promises.
    #[error(transparent)]
    Golden(#[from] GoldenError),
    /// The case asks for something that does not exist here yet.
    #[error("not built yet: {0}")]
    NotBuilt(String),
    /// The parameters are refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The simulation stopped with an error.
    #[error("{0}")]
    Run(String),
    /// Ctrl-C.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl CaseError {
    /// Any other error as one line.
    pub(crate) fn run(error: impl std::fmt::Display) -> Self {
        Self::Run(error.to_string())
    }
}

type Runner = fn(&GoldenFile, &Node<'_>) -> Result<Comparison, CaseError>;

/// Which runner compares which kind of file.
const RUNNERS: &[(&str, Runner)] = &[
    ("hwa_stats", hwa_stats::compare),
    ("inference_accuracy", inference_accuracy::compare),
    ("inference_stats", inference_stats::compare),
    ("mvm_exact", mvm::compare_exact),
    ("mvm_stats", mvm::compare_statistics),
    ("pulse_exact", pulse_exact::compare),
    ("pulse_population", pulse_population::compare),
    ("training", training::compare),
    ("transfer_trace", transfer_trace::compare),
    ("update_stats", update_stats::compare),
];

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaseOutcome {
    pub(crate) name: String,
    pub(crate) passed: bool,
    /// The comparison in words: the value furthest off, and what differs.
    pub(crate) words: String,
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileOutcome {
    pub(crate) name: String,
    pub(crate) cases: Vec<CaseOutcome>,
}

impl FileOutcome {
    /// How many cases agree.
    pub(crate) fn passed(&self) -> usize {
        self.cases.iter().filter(|case| case.passed).count()
    }

    /// The cases that do not agree, in a line each.
    pub(crate) fn failures(&self) -> impl Iterator<Item = String> {
        self.failing().map(|case| format!("{} / {}: {}", self.name, case.name, case.words))
    }

    /// The cases that do not agree.
    fn failing(&self) -> impl Iterator<Item = &CaseOutcome> {
        self.cases.iter().filter(|case| !case.passed)
    }

    fn score(&self) -> String {
        format!("{}/{}", self.passed(), self.cases.len())
    }
}

/// Compares all files of a folder; gives whether every case passed.
pub(crate) fn run(arguments: &GoldenArguments) -> Result<bool, RunError> {
    let start = Instant::now();
    if let Some(out) = &arguments.out {
        check_folder(out)?;
    }
    let files = read_folder(&arguments.dir).map_err(CaseError::from)?;
    let width = files.iter().map(|file| file.name.len() + 1).max().unwrap_or(0);
    let outcomes = compare_files(&files, |file| {
        println!("{:width$}  {}", format!("{}:", file.name), file.score());
    })?;
    let passed: usize = outcomes.iter().map(FileOutcome::passed).sum();
    let total: usize = outcomes.iter().map(|file| file.cases.len()).sum();
    println!("{:width$}  {passed}/{total}", "total:");
    let failures: Vec<String> = outcomes.iter().flat_map(FileOutcome::failures).collect();
    if !failures.is_empty() {
        println!("\nFailing cases:");
        failures.iter().for_each(|failure| println!("  {failure}"));
    }
    if let Some(out) = &arguments.out {
        let mut outputs = Outputs::new();
        outputs.add("report.html", page::render(&outcomes)).add("golden.csv", page::csv(&outcomes));
        outputs.finish(out, start)?;
    }
    Ok(failures.is_empty())
}

/// Compares all files of `folder`, without a word.
pub(crate) fn compare_folder(folder: &Path) -> Result<Vec<FileOutcome>, CaseError> {
    compare_files(&read_folder(folder)?, |_| {})
}

fn compare_files(files: &[GoldenFile], done: impl Fn(&FileOutcome)) -> Result<Vec<FileOutcome>, CaseError> {
    let compare = |file| {
        let outcome = compare_file(file)?;
        done(&outcome);
        Ok(outcome)
    };
    files.iter().map(compare).collect()
}

fn compare_file(file: &GoldenFile) -> Result<FileOutcome, CaseError> {
    let runner = RUNNERS.iter().find(|(kind, _)| *kind == file.kind).map(|(_, runner)| *runner);
    let bar = ProgressBar::new(file.cases.len() as u64).with_style(style()).with_message(file.name.clone());
    let cases: Vec<Node<'_>> = file.each_case().collect();
    let cases: Vec<CaseOutcome> = cases
        .par_iter()
        .map(|case| {
            let outcome = match runner {
                None => failed(case, format!("not built yet: kind {:?}", file.kind)),
                Some(runner) => judge(file, case, runner),
            };
            bar.inc(1);
            outcome
        })
        .collect();
    bar.finish_and_clear();
    interrupt::check()?;
    Ok(FileOutcome { name: file.name.clone(), cases })
}

fn failed(case: &Node<'_>, words: String) -> CaseOutcome {
    CaseOutcome { name: case.name().to_owned(), passed: false, words }
}

/// Runs one case.
fn judge(file: &GoldenFile, case: &Node<'_>, runner: Runner) -> CaseOutcome {
    if interrupt::requested() {
        return failed(case, "interrupted".to_owned());
    }
    match runner(file, case) {
        Ok(comparison) => {
            let verdict = comparison.verdict();
            CaseOutcome { name: case.name().to_owned(), passed: verdict.passed, words: verdict.to_string() }
        }
        Err(error) => failed(case, error.to_string()),
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg:26} {bar:30} {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    /// A golden file with one perfect product, y = W x = [3, 7].
    fn file(kind: &str, y: &str) -> GoldenFile {
        let io =
            r#"{"class":"IOParameters","non_default":{"is_perfect":true},"resolved":{"is_perfect":true}}"#;
        let text = format!(
            r#"{{"format":"aimc-golden/1","kind":"{kind}","doc":"","source":{{}},
               "datasets":{{"a":{{"W":[[1,2],[3,4]],"X":[[1,1]],"D":[[1,0]]}}}},
               "cases":[{{"name":"one","backend":"cpp","data":"a","forward":{io},"y":{y}}}]}}"#
        );
        GoldenFile::parse("test.json", &text).unwrap()
    }

    fn outcome(file: &GoldenFile) -> FileOutcome {
        compare_file(file).unwrap()
    }

    #[test]
    fn right_numbers_pass_and_wrong_ones_fail() {
        assert_eq!(outcome(&file("mvm_exact", "[[3,7]]")).score(), "1/1");
        let wrong = outcome(&file("mvm_exact", "[[3,7.1]]"));
        assert_eq!((wrong.score().as_str(), wrong.cases[0].name.as_str()), ("0/1", "one"));
        let words = &wrong.cases[0].words;
        assert!(words.starts_with("differs") && words.contains("theirs 7.1"), "{words}");
    }

    #[test]
    fn the_outcome_is_written_as_a_page_that_can_be_joined() {
        let folder = tempfile::tempdir().unwrap();
        let page =
            page::render(&[outcome(&file("mvm_exact", "[[3,7]]")), outcome(&file("telepathy", "[[3,7]]"))]);
        assert!(Report::is_ours(&page) && page.contains("not built yet: kind"), "{page}");
        let row = |passed| format!("<td>test.json</td><td class=\"n\">1</td><td class=\"n\">{passed}</td>");
        assert!(page.contains(&row(1)) && page.contains(&row(0)), "{page}");
        let arguments = |out| GoldenArguments { dir: folder.path().join("none"), out };
        assert!(matches!(run(&arguments(None)), Err(RunError::Case(_))));
        std::fs::write(folder.path().join("file"), "").unwrap();
        let taken = arguments(Some(folder.path().join("file")));
        assert!(matches!(run(&taken), Err(RunError::Output(_))));
    }

    #[test]
    fn what_is_not_built_fails() {
        let unknown = outcome(&file("telepathy", "[[3,7]]"));
        assert_eq!((unknown.score().as_str(), unknown.cases.len()), ("0/1", 1));
        let mut feature = file("mvm_exact", "[[3,7]]");
        feature.cases[0]["forward"]["non_default"]["telekinesis"] = 1.0.into();
        feature.cases[0]["forward"]["resolved"]["telekinesis"] = 1.0.into();
        assert!(outcome(&feature).cases[0].words.contains("not built yet: IOParameters.telekinesis"));
    }
}
