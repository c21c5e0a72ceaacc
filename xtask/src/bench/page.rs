//! The table of a comparison, for the terminal and for a file.

use super::Times;
use crate::report::PROGRAM;

/// Heads of the columns.
pub(super) const HEADERS: [&str; 4] = ["workload", "aimc", "AIHWKit", "ratio"];

/// A row for every workload that both sides have.
pub(super) fn rows(order: &[String], ours: &Times, theirs: &Times) -> Vec<Vec<String>> {
    let both = order.iter().filter_map(|name| Some((name, *ours.get(name)?, *theirs.get(name)?)));
    both.map(|(name, our, their)| {
        vec![name.clone(), duration(our), duration(their), format!("{:.1}", their / our)]
    })
    .collect()
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
         Written by `cargo run --release -p xtask -- bench --versus PYTHON --write docs/performance.md`: both sides in turn\n\
         on the same machine, median time of a call, for ours the slower of a run before and a run after theirs. A ratio\n\
         above 1 means that aimc is faster.\n\n\
         {PROGRAM} against {versions}; {} threads each; {}.\n\n\
         | {} |\n|---|---:|---:|---:|\n{table}",
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
        let rows = rows(&["a".to_owned(), "b".to_owned()], &times(0.5), &times(4.0));
        assert_eq!(rows, [["a", "500 ms", "4.00 s", "8.0"]]);
    }
}
