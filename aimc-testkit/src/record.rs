//! What assertions have measured, one JSON object a line, in the file that `AIMC_FINDINGS` names.
//!
//! An assertion that runs often (in a loop, under proptest) writes a line when it is closer to failing than ever before in its test,
//! and whenever the number of its runs has doubled.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::panic::Location;
use std::sync::{Mutex, OnceLock};

use serde_json::{Value, json};

use crate::stats::Outcome;

/// Where an assertion stands, the test it ran in, and what it looked at.
type Place = (&'static Location<'static>, String, &'static str);

struct Recorder {
    file: File,
    seen: HashMap<Place, Seen>,
}

/// How often an assertion has run, its closest run, and that run as a line.
struct Seen {
    runs: u64,
    closeness: f64,
    line: Value,
}

/// Notes a statistical test.
#[track_caller]
pub(crate) fn outcome(outcome: &Outcome, false_alarm: f64) {
    let finding = &outcome.finding;
    let closeness = if outcome.p_value > 0.0 { false_alarm / outcome.p_value } else { f64::INFINITY };
    note(finding.quantity, closeness, || {
        json!({
            "quantity": finding.quantity, "measured": number(finding.measured), "expected": number(finding.expected),
            "band": finding.band(false_alarm).map(number), "test": outcome.test, "p": number(outcome.p_value),
            "n": outcome.n, "holds": outcome.p_value >= false_alarm,
        })
    });
}

/// Notes a comparison with an equation.
#[track_caller]
pub(crate) fn closeness(measured: f64, expected: f64, tolerance: f64) {
    let distance = (measured - expected).abs();
    let closeness = if distance == 0.0 { 0.0 } else { distance / tolerance };
    note("value", closeness, || {
        let band = [expected - tolerance, expected + tolerance];
        json!({
            "quantity": "value", "measured": number(measured), "expected": number(expected),
            "band": band.map(number), "holds": distance <= tolerance,
        })
    });
}

/// Any number as JSON; what JSON has no number for as words.
fn number(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

#[track_caller]
fn note(quantity: &'static str, closeness: f64, line: impl FnOnce() -> Value) {
    static RECORDER: OnceLock<Option<Mutex<Recorder>>> = OnceLock::new();
    let Some(recorder) = RECORDER.get_or_init(|| open().map(Mutex::new)) else { return };
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    // Another test may have failed while it wrote; its line is whole or missing.
    let mut recorder = recorder.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    recorder.add((Location::caller(), test, quantity), closeness, line);
}

fn open() -> Option<Recorder> {
    let path = std::env::var_os("AIMC_FINDINGS")?;
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    let file =
        opened.unwrap_or_else(|error| panic!("AIMC_FINDINGS: {} cannot be written: {error}", path.display()));
    Some(Recorder { file, seen: HashMap::new() })
}

impl Recorder {
    fn add(&mut self, place: Place, closeness: f64, line: impl FnOnce() -> Value) {
        let (location, test, _) = place.clone();
        let unseen = Seen { runs: 0, closeness: f64::NEG_INFINITY, line: Value::Null };
        let seen = self.seen.entry(place).or_insert(unseen);
        seen.runs += 1;
        let closer = closeness.is_nan() || closeness > seen.closeness;
        if closer {
            seen.closeness = closeness;
            seen.line = line();
            seen.line["place"] = json!(format!("{}:{}", location.file(), location.line()));
            seen.line["thread"] = json!(test);
        }
        if closer || seen.runs.is_power_of_two() {
            seen.line["runs"] = json!(seen.runs);
            // One write for the whole line, so that lines of several processes do not mix.
            let text = format!("{}\n", seen.line);
            self.file.write_all(text.as_bytes()).expect("AIMC_FINDINGS: a line cannot be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::assert_close;
    use crate::stats::{FALSE_ALARM, assert_p, mean_test};

    /// What the next test runs in a process of its own.
    #[test]
    fn three_means_and_a_value() {
        for mean in [0.1, 0.3, 0.2] {
            assert_p(mean_test(&[mean; 4], 0.0, 1.0), FALSE_ALARM);
        }
        assert_close!(2.0, 1.5, 1.0);
    }

    #[test]
    fn findings_are_written_where_the_environment_says() {
        let file = std::env::temp_dir().join(format!("aimc-findings-{}.jsonl", std::process::id()));
        let name = "record::tests::three_means_and_a_value";
        let program = std::env::current_exe().unwrap();
        let run = Command::new(program).args(["--exact", name]).env("AIMC_FINDINGS", &file).output().unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(run.status.success() && text.ends_with('\n'));
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // The third mean is no closer than the second, and three is no power of two.
        let measured: Vec<f64> = lines.iter().map(|line| line["measured"].as_f64().unwrap()).collect();
        assert_eq!(measured, [0.1, 0.3, 2.0]);
        let [_, mean, value] = &lines[..] else { panic!("{text}") };
        assert_eq!((&mean["quantity"], &mean["runs"], &mean["n"]), (&json!("mean"), &json!(2), &json!(4)));
        assert!(mean["place"].as_str().unwrap().contains("record.rs:") && mean["thread"] == name);
        let band = mean["band"].as_array().unwrap();
        assert!(
            (band[1].as_f64().unwrap() - 4.891_638 / 2.0).abs() < 1e-6,
            "one in a million, 4 samples: {band:?}"
        );
        assert_eq!((&value["band"], &value["holds"]), (&json!([0.5, 2.5]), &json!(true)));
    }
}
