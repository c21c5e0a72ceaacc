//! Tests of line charts.

use super::super::testing::{assert_sound, assert_well_formed, words};
use super::*;

fn series(name: &str, points: &[(f64, f64)], style: SeriesStyle) -> Series {
    Series::new(name, points.to_vec(), style)
}

/// Accuracy over nine orders of magnitude of time, with everything a chart can have.
fn drift() -> LineChart {
    let times: Vec<f64> = (0..8).map(|k| 20.0 * 11.0_f64.powi(k)).map(|t| t.min(3.2e8)).collect();
    let fall =
        |rate: f64| times.iter().enumerate().map(|(k, &t)| (t, 96.4 - rate * k as f64)).collect::<Vec<_>>();
    let x = Axis::log_seconds("time since programming");
    let mut chart = LineChart::new(
        "Accuracy over time: PCM-like devices, 25 seeds",
        x,
        Axis::linear("test accuracy", "%"),
    );
    let band =
        |points: &[(f64, f64)], half: f64| Some(points.iter().map(|p| (p.1 - half, p.1 + half)).collect());
    let (with, without) = (fall(0.3), fall(2.1));
    chart.series = vec![
        Series {
            band: band(&with, 0.4),
            ..series("with global drift compensation", &with, SeriesStyle::Solid)
        },
        Series { band: band(&without, 1.5), ..series("without compensation", &without, SeriesStyle::Solid) },
        series("first-order theory", &fall(1.6), SeriesStyle::Dashed),
        Series { band: band(&with, 1.0), ..series("golden values", &fall(0.9), SeriesStyle::Markers) },
    ];
    chart.references =
        vec![Mark::new(97.5, "digital, 32-bit 97.5 %"), Mark::new(97.0, "analog before drift")];
    chart.marks = vec![Mark::new(3600.0, "1 hour"), Mark::new(86_400.0, "1 day"), Mark::new(3.1e7, "1 year")];
    chart
}

#[test]
fn a_full_chart_has_all_its_words_in_view_and_apart() {
    let svg = drift().render().unwrap();
    assert_sound(&svg);
    let words = words(&svg);
    for word in ["test accuracy (%)", "1 day", "10 years", "first-order theory", "golden values", "1 hour"] {
        assert!(words.iter().any(|w| w == word), "{word} in {words:?}");
    }
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 "), "{svg:.200}");
    assert!(svg.contains("width=\"100%\"") && svg.trim_end().ends_with("</g></svg>"));
}

#[test]
fn crowded_labels_make_room() {
    let mut chart = drift();
    chart.title =
        "A title that is so long that nobody would write it, but somebody's configuration did ".repeat(2);
    chart.y.label =
        "a quantity with quite a long name that does not fit beside the plot in one line".to_owned();
    chart.references =
        (0..8).map(|k| Mark::new(96.0 + 0.1 * f64::from(k), format!("reference {k}"))).collect();
    chart.marks =
        (0..6).map(|k| Mark::new(3600.0 * (1.0 + f64::from(k)), format!("mark number {k}"))).collect();
    for k in 0..9 {
        let name = format!("series {k} of a sweep, {}", "with a longer name ".repeat(k));
        chart.series.push(series(&name, &[(20.0, 80.0), (1e8, 80.0 + k as f64)], SeriesStyle::Solid));
    }
    assert_sound(&chart.render().unwrap());
}

#[test]
fn text_of_any_kind_stays_text() {
    let nasty = "</text><script>alert(\"1\")</script> & ' \u{7} \u{0} x<sub>";
    let mut chart = drift();
    chart.title = nasty.to_owned();
    chart.x = Axis::log10(nasty, nasty);
    chart.series[0].name = nasty.to_owned();
    chart.references[0].label = nasty.to_owned();
    chart.marks[0].label = nasty.to_owned();
    let svg = chart.render().unwrap();
    assert_well_formed(&svg);
    assert!(!svg.contains("<script"), "{svg}");
}

#[test]
fn single_points_and_flat_lines_are_drawn() {
    for points in [&[(1.0, 0.5)][..], &[(1.0, 0.5), (2.0, 0.5)], &[(0.0, 0.0)], &[(3.0, -1e-9), (3.0, 1e9)]] {
        let mut chart = LineChart::new("flat", Axis::linear("x", ""), Axis::linear("y", "V"));
        chart.series = vec![series("one", points, SeriesStyle::Solid)];
        assert_sound(&chart.render().unwrap());
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_by_name() {
    let spoil = |change: fn(&mut LineChart)| {
        let mut chart = drift();
        change(&mut chart);
        let error = chart.render().unwrap_err();
        assert!(!error.to_string().contains('\n'), "{error}");
        error
    };
    assert!(matches!(spoil(|c| c.series.clear()), PlotError::NoSeries { .. }));
    let empty = spoil(|c| c.series[1].points.clear());
    assert!(empty.to_string().contains("series \"without compensation\" is empty"), "{empty}");
    let nan = spoil(|c| c.series[2].points[3].1 = f64::NAN);
    assert!(nan.to_string().contains("series \"first-order theory\", y of point 3 is NaN"), "{nan}");
    assert!(matches!(spoil(|c| c.series[0].points[0].1 = f64::INFINITY), PlotError::NotFinite { .. }));
    assert!(matches!(spoil(|c| c.series[0].points[0].0 = 0.0), PlotError::NotPositive { .. }));
    assert!(matches!(spoil(|c| c.series[0].points[0].1 = -1e299), PlotError::Extreme { .. }));
    assert!(matches!(
        spoil(|c| c.series[0].band = Some(vec![(0.0, 1.0)])),
        PlotError::BandLength { points: 8, band: 1, .. }
    ));
    assert!(matches!(
        spoil(|c| c.series[0].band.as_mut().unwrap()[2] = (2.0, 1.0)),
        PlotError::BandOrder { index: 2, .. }
    ));
    assert!(matches!(
        spoil(|c| c.series[0].band.as_mut().unwrap()[2] = (f64::NAN, 1.0)),
        PlotError::NotFinite { .. }
    ));
    assert!(matches!(spoil(|c| c.references[0].at = f64::NAN), PlotError::NotFinite { .. }));
    assert!(matches!(spoil(|c| c.marks[0].at = -1.0), PlotError::NotPositive { .. }));
    assert!(matches!(spoil(|c| c.y.include = Some((0.0, f64::NAN))), PlotError::NotFinite { .. }));
}

/// Not a check: writes charts to look at. `AIMC_LOOK=folder cargo test -p xtask look -- --ignored`.
#[test]
#[ignore = "writes charts for the eye"]
fn look() {
    let folder = std::path::PathBuf::from(std::env::var_os("AIMC_LOOK").unwrap());
    std::fs::write(folder.join("drift.svg"), drift().render().unwrap()).unwrap();
    let mut error =
        LineChart::new("Convergence", Axis::linear("epoch", ""), Axis::log10("training loss", "nat"));
    error.series = (0..9)
        .map(|k| {
            let points: Vec<_> =
                (0..40).map(|e| (f64::from(e), 2.3 * (-0.1 * f64::from(e + k)).exp() + 1e-3)).collect();
            series(&format!("learning rate {k}"), &points, SeriesStyle::Solid)
        })
        .collect();
    std::fs::write(folder.join("loss.svg"), error.render().unwrap()).unwrap();
    let mut pulses = LineChart::new(
        "Potentiation and depression",
        Axis::linear("pulse", ""),
        Axis::linear("conductance", "S"),
    );
    let ramp: Vec<_> = (0..400)
        .map(f64::from)
        .map(|k| (k, 25e-6 * (1.0 - (-(200.0 - (k - 200.0).abs()) / 60.0).exp())))
        .collect();
    let few: Vec<_> = ramp.iter().step_by(20).map(|&(x, y)| (x, y * 1.05)).collect();
    pulses.series = vec![
        series("simulated device", &ramp, SeriesStyle::Solid),
        series("measured", &few, SeriesStyle::Markers),
    ];
    std::fs::write(folder.join("pulses.svg"), pulses.render().unwrap()).unwrap();
}
