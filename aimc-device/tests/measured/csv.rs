//! Tables are read strictly, and refused with line, field, value and requirement.

use aimc_device::measured::{GRange, MeasuredError, Measurements, Model, fit};
use aimc_device::pulsed::Direction;
use aimc_testkit::assert_close;

fn refusal(text: &str) -> String {
    let error = Measurements::from_csv(text, GRange::Data).expect_err(text).to_string();
    assert_eq!(error.lines().count(), 1);
    error
}

#[test]
fn bad_tables_are_refused_by_line() {
    let head = "device,pulse,direction,conductance\n";
    for (rows, expected) in [
        ("a,0,up,1\na,1,up,NaN", "line 3: conductance = \"NaN\": must be a finite number"),
        ("a,0,up,inf", "line 2: conductance = \"inf\": must be a finite number"),
        ("a,0,up,big", "line 2: conductance = \"big\": must be a number"),
        ("a,0,up,", "line 2: conductance = \"\": must be a number"),
        ("a,0,sideways,1", "line 2: direction = \"sideways\": must be up, down, 1 or -1"),
        ("a,-1,up,1", "line 2: pulse = \"-1\": must be a whole number, 0 or above"),
        ("a,0.5,up,1", "line 2: pulse = \"0.5\": must be a whole number, 0 or above"),
        (",0,up,1", "line 2: device = \"\": must be a name"),
        ("a,0,up", "line 2: has 3 fields; must have 4 as the header"),
        ("a,0,up,1,2", "line 2: has 5 fields; must have 4 as the header"),
        (
            "a,0,up,1\n\n# note\na,2,up,2\na,2,up,3",
            "line 6: pulse = 2: must be above 2, the pulse before it of device \"a\"",
        ),
        ("b,5,up,1\nb,4,up,2", "line 3: pulse = 4: must be above 5, the pulse before it of device \"b\""),
        ("", "the table has no measurements; must hold at least one device"),
        (
            "a,0,up,1\na,1,up,2\nb,0,up,3\nb,1,up,3",
            "device \"b\": conductance is 3 throughout; must change with pulses (leave stuck devices out)",
        ),
        ("a,0,up,-1e308\na,1,up,1e308", "must be finite and g_min below g_max"),
    ] {
        let found = refusal(&format!("{head}{rows}"));
        assert!(found.contains(expected), "{rows:?}: {found}");
    }
}

#[test]
fn bad_headers_are_refused_by_column() {
    for (text, expected) in [
        ("", "line 1: is empty"),
        ("\n\n", "line 1: is empty"),
        ("pulse,conductance\n1,2", "line 1: column direction is missing"),
        ("# made today\npulse,direction\n1,up", "line 2: column conductance is missing"),
        ("pulse,direction,conductance,time\n", "line 1: column \"time\" is unknown or comes twice"),
        ("pulse,pulse,direction,conductance\n", "line 1: column \"pulse\" is unknown or comes twice"),
        ("1,up,0.5\n", "line 1: column \"1\" is unknown or comes twice"),
    ] {
        let found = refusal(text);
        assert!(found.starts_with(expected), "{text:?}: {found}");
    }
}

#[test]
fn ranges_without_extent_are_refused() {
    for (low, high) in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
        let table = "pulse,direction,conductance\n0,up,1\n1,up,2\n";
        let error = Measurements::from_csv(table, GRange::Stated(low, high)).unwrap_err();
        assert!(matches!(error, MeasuredError::Range { .. }), "{error}");
    }
}

/// Columns in any order, without device, with both ways to write a direction, blanks and Windows line ends.
#[test]
fn what_is_clear_is_read() {
    let text =
        "\u{feff}conductance, direction ,pulse\r\n 10,1,0\r\n# after a pause\r\n20,+1,7\r\n\r\n15,-1,8\r\n";
    let table = Measurements::from_csv(text, GRange::Data).unwrap();
    assert_eq!((table.map().g_min, table.map().g_max), (10.0, 20.0));
    let readings = &table.devices()[0].readings;
    assert_eq!(
        readings.iter().map(|r| (r.pulse, r.weight)).collect::<Vec<_>>(),
        [(0, -1.0), (7, 1.0), (8, 0.0)]
    );
    assert_eq!(readings[2].direction, Direction::Down);
    assert_eq!(table.map().conductance(table.map().weight(12.5)), 12.5);
    let stated = Measurements::from_csv(text, GRange::Stated(0.0, 20.0)).unwrap();
    assert_eq!(stated.devices()[0].readings[0].weight, 0.0);
}

/// Devices may take turns; their order is that of their first rows.
#[test]
fn devices_may_take_turns() {
    let text = "device,pulse,direction,conductance\nb,0,up,1\na,0,up,2\nb,1,up,3\na,1,up,4\n";
    let table = Measurements::from_csv(text, GRange::Data).unwrap();
    let names: Vec<&str> = table.devices().iter().map(|device| device.name.as_str()).collect();
    assert_eq!(names, ["b", "a"]);
    assert_eq!(table.devices()[0].readings.len(), 2);
}

/// Rows of a sawtooth: `each_way` up and as many down pulses, every pulse 1 unless told otherwise.
fn sawtooth(each_way: i32, stride: i32) -> String {
    let rows = (0..=2 * each_way).map(|k| {
        let (direction, level) = if k <= each_way { ("up", k) } else { ("down", 2 * each_way - k) };
        format!("{},{direction},{level}\n", k * stride)
    });
    format!("pulse,direction,conductance\n{}", rows.collect::<String>())
}

fn fit_refusal(text: &str, range: GRange, model: Model) -> MeasuredError {
    fit(&Measurements::from_csv(text, range).unwrap(), model).unwrap_err()
}

#[test]
fn too_few_steps_are_refused() {
    let error = fit_refusal(&sawtooth(10, 1), GRange::Data, Model::SoftBounds);
    assert!(matches!(error, MeasuredError::TooFew { found: 10, direction: "up", .. }), "{error}");
    // Readings of every second pulse are no steps.
    let error = fit_refusal(&sawtooth(50, 2), GRange::Data, Model::SoftBounds);
    assert!(matches!(error, MeasuredError::TooFew { found: 0, .. }), "{error}");
}

#[test]
fn weights_on_one_side_are_refused() {
    let error = fit_refusal(&sawtooth(50, 1), GRange::Stated(60.0, 90.0), Model::LinearStep);
    assert!(matches!(error, MeasuredError::OneSided { .. }), "{error}");
}

/// Constant steps have no soft bound, which is said; a linear step describes them.
#[test]
fn a_model_that_does_not_fit_says_so() {
    let text = sawtooth(50, 1);
    for model in [Model::SoftBounds, Model::PowStep, Model::ExpStep] {
        match fit(&Measurements::from_csv(&text, GRange::Data).unwrap(), model) {
            Err(error) => assert!(matches!(error, MeasuredError::NoFit { .. }), "{error}"),
            // Without noise even a far bound can be made out from rounding.
            Ok(found) => assert!(found.report.residual_std < 1e-6),
        }
    }
    let linear = fit(&Measurements::from_csv(&text, GRange::Data).unwrap(), Model::LinearStep).unwrap();
    // 50 steps of 2/50 from -1 to 1.
    assert_close!(linear.config.common().dw_min, 0.04, 1e-6);
}
