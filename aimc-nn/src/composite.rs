//! Layers made of layers: residual branches, branches side by side, layers applied to every step of a sequence.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile, gathered};

use crate::chain::{self, At, Passed};
use crate::layer::{Layer, LayerConfig, Record, Site, build_chain, chain_operations, chain_outputs};
use crate::linear::Convert;
use crate::module::{
    Backward, Gradients, LayerError, Module, Saved, Visit, VisitMut, check_features, join, reread,
};

/// x plus what the layers make of it (He et al. 2016, doi:10.1109/CVPR.2016.90).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResidualConfig {
    /// The branch.
    pub layers: Vec<LayerConfig>,
    /// Layers of the other branch, where x must change its shape to be added; none for x itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortcut: Vec<LayerConfig>,
}

impl Record for ResidualConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        let branch = chain_outputs(&self.layers, inputs).map_err(|error| error.within("layers"))?;
        let other = chain_outputs(&self.shortcut, inputs).map_err(|error| error.within("shortcut"))?;
        let requirement = format!("must give the shape {other:?} to which they are added");
        require::that(branch == other, "layers", &branch, &requirement)?;
        Ok(branch)
    }

    fn operations(&self, inputs: &[usize]) -> u64 {
        let outputs = self.outputs(inputs).map_or(0, |outputs| outputs.iter().product::<usize>() as u64);
        chain_operations(&self.layers, inputs) + chain_operations(&self.shortcut, inputs) + outputs
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let branches = vec![
            build_chain(&self.layers, inputs, &mut site.part("layers"))?,
            build_chain(&self.shortcut, inputs, &mut site.part("shortcut"))?,
        ];
        Ok(Layer::Branches(Branches { names: &RESIDUAL, branches, join: Join::Sum }))
    }
}

const RESIDUAL: [&str; 2] = ["layers", "shortcut"];

/// The outputs of several chains of layers on the same input, one after the other along the first dimension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcatConfig {
    /// The chains; an empty one gives the input itself.
    pub branches: Vec<Vec<LayerConfig>>,
}

impl Record for ConcatConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        let mut shape: Option<Vec<usize>> = None;
        for (i, branch) in self.branches.iter().enumerate() {
            let field = format!("branches[{i}]");
            let next = chain_outputs(branch, inputs).map_err(|error| error.within(&field))?;
            shape = Some(match shape {
                None => next,
                Some(before) => {
                    let requirement = format!("must agree with {before:?} in all but the first dimension");
                    let fits = next.len() == before.len() && next[1..] == before[1..];
                    require::that(fits, &field, &next, &requirement)?;
                    [vec![before[0] + next[0]], next[1..].to_vec()].concat()
                }
            });
        }
        shape.ok_or_else(|| ConfigError::new("branches", "", "must hold at least one chain of layers"))
    }

    fn operations(&self, inputs: &[usize]) -> u64 {
        self.branches.iter().map(|branch| chain_operations(branch, inputs)).sum()
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let branches = self.branches.iter().enumerate();
        let branches =
            branches.map(|(i, layers)| build_chain(layers, inputs, &mut site.part(&format!("branch{i}"))));
        let branches = branches.collect::<Result<Vec<_>, _>>()?;
        Ok(Layer::Branches(Branches { names: &[], branches, join: Join::Stack }))
    }
}

/// How the outputs of branches become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Join {
    Sum,
    Stack,
}

/// Several chains of layers on the same input.
#[derive(Clone, Debug)]
pub struct Branches<T> {
    /// The chains.
    pub branches: Vec<Vec<Layer<T>>>,
    names: &'static [&'static str],
    join: Join,
}

/// An error inside a chain, without the number of the layer, which the outer one has.
fn inner((_, error): At) -> LayerError {
    error
}

impl<T> Branches<T> {
    /// Name of chain `i` of the layer `name`.
    pub(crate) fn name(&self, name: &str, i: usize) -> String {
        branch_name(self.names, name, i)
    }

    /// The same layer with other tiles.
    pub fn try_map<U, E>(&self, name: &str, convert: &mut Convert<'_, T, U, E>) -> Result<Branches<U>, E> {
        let branches = self.branches.iter().enumerate();
        let branches = branches.map(|(i, layers)| map_chain(layers, &self.name(name, i), convert));
        Ok(Branches { branches: branches.collect::<Result<_, E>>()?, names: self.names, join: self.join })
    }

    fn joined(&self, outputs: &[&DMatrix<f32>]) -> DMatrix<f32> {
        match self.join {
            Join::Sum => outputs[1..].iter().fold(outputs[0].clone(), |sum, y| sum + *y),
            Join::Stack => stack(outputs),
        }
    }
}

fn branch_name(names: &[&str], name: &str, i: usize) -> String {
    match names.get(i) {
        Some(part) => join(name, part),
        None => join(name, &format!("branch{i}")),
    }
}

fn map_chain<T, U, E>(
    layers: &[Layer<T>],
    name: &str,
    convert: &mut Convert<'_, T, U, E>,
) -> Result<Vec<Layer<U>>, E> {
    let layers = layers.iter().enumerate();
    layers.map(|(i, layer)| layer.try_map(&join(name, &i.to_string()), convert)).collect()
}

/// Matrices on top of each other.
pub(crate) fn stack(parts: &[&DMatrix<f32>]) -> DMatrix<f32> {
    let rows = parts.iter().map(|part| part.nrows()).sum();
    let mut out = DMatrix::zeros(rows, parts[0].ncols());
    let mut first = 0;
    for part in parts {
        out.rows_mut(first, part.nrows()).copy_from(part);
        first += part.nrows();
    }
    out
}

impl<T> Module<T> for Branches<T> {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        for (i, layers) in self.branches.iter().enumerate() {
            chain::visit(layers, &self.name(name, i), visit);
        }
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        let names = self.names;
        for (i, layers) in self.branches.iter_mut().enumerate() {
            chain::visit_mut(layers, &branch_name(names, name, i), visit);
        }
    }

    fn forward(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, LayerError>
    where
        T: MatVec,
    {
        let branches = self.branches.iter().enumerate();
        let outputs = branches
            .map(|(i, layers)| chain::forward(layers, x, draws.fold_in(i as u64)).map_err(inner))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(self.joined(&outputs.iter().collect::<Vec<_>>()))
    }

    fn trace(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<(DMatrix<f32>, Saved), LayerError>
    where
        T: MatVec,
    {
        let branches = self.branches.iter().enumerate();
        let passed = branches
            .map(|(i, layers)| chain::trace(layers, x.clone(), draws.fold_in(i as u64)).map_err(inner))
            .collect::<Result<Vec<_>, _>>()?;
        let y = self.joined(&passed.iter().map(Passed::output).collect::<Vec<_>>());
        Ok((y, Saved::Chains(passed)))
    }

    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        let Saved::Chains(chains) = pass.saved else { return Ok(d) };
        let (mut dx, mut first) = (DMatrix::zeros(pass.x.nrows(), pass.x.ncols()), 0);
        for (i, (layers, passed)) in self.branches.iter().zip(chains).enumerate() {
            let rows = passed.output().nrows();
            let d = match self.join {
                Join::Sum => d.clone(),
                Join::Stack => gathered(&d.rows(first, rows)),
            };
            first += rows;
            let name = self.name(pass.name, i);
            let names = |layer: usize| join(&name, &layer.to_string());
            let site: (&dyn Fn(usize) -> String, _, _) =
                (&names, pass.draws.fold_in(i as u64), pass.wants_input);
            let back = chain::backward(layers, passed, site, d, into).map_err(inner)?;
            if pass.wants_input {
                dx += back;
            }
        }
        Ok(dx)
    }
}

/// Applies layers to every step of a sequence, samples of shape \[steps, …\], with the same weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EachStepConfig {
    /// The layers, which see one step.
    pub layers: Vec<LayerConfig>,
}

impl Record for EachStepConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        require::that(inputs.len() >= 2, "", inputs, "needs samples of shape [steps, features]")?;
        let outputs = chain_outputs(&self.layers, &inputs[1..]).map_err(|error| error.within("layers"))?;
        Ok([vec![inputs[0]], outputs].concat())
    }

    fn operations(&self, inputs: &[usize]) -> u64 {
        inputs[0] as u64 * chain_operations(&self.layers, &inputs[1..])
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let layers = build_chain(&self.layers, &inputs[1..], &mut site.part("layers"))?;
        let features = inputs[1..].iter().product();
        Ok(Layer::EachStep(EachStep { layers, steps: inputs[0], features }))
    }
}

/// The layer.
#[derive(Clone, Debug)]
pub struct EachStep<T> {
    /// The layers, which see one step.
    pub layers: Vec<Layer<T>>,
    steps: usize,
    features: usize,
}

impl<T> EachStep<T> {
    /// The same layer with other tiles.
    pub fn try_map<U, E>(&self, name: &str, convert: &mut Convert<'_, T, U, E>) -> Result<EachStep<U>, E> {
        let layers = map_chain(&self.layers, &join(name, "layers"), convert)?;
        Ok(EachStep { layers, steps: self.steps, features: self.features })
    }

    /// A sample as its steps, a column each.
    fn steps(&self, x: &DMatrix<f32>) -> Result<DMatrix<f32>, LayerError> {
        check_features(x, self.steps * self.features)?;
        Ok(reread(x.clone(), self.features))
    }

    /// The steps of each sample as one column again.
    fn samples(&self, steps: DMatrix<f32>) -> DMatrix<f32> {
        let rows = steps.nrows() * self.steps;
        reread(steps, rows)
    }
}

impl<T> Module<T> for EachStep<T> {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        chain::visit(&self.layers, &join(name, "layers"), visit);
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        chain::visit_mut(&mut self.layers, &join(name, "layers"), visit);
    }

    fn forward(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, LayerError>
    where
        T: MatVec,
    {
        let y = chain::forward(&self.layers, &self.steps(x)?, draws.each(self.steps)).map_err(inner)?;
        Ok(self.samples(y))
    }

    fn trace(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<(DMatrix<f32>, Saved), LayerError>
    where
        T: MatVec,
    {
        let passed = chain::trace(&self.layers, self.steps(x)?, draws.each(self.steps)).map_err(inner)?;
        Ok((self.samples(passed.output().clone()), Saved::Chains(vec![passed])))
    }

    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        let Saved::Chains(chains) = pass.saved else { return Ok(d) };
        let name = pass.part("layers");
        let names = |layer: usize| join(&name, &layer.to_string());
        let d = reread(d, chains[0].output().nrows());
        let before = into.tiles.len();
        let site: (&dyn Fn(usize) -> String, _, _) = (&names, pass.draws.each(self.steps), pass.wants_input);
        let back = chain::backward(&self.layers, &chains[0], site, d, into).map_err(inner)?;
        into.tiles[before..].iter_mut().for_each(|tile| tile.per_sample *= self.steps);
        Ok(if pass.wants_input { self.samples(back) } else { back })
    }
}
