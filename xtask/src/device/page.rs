//! The report of `cargo xtask device`: one section per device, and the same facts on the terminal.

use super::section::Section;
use super::{DeviceArguments, DeviceError};
use crate::report::{PROGRAM, Report};

const HEADERS: [&str; 3] = ["quantity", "value", "meaning"];

/// What follows from the parameters of each device, for the terminal.
pub(crate) fn print_facts(sections: &[Section]) {
    for section in sections {
        println!("\n{}", section.source.name);
        let width = section.facts.iter().map(|fact| fact[0].chars().count()).max().unwrap_or(0);
        for [name, value, _] in &section.facts {
            println!("  {name:<width$}   {value}");
        }
    }
}

/// The whole page.
pub(crate) fn render(sections: &[Section], arguments: &DeviceArguments) -> Result<String, DeviceError> {
    let names: Vec<&str> = sections.iter().map(|section| section.source.name.as_str()).collect();
    let subtitle =
        format!("{} · populations of {} · seed {}", names.join(", "), arguments.devices, arguments.seed);
    let mut report = Report::new("What pulses and time do to devices", subtitle);
    for section in sections {
        report.section(&section.source.name);
        if !section.source.citation.is_empty() {
            report.paragraph(&section.source.citation);
        }
        let rows: Vec<Vec<String>> = section.facts.iter().map(|fact| fact.to_vec()).collect();
        report.table(
            &HEADERS,
            &rows,
            &format!("{}: what its parameters come to. Weights are normalised.", section.source.name),
        );
        for figure in &section.figures {
            report.figure(&figure.svg, &figure.caption);
        }
        section.remarks.iter().for_each(|remark| {
            report.paragraph(remark);
        });
        report.details("Complete configuration", &serde_json::to_string_pretty(&section.source.device)?);
    }
    report.section("How to get these numbers again");
    report.paragraph(&format!(
        "Program: {PROGRAM}. All draws follow from the seed {}; neither the number of threads nor the other devices of the \
         report matter. The numbers behind each figure stand in a CSV file beside this page.",
        arguments.seed,
    ));
    Ok(report.render())
}
