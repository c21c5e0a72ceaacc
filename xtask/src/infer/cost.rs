//! Energy, latency and area beside the accuracy.

use aimc_infer::Estimate;
use aimc_infer::cost::Interval;

use crate::csv::Columns;
use crate::report::Report;

pub(crate) const HEADERS: [&str; 8] = [
    "chip",
    "cores",
    "chips",
    "full",
    "energy (nJ)",
    "latency (µs)",
    "between results (µs)",
    "cores' area (mm²)",
];

const ENERGY_HEADERS: [&str; 8] =
    ["chip", "array", "DAC", "ADC", "digital", "memory", "off chip", "TOPS/W of the whole"];

/// A range with three digits.
fn range(interval: Interval) -> String {
    let digits = |value: f64| {
        let decimals = if value > 0.0 { (2 - value.log10().floor() as i32).clamp(0, 9) as usize } else { 0 };
        format!("{value:.decimals$}")
    };
    let (low, high) = (digits(interval.low), digits(interval.high));
    if low == high { low } else { format!("{low} – {high}") }
}

/// A row per chip, for [`HEADERS`].
pub(crate) fn rows(estimates: &[Estimate]) -> Vec<Vec<String>> {
    let row = |e: &Estimate| {
        vec![
            e.technology.clone(),
            e.cores.to_string(),
            e.chips.to_string(),
            format!("{:.0} %", 100.0 * e.utilisation),
            range(e.energy_nj.total),
            range(e.latency_us),
            range(e.interval_us),
            range(e.area_mm2),
        ]
    };
    estimates.iter().map(row).collect()
}

fn energy_rows(estimates: &[Estimate]) -> Vec<Vec<String>> {
    let row = |e: &Estimate| {
        let energy = &e.energy_nj;
        let parts = [energy.array, energy.dac, energy.adc, energy.digital, energy.memory, energy.off_chip];
        let parts = parts.into_iter().chain([e.tops_per_watt]).map(range);
        [e.technology.clone()].into_iter().chain(parts).collect()
    };
    estimates.iter().map(row).collect()
}

/// The part of the page.
pub(crate) fn section(report: &mut Report, estimates: &[Estimate]) {
    if estimates.is_empty() {
        return;
    }
    report.section("Energy, latency and area");
    report.paragraph(
        "Estimates for one sample, were the network laid out on the cores of published chips; ranges from the least to the most. \
         The devices and tile sizes simulated above may be others. Every constant and its source, some of them assumptions, are \
         in the complete configuration below.",
    );
    report.table(
        &HEADERS,
        &rows(estimates),
        "Least: unused lines cost nothing; most: cores cost as if they were full. Latency of a sample alone, and time between \
         results in a pipeline.",
    );
    report.table(&ENERGY_HEADERS, &energy_rows(estimates), "Where the energy goes (nJ).");
}

/// A number of an estimate.
type Part = fn(&Estimate) -> Interval;

/// A row per chip, in the order of the configuration.
pub(crate) fn csv(estimates: &[Estimate]) -> String {
    let mut columns = Columns::new();
    columns.add("chip (place in the configuration)", (0..estimates.len()).map(|i| i as f64));
    columns.add("cores", estimates.iter().map(|e| e.cores as f64));
    columns.add("chips", estimates.iter().map(|e| e.chips as f64));
    let ranges: [(&str, Part); 11] = [
        ("energy (nJ)", |e| e.energy_nj.total),
        ("energy of the array (nJ)", |e| e.energy_nj.array),
        ("energy of the DAC (nJ)", |e| e.energy_nj.dac),
        ("energy of the ADC (nJ)", |e| e.energy_nj.adc),
        ("digital energy (nJ)", |e| e.energy_nj.digital),
        ("energy of memory (nJ)", |e| e.energy_nj.memory),
        ("energy off chip (nJ)", |e| e.energy_nj.off_chip),
        ("latency (µs)", |e| e.latency_us),
        ("time between results (µs)", |e| e.interval_us),
        ("area (mm²)", |e| e.area_mm2),
        ("efficiency (TOPS/W)", |e| e.tops_per_watt),
    ];
    for (name, of) in ranges {
        columns.add(format!("{name} least"), estimates.iter().map(|e| of(e).low));
        columns.add(format!("{name} most"), estimates.iter().map(|e| of(e).high));
    }
    columns.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_three_digits() {
        for (low, high, text) in [
            (0.012_345, 1.2345, "0.0123 – 1.23"),
            (123.45, 123_456.0, "123 – 123456"),
            (0.0, 2.0, "0 – 2.00"),
            (5.0, 5.0, "5.00"),
        ] {
            assert_eq!(range(Interval { low, high }), text);
        }
    }
}
