//! Quantiles of samples.

/// Quantile of sorted values (at least one), interpolated linearly between neighbours (numpy's default); `level` in 0..=1.
#[must_use]
pub fn quantile(sorted: &[f64], level: f64) -> f64 {
    let place = level * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Q(p) = x_k + t(x_{k+1} - x_k), p(n - 1) = k + t.
    #[test]
    fn between_neighbours() {
        let sorted = [1.0, 2.0, 4.0];
        assert_eq!(
            [0.0, 0.25, 0.5, 0.75, 1.0].map(|level| quantile(&sorted, level)),
            [1.0, 1.5, 2.0, 3.0, 4.0]
        );
        assert_eq!(quantile(&[7.0], 0.3), 7.0);
    }
}
