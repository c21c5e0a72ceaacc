//! IR drop in closed form: how much current the resistance of the bit line costs, from the load of the line alone.
//!
//! ```text
//! C = Σⱼ |Wⱼ||x̂ⱼ|      a = n·C/g      c = a(a(0.05a - 0.2) + 0.5)
//! y ← y - s·c·Σⱼ Wⱼ x̂ⱼ (1 - (1 - j/n)²)
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | s scale of the effect, 0: none | `ir_drop` | 1 |
//! | g conductance of a wire segment over that of a device at weight 1 | `ir_drop_g_ratio` | 1/(0.35 Ω · 5 µS) |
//! | n inputs of the line; j = 0 is the farthest from the ADC | | 512 |
//!
//! a is the load of the line in units of what its wire carries. All-on lines of 512 devices at 5 µS and 0.35 Ω read
//! 0.8721 of the ideal. The law is a fit: weights and inputs count by their sums, not by where they lie. The exact
//! answer is that of the [nodal solver](super::nodal).
//!
//! Reference: M. J. Rasch et al. 2023, *Hardware-aware training for large-scale and diverse deep learning inference
//! workloads using in-memory computing-based accelerators*, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4.

/// Share c of the position-weighted current that a line loses, from its load a.
#[inline(always)]
#[must_use]
pub fn lost_share(load: f32) -> f32 {
    load * (load * (0.05 * load - 0.2) + 0.5)
}

/// Weight 1 - (1 - j/n)² of input `j` of `n`: 0 at the far end of the line.
#[inline(always)]
#[must_use]
pub fn position_weight(j: usize, n: usize) -> f32 {
    let near = 1.0 - j as f32 / n as f32;
    1.0 - near * near
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;

    /// y/y₀ = 1 - c(a)·(1 - (n+1)(2n+1)/(6n²)) for all-on lines; the sum of n terms errs by at most n roundings.
    #[test]
    fn all_on_lines_read_the_known_share() {
        let n = 512;
        let load = n as f32 * n as f32 / (1.0 / 0.35 / 5e-6);
        let weights: f32 = (0..n).map(|j| position_weight(j, n)).sum();
        let found = 1.0 - lost_share(load) * weights / n as f32;
        let size = n as f32;
        let mean = 1.0 - (size + 1.0) * (2.0 * size + 1.0) / (6.0 * size * size);
        assert_close!(found, 1.0 - lost_share(load) * mean, n as f32 * f32::EPSILON);
        assert_close!(found, 0.8721, 5e-5);
    }
}
