//! Tests of cost estimates against numbers worked out by hand.

use super::*;
use aimc_device::config;
use aimc_nn::Activation;
use aimc_tile::SliceConfig;

/// A chip with round numbers: a full product of 4 x 2 lines costs 16 operations/(1 TOPS/W) = 16 pJ, a quarter each in DAC and ADC.
const ROUND: &str = "
    name = \"round\"
    source = \"none\"
    [core]
    inputs = 4
    outputs = 2
    input_bits = 8.0
    output_bits = 8.0
    encoding = \"PulseWidth\"
    cores_per_chip = 2
    tops_per_watt = { low = 1.0, high = 1.0, source = \"test\" }
    product_ns = { low = 10.0, high = 20.0, source = \"test\" }
    adc_share = { low = 0.25, high = 0.25, source = \"test\" }
    dac_share = { low = 0.25, high = 0.25, source = \"test\" }
    area_mm2 = { low = 0.5, high = 1.0, source = \"test\" }
    [digital]
    operation_pj = { low = 1.0, high = 2.0, source = \"test\" }
    operations_per_ns = { low = 1.0, high = 2.0, source = \"test\" }
    [memory]
    byte_pj = { low = 1.0, high = 1.0, source = \"test\" }
    off_chip_byte_pj = { low = 0.0, high = 10.0, source = \"test\" }";

fn round() -> Technology {
    config::from_toml(ROUND).unwrap()
}

fn network(text: &str) -> NetworkConfig {
    config::from_toml(text).unwrap()
}

fn eight_bits() -> InferenceTileConfig {
    let mut tile = InferenceTileConfig::default();
    (tile.forward.inp_res, tile.forward.out_res) = (254.0, 254.0);
    tile
}

fn close(found: Interval, low: f64, high: f64) {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1e-12);
    assert!(near(found.low, low) && near(found.high, high), "{found:?}, not {low} … {high}");
}

/// 6 x 2 weights on cores of 4 x 2: two cores, 6 of 8 inputs used.
#[test]
fn a_small_network_by_hand() {
    let network = network("layers = [{ layer = \"Linear\", inputs = 6, outputs = 2, bias = false }]");
    let estimate = Estimate::of(&network, &eight_bits(), &round()).unwrap();
    assert_eq!((estimate.cores, estimate.chips, estimate.utilisation), (2, 1, 0.75));
    assert_eq!(estimate.bits, [8.0, 8.0]);
    let energy = estimate.energy_nj;
    // Two cores of 16 pJ: 16 pJ array, 8 pJ DAC, 8 pJ ADC; in the best case three quarters of the first two.
    close(energy.array, 0.012, 0.016);
    close(energy.dac, 0.006, 0.008);
    close(energy.adc, 0.008, 0.008);
    // Two sums of the parts of each output.
    close(energy.digital, 0.002, 0.004);
    // 6 inputs and 2 outputs, or the outputs of both cores.
    close(energy.memory, 0.008, 0.010);
    close(energy.off_chip, 0.0, 0.080);
    close(energy.total, 0.036, 0.126);
    // 10 to 20 ns, and two operations at 1 to 2 per ns.
    close(estimate.latency_us, 0.011, 0.022);
    close(estimate.interval_us, 0.010, 0.020);
    close(estimate.area_mm2, 1.0, 2.0);
    // 24 operations.
    close(estimate.tops_per_watt, 24e-3 / 0.126, 24e-3 / 0.036);
}

/// A convolution multiplies once per place: that many products one after the other.
#[test]
fn reused_matrices_take_turns() {
    let text = "input = [1, 4, 4]\nlayers = [{ layer = \"Conv\", outputs = 2, kernel = 2, bias = false }]";
    let estimate = Estimate::of(&network(text), &eight_bits(), &round()).unwrap();
    assert_eq!((estimate.cores, estimate.utilisation), (1, 1.0));
    // 3 x 3 places, a full core.
    close(estimate.interval_us, 0.090, 0.180);
    let energy = estimate.energy_nj;
    close(energy.array, 9.0 * 0.008, 9.0 * 0.008);
    close(energy.adc, 9.0 * 0.004, 9.0 * 0.004);
}

/// Layers side by side: energy, latency and area add up, the pipeline waits for the slowest alone.
#[test]
fn twice_the_tiles_cost_twice() {
    let layer = "{ layer = \"Linear\", inputs = 8, outputs = 8, bias = false }";
    let one = network(&format!("layers = [{layer}]"));
    let two = network(&format!("layers = [{layer}, {layer}]"));
    let mut chip = round();
    chip.memory.off_chip_byte_pj.high = 0.0;
    let (one, two) = (
        Estimate::of(&one, &eight_bits(), &chip).unwrap(),
        Estimate::of(&two, &eight_bits(), &chip).unwrap(),
    );
    assert_eq!(two.cores, 2 * one.cores);
    for part in [
        |e: &Estimate| e.energy_nj.array,
        |e: &Estimate| e.energy_nj.dac,
        |e: &Estimate| e.energy_nj.adc,
        |e: &Estimate| e.energy_nj.digital,
        |e: &Estimate| e.energy_nj.memory,
        |e: &Estimate| e.energy_nj.total,
        |e: &Estimate| e.latency_us,
        |e: &Estimate| e.area_mm2,
    ] {
        close(part(&two), 2.0 * part(&one).low, 2.0 * part(&one).high);
    }
    close(two.tops_per_watt, one.tops_per_watt.low, one.tops_per_watt.high);
    // Slices are arrays like others.
    let sliced = InferenceTileConfig {
        slices: Some(SliceConfig { slices: 2, ..SliceConfig::default() }),
        ..eight_bits()
    };
    let sliced = Estimate::of(&network(&format!("layers = [{layer}]")), &sliced, &chip).unwrap();
    assert_eq!(sliced.cores, 2 * one.cores);
    close(sliced.energy_nj.adc, 2.0 * one.energy_nj.adc.low, 2.0 * one.energy_nj.adc.high);
}

/// A bit more of the ADC costs between 2 and 4 times its energy, a bit more of pulses twice the time.
#[test]
fn bits_cost_energy_and_time() {
    let network = NetworkConfig::mlp(&[20, 10], Activation::Tanh);
    let at = |input: i32, output: i32| {
        let mut tile = eight_bits();
        (tile.forward.inp_res, tile.forward.out_res) =
            (2.0_f32.powi(input) - 2.0, 2.0_f32.powi(output) - 2.0);
        Estimate::of(&network, &tile, &round()).unwrap()
    };
    for output in 3..12 {
        let (less, more) = (at(8, output), at(8, output + 1));
        assert!(more.energy_nj.total.low > less.energy_nj.total.low);
        assert!(more.energy_nj.total.high > less.energy_nj.total.high);
    }
    close(at(8, 10).energy_nj.adc, 4.0 * at(8, 8).energy_nj.adc.low, 16.0 * at(8, 8).energy_nj.adc.high);
    close(at(8, 6).energy_nj.adc, at(8, 8).energy_nj.adc.low / 16.0, at(8, 8).energy_nj.adc.high / 4.0);
    // Nothing digital here that could be slower.
    let bare = self::network("layers = [{ layer = \"Linear\", inputs = 4, outputs = 2, bias = false }]");
    let mut nine = eight_bits();
    nine.forward.inp_res = 510.0;
    close(Estimate::of(&bare, &nine, &round()).unwrap().interval_us, 0.020, 0.040);
    // A converter that does not round counts as that of the macro.
    let mut open = eight_bits();
    open.forward.out_res = -1.0;
    assert_eq!(Estimate::of(&network, &open, &round()).unwrap(), at(8, 8));
}

/// A matrix that fills its cores has the efficiency and the throughput that the macro was published with.
#[test]
fn macros_reproduce_their_own_numbers() {
    for name in MACROS {
        let chip = Technology::preset(name).unwrap();
        let core = &chip.core;
        let text = format!(
            "layers = [{{ layer = \"Linear\", inputs = {}, outputs = {}, bias = false }}]",
            core.inputs, core.outputs
        );
        let mut tile = eight_bits();
        let steps = |bits: f64| (bits.exp2() - 2.0) as f32;
        (tile.forward.inp_res, tile.forward.out_res) = (steps(core.input_bits), steps(core.output_bits));
        let load = network(&text);
        let estimate = Estimate::of(&load, &tile, &chip).unwrap();
        assert_eq!((estimate.cores, estimate.utilisation), (1, 1.0));
        let operations = 2.0 * (core.inputs * core.outputs) as f64;
        let summary = load
            .summary(&MappingConfig {
                max_input_size: core.inputs,
                max_output_size: core.outputs,
                ..MappingConfig::default()
            })
            .unwrap();
        let alone =
            Load { summary: &summary, ends: 0, slices: 1.0, forward: &tile.forward, technology: &chip };
        let (_, energy) = alone.product_energy();
        close(energy.dividing(1e-3 * operations), core.tops_per_watt.low, core.tops_per_watt.high);
    }
    // 63.1 TOPS and 16.1 TOPS of 64 cores, from the time of a product.
    for (name, tops) in [("LeGallo2023OnePhase", 63.1), ("LeGallo2023FourPhase", 16.1)] {
        let chip = Technology::preset(name).unwrap();
        let found = chip.core.product_ns.interval().dividing(64.0 * 2.0 * 65536.0 * 1e-3);
        assert!(found.low <= tops * 1.001 && tops <= found.high * 1.001, "{found:?} {tops}");
    }
    // 1.59 TOPS/mm².
    let core = Technology::preset("KhaddamAljameh2022").unwrap().core;
    let density = |ns: f64, area: f64| 2.0 * 65536.0 * 1e-3 / ns / area;
    let low = density(core.product_ns.high, core.area_mm2.high);
    let high = density(core.product_ns.low, core.area_mm2.low);
    assert!((low..=high).contains(&1.59), "{low} {high}");
}

/// Lowest ≤ highest for energy, latency and area of every macro.
#[test]
fn ranges_are_ordered() {
    let networks = [
        NetworkConfig::mlp(&[784, 256, 10], Activation::Sigmoid),
        network(
            "input = [3, 12, 12]\nlayers = [{ layer = \"Conv\", outputs = 40, kernel = 5 }, { layer = \"Flatten\" }, { layer = \"Linear\", outputs = 10 }]",
        ),
    ];
    for (name, network) in
        MACROS.into_iter().flat_map(|name| networks.iter().map(move |network| (name, network)))
    {
        let estimate =
            Estimate::of(network, &InferenceTileConfig::default(), &Technology::preset(name).unwrap())
                .unwrap();
        let Energy { array, dac, adc, digital, memory, off_chip, total } = estimate.energy_nj;
        let parts = [array, dac, adc, digital, memory, off_chip];
        for range in
            [total, estimate.latency_us, estimate.interval_us, estimate.area_mm2, estimate.tops_per_watt]
                .into_iter()
                .chain(parts)
        {
            assert!(
                0.0 <= range.low && range.low <= range.high && range.high.is_finite(),
                "{name}: {range:?}"
            );
        }
        let sum: Interval = parts.into_iter().sum();
        assert!(sum.low <= total.low * 1.000_001 && total.high <= sum.high * 1.000_001);
        assert!(estimate.interval_us.high <= estimate.latency_us.high);
        assert!(
            estimate.tops_per_watt.high <= Technology::preset(name).unwrap().core.tops_per_watt.high * 16.0
        );
    }
}

#[test]
fn constants_without_order_or_source_are_refused() {
    let refused = |from: &str, to: &str| {
        assert!(ROUND.contains(from));
        config::from_toml::<Technology>(&ROUND.replacen(from, to, 1)).unwrap().validate().unwrap_err()
    };
    let error = refused("low = 10.0, high = 20.0", "low = 30.0, high = 20.0");
    assert_eq!(
        error.to_string(),
        "core.product_ns = [30.0, 20.0]: must be low <= high, both finite and above 0"
    );
    assert_eq!(refused("low = 0.25", "low = 0.8").field, "core.adc_share");
    assert_eq!(refused("source = \"test\"", "source = \" \"").field, "core.tops_per_watt.source");
    assert_eq!(refused("cores_per_chip = 2", "cores_per_chip = 0").field, "core.cores_per_chip");
    let negative =
        config::from_toml::<Technology>(&ROUND.replace("byte_pj = { low = 1.0", "byte_pj = { low = -1.0"));
    assert_eq!(negative.unwrap().validate().unwrap_err().field, "memory.byte_pj");
    assert!(config::from_toml::<Technology>(&ROUND.replace("source = \"none\"", "")).is_err());
}
