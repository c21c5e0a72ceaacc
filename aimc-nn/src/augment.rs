//! Augmentation: images seen a little differently every time, so that a network learns what does not matter.
//!
//! A sample of shape \[channels, height, width\] is shifted by up to `shift` pixels each way, its empty border filled
//! with 0, and mirrored left to right with probability 1/2 if `flip` is set. Shifting by s is what is elsewhere called a
//! random crop after padding with s pixels. Draws belong to the sample.
//!
//! ```
//! use aimc_nn::augment::moved;
//! // One row of three pixels, moved right by one; then mirrored.
//! let image = [1.0, 2.0, 3.0];
//! assert_eq!(moved(&image, [1, 1, 3], (0, 1), false), [0.0, 1.0, 2.0]);
//! assert_eq!(moved(&image, [1, 1, 3], (0, 1), true), [2.0, 1.0, 0.0]);
//! ```

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::SampleKeys;

/// How images are augmented, see the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentConfig {
    /// Shape of a sample: channels, height, width.
    pub image: [usize; 3],
    /// Largest shift in each direction (pixels).
    pub shift: usize,
    /// Mirror half of the samples.
    pub flip: bool,
}

impl AugmentConfig {
    /// Refuses images without pixels and shifts that leave nothing of them.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (i, size) in self.image.iter().enumerate() {
            require::at_least_one(&format!("image[{i}]"), *size)?;
        }
        let smallest = self.image[1].min(self.image[2]);
        let requirement = format!("must be below the {smallest} pixels of a side of the image");
        require::that(self.shift < smallest, "shift", self.shift, &requirement)
    }

    /// Augments every column of `samples`; refuses samples of another size.
    pub fn apply(&self, samples: &mut DMatrix<f32>, draws: SampleKeys) -> Result<(), ConfigError> {
        let pixels: usize = self.image.iter().product();
        let requirement = format!("must have the {} numbers of a sample", samples.nrows());
        require::that(samples.nrows() == pixels, "image", self.image, &requirement)?;
        for (sample, mut column) in samples.column_iter_mut().enumerate() {
            let mut draw = draws.sample(sample).stream(0);
            let mut offset = || draw.below(2 * self.shift as u32 + 1) as isize - self.shift as isize;
            let by = (offset(), offset());
            let mirror = self.flip && draw.uniform() < 0.5;
            column.copy_from_slice(&moved(column.as_slice(), self.image, by, mirror));
        }
        Ok(())
    }
}

/// The image moved down and right by so many pixels, then mirrored left to right if asked for.
#[must_use]
pub fn moved(
    image: &[f32],
    [channels, height, width]: [usize; 3],
    (down, right): (isize, isize),
    mirror: bool,
) -> Vec<f32> {
    let mut moved = vec![0.0; image.len()];
    for (at, value) in moved.iter_mut().enumerate().take(channels * height * width) {
        let (channel, row, column) = (at / (height * width), at / width % height, at % width);
        let column = if mirror { width - 1 - column } else { column };
        let (row, column) = (row.checked_add_signed(-down), column.checked_add_signed(-right));
        if let (Some(row), Some(column)) = (row.filter(|r| *r < height), column.filter(|c| *c < width)) {
            *value = image[(channel * height + row) * width + column];
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_device::RngKey;

    fn image() -> DMatrix<f32> {
        DMatrix::from_fn(2 * 4 * 5, 400, |i, _| i as f32 + 1.0)
    }

    fn augmented(config: &AugmentConfig, first: u64) -> DMatrix<f32> {
        let mut samples = image();
        config.apply(&mut samples, SampleKeys::new(RngKey::root(3)).skip(first)).unwrap();
        samples
    }

    /// All 3·3·2 ways occur, each is one of the moved images, and the draws are those of the sample.
    #[test]
    fn every_way_occurs_and_belongs_to_the_sample() {
        let config = AugmentConfig { image: [2, 4, 5], shift: 1, flip: true };
        let samples = augmented(&config, 0);
        let whole = image();
        let ways = (-1..=1)
            .flat_map(|down| (-1..=1).flat_map(move |right| [(down, right, false), (down, right, true)]));
        let mut seen = 0;
        for (down, right, mirror) in ways {
            let wanted = moved(whole.column(0).as_slice(), config.image, (down, right), mirror);
            let count = samples.column_iter().filter(|column| column.as_slice() == wanted).count();
            // A way has probability 1/18: none of 400 samples has it with probability 10⁻¹⁰.
            assert!(count > 0, "{down} {right} {mirror}");
            seen += count;
        }
        assert_eq!(seen, 400);
        assert_eq!(augmented(&config, 7).column(0), samples.column(7));
    }

    /// No augmentation: the image.
    #[test]
    fn nothing_asked_changes_nothing() {
        assert_eq!(augmented(&AugmentConfig { image: [2, 4, 5], ..AugmentConfig::default() }, 0), image());
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let refused = |config: AugmentConfig| config.validate().unwrap_err().field;
        assert_eq!(refused(AugmentConfig { image: [1, 0, 3], ..AugmentConfig::default() }), "image[1]");
        assert_eq!(refused(AugmentConfig { image: [1, 3, 4], shift: 3, flip: false }), "shift");
        let other = AugmentConfig { image: [1, 3, 4], shift: 1, flip: false };
        assert_eq!(other.apply(&mut image(), SampleKeys::new(RngKey::root(3))).unwrap_err().field, "image");
    }
}
