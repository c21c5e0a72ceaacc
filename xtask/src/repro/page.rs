//! The page of a reproduction.

use super::claim::{HEADERS, Outcome};
use super::{ReproError, Reproduction};
use crate::report::{PROGRAM, Report};

/// The page.
pub(super) fn render(one: &Reproduction, outcome: &Outcome, full: bool) -> Result<String, ReproError> {
    let mut report = Report::new(format!("Reproduction {}", one.name), one.citation);
    let verdict = if outcome.holds() { "in its band" } else { "OUTSIDE its band" };
    report.highlights(&[("verdict", verdict), ("mode", if full { "full" } else { "quick" })]);
    report.paragraph(one.what);
    report.section("Claims");
    let caption = "Bands were set before the measurement, from the equation or the publication's claim.";
    report.table(&HEADERS, &outcome.rows(), caption);
    for claim in &outcome.claims {
        report.paragraph(&format!("{}: {}", claim.what, claim.why));
    }
    report.section("Figures");
    for (chart, caption) in &outcome.charts {
        report.figure(&chart.render()?, caption);
    }
    report.section("How to get this again");
    let mode = if full { " --full" } else { "" };
    report.paragraph(&format!("{PROGRAM}, cargo xtask repro {}{mode}", one.name));
    report.details("Parameters", &serde_json::to_string_pretty(&outcome.parameters)?);
    Ok(report.render())
}
