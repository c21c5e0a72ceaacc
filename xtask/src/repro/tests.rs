//! Tests of the framework, and of the reproductions that need no training.

use super::claim::{Basis, Claim};
use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    arguments: ReproArguments,
}

fn arguments(words: &[&str]) -> ReproArguments {
    Line::try_parse_from([&["repro"], words].concat()).unwrap().arguments
}

#[test]
fn names_are_known_and_cite_their_source() {
    for one in ALL {
        assert!(find(one.name).is_ok() && one.minutes <= 5, "{}", one.name);
        assert!(one.citation.contains("doi:"), "{}", one.citation);
        assert_eq!(ALL.iter().filter(|other| other.name == one.name).count(), 1);
    }
    let error = run(&arguments(&["unheard-of"])).unwrap_err().to_string();
    assert!(error.starts_with("NAME = unheard-of: is unknown; known are ir-drop, "), "{error}");
    assert!(run(&arguments(&["--list"])).unwrap());
    assert!(Line::try_parse_from(["repro"]).is_err());
}

#[test]
fn what_is_no_number_or_beyond_a_band_does_not_hold() {
    let claim = |measured| Claim {
        what: String::new(),
        band: (1.0, 2.0),
        basis: Basis::Physics,
        why: String::new(),
        measured,
    };
    assert!(claim(1.0).holds() && claim(2.0).holds());
    assert!(!claim(0.999).holds() && !claim(2.001).holds() && !claim(f64::NAN).holds());
    let outcome = |claims| Outcome { claims, charts: Vec::new(), parameters: Value::Null };
    assert!(!outcome(vec![claim(1.5), claim(3.0)]).holds());
    assert_eq!(outcome(vec![claim(3.0)]).rows()[0][3], "OUTSIDE");
}

/// A failure is told by the verdict of the command, and the report is written all the same.
#[test]
fn a_reproduction_writes_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let holds = run(&arguments(&["wan-2022", "--out", &out])).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join("wan-2022").join(name)).unwrap();
    let results: Value = serde_json::from_str(&read("results.json")).unwrap();
    let claims = results["claims"].as_array().unwrap();
    assert_eq!(claims.len(), 4);
    let inside = |claim: &Value| {
        let end = |i: usize| claim["band"][i].as_f64().unwrap();
        (end(0)..=end(1)).contains(&claim["measured"].as_f64().unwrap())
    };
    assert_eq!(holds, claims.iter().all(inside));
    assert_eq!(read("report.html").contains("OUTSIDE"), !holds);
}
