//! Which layer costs the accuracy: one matrix at a time lies on devices, all others stay exact.

use std::collections::BTreeMap;
use std::convert::Infallible;

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_nn::{Dataset, Linear, Network};
use aimc_tile::{IdealTile, MatVec, ReadOut, SampleKeys};
use nalgebra::DVector;
use serde::Serialize;

use crate::config::InferenceTileConfig;
use crate::error::EvaluationError;
use crate::network::{BATCH, accuracy, network_at, program_network};
use crate::summary::Summary;

/// Accuracy with one analog matrix.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sensitivity {
    /// Name of its tile.
    pub name: String,
    /// Accuracy over programming events.
    #[serde(flatten)]
    pub summary: Summary,
}

/// The accuracy of `network` with each of its matrices alone on devices, `t_seconds` after programming, over `repeats`
/// programming events.
///
/// The devices of a matrix are the same in event r as those in event r of [`evaluate`](crate::evaluate()) with this key.
pub fn sensitivity<T: MatVec + ReadOut>(
    network: &Network<T>,
    tile: &InferenceTileConfig,
    data: &Dataset,
    (t_seconds, repeats): (f32, usize),
    key: RngKey,
) -> Result<Vec<Sensitivity>, EvaluationError> {
    let names: Vec<String> = network.tiles().map(|(name, _)| name).collect();
    let mut accuracies = vec![Vec::with_capacity(repeats); names.len()];
    for repeat in 0..repeats as u64 {
        let key = key.fold_in(label("repeat")).fold_in(repeat);
        let programmed = program_network(network, tile, key.fold_in(label("program")))?;
        let key = key.fold_in(label("sensitivity"));
        let aged = network_at(&programmed, t_seconds, key.fold_in(label("read")))?;
        let mut analog = BTreeMap::new();
        let Ok(_) = aged.try_map(|name, linear| {
            analog.insert(name.to_owned(), linear.clone());
            Ok::<_, Infallible>(linear.clone())
        });
        for (name, accuracies) in names.iter().zip(&mut accuracies) {
            let Ok(mixed) = network.try_map(|found, exact| {
                Ok::<_, Infallible>(match analog.get(found).filter(|_| found == name) {
                    Some(aged) => boxed(aged.tile.clone(), aged.bias.clone()),
                    None => boxed(IdealTile::holding(&exact.tile.weights()), exact.bias.clone()),
                })
            });
            let draws = SampleKeys::new(key.fold_in(label("forward")));
            accuracies.push(accuracy(&mixed, data, BATCH, draws)?);
        }
    }
    let summaries = names.into_iter().zip(accuracies);
    Ok(summaries.map(|(name, accuracies)| Sensitivity { name, summary: Summary::of(&accuracies) }).collect())
}

fn boxed(tile: impl MatVec + 'static, bias: Option<DVector<f32>>) -> Linear<Box<dyn MatVec>> {
    Linear { tile: Box::new(tile), bias }
}

#[cfg(test)]
#[path = "sensitivity_tests.rs"]
mod tests;
