//! Layers one after the other: what networks, residual branches and concatenated branches are made of.

use nalgebra::DMatrix;

use aimc_tile::{MatVec, SampleKeys, Tile};

use crate::layer::Layer;
use crate::module::{Backward, Gradients, LayerError, Saved, Visit, VisitMut, join};

/// An error with the number of the layer in its chain.
pub(crate) type At = (usize, LayerError);

/// What a forward pass through a chain keeps: the input of every layer, the output, and what layers kept themselves.
#[derive(Clone, Debug)]
pub struct Passed {
    values: Vec<DMatrix<f32>>,
    saved: Vec<Saved>,
}

impl Passed {
    /// The output of the chain.
    ///
    /// # Panics
    /// Never: there is at least the input.
    #[must_use]
    pub fn output(&self) -> &DMatrix<f32> {
        &self.values[self.values.len() - 1]
    }
}

/// Output of `layers`.
pub(crate) fn forward<T: MatVec>(
    layers: &[Layer<T>],
    x: &DMatrix<f32>,
    draws: SampleKeys,
) -> Result<DMatrix<f32>, At> {
    let mut value: Option<DMatrix<f32>> = None;
    for (i, layer) in layers.iter().enumerate() {
        let input = value.as_ref().unwrap_or(x);
        value = Some(layer.module().forward(input, draws.fold_in(i as u64)).map_err(|error| (i, error))?);
    }
    Ok(value.unwrap_or_else(|| x.clone()))
}

/// The same in training, keeping what the backward pass needs.
pub(crate) fn trace<T: MatVec>(
    layers: &[Layer<T>],
    x: DMatrix<f32>,
    draws: SampleKeys,
) -> Result<Passed, At> {
    let mut passed = Passed { values: vec![x], saved: Vec::new() };
    for (i, layer) in layers.iter().enumerate() {
        let (y, saved) =
            layer.module().trace(passed.output(), draws.fold_in(i as u64)).map_err(|error| (i, error))?;
        passed.values.push(y);
        passed.saved.push(saved);
    }
    Ok(passed)
}

/// Adds the gradients of all layers to `into`; gives that with respect to the input of the chain, or something empty
/// where nobody `wants_input`.
pub(crate) fn backward<T: Tile>(
    layers: &[Layer<T>],
    passed: &Passed,
    (name, draws, wants_input): (&dyn Fn(usize) -> String, SampleKeys, bool),
    d: DMatrix<f32>,
    into: &mut Gradients,
) -> Result<DMatrix<f32>, At> {
    let first =
        if wants_input { 0 } else { layers.iter().position(Layer::has_parts).unwrap_or(layers.len()) };
    let mut d = d;
    for (i, layer) in layers.iter().enumerate().skip(first).rev() {
        let pass = Backward {
            name: &name(i),
            x: &passed.values[i],
            y: &passed.values[i + 1],
            saved: &passed.saved[i],
            draws: draws.fold_in(i as u64),
            wants_input: wants_input || i > first,
        };
        d = layer.module().backward(pass, d, into).map_err(|error| (i, error))?;
    }
    Ok(d)
}

/// Shows all parts of `layers`, named by their number below `name`.
pub(crate) fn visit<'a, T>(layers: &'a [Layer<T>], name: &str, visit: &mut Visit<'_, 'a, T>) {
    for (i, layer) in layers.iter().enumerate() {
        layer.module().visit(&join(name, &i.to_string()), visit);
    }
}

/// The same, to be changed.
pub(crate) fn visit_mut<'a, T>(layers: &'a mut [Layer<T>], name: &str, visit: &mut VisitMut<'_, 'a, T>) {
    for (i, layer) in layers.iter_mut().enumerate() {
        layer.module_mut().visit_mut(&join(name, &i.to_string()), visit);
    }
}

impl<T> Layer<T> {
    /// Whether there is anything in the layer that learns or measures.
    pub(crate) fn has_parts(&self) -> bool {
        let mut found = false;
        self.module().visit("", &mut |_, _| found = true);
        found
    }
}
