//! A tile behind a pointer is a tile: networks may hold tiles of several kinds.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::state::{State, StateError, StatePart};

use crate::mapping::{PeripheryQuantization, TileSettings};
use crate::tile::{
    Inventory, MatVec, ReadOut, SampleKeys, Shape, StepWeights, Tile, TileError, VisitDigital,
};

/// What only reads works through a shared reference, too.
macro_rules! mat_vec_behind {
    ($($pointer:ty),*) => {$(
        impl<T: MatVec + ?Sized> MatVec for $pointer {
            fn shape(&self) -> Shape {
                (**self).shape()
            }

            fn forward(
                &self,
                x: DMatrixView<f32>,
                y: DMatrixViewMut<f32>,
                draws: SampleKeys,
            ) -> Result<(), TileError> {
                (**self).forward(x, y, draws)
            }

            fn periphery_precision(&self) -> PeripheryQuantization {
                (**self).periphery_precision()
            }
        }
    )*};
}

mat_vec_behind!(Box<T>, &T);

impl<T: Tile + ?Sized> Tile for Box<T> {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        (**self).backward(d, z, draws)
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        (**self).update(x, d, lr, draws)
    }

    fn end_of_step(&mut self, key: RngKey) {
        (**self).end_of_step(key);
    }

    fn absorb_factors(&mut self, factors: &[f32]) -> bool {
        (**self).absorb_factors(factors)
    }

    fn digital_weights(&mut self) -> Option<&mut [f32]> {
        (**self).digital_weights()
    }

    fn inventory(&self) -> Inventory {
        (**self).inventory()
    }

    fn visit_digital(&mut self, visit: &mut VisitDigital<'_>) {
        (**self).visit_digital(visit);
    }

    fn digital_len(&mut self) -> usize {
        (**self).digital_len()
    }

    fn update_by(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
        step: &mut StepWeights<'_>,
    ) -> Result<(), TileError> {
        (**self).update_by(x, d, lr, draws, step)
    }

    fn state(&self) -> State {
        (**self).state()
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        (**self).restore(state)
    }
}

impl<T: ReadOut + ?Sized> ReadOut for Box<T> {
    fn weights(&self) -> DMatrix<f32> {
        (**self).weights()
    }

    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        (**self).set_weights(weights, key)
    }

    fn bias(&self) -> Option<Vec<f32>> {
        (**self).bias()
    }

    fn set_bias(&mut self, bias: &[f32], key: RngKey) -> Result<(), TileError> {
        (**self).set_bias(bias, key)
    }

    fn settings(&self) -> Vec<TileSettings> {
        (**self).settings()
    }
}
