//! Points that no other point beats: at least as good in every goal and better in one.

use super::config::Goal;

/// Which points are on the Pareto front. `goals`: for each goal which way is better, and its value at every point; a point with
/// a value that is no number is on no front. Without goals there is no front.
pub(crate) fn front(goals: &[(Goal, Vec<f64>)]) -> Vec<bool> {
    let points = goals.first().map_or(0, |(_, values)| values.len());
    let losses = |point: usize| {
        let loss = |(goal, values): &(Goal, Vec<f64>)| match goal {
            Goal::Maximise => -values[point],
            Goal::Minimise => values[point],
        };
        goals.iter().map(loss).collect::<Vec<f64>>()
    };
    let losses: Vec<Vec<f64>> = (0..points).map(losses).collect();
    let beats =
        |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b);
    let on_front = |own: &Vec<f64>| {
        own.iter().all(|loss| !loss.is_nan()) && !losses.iter().any(|other| beats(other, own))
    };
    losses.iter().map(on_front).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_on_the_front_unless_another_beats_it() {
        let accuracy = vec![0.9, 0.8, 0.7, 0.9, f64::NAN];
        let energy = vec![3.0, 1.0, 2.0, 3.0, 0.5];
        let both = [(Goal::Maximise, accuracy.clone()), (Goal::Minimise, energy)];
        // The third is beaten by the second; equal points do not beat each other.
        assert_eq!(front(&both), [true, true, false, true, false]);
        assert_eq!(front(&[(Goal::Maximise, accuracy)]), [true, false, false, true, false]);
        assert!(front(&[]).is_empty());
    }
}
