//! The table of claims: as a page for people, as CSV for programs, and a summary for the terminal.

use std::collections::BTreeMap;

use super::claims::{Claim, Number, Verdict};
use super::sources::Sources;
use crate::csv::Columns;
use crate::golden::{self, FileOutcome};
use crate::number::significant;
use crate::report::{PROGRAM, Report};

const HEADERS: [&str; 8] =
    ["claim", "equation", "quantity", "measured", "expected", "tolerance", "test", "verdict"];

/// How many claims there are, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) claims: usize,
    pub(super) with_numbers: usize,
    pub(super) fails: usize,
    pub(super) not_run: usize,
}

impl Counts {
    pub(super) fn of<'a>(claims: impl Iterator<Item = &'a Claim>) -> Self {
        claims.fold(Self::default(), |counts, claim| Self {
            claims: counts.claims + 1,
            with_numbers: counts.with_numbers + usize::from(!claim.numbers.is_empty()),
            fails: counts.fails + usize::from(claim.verdict == Verdict::Fails),
            not_run: counts.not_run + usize::from(claim.verdict == Verdict::NotRun),
        })
    }
}

/// Cells of the summary: a row per crate, one for the golden comparison, and the sum.
pub(super) fn summary(claims: &[Claim], golden: &[FileOutcome]) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let row = |name: &str, counts: Counts| {
        let Counts { claims, with_numbers, fails, not_run } = counts;
        let numbers = [claims, with_numbers, claims - fails - not_run, fails, not_run];
        std::iter::once(name.to_owned()).chain(numbers.iter().map(usize::to_string)).collect()
    };
    let mut packages: BTreeMap<&str, Vec<&Claim>> = BTreeMap::new();
    claims.iter().for_each(|claim| packages.entry(&claim.package).or_default().push(claim));
    let mut rows: Vec<Vec<String>> =
        packages.iter().map(|(name, claims)| row(name, Counts::of(claims.iter().copied()))).collect();
    rows.push(row("all crates", Counts::of(claims.iter())));
    if !golden.is_empty() {
        let all: usize = golden.iter().map(|file| file.cases.len()).sum();
        let fails = all - golden.iter().map(FileOutcome::passed).sum::<usize>();
        rows.push(row("golden data", Counts { claims: all, with_numbers: all, fails, not_run: 0 }));
    }
    (vec!["where", "claims", "with numbers", "hold", "fail", "not run"], rows)
}

/// The page.
pub(super) fn render(claims: &[Claim], golden: &[FileOutcome], sources: &Sources) -> String {
    let mut report = Report::new("Verification", "Every claim that is tested, and what was measured");
    let counts = Counts::of(claims.iter());
    let holds = (counts.claims - counts.fails - counts.not_run).to_string();
    let (numbers, fails) = (counts.with_numbers.to_string(), counts.fails.to_string());
    report.highlights(&[
        ("claims that hold", &holds),
        ("of them with numbers", &numbers),
        ("claims that fail", &fails),
    ]);
    let (headers, rows) = summary(claims, golden);
    report.table(&headers, &rows, "Summary.");
    report.paragraph(
        "A claim is a test; its equation is the documentation of that test. Where a comparison ran more than once, the run closest to \
         failing is shown. The tolerance of a statistical test is where a correct program falls outside once in a million draws; \
         otherwise it is what rounding allows. A claim without numbers is compared without any tolerance.",
    );
    let failing: Vec<&Claim> = claims.iter().filter(|claim| claim.verdict == Verdict::Fails).collect();
    if !failing.is_empty() {
        report.section("What fails").table(&HEADERS, &rows_of(&failing), "Claims that do not hold.");
    }
    let mut files: BTreeMap<&str, Vec<&Claim>> = BTreeMap::new();
    claims.iter().for_each(|claim| files.entry(&claim.file).or_default().push(claim));
    let mut package = "";
    for (file, claims) in files {
        if claims[0].package != package {
            package = &claims[0].package;
            report.section(package);
        }
        let title = sources.file(file).map_or("", |source| source.title.as_str());
        report.table(&HEADERS, &rows_of(&claims), &format!("{file}. {title}"));
        if let Some(source) = sources.file(file).filter(|source| !source.equations.is_empty()) {
            report.details("Equations of this file", &source.equations);
        }
    }
    if !golden.is_empty() {
        report.section("Golden data");
        golden::page::add_tables(&mut report, golden);
    }
    report.section("How to get this again").paragraph(&format!("{PROGRAM}, cargo xtask verify"));
    report.render()
}

/// A row per number; a claim without any has one row.
fn rows_of(claims: &[&Claim]) -> Vec<Vec<String>> {
    let rows = |claim: &&Claim| {
        let lead = [claim.claim.clone(), claim.equation.clone()];
        if claim.numbers.is_empty() {
            return vec![row(lead, Default::default(), claim.verdict.spoken())];
        }
        let mut lead = Some(lead);
        let of_number = |number: &Number| {
            let verdict = match (number.holds, claim.verdict) {
                (true, _) => "holds",
                (false, Verdict::Fails) => "FAILS",
                // A test of the tests themselves.
                (false, _) => "refused, as it must be",
            };
            row(lead.take().unwrap_or_default(), cells(number), verdict)
        };
        let mut rows: Vec<Vec<String>> = claim.numbers.iter().map(of_number).collect();
        // It may fail for something that has no number.
        if claim.verdict == Verdict::Fails && claim.numbers.iter().all(|number| number.holds) {
            rows.push(row(Default::default(), Default::default(), claim.verdict.spoken()));
        }
        rows
    };
    claims.iter().flat_map(rows).collect()
}

fn row(lead: [String; 2], cells: [String; 5], verdict: &str) -> Vec<String> {
    lead.into_iter().chain(cells).chain([verdict.to_owned()]).collect()
}

/// Quantity, measured, expected, tolerance and test of a number.
fn cells(number: &Number) -> [String; 5] {
    let digits = |value: f64| significant(value, 5);
    let test = match (&number.statistics, number.samples) {
        (Some((name, p)), Some(samples)) => format!("{name}, n = {samples}, p = {}", significant(*p, 2)),
        _ => "equation".to_owned(),
    };
    let test = if number.runs > 1 { format!("{test}; closest of {} or more", number.runs) } else { test };
    [number.quantity.clone(), digits(number.measured), digits(number.expected), tolerance(number), test]
}

/// The band as ±, where it is even, or by its ends.
fn tolerance(number: &Number) -> String {
    let (below, above) = (number.expected - number.low, number.high - number.expected);
    let even = (above - below).abs() <= 1e-3 * (above + below).abs();
    if even {
        format!("± {}", significant(above, 3))
    } else {
        format!("{} … {}", significant(number.low, 4), significant(number.high, 4))
    }
}

/// A row per number, with everything that is known about it.
pub(super) fn csv(claims: &[Claim]) -> String {
    let nothing = Number {
        quantity: String::new(),
        measured: f64::NAN,
        expected: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
        statistics: None,
        samples: None,
        runs: 0,
        holds: false,
    };
    let rows: Vec<(&Claim, &Number)> = claims
        .iter()
        .flat_map(|claim| {
            let bare = claim.numbers.is_empty().then_some((claim, &nothing));
            bare.into_iter().chain(claim.numbers.iter().map(move |number| (claim, number)))
        })
        .collect();
    let texts =
        |of: fn(&Claim, &Number) -> String| rows.iter().map(|(claim, number)| of(claim, number)).collect();
    let numbers = |of: fn(&Number) -> f64| rows.iter().map(|(_, number)| of(number)).collect::<Vec<f64>>();
    let mut columns = Columns::new();
    columns
        .add_texts("crate", texts(|claim, _| claim.package.clone()))
        .add_texts("file", texts(|claim, _| claim.file.clone()))
        .add_texts("test", texts(|claim, _| claim.test.clone()))
        .add_texts("claim", texts(|claim, _| claim.claim.clone()))
        .add_texts("equation", texts(|claim, _| claim.equation.clone()))
        .add_texts("quantity", texts(|_, number| number.quantity.clone()))
        .add("measured", numbers(|number| number.measured))
        .add("expected", numbers(|number| number.expected))
        .add("low", numbers(|number| number.low))
        .add("high", numbers(|number| number.high))
        .add_texts(
            "statistical test",
            texts(|_, number| number.statistics.clone().map_or(String::new(), |(name, _)| name)),
        )
        .add("p", numbers(|number| number.statistics.as_ref().map_or(f64::NAN, |(_, p)| *p)))
        .add("samples", numbers(|number| number.samples.map_or(f64::NAN, |samples| samples as f64)))
        .add("runs (at least)", numbers(|number| number.runs as f64))
        .add_texts("verdict", texts(|claim, _| claim.verdict.spoken().to_owned()));
    columns.render()
}
