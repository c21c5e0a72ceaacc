//! Input range by the largest input: r = max|x|.
//!
//! Nothing is ever cut, but one outlier makes the steps of the DAC wide for all other inputs. It grows without limit with the number
//! of samples for inputs with long tails.

use super::Observer;

/// max|x| so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Largest(f32);

impl Observer for Largest {
    fn observe(&mut self, vector: &[f32]) {
        self.0 = vector.iter().fold(self.0, |largest, x| largest.max(x.abs()));
    }

    fn range(&self) -> Option<f64> {
        (self.0 > 0.0).then_some(f64::from(self.0))
    }
}
