//! The table of a comparison, for the terminal and for a file.

use super::Times;
use crate::csv::Columns;
use crate::report::{PROGRAM, Report};

/// Heads of the columns of a comparison.
const HEADERS: [&str; 5] = ["workload", "aimc", "AIHWKit", "ratio", "gain by threads"];

/// What was measured, in this order of the workloads.
pub(super) struct Measured<'a> {
    pub(super) order: &'a [String],
    pub(super) ours: &'a Times,
    pub(super) versus: Option<Versus<'a>>,
}

/// What is compared with.
#[derive(Clone, Copy)]
pub(super) struct Versus<'a> {
    /// The times of AIHWKit and its versions.
    pub(super) theirs: &'a Times,
    pub(super) versions: &'a str,
    /// Our times on one thread.
    pub(super) single: &'a Times,
}

impl Measured<'_> {
    /// Headers and cells; of a comparison the workloads that both sides have.
    pub(super) fn table(&self) -> (&'static [&'static str], Vec<Vec<String>>) {
        match &self.versus {
            Some(versus) => (&HEADERS, rows(self.order, self.ours, versus)),
            None => {
                let ours = self.order.iter().filter_map(|name| Some((name, *self.ours.get(name)?)));
                let rows = ours.map(|(name, time)| vec![name.clone(), duration(time)]).collect();
                (&["workload", "time per call"], rows)
            }
        }
    }
}

/// A row for every workload that both sides have.
fn rows(order: &[String], ours: &Times, versus: &Versus<'_>) -> Vec<Vec<String>> {
    let both = order.iter().filter_map(|name| Some((name, *ours.get(name)?, *versus.theirs.get(name)?)));
    both.map(|(name, our, their)| {
        let gain = versus.single.get(name).map(|single| format!("{:.2}", single / our));
        vec![
            name.clone(),
            duration(our),
            duration(their),
            format!("{:.1}", their / our),
            gain.unwrap_or_default(),
        ]
    })
    .collect()
}

/// The page of `cargo xtask bench --out`.
pub(super) fn report(measured: &Measured<'_>) -> String {
    let mut report = Report::new("Speed", "Median time of a call, on the machine that made this page");
    let (against, ratio) = match &measured.versus {
        Some(versus) => {
            (format!(" against {}", versus.versions), " A ratio above 1 means that aimc is faster.")
        }
        None => (String::new(), ""),
    };
    let threads = rayon::current_num_threads();
    report.paragraph(&format!("{PROGRAM}{against}; {threads} threads; {}.{ratio}", processor()));
    let (headers, rows) = measured.table();
    report.table(headers, &rows, "The numbers are in bench.csv.");
    report.section("How to get this again").paragraph(&format!("{PROGRAM}, cargo xtask bench"));
    report.render()
}

/// Seconds per call of every workload.
pub(super) fn csv(measured: &Measured<'_>) -> String {
    let times = |of: &Times| -> Vec<f64> {
        measured.order.iter().map(|name| of.get(name).copied().unwrap_or(f64::NAN)).collect()
    };
    let mut columns = Columns::new();
    columns.add_texts("workload", measured.order.to_vec()).add("aimc (s)", times(measured.ours));
    if let Some(versus) = &measured.versus {
        columns.add("AIHWKit (s)", times(versus.theirs)).add("aimc on one thread (s)", times(versus.single));
    }
    columns.render()
}

/// Seconds with three figures in a fitting unit.
pub(super) fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 1e-3 => (1e6 * s, "µs"),
        s if s < 1.0 => (1e3 * s, "ms"),
        s => (s, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// The table as a page.
pub(super) fn render(rows: &[Vec<String>], versions: &str) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let table: String = rows.iter().map(|row| line(row)).collect();
    format!(
        "# Speed against AIHWKit\n\n\
         Written by `cargo xtask bench --versus PYTHON`: both sides in turn, workload by workload,\n\
         on the same machine, median time of a call, for ours the slower of a run before and a run after theirs. A ratio\n\
         above 1 means that aimc is faster; the gain by threads is our time on one thread over that on all of them.\n\n\
         {PROGRAM} against {versions}; {} threads each; {}.\n\n\
         | {} |\n|---|---:|---:|---:|---:|\n{table}",
        rayon::current_num_threads(),
        processor(),
        HEADERS.join(" | "),
    )
}

/// What a page has behind its table, written by hand: everything from the first heading of the second level on.
pub(super) fn sections(page: &str) -> &str {
    page.find("\n## ").map_or("", |at| &page[at..])
}

/// The processor's name, where the system tells it.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_figures() {
        for (seconds, text) in
            [(0.000_012_34, "12.3 µs"), (0.001_234, "1.23 ms"), (0.456_7, "457 ms"), (12.34, "12.3 s")]
        {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn sections_by_hand_are_kept() {
        assert_eq!(sections("# Title\n\n| a |\n\n## More\n\ntext\n"), "\n## More\n\ntext\n");
        assert_eq!(sections("# Title\n"), "");
    }

    #[test]
    fn a_ratio_is_theirs_over_ours() {
        let times = |time| Times::from([("a".to_owned(), time)]);
        let (theirs, single) = (times(4.0), times(0.75));
        let versus = Versus { theirs: &theirs, versions: "", single: &single };
        let rows = rows(&["a".to_owned(), "b".to_owned()], &times(0.5), &versus);
        assert_eq!(rows, [["a", "500 ms", "4.00 s", "8.0", "1.50"]]);
    }

    #[test]
    fn the_page_can_be_joined_and_the_numbers_are_kept() {
        let (order, times) = (["a".to_owned()], |time| Times::from([("a".to_owned(), time)]));
        let (ours, theirs, single) = (times(0.5), times(4.0), times(0.75));
        let alone = Measured { order: &order, ours: &ours, versus: None };
        let page = report(&alone);
        assert!(Report::is_ours(&page) && page.contains("500 ms") && !page.contains("AIHWKit"), "{page}");
        assert_eq!(csv(&alone), "workload,aimc (s)\na,0.5\n");
        let versus = Versus { theirs: &theirs, versions: "AIHWKit 1.1.0", single: &single };
        let versus = Measured { versus: Some(versus), ..alone };
        let page = report(&versus);
        assert!(page.contains("against AIHWKit 1.1.0") && page.contains("8.0"), "{page}");
        assert_eq!(csv(&versus), "workload,aimc (s),AIHWKit (s),aimc on one thread (s)\na,0.5,4,0.75\n");
    }
}
