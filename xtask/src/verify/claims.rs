//! Tests, what they have measured, and what the sources say about them, put together.

use std::path::Path;

use serde::Serialize;

use super::findings::Finding;
use super::sources::Sources;
use super::suite::{Ending, Run, Tested};

/// A claim and whether it holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Claim {
    pub(super) package: String,
    /// Where it is tested, from the root of the workspace.
    pub(super) file: String,
    /// The path of the test in its program.
    pub(super) test: String,
    /// The name of the test as words.
    pub(super) claim: String,
    /// The documentation of the test: its equation, or what it compares with.
    pub(super) equation: String,
    /// What was measured; empty where a test has no numbers with a tolerance.
    pub(super) numbers: Vec<Number>,
    pub(super) verdict: Verdict,
}

/// A measured number against the expected one; of many runs, the one closest to failing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Number {
    pub(super) quantity: String,
    pub(super) measured: f64,
    pub(super) expected: f64,
    /// Smallest and largest value that pass.
    pub(super) low: f64,
    pub(super) high: f64,
    /// The statistical test with its p-value; none for a comparison with an equation.
    pub(super) statistics: Option<(String, f64)>,
    pub(super) samples: Option<u64>,
    /// How often this was compared, at least.
    pub(super) runs: u64,
    pub(super) holds: bool,
}

/// What a test says of its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Verdict {
    /// Within its tolerances.
    Holds,
    /// Without a tolerance.
    HoldsExactly,
    Fails,
    NotRun,
}

impl Verdict {
    pub(super) fn spoken(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::HoldsExactly => "holds exactly",
            Self::Fails => "FAILS",
            Self::NotRun => "not run",
        }
    }
}

/// The claims of a program that begins in `source`.
pub(super) fn of_program(package: &str, source: &Path, run: Run, sources: &Sources) -> Vec<Claim> {
    let Run { tests, findings } = run;
    let mut claims: Vec<Claim> = tests.iter().map(|test| claim(package, source, test, sources)).collect();
    for finding in findings {
        let around = sources.around(&finding.file, finding.line).map(|function| function.name.as_str());
        let name = |test: &str| test.rsplit("::").next().unwrap_or_default().to_owned();
        // Threads of a test's own do not have its name; then the function tells, in which the assertion stands.
        let at = claims.iter().position(|claim| claim.test == finding.thread);
        let at = at.or_else(|| claims.iter().position(|claim| Some(name(&claim.test).as_str()) == around));
        if let Some(at) = at {
            claims[at].numbers.push(number(finding));
        }
    }
    for claim in &mut claims {
        if claim.verdict == Verdict::HoldsExactly && !claim.numbers.is_empty() {
            claim.verdict = Verdict::Holds;
        }
    }
    claims
}

/// The claims of examples in documentation, `FILE - ITEM (line N)`.
pub(super) fn of_examples(tests: &[Tested]) -> Vec<Claim> {
    let claim = |test: &Tested| {
        let (file, item) = test.name.split_once(" - ").unwrap_or(("documentation", &test.name));
        let item = item.rsplit_once(" (line ").map_or(item, |(item, _)| item);
        Claim {
            package: file.split('/').next().unwrap_or_default().to_owned(),
            file: file.to_owned(),
            test: test.name.clone(),
            claim: format!("the example of {item} runs"),
            equation: String::new(),
            numbers: Vec::new(),
            verdict: verdict(test.ending),
        }
    };
    tests.iter().map(claim).collect()
}

fn claim(package: &str, source: &Path, test: &Tested, sources: &Sources) -> Claim {
    let found = sources.test(source, &test.name);
    let file = found.map_or_else(|| source.to_string_lossy().into_owned(), |(file, _)| file.to_owned());
    let name = test.name.rsplit("::").next().unwrap_or_default();
    Claim {
        package: package.to_owned(),
        file,
        test: test.name.clone(),
        claim: name.replace('_', " "),
        equation: found.map_or_else(String::new, |(_, function)| function.doc.clone()),
        numbers: Vec::new(),
        verdict: verdict(test.ending),
    }
}

fn verdict(ending: Ending) -> Verdict {
    match ending {
        Ending::Holds => Verdict::HoldsExactly,
        Ending::Fails => Verdict::Fails,
        Ending::Ignored => Verdict::NotRun,
    }
}

fn number(finding: Finding) -> Number {
    let Finding { quantity, measured, expected, band: [low, high], statistics, samples, runs, holds, .. } =
        finding;
    Number { quantity, measured, expected, low, high, statistics, samples, runs, holds }
}
