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
mod pulse_exact;
mod pulse_population;
mod training;
mod transfer_trace;
mod translate;
mod update_stats;

use std::path::Path;

use aimc_device::ConfigError;
use aimc_testkit::golden::{Comparison, GoldenError, GoldenFile, Node, read_folder};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::interrupt::{self, Interrupted};

/// Seed of all draws of the comparison.
const SEED: u64 = 20_260_101;

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

/// What became of one file.
struct Summary {
    line: String,
    failures: Vec<String>,
}

/// Compares all files of `folder`; gives whether every case passed.
pub(crate) fn run(folder: &Path) -> Result<bool, CaseError> {
    let files = read_folder(folder)?;
    let width = files.iter().map(|file| file.name.len()).max().unwrap_or(0);
    let mut failures = Vec::new();
    let (mut passed, mut total) = (0, 0);
    for file in &files {
        let summary = compare_file(file)?;
        println!("{:width$}  {}", format!("{}:", file.name), summary.line, width = width + 1);
        passed += file.cases.len() - summary.failures.len();
        total += file.cases.len();
        failures.extend(summary.failures.into_iter().map(|failure| format!("{} / {failure}", file.name)));
    }
    println!("{:width$}  {passed}/{total}", "total:", width = width + 1);
    if !failures.is_empty() {
        println!("\nFailing cases:");
        failures.iter().for_each(|failure| println!("  {failure}"));
    }
    Ok(failures.is_empty())
}

fn compare_file(file: &GoldenFile) -> Result<Summary, CaseError> {
    let runner = RUNNERS.iter().find(|(kind, _)| *kind == file.kind).map(|(_, runner)| *runner);
    let bar = ProgressBar::new(file.cases.len() as u64).with_style(style()).with_message(file.name.clone());
    let cases: Vec<Node<'_>> = file.each_case().collect();
    let verdicts: Vec<Option<String>> = cases
        .par_iter()
        .map(|case| {
            let failure = match runner {
                None => Some(format!("{}: not built yet: kind {:?}", case.name(), file.kind)),
                Some(runner) => judge(file, case, runner),
            };
            bar.inc(1);
            failure
        })
        .collect();
    bar.finish_and_clear();
    interrupt::check()?;
    let failures: Vec<String> = verdicts.into_iter().flatten().collect();
    let line = format!("{}/{}", file.cases.len() - failures.len(), file.cases.len());
    Ok(Summary { line, failures })
}

/// Runs one case; gives what is wrong with it, if anything.
fn judge(file: &GoldenFile, case: &Node<'_>, runner: Runner) -> Option<String> {
    if interrupt::requested() {
        return Some(format!("{}: interrupted", case.name()));
    }
    match runner(file, case) {
        Ok(comparison) => {
            let verdict = comparison.verdict();
            (!verdict.passed).then(|| format!("{}: {verdict}", case.name()))
        }
        Err(error) => Some(format!("{}: {error}", case.name())),
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg:26} {bar:30} {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn verdict(file: &GoldenFile) -> Summary {
        compare_file(file).unwrap()
    }

    #[test]
    fn right_numbers_pass_and_wrong_ones_fail() {
        assert_eq!(verdict(&file("mvm_exact", "[[3,7]]")).line, "1/1");
        let wrong = verdict(&file("mvm_exact", "[[3,7.1]]"));
        assert_eq!(wrong.line, "0/1");
        assert!(wrong.failures[0].starts_with("one: differs") && wrong.failures[0].contains("theirs 7.1"));
    }

    #[test]
    fn what_is_not_built_fails() {
        let unknown = verdict(&file("telepathy", "[[3,7]]"));
        assert_eq!((unknown.line.as_str(), unknown.failures.len()), ("0/1", 1));
        let mut feature = file("mvm_exact", "[[3,7]]");
        feature.cases[0]["forward"]["non_default"]["telekinesis"] = 1.0.into();
        feature.cases[0]["forward"]["resolved"]["telekinesis"] = 1.0.into();
        assert!(verdict(&feature).failures[0].contains("not built yet: IOParameters.telekinesis"));
    }
}
