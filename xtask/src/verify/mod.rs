//! `cargo xtask verify`: runs the tests of all crates and, if its folder is given, the golden comparison, and writes one table: claim,
//! equation, measured and expected value, tolerance, verdict.
//!
//! A claim is a test. Assertions of `aimc_testkit` write down what they measure; a test without such numbers is compared without
//! tolerance. Nothing is measured twice: this runs the very tests of `cargo test`.

mod claims;
mod findings;
mod page;
mod sources;
mod suite;

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use crate::files::{OutputError, Outputs, check_folder, root};
use crate::golden::{self, CaseError, FileOutcome};
use crate::interrupt::Interrupted;
use crate::progress;
use crate::table::print_table;

use claims::{Claim, Verdict};
use sources::Sources;

/// The crates whose tests make claims.
const PACKAGES: [&str; 6] =
    ["aimc-device", "aimc-tile", "aimc-nn", "aimc-train", "aimc-infer", "aimc-testkit"];

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArguments {
    /// Only these crates.
    #[arg(long = "package", short, value_name = "CRATE", value_parser = PACKAGES)]
    packages: Vec<String>,
    /// Only tests whose name contains this; leaves out the examples in the documentation.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Folder with golden files, which are compared, too.
    #[arg(long, value_name = "DIR")]
    golden: Option<PathBuf>,
    /// Folder for report.html, claims.csv, golden.csv and results.json.
    #[arg(long, value_name = "DIR", default_value = "out/verify")]
    out: PathBuf,
}

/// Why the claims could not be verified.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error("cargo or a test cannot be started: {0}")]
    Cargo(io::Error),
    #[error("the tests do not compile; cargo says why above")]
    Build,
    #[error("what the tests have measured cannot be read: {0}")]
    Findings(io::Error),
    #[error("a test has written down what cannot be read: {0}")]
    Line(String),
    #[error("the sources of the workspace cannot be read: {0}; run this in a clone of the repository")]
    Sources(io::Error),
    #[error(transparent)]
    Golden(#[from] CaseError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("the numbers cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Runs everything; false if a claim fails or a case of the golden data differs.
pub(crate) fn run(arguments: &VerifyArguments) -> Result<bool, VerifyError> {
    let start = Instant::now();
    check_folder(&arguments.out)?;
    let packages: Vec<&str> = match &arguments.packages[..] {
        [] => PACKAGES.to_vec(),
        chosen => chosen.iter().map(String::as_str).collect(),
    };
    let sources = Sources::read(&root(), &packages)?;
    let claims = claims_of(&packages, arguments.filter.as_deref(), &sources)?;
    let golden = match &arguments.golden {
        Some(folder) => golden::compare_folder(folder)?,
        None => Vec::new(),
    };
    let (headers, rows) = page::summary(&claims, &golden);
    print_table(&headers, &rows);
    let holds = tell_failures(&claims, &golden);
    let mut outputs = Outputs::new();
    outputs.add("report.html", page::render(&claims, &golden, &sources));
    outputs.add("claims.csv", page::csv(&claims));
    if !golden.is_empty() {
        outputs.add("golden.csv", golden::page::csv(&golden));
    }
    outputs.add("results.json", serde_json::to_string_pretty(&claims)? + "\n");
    outputs.finish(&arguments.out, start)?;
    Ok(holds)
}

fn claims_of(packages: &[&str], filter: Option<&str>, sources: &Sources) -> Result<Vec<Claim>, VerifyError> {
    let programs = suite::build(packages)?;
    let scratch = tempfile::tempdir().map_err(VerifyError::Findings)?;
    let bar = progress::bar("verify", programs.len() as u64 + u64::from(filter.is_none()));
    let mut claims = Vec::new();
    for program in &programs {
        bar.set_message(program.source.display().to_string());
        let run = program.run(filter, scratch.path())?;
        claims.extend(claims::of_program(&program.package, &program.source, run, sources));
        bar.inc(1);
    }
    if filter.is_none() {
        bar.set_message("examples in the documentation");
        claims.extend(claims::of_examples(&suite::examples(packages)?));
    }
    bar.finish_and_clear();
    Ok(claims)
}

/// Names what fails; true if nothing does.
fn tell_failures(claims: &[Claim], golden: &[FileOutcome]) -> bool {
    let claims = claims.iter().filter(|claim| claim.verdict == Verdict::Fails);
    let claims = claims.map(|claim| format!("{}: {} ({})", claim.file, claim.claim, claim.test));
    let failures: Vec<String> = claims.chain(golden.iter().flat_map(FileOutcome::failures)).collect();
    if !failures.is_empty() {
        println!("\nWhat fails:");
        failures.iter().for_each(|failure| println!("  {failure}"));
    }
    failures.is_empty()
}

#[cfg(test)]
mod tests;
