//! Tests of the sensitivity to single layers.

use super::*;
use crate::evaluate::tests::problem;
use crate::program::tests::noiseless;

use aimc_tile::IoConfig;

/// Exact devices in one layer: accuracy 1 against the digital answers.
#[test]
fn exact_devices_cost_nothing() {
    let (network, data) = problem();
    let found = sensitivity(&network, &noiseless(), &data, (1e6, 2), RngKey::root(1)).unwrap();
    assert_eq!(found.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["layer0.tile", "layer2.tile"]);
    assert!(found.iter().all(|s| s.summary.mean == 1.0));
}

/// With very noisy devices each layer alone costs accuracy, but never more than all of them together, up to 6 standard errors
/// of 300 samples and 4 events.
#[test]
fn single_layers_cost_less_than_all() {
    let (network, data) = problem();
    let noisy = InferenceTileConfig {
        forward: IoConfig { out_noise: 1.0, ..IoConfig::default() },
        ..InferenceTileConfig::default()
    };
    let single = sensitivity(&network, &noisy, &data, (1e5, 4), RngKey::root(1)).unwrap();
    let plan = crate::EvaluationConfig { times_seconds: vec![1e5], repeats: 4, ..Default::default() };
    let go_on = |_: crate::Progress| std::ops::ControlFlow::Continue(());
    let all = crate::evaluate(&network, &noisy, &data, &plan, RngKey::root(1), &go_on).unwrap();
    let all = all.times[0].summary.mean;
    for layer in single {
        assert!(layer.summary.mean < 1.0, "{layer:?}");
        assert!(layer.summary.mean > all - 6.0 * 0.5 / (4.0 * 300.0_f64).sqrt(), "{layer:?} {all}");
    }
}
