//! What the converters see: the currents of the bit lines, for the calibration of their range.

use nalgebra::{DMatrix, DMatrixView};

use super::AnalogMvm;
use crate::matmul::Weights;
use crate::periphery::adc::{Adc, AdcBank};
use crate::periphery::bound_management::{BoundManagement, Halving};
use crate::periphery::io::IoConfig;
use crate::tile::{SampleKeys, TileError};

impl AnalogMvm {
    /// The currents at the converters in the first round of a product, noise included, in the units of `out_bound`: outputs x
    /// batch. All that lies before the converters is as in [`AnalogMvm::multiply`], draws included.
    ///
    /// With products that are summed up behind the converters it is the sum.
    pub fn currents(
        &self,
        weights: Weights<'_>,
        x: &DMatrixView<f32>,
        draws: SampleKeys,
    ) -> Result<DMatrix<f32>, TileError> {
        let io = IoConfig {
            out_bound: 0.0,
            out_res: -1.0,
            out_scale: 1.0,
            adc: AdcBank::default(),
            bound_management: BoundManagement::None,
            ..self.io.clone()
        };
        let open = Self { adc: Adc::new(&io), halving: Halving::new(&io), io, ..self.clone() };
        let mut currents = DMatrix::zeros(weights.outputs(), x.ncols());
        open.multiply(weights, x, &mut currents.as_view_mut(), draws)?;
        for (mut currents, x) in currents.column_iter_mut().zip(x.column_iter()) {
            let scale = self.scaling.of(x.as_slice(), &self.average);
            if scale > 0.0 {
                currents /= scale;
            }
        }
        Ok(currents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::periphery::noise_management::NoiseManagement;
    use crate::tile::Shape;
    use aimc_device::RngKey;

    /// A product is its currents, times the scale of noise management, if no converter rounds or cuts; a current is the same
    /// whatever the converters behind are.
    #[test]
    fn currents_are_products_before_the_converters() {
        let open = IoConfig {
            out_bound: 0.0,
            out_res: -1.0,
            bound_management: BoundManagement::None,
            ..IoConfig::default()
        };
        let narrow = IoConfig { out_bound: 0.3, ..IoConfig::default() };
        let shape = Shape { outputs: 2, inputs: 3 };
        let (key, draws) = (RngKey::root(1), SampleKeys::new(RngKey::root(2)));
        let weights = [0.5, -1.0, 0.25, 1.0, 1.0, 1.0];
        let weights = Weights::new(&weights, 2, 3);
        let x = DMatrix::from_column_slice(3, 2, &[4.0, -2.0, 1.0, 0.5, 0.25, 0.125]);
        for noise_management in [NoiseManagement::None, NoiseManagement::AbsMax] {
            let circuits = |io: &IoConfig| {
                AnalogMvm::forward(&IoConfig { noise_management, ..io.clone() }, shape, key).unwrap()
            };
            let mut y = DMatrix::zeros(2, 2);
            circuits(&open).multiply(weights, &x.as_view(), &mut y.as_view_mut(), draws).unwrap();
            let currents = circuits(&narrow).currents(weights, &x.as_view(), draws).unwrap();
            let managed = noise_management == NoiseManagement::AbsMax;
            let scales = if managed { [4.0, 0.5] } else { [1.0, 1.0] };
            for (sample, scale) in scales.into_iter().enumerate() {
                let product = currents.column(sample) * scale;
                assert!((product - y.column(sample)).amax() < 1e-5, "{noise_management:?}");
            }
            assert!(currents.amax() > 0.3);
        }
    }
}
