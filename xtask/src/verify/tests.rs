//! From what tests print and write down to the table.

use std::path::Path;

use super::claims::{self, Claim, Verdict};
use super::findings::Finding;
use super::sources::Sources;
use super::suite::{Ending, Run, Tested};
use super::{page, tell_failures};
use crate::files::root;
use crate::golden::{self, CaseOutcome, FileOutcome};

const SOURCE: &str = "aimc-device/tests/pulsed/noise.rs";

fn finding(thread: &str, line: usize, measured: f64, holds: bool) -> Finding {
    Finding {
        file: SOURCE.to_owned(),
        line,
        thread: thread.to_owned(),
        quantity: "mean".to_owned(),
        measured,
        expected: 0.25,
        band: [0.24, 0.26],
        statistics: Some(("mean (z)".to_owned(), 0.5)),
        samples: Some(40_000),
        runs: 6,
        holds,
    }
}

fn tested(name: &str, ending: Ending) -> Tested {
    Tested { name: name.to_owned(), ending }
}

/// Claims of tests that exist in this repository.
fn claims() -> Vec<Claim> {
    let sources = Sources::read(&root(), &["aimc-device"]).unwrap();
    let normal = "noise::constant_steps_are_normal";
    let line = std::fs::read_to_string(root().join(SOURCE)).unwrap();
    let line = 2 + line.lines().position(|line| line.contains("fn additive_noise_does")).unwrap();
    let run = Run {
        tests: vec![
            tested(normal, Ending::Holds),
            tested("noise::additive_noise_does_not_depend_on_the_weight", Ending::Fails),
            tested("noise::pulses_are_independent", Ending::Holds),
        ],
        // The second one ran on a thread without the name of its test.
        findings: vec![finding(normal, 1, 0.2501, true), finding("worker", line, 0.3, false)],
    };
    claims::of_program("aimc-device", Path::new("aimc-device/tests/pulsed/main.rs"), run, &sources)
}

#[test]
fn claims_have_the_words_of_the_source_and_the_numbers_of_the_run() {
    let claims = claims();
    assert_eq!(claims[0].claim, "constant steps are normal");
    assert_eq!((claims[0].file.as_str(), claims[0].verdict), (SOURCE, Verdict::Holds));
    assert!(claims[0].equation.contains("N(±a, a·σc)"), "{}", claims[0].equation);
    assert_eq!((claims[0].numbers.len(), claims[0].numbers[0].measured), (1, 0.2501));
    assert_eq!((claims[1].numbers.len(), claims[1].verdict), (1, Verdict::Fails));
    assert_eq!((claims[2].numbers.len(), claims[2].verdict), (0, Verdict::HoldsExactly));
}

/// A test that must see an assertion fail holds although its number does not.
#[test]
fn a_failure_that_is_asked_for_is_none() {
    let mut claims = claims();
    claims[0].numbers[0].holds = false;
    let page = page::render(&claims[..1], &[], &Sources::default());
    assert!(page.contains("refused, as it must be") && !page.contains("FAILS"));
}

#[test]
fn examples_are_claims() {
    let tests = [tested("aimc-tile/src/grid.rs - grid::TileGrid (line 12)", Ending::Holds)];
    let claims = claims::of_examples(&tests);
    assert_eq!(claims[0].claim, "the example of grid::TileGrid runs");
    assert_eq!((claims[0].package.as_str(), claims[0].file.as_str()), ("aimc-tile", "aimc-tile/src/grid.rs"));
}

#[test]
fn the_page_and_the_table_show_every_number_and_failures_first() {
    let case =
        |name: &str, passed| CaseOutcome { name: name.to_owned(), passed, words: "worst y[0]".to_owned() };
    let golden = [FileOutcome { name: "mvm".to_owned(), cases: vec![case("one", true), case("two", false)] }];
    let claims = claims();
    let page = page::render(&claims, &golden, &Sources::read(&root(), &["aimc-device"]).unwrap());
    for part in [
        "0.2501",
        "± 0.01",
        "FAILS",
        "holds exactly",
        "mean (z), n = 40000, p = 0.5; closest of 6 or more",
        "<td>two</td>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.find("What fails").unwrap() < page.find("<h2>aimc-device</h2>").unwrap());
    let csv = page::csv(&claims);
    assert_eq!(csv.lines().count(), 4);
    assert!(
        csv.lines().nth(2).unwrap().contains(",mean,0.3,0.25,0.24,0.26,mean (z),0.5,40000,6,FAILS"),
        "{csv}"
    );
    assert_eq!(golden::page::csv(&golden).lines().last().unwrap(), "mvm,two,worst y[0],DIFFERS");
    assert!(!tell_failures(&claims, &golden) && tell_failures(&claims[..1], &golden[..0]));
}

#[test]
fn the_summary_counts() {
    let (headers, rows) = page::summary(&claims(), &[]);
    assert_eq!(headers.len(), 6);
    assert_eq!(rows.last().unwrap()[..], ["all crates", "3", "2", "2", "1", "0"].map(str::to_owned));
}
