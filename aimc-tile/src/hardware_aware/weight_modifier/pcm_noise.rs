//! Phase-change memory: weights as a pair of PCM devices would give them back some time after programming.
//!
//! ```text
//! g = min(|W|, A)·g_max/A                                    the device that holds the weight; the other one is empty
//! g ≤ z·s·0.26348 → 0                                        z = pcm_zero_thres, s = std_dev
//! faults, one after the other: with pcm_prob_at_reset g = 0;  with pcm_prob_at_gmax one of the two devices is full, so that
//!    sign(W)·g becomes ± g_max or sign(W)·g ∓ g_max;  with pcm_prob_at_random it is uniform in ± g_max
//! g ≠ 0:  g_p = max(g + s·σ_p(g)ξ₁, 0)                        programming noise
//!         g_d = g_p((t + t₀)/t₀)^-(ν - ν̄)                    drift beyond the mean drift of that state, which is compensated
//!         g_r = max(g_d + s·σ_r ξ₃, 0)                        read noise at t
//! W' = sign·g_r·A/g_max
//! ```
//!
//! t is `pcm_t_inference`, t₀ `pcm_t0`. σ_p, ν = ν(g, ξ₂), ν̄ = ν(g, 0) and σ_r are those of [`PcmLike`]: training meets the
//! device that inference is evaluated on.
//!
//! AIHWKit has this modifier on GPUs only. There the exponent of the drift is the absolute value of its deviation, so that
//! compensated devices still lose conductance on average; noise below 0 is reflected, and the sign of the weight is put back
//! even where a full device has turned it. Here the deviation has both signs, conductances are cut at 0 as the device does, and
//! the sign is that of the pair. Not modelled: noise of the empty device, the time since programming as a distribution.
//!
//! References: S. R. Nandakumar et al. 2019, IEEE ICECS p. 727, doi:10.1109/ICECS46596.2019.8964852; V. Joshi et al. 2020,
//! Nat. Commun. 11:2473, doi:10.1038/s41467-020-16108-9.

use aimc_device::programmed::{PcmLike, ProgrammedDevice};
use aimc_device::rng::Stream;

use super::WeightModifierConfig;

/// What chance decides about one weight: uniform numbers in [0, 1) and standard normals.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Draws {
    /// Whether the device is stuck at reset.
    pub at_reset: f32,
    /// Whether one of the pair is full.
    pub at_gmax: f32,
    /// Which of the pair: the negative one below ½.
    pub which: f32,
    /// Whether the pair holds anything.
    pub at_random: f32,
    /// What it then holds.
    pub random: f32,
    /// Error of programming.
    pub programming: f32,
    /// Deviation of the drift exponent.
    pub drift: f32,
    /// Read noise.
    pub read: f32,
}

impl Draws {
    /// The next draws of a stream.
    pub(super) fn next(stream: &mut Stream) -> Self {
        Self {
            at_reset: stream.uniform(),
            at_gmax: stream.uniform(),
            which: stream.uniform(),
            at_random: stream.uniform(),
            random: stream.uniform(),
            programming: stream.normal(),
            drift: stream.normal(),
            read: stream.normal(),
        }
    }
}

/// The device pair behind every weight, see the [module](self).
#[derive(Clone, Debug)]
pub struct PcmNoise {
    device: PcmLike,
    zero_below: f32,
    prob_at_reset: f32,
    prob_at_gmax: f32,
    prob_at_random: f32,
    t_inference: f32,
}

impl PcmNoise {
    /// The pair that the record describes.
    ///
    /// ```
    /// use aimc_tile::hardware_aware::WeightModifierConfig;
    /// use aimc_tile::hardware_aware::weight_modifier::pcm_noise::{Draws, PcmNoise};
    /// let record = WeightModifierConfig { std_dev: 1.0, ..WeightModifierConfig::default() };
    /// let draws = Draws { programming: 1.0, at_reset: 1.0, at_gmax: 1.0, at_random: 1.0, ..Draws::default() };
    /// // Half way up: 0.26348 + 1.9650/2 - 1.1731/4 = 0.952705 µS of 25 µS.
    /// let w = PcmNoise::new(&record).modified(-0.5, 1.0, draws);
    /// assert!((w + 0.5 + 0.952_705 / 25.0).abs() < 1e-6);
    /// ```
    #[must_use]
    pub fn new(record: &WeightModifierConfig) -> Self {
        let scale = record.std_dev;
        let device = PcmLike {
            g_max: record.g_max,
            t_0: record.pcm_t0,
            prog_noise_scale: scale,
            read_noise_scale: scale,
            prog_coeff_g_max_reference: Some(record.g_max),
            ..PcmLike::default()
        };
        Self {
            zero_below: record.pcm_zero_thres * device.programming_std(0.0),
            prob_at_reset: record.pcm_prob_at_reset,
            prob_at_gmax: record.pcm_prob_at_gmax,
            prob_at_random: record.pcm_prob_at_random,
            t_inference: record.pcm_t_inference,
            device,
        }
    }

    /// What the pair is programmed to, with the sign of the weight (µS).
    fn target(&self, w: f32, wmax: f32, draws: Draws) -> f32 {
        let g_max = self.device.g_max;
        let mut g = w.clamp(-wmax, wmax) * g_max / wmax;
        if g.abs() <= self.zero_below || draws.at_reset < self.prob_at_reset {
            g = 0.0;
        }
        if draws.at_gmax < self.prob_at_gmax {
            let full = if draws.which < 0.5 { -g_max } else { g_max };
            g = (g + full).clamp(-g_max, g_max);
        }
        if draws.at_random < self.prob_at_random {
            g = (2.0 * draws.random - 1.0) * g_max;
        }
        g
    }

    /// The modified weight.
    #[must_use]
    pub fn modified(&self, w: f32, wmax: f32, draws: Draws) -> f32 {
        let (device, t) = (&self.device, self.t_inference);
        let signed = self.target(w, wmax, draws);
        if signed == 0.0 {
            return 0.0;
        }
        let g = signed.abs();
        let programmed = device.program(g, draws.programming);
        let nu = device.drift_exponent(g, draws.drift) - device.drift_exponent(g, 0.0);
        let read = device.read(programmed, device.drifted(programmed, nu, t), t, draws.read);
        (read * wmax / device.g_max).copysign(signed)
    }
}
