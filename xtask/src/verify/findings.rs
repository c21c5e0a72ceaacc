//! What the assertions of a test program have written down, see `aimc_testkit`.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::VerifyError;

/// The run of an assertion that came closest to failing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    /// Source file, from the root of the workspace, and line.
    pub(super) file: String,
    pub(super) line: usize,
    /// The thread it ran on: that of its test, unless the test has threads of its own.
    pub(super) thread: String,
    pub(super) quantity: String,
    pub(super) measured: f64,
    pub(super) expected: f64,
    /// Smallest and largest value that pass.
    pub(super) band: [f64; 2],
    /// The statistical test and its p-value; none for a comparison with an equation.
    pub(super) statistics: Option<(String, f64)>,
    /// Sample size of such a test.
    pub(super) samples: Option<u64>,
    /// How often the assertion ran, at least.
    pub(super) runs: u64,
    pub(super) holds: bool,
}

/// Reads the findings of a program and removes their file; a program without any writes none.
pub(super) fn take(file: &Path) -> Result<Vec<Finding>, VerifyError> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(file).map_err(VerifyError::Findings)?;
    std::fs::remove_file(file).map_err(VerifyError::Findings)?;
    parse(&text)
}

/// The last line of every assertion in every thread, in the order of the first.
fn parse(text: &str) -> Result<Vec<Finding>, VerifyError> {
    let mut places: HashMap<(String, usize, String, String), usize> = HashMap::new();
    let mut found: Vec<Finding> = Vec::new();
    for line in text.lines() {
        let finding = finding(line).ok_or_else(|| VerifyError::Line(line.to_owned()))?;
        let place = (finding.file.clone(), finding.line, finding.thread.clone(), finding.quantity.clone());
        match places.get(&place) {
            Some(&at) => found[at] = finding,
            None => {
                places.insert(place, found.len());
                found.push(finding);
            }
        }
    }
    Ok(found)
}

fn finding(line: &str) -> Option<Finding> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    // Numbers that JSON does not know are words.
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let (file, place) = value["place"].as_str()?.rsplit_once(':')?;
    Some(Finding {
        file: file.to_owned(),
        line: place.parse().ok()?,
        thread: text("thread")?,
        quantity: text("quantity")?,
        measured: number(&value["measured"])?,
        expected: number(&value["expected"])?,
        band: [number(&value["band"][0])?, number(&value["band"][1])?],
        statistics: text("test").zip(number(&value["p"])),
        samples: value["n"].as_u64(),
        runs: value["runs"].as_u64()?,
        holds: value["holds"].as_bool()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEAN: &str = r#"{"quantity":"mean","measured":0.3,"expected":0.0,"band":[-2.4,2.4],"test":"mean (z)","p":0.5,"n":4,"holds":true,"place":"aimc-x/src/a.rs:12","thread":"a::tests::b","runs":2}"#;

    #[test]
    fn the_last_line_of_a_place_counts() {
        let earlier = MEAN.replace("0.3", "0.1").replace("\"runs\":2", "\"runs\":1");
        let value = r#"{"quantity":"value","measured":"NaN","expected":1.5,"band":[1.0,"inf"],"holds":false,"place":"aimc-x/src/a.rs:14","thread":"","runs":1}"#;
        let found = parse(&format!("{earlier}\n{value}\n{MEAN}\n")).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].measured, found[0].runs, found[0].samples), (0.3, 2, Some(4)));
        assert_eq!((found[0].file.as_str(), found[0].line), ("aimc-x/src/a.rs", 12));
        assert!(
            found[1].measured.is_nan() && found[1].band[1] == f64::INFINITY && found[1].statistics.is_none()
        );
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = parse("{\"quantity\":").unwrap_err();
        assert!(error.to_string().contains("{\"quantity\":"), "{error}");
    }
}
