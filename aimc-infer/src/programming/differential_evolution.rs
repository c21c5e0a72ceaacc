//! Differential evolution: the minimum of a function over the unit cube, without derivatives.
//!
//! ```text
//! mutant  v = x_best + F (x_a - x_b)        a, b: two other members       a coordinate outside [0, 1] is drawn anew
//! trial   u_j = v_j with probability C, else x_j;  one coordinate always v_j
//! member  x ← u if f(u) ≤ f(x),  all members of a generation together
//! polish  x_best ← the lowest of f(x_best ± δ e_j) over all coordinates j, if lower;  otherwise δ ← δ/2, from 0.1 on
//! ```
//!
//! | symbol | field | | |
//! |---|---|---|---|
//! | | `population` | members per dimension | |
//! | | `generations` | at most | |
//! | F | `mutation` | 0 to 2 | |
//! | C | `recombination` | 0 to 1 | |
//! | | `polish` | at most | rounds of the compass search at the end |
//!
//! The scheme best/1/bin; the first members are a Latin hypercube beside those that are given. Members are evaluated on
//! all threads; every draw has the address of its generation and member, so that threads do not matter.
//!
//! References: R. Storn & K. Price 1997, J. Glob. Optim. 11:341, doi:10.1023/A:1008202821328; T. G. Kolda, R. M. Lewis & V. Torczon
//! 2003, SIAM Rev. 45:385, doi:10.1137/S003614450242889 (compass search, which converges for smooth functions).

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::{RngKey, Stream};

/// Size of the first steps of the compass search.
const FIRST_STEP: f64 = 0.1;

/// Differential evolution, see the [module](self).
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_infer::programming::differential_evolution::DifferentialEvolution;
/// let bowl = |x: &[f64]| x.iter().map(|x| (x - 0.3).powi(2)).sum::<f64>();
/// let search = DifferentialEvolution { mutation: 0.6, ..DifferentialEvolution::default() };
/// let found = search.minimise(2, &[], bowl, f64::NEG_INFINITY, RngKey::root(1));
/// assert!(found.value < 1e-6);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DifferentialEvolution {
    /// Members per dimension.
    pub population: usize,
    /// Most generations.
    pub generations: usize,
    /// F, the weight of differences.
    pub mutation: f32,
    /// C, the chance of a mutated coordinate.
    pub recombination: f32,
    /// Most rounds of the local search at the end.
    pub polish: usize,
}

impl Default for DifferentialEvolution {
    fn default() -> Self {
        Self { population: 10, generations: 100, mutation: 0.5, recombination: 0.7, polish: 20 }
    }
}

/// What a search has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// Where.
    pub x: Vec<f64>,
    /// The function there.
    pub value: f64,
    /// How often it was evaluated.
    pub evaluations: usize,
}

impl DifferentialEvolution {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::at_least_one("population", self.population)?;
        require::at_least_one("generations", self.generations)?;
        require::within("mutation", self.mutation, 0.0, 2.0)?;
        require::probability("recombination", self.recombination)
    }

    /// Minimises `function` over [0, 1]^`dimensions`, starting from `given` members among others, until a value falls below
    /// `enough`. Values that are no numbers count as infinite. Never ends above the best of `given`.
    pub fn minimise(
        &self,
        dimensions: usize,
        given: &[Vec<f64>],
        function: impl Fn(&[f64]) -> f64 + Sync,
        enough: f64,
        key: RngKey,
    ) -> Minimum {
        let value = |x: &Vec<f64>| Some(function(x)).filter(|v| !v.is_nan()).unwrap_or(f64::INFINITY);
        // Two others than itself are needed for a difference.
        let count = (self.population * dimensions).max(4);
        let mut members = latin_hypercube(count, dimensions, key.fold_in(label("first members")));
        members.splice(0..given.len().min(count), given.iter().take(count).cloned());
        let mut values: Vec<f64> = members.par_iter().map(value).collect();
        let mut evaluations = count;
        for generation in 0..self.generations as u64 {
            let best = lowest(&values);
            if values[best] < enough {
                break;
            }
            let key = key.fold_in(label("generation")).fold_in(generation);
            let trial = |i| self.trial(&members, best, i, key.stream(i as u64));
            let trials: Vec<Vec<f64>> = (0..count).map(trial).collect();
            let found: Vec<f64> = trials.par_iter().map(value).collect();
            evaluations += count;
            for (i, (trial, found)) in trials.into_iter().zip(found).enumerate() {
                if found <= values[i] {
                    (members[i], values[i]) = (trial, found);
                }
            }
        }
        let best = lowest(&values);
        let found = Minimum { x: members.swap_remove(best), value: values[best], evaluations };
        self.polish(found, value, enough)
    }

    /// Goes on by compass search. Steps beyond the cube end at its wall.
    fn polish(&self, mut found: Minimum, value: impl Fn(&Vec<f64>) -> f64 + Sync, enough: f64) -> Minimum {
        let mut step = FIRST_STEP;
        for _ in 0..self.polish {
            if found.value < enough {
                break;
            }
            let moved = |i: usize| {
                let mut x = found.x.clone();
                let way = if i.is_multiple_of(2) { step } else { -step };
                x[i / 2] = (x[i / 2] + way).clamp(0.0, 1.0);
                x
            };
            let mut around: Vec<Vec<f64>> = (0..2 * found.x.len()).map(moved).collect();
            let values: Vec<f64> = around.par_iter().map(&value).collect();
            found.evaluations += around.len();
            let best = lowest(&values);
            if values[best] < found.value {
                (found.x, found.value) = (around.swap_remove(best), values[best]);
            } else {
                step /= 2.0;
            }
        }
        found
    }

    /// The trial of member `i`.
    fn trial(&self, members: &[Vec<f64>], best: usize, i: usize, mut draws: Stream) -> Vec<f64> {
        let (a, b) = two_others(members.len(), i, &mut draws);
        let dimensions = members[i].len();
        let always = draws.below(dimensions as u32) as usize;
        let coordinate = |j: usize| {
            let chosen = draws.uniform() < self.recombination || j == always;
            let fresh = f64::from(draws.uniform());
            let mutant = members[best][j] + f64::from(self.mutation) * (members[a][j] - members[b][j]);
            let mutant = if (0.0..=1.0).contains(&mutant) { mutant } else { fresh };
            if chosen { mutant } else { members[i][j] }
        };
        (0..dimensions).map(coordinate).collect()
    }
}

/// Two different members, none of which is `i`.
fn two_others(count: usize, i: usize, draws: &mut Stream) -> (usize, usize) {
    let skip = |n: usize, beyond: usize| if n >= beyond { n + 1 } else { n };
    let a = skip(draws.below(count as u32 - 1) as usize, i);
    let b = draws.below(count as u32 - 2) as usize;
    (a, skip(skip(b, i.min(a)), i.max(a)))
}

/// `count` points, one in each of as many layers of every dimension.
fn latin_hypercube(count: usize, dimensions: usize, key: RngKey) -> Vec<Vec<f64>> {
    let mut points = vec![vec![0.0; dimensions]; count];
    for j in 0..dimensions {
        let mut draws = key.stream(j as u64);
        let layers = draws.permutation(count);
        for (point, layer) in points.iter_mut().zip(layers) {
            point[j] = (layer as f64 + f64::from(draws.uniform())) / count as f64;
        }
    }
    points
}

/// Index of the lowest value, the first of several.
fn lowest(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, i| if values[i] < values[best] { i } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search() -> DifferentialEvolution {
        DifferentialEvolution {
            mutation: 0.6,
            recombination: 0.9,
            polish: 0,
            ..DifferentialEvolution::default()
        }
    }

    /// A bowl whose lowest point is a node of the grid of halved steps around the given member is met exactly: 0.3 from there
    /// in three coordinates are nine steps of 0.1. A bottom beyond the wall is approached to the wall.
    #[test]
    fn the_compass_search_goes_downhill_to_the_bottom_or_the_wall() {
        let bowl = |x: &[f64]| (x[0] - 0.8).powi(2) + (x[1] - 0.2).powi(2) + (x[2] - 1.2).powi(2);
        let walk = |polish| {
            let search = DifferentialEvolution {
                population: 1,
                generations: 1,
                recombination: 0.0,
                mutation: 0.0,
                polish,
            };
            let start = vec![vec![0.5, 0.5, 0.7]];
            search.minimise(3, &start, bowl, f64::NEG_INFINITY, RngKey::root(1))
        };
        let (coarse, fine, finer) = (walk(0), walk(9), walk(60));
        assert!(fine.value < coarse.value, "{fine:?} {coarse:?}");
        assert_eq!(fine.evaluations, coarse.evaluations + 9 * 6);
        // The last of 60 rounds, at most 15 of which move, is shorter than 0.1/2^40; the derivative is 0 at the bottom.
        assert!((finer.value - 0.04).abs() < 1e-12 && finer.x[2] == 1.0, "{finer:?}");
    }

    /// Rosenbrock's valley, whose minimum 0 lies at (0.75, 0.75) of the cube [-2, 2]².
    fn valley(x: &[f64]) -> f64 {
        let (x, y) = (4.0 * x[0] - 2.0, 4.0 * x[1] - 2.0);
        (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
    }

    /// Rosenbrock's valley: min f = 0 at (0.75, 0.75).
    #[test]
    fn the_bottom_of_a_valley_is_found() {
        let found = search().minimise(2, &[], valley, f64::NEG_INFINITY, RngKey::root(3));
        assert!(found.value < 1e-8 && (found.x[0] - 0.75).abs() < 1e-3, "{found:?}");
        assert_eq!(found.evaluations, 20 * 101);
    }

    /// f(found) ≤ f(given); NaN counts as ∞.
    #[test]
    fn it_never_ends_above_what_was_given_and_stops_when_it_is_enough() {
        let given = vec![vec![0.75, 0.75]];
        let found = search().minimise(2, &given, valley, 1e-6, RngKey::root(3));
        assert_eq!((found.x, found.value, found.evaluations), (given[0].clone(), 0.0, 20));
        let nowhere = search().minimise(2, &[], |_| f64::NAN, 0.0, RngKey::root(3));
        assert_eq!(nowhere.value, f64::INFINITY);
    }

    /// Draws are addressed: bits on one thread = bits on several.
    #[test]
    fn bits_do_not_depend_on_the_number_of_threads() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| search().minimise(2, &[], valley, f64::NEG_INFINITY, RngKey::root(5)))
        };
        assert_eq!(run(1), run(2));
    }

    /// 0 ≤ x ≤ 1; a Latin hypercube has one point in each of n layers.
    #[test]
    fn members_stay_in_the_cube_and_start_in_all_layers() {
        let outside =
            |x: &[f64]| if x.iter().all(|x| (0.0..=1.0).contains(x)) { x[0] } else { f64::NEG_INFINITY };
        let found = search().minimise(3, &[], outside, f64::NEG_INFINITY, RngKey::root(8));
        assert!((0.0..1e-3).contains(&found.value), "{found:?}");
        let points = latin_hypercube(50, 2, RngKey::root(1));
        let mut layers: Vec<usize> = points.iter().map(|p| (50.0 * p[1]) as usize).collect();
        layers.sort_unstable();
        assert_eq!(layers, (0..50).collect::<Vec<_>>());
    }

    /// Two different members, both other than the own: all 3·2 ordered pairs of 4 occur.
    #[test]
    fn the_others_are_two_and_all_of_them_occur() {
        let mut draws = RngKey::root(2).stream(0);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let (a, b) = two_others(4, 1, &mut draws);
            assert!(a != b && a != 1 && b != 1 && a < 4 && b < 4);
            seen.insert((a, b));
        }
        assert_eq!(seen.len(), 6);
    }
}
