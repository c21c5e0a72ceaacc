"""All records of the configurations, generated from their schema by generate.py; do not edit.

Fields, defaults and meaning are those of the TOML files. A record is checked when a tile is built, or by `validate`.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal, Union

from ._record import Record


@dataclasses.dataclass(kw_only=True, slots=True)
class AdcBank(Record):
    """The converters of a tile."""

    #: How a converter finds its number.
    architecture: Architecture = dataclasses.field(default_factory=lambda: IdealAdc())

    #: Neighbouring columns that share one converter, one after another.
    columns_per_adc: int = 1

    #: Relative spread of the gain from converter to converter.
    gain_std: float = 0.0

    #: Spread of the offset from converter to converter, in steps.
    offset_std: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class AdcRange(Record):
    """The rule."""

    #: q.
    quantile: float = 1.0


@dataclasses.dataclass(kw_only=True, slots=True)
class Agad(Record):
    """The same with a tracked reference."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Agad")

    #: The devices, from the fastest array to the slowest; none: the device of the tile in all arrays.
    devices: list[UnitCell] = dataclasses.field(default_factory=list)

    #: Share of an array in the weight relative to that of the next one; 0 hides all but the last.
    gamma: float = 0.0

    #: The shares one by one, instead of `gamma`.
    gamma_vec: list[float] = dataclasses.field(default_factory=list)

    #: Period of the transfers; 0 is never.
    transfer_every: float = 1.0

    #: The period counts mini-batches, otherwise vectors.
    units_in_mbatch: bool = False

    #: The periods array by array, instead of those that follow from `transfer_every`.
    transfer_every_vec: list[float] = dataclasses.field(default_factory=list)

    #: Slices read in a transfer.
    n_reads_per_transfer: int = 1

    #: Slices are columns, read forward; otherwise rows, read backward.
    transfer_columns: bool = True

    #: Probability that the devices of a column are reset after it was read.
    with_reset_prob: float = 0.0

    #: The first slice of a transfer is random; otherwise slices come in turn.
    random_selection: bool = False

    #: Learning rate of the fast array; 0 is that of the optimiser.
    fast_lr: float = 1.0

    #: Multiply it by that of the optimiser, as AIHWKit does after 1.1.
    scale_fast_lr: bool = False

    #: Learning rate of the transfer.
    transfer_lr: float = 1.0

    #: The same array by array.
    transfer_lr_vec: list[float] = dataclasses.field(default_factory=list)

    #: Multiply it by that of the optimiser.
    scale_transfer_lr: bool = True

    #: Circuits that read an array for its transfer; noise and bound management are off.
    transfer_forward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: Pulses that write the transfer.
    transfer_update: UpdateConfig = dataclasses.field(default_factory=lambda: UpdateConfig(desired_bl=1, update_bl_management=False, update_management=False))

    #: Follow AIHWKit 1.1 where it departs from the papers, see `docs/differences-from-aihwkit.md`.
    as_aihwkit: bool = False

    #: Inverse of the sweeps after which the sign of a slice flips.
    in_chop_prob: float = 0.1

    #: Flip at random besides, with that probability.
    in_chop_random: bool = False

    #: Granularity of the buffer, in pulses of the fast array; 0 or below is 1.
    buffer_granularity: float = 1.0

    #: Vectors after which a slice writes a pulse if the fast array moved by one pulse per vector; 0 is off.
    auto_granularity: float = 0.0

    #: Pulses of the slow array for each threshold reached.
    step: float = 1.0

    #: What is left of the buffer after a write.
    momentum: float = 0.0

    #: `momentum` acts on the whole buffer; otherwise on what was written.
    forget_buffer: bool = True

    #: Largest buffer in units of desired_bl, without `forget_buffer`; 0 is no limit.
    buffer_cap: float = 0.0

    #: Weight of the last reads of a period in the reference.
    tail_weightening: float = 5.0

    #: Divide what the buffer gains by the reads since the last flip, which have accumulated.
    experimental_correct_accumulation: bool = False

    #: Scale the fast learning rate by the sizes of x and d.
    auto_scale: bool = False

    #: Momentum of the running means of those sizes.
    auto_momentum: float = 0.99

    #: Scale the transfer such that the slow array learns as fast as by plain gradient descent.
    correct_gradient_magnitudes: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class AihwkitLadderTime(Record):
    """In AIHWKit's ticks, for its `OnePass`."""

    Aihwkit: AihwkitLadderTimeFields


@dataclasses.dataclass(kw_only=True, slots=True)
class AihwkitLadderTimeFields(Record):
    """Without fields of its own."""

    #: Voltage at the ADC (V); 0.4 is right.
    v_read: float

    #: Ticks per DAC step.
    time_step_scale: float

    #: Sum over ticks instead of trapezoids.
    integration_sum: bool

    #: Frequency of the oscillator in the ADC (GHz) whose whole counts are read; 0 for exact charges.
    adc_frequency: float


@dataclasses.dataclass(kw_only=True, slots=True)
class AtRecalibration(Record):
    """At these seconds after programming, ascending."""

    At: list[float]


@dataclasses.dataclass(kw_only=True, slots=True)
class CachedQuantileRule(Record):
    """Quantile of cached vectors."""

    TAG: ClassVar[tuple[str, str] | None] = ("rule", "CachedQuantile")

    #: q.
    quantile: float = 0.99995

    #: The quantile of x instead of |x|.
    signed: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class CalibrationConfig(Record):
    """The plan of a calibration."""

    KIND: ClassVar[str] = "calibration"

    #: How input ranges follow from the inputs.
    input: InputRule = dataclasses.field(default_factory=lambda: CachedQuantileRule())

    #: How the range of the ADC follows from the currents; left out: as it is.
    adc: AdcRange | None = None

    #: Search of both ranges, from the present ones and those of the rules; left out: none.
    joint: JointSearch | None = None

    #: Samples that pass, the first ones of the data; 0 for all.
    samples: int = 1000

    #: Vectors that are cached for each tile.
    vectors: int = 1000

    #: Through which tiles they pass.
    through: Through = "Exact"


@dataclasses.dataclass(kw_only=True, slots=True)
class ChoppedTikiTaka(Record):
    """The same with choppers."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "ChoppedTikiTaka")

    #: The devices, from the fastest array to the slowest; none: the device of the tile in all arrays.
    devices: list[UnitCell] = dataclasses.field(default_factory=list)

    #: Share of an array in the weight relative to that of the next one; 0 hides all but the last.
    gamma: float = 0.0

    #: The shares one by one, instead of `gamma`.
    gamma_vec: list[float] = dataclasses.field(default_factory=list)

    #: Period of the transfers; 0 is never.
    transfer_every: float = 1.0

    #: The period counts mini-batches, otherwise vectors.
    units_in_mbatch: bool = False

    #: The periods array by array, instead of those that follow from `transfer_every`.
    transfer_every_vec: list[float] = dataclasses.field(default_factory=list)

    #: Slices read in a transfer.
    n_reads_per_transfer: int = 1

    #: Slices are columns, read forward; otherwise rows, read backward.
    transfer_columns: bool = True

    #: Probability that the devices of a column are reset after it was read.
    with_reset_prob: float = 0.0

    #: The first slice of a transfer is random; otherwise slices come in turn.
    random_selection: bool = False

    #: Learning rate of the fast array; 0 is that of the optimiser.
    fast_lr: float = 1.0

    #: Multiply it by that of the optimiser, as AIHWKit does after 1.1.
    scale_fast_lr: bool = False

    #: Learning rate of the transfer.
    transfer_lr: float = 1.0

    #: The same array by array.
    transfer_lr_vec: list[float] = dataclasses.field(default_factory=list)

    #: Multiply it by that of the optimiser.
    scale_transfer_lr: bool = True

    #: Circuits that read an array for its transfer; noise and bound management are off.
    transfer_forward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: Pulses that write the transfer.
    transfer_update: UpdateConfig = dataclasses.field(default_factory=lambda: UpdateConfig(desired_bl=1, update_bl_management=False, update_management=False))

    #: Follow AIHWKit 1.1 where it departs from the papers, see `docs/differences-from-aihwkit.md`.
    as_aihwkit: bool = False

    #: Probability that the sign of a slice flips after it was read.
    in_chop_prob: float = 0.1

    #: Flip at random; otherwise every 1/`in_chop_prob` sweeps (rounded up, at least 2).
    in_chop_random: bool = True

    #: Probability that the sign of a line across the slices flips after a sweep.
    out_chop_prob: float = 0.0

    #: Granularity of the buffer, in pulses of the fast array; 0 or below is 1.
    buffer_granularity: float = 1.0

    #: Vectors after which a slice writes a pulse if the fast array moved by one pulse per vector; 0 is off.
    auto_granularity: float = 0.0

    #: Pulses of the slow array for each threshold reached.
    step: float = 1.0

    #: What is left of the buffer after a write.
    momentum: float = 0.0

    #: `momentum` acts on the whole buffer; otherwise on what was written.
    forget_buffer: bool = True

    #: Leave the buffer out: every read stands for itself.
    no_buffer: bool = False

    #: Scale the fast learning rate by the sizes of x and d.
    auto_scale: bool = False

    #: Momentum of the running means of those sizes.
    auto_momentum: float = 0.99

    #: Scale the transfer such that the slow array learns as fast as by plain gradient descent.
    correct_gradient_magnitudes: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class ClosedFormIrDropModel(Record):
    """A law of the load of the line; its parameter is `ir_drop_g_ratio`."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "ClosedForm")


@dataclasses.dataclass(kw_only=True, slots=True)
class ConstantStepDevice(Record):
    """Constant step between hard bounds."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "ConstantStep")

    #: Mean weight change of one pulse.
    dw_min: float = 0.001

    #: Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
    up_down: float = 0.0

    #: Mean upper bound of the weight, at least 0.
    w_max: float = 0.6

    #: Mean lower bound of the weight, at most 0.
    w_min: float = -0.6

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class CustomDriftPcmLikeNoiseModel(Record):
    """Phase-change memory with measured drift exponents."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "CustomDriftPcmLike")

    #: Everything but the drift exponents.
    pcm: PcmLike = dataclasses.field(default_factory=lambda: PcmLike())

    #: The drift exponents.
    custom_drift_model: DriftTable = dataclasses.field(default_factory=lambda: DriftTable())


@dataclasses.dataclass(kw_only=True, slots=True)
class CustomPairConverter(Record):
    """Tabulated pairs."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "CustomPair")

    #: Significance of every pair.
    f_lst: list[float] = dataclasses.field(default_factory=lambda: [1.0])

    #: Conductances (µS) of every device over equidistant weights.
    g_lst: list[list[float]] = dataclasses.field(default_factory=lambda: [[0.0, 25.0], [25.0, 0.0]])


@dataclasses.dataclass(kw_only=True, slots=True)
class DriftTable(Record):
    """Measured drift exponents over target conductance."""

    #: Target conductances (µS), ascending, from 0 to g_max at least.
    g_lst: list[float] = dataclasses.field(default_factory=lambda: [0.0, 25.0])

    #: Mean exponent at each of them.
    nu_mean_lst: list[float] = dataclasses.field(default_factory=lambda: [0.06, 0.06])

    #: Std of the exponent from device to device at each of them.
    nu_std_lst: list[float] = dataclasses.field(default_factory=lambda: [0.01, 0.01])


@dataclasses.dataclass(kw_only=True, slots=True)
class EvaluationConfig(Record):
    """The plan of an evaluation."""

    KIND: ClassVar[str] = "evaluation"

    #: Seconds after programming at which the network is read, ascending.
    times_seconds: list[float] = dataclasses.field(default_factory=lambda: [1.0, 3600.0, 86400.0, 2592000.0, 31536000.0])

    #: Number of programming events, each of which draws all devices anew.
    repeats: int = 10

    #: Reads of all devices at every time of a programming event: passes over the data that differ by read noise alone.
    reads: int = 1

    #: Samples per forward pass: a matter of memory, not of results.
    batch_size: int = 256


@dataclasses.dataclass(kw_only=True, slots=True)
class EveryRecalibration(Record):
    """Every so many seconds after programming."""

    Every: float


@dataclasses.dataclass(kw_only=True, slots=True)
class ExpStepDevice(Record):
    """Step that saturates exponentially."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "ExpStep")

    #: Mean weight change of one pulse.
    dw_min: float = 0.001

    #: Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
    up_down: float = 0.0

    #: Mean upper bound of the weight, at least 0.
    w_max: float = 0.6

    #: Mean lower bound of the weight, at most 0.
    w_min: float = -0.6

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False

    #: Share of the up step that is lost at z = 0.
    A_up: float = 0.00081

    #: Share of the down step that is lost at z = 0.
    A_down: float = 0.36833

    #: Growth of that share per unit of z.
    gamma_up: float = 12.44625

    #: Growth of that share per unit of -z.
    gamma_down: float = 12.78785

    #: Scale of the weight in z.
    a: float = 0.244

    #: Value of z at w = 0.
    b: float = 0.2425

    #: Noise of a pulse besides that of the step, in units of the weight (times dw_min_std).
    dw_min_std_add: float = 0.0

    #: Noise of a pulse per unit of weight (times dw_min_std).
    dw_min_std_slope: float = 0.0

    #: The step that serves as unit of pulse planning.
    granularity: Granularity = "Mean"

    #: Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
    write_noise_std: float = 0.0

    #: Draw write noise also when weights are set from outside.
    apply_write_noise_on_set: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class FlashAdc(Record):
    """A comparator for every threshold."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Flash")

    #: Std σ of the threshold of a comparator, in steps.
    threshold_std: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class GradientDescentProgramming(Record):
    """Gradient descent on the error of products."""

    TAG: ClassVar[tuple[str, str] | None] = ("procedure", "GradientDescent")

    #: How the devices are brought near their targets first; the devices are those given there.
    start: WriteVerify = dataclasses.field(default_factory=lambda: WriteVerify())

    #: Number of iterations.
    iterations: int = 100

    #: Products per iteration.
    batch_size: int = 256

    #: Share of the estimated error that the first iteration corrects.
    learning_rate: float = 0.3

    #: Most pulses of a device per iteration.
    max_pulses_per_iteration: int = 64


@dataclasses.dataclass(kw_only=True, slots=True)
class HardwareAwareTileConfig(Record):
    """A tile for hardware-aware training; the defaults of AIHWKit's `InferenceRPUConfig`."""

    KIND: ClassVar[str] = "hardware_aware"

    #: Circuits of the forward direction.
    forward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: Circuits of the backward direction.
    backward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig(is_perfect=True))

    #: What is done to a copy of the weights in every step.
    modifier: WeightModifierConfig = dataclasses.field(default_factory=lambda: WeightModifierConfig())

    #: Where weights are cut after every step.
    clip: WeightClipConfig = dataclasses.field(default_factory=lambda: WeightClipConfig())

    #: How weights are stretched to the range of the devices after every step.
    remap: WeightRemapConfig = dataclasses.field(default_factory=lambda: WeightRemapConfig())

    #: How a matrix is split over tiles, and the digital circuits around each of them.
    periphery: PeripheryConfig = dataclasses.field(default_factory=lambda: PeripheryConfig())


@dataclasses.dataclass(kw_only=True, slots=True)
class HermesNoiseModel(Record):
    """Phase-change memory of the 64-core chip."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Hermes")

    #: Devices in parallel: 1 or 2.
    num_devices: int = 2

    #: Largest target conductance (µS); left out: 10.35 per device, which is also the most.
    g_max: float | None = None

    #: Coefficients of the programming noise over g_T/g_max (µS); left out: the published ones.
    prog_coeff: list[float] | None = None

    #: The g_max (µS) at which `prog_coeff` was measured; left out: 10.35 per device.
    prog_coeff_g_max_reference: float | None = None

    #: Time of the first read after programming (s); left out: 200 for one device, 300 for two.
    t_0: float | None = None

    #: Width of a read pulse (s).
    t_read: float = 5.12e-07

    #: Scale of the programming noise; 0 is off.
    prog_noise_scale: float = 1.0

    #: Scale of the read noise; 0 is off.
    read_noise_scale: float = 1.0

    #: Scale of the drift exponents; 0 is off.
    drift_scale: float = 1.0


@dataclasses.dataclass(kw_only=True, slots=True)
class HiddenStepDevice(Record):
    """Constant step that several pulses release together."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "HiddenStep")

    #: Mean weight change of one pulse.
    dw_min: float = 0.001

    #: Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
    up_down: float = 0.0

    #: Mean upper bound of the weight, at least 0.
    w_max: float = 0.6

    #: Mean lower bound of the weight, at most 0.
    w_min: float = -0.6

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False

    #: Hidden states per visible step.
    hs_hidden_states: int = 2

    #: Systematic asymmetry of the hidden step, as up_down.
    hs_up_down: float = 0.0

    #: Device-to-device std of that asymmetry, in units of the hidden step.
    hs_up_down_dtod: float = 0.01

    #: Relative device-to-device std of the hidden step, common to both directions.
    hs_dw_min_dtod: float = 0.3

    #: Cycle-to-cycle std of the hidden step, relative to it.
    hs_dw_min_std: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class IdealAdc(Record):
    """Rounds."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Ideal")


@dataclasses.dataclass(kw_only=True, slots=True)
class IdealUnitCell(Record):
    """Exact storage."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Ideal")

    #: Std of the random walk of the weight per mini-batch.
    diffusion: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Std of the weight after a reset.
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())


@dataclasses.dataclass(kw_only=True, slots=True)
class InferenceTileConfig(Record):
    """A whole tile for inference; defaults are AIHWKit's, but for `DriftConversion`."""

    KIND: ClassVar[str] = "inference"

    #: The devices.
    device: ProgrammedDeviceConfig = dataclasses.field(default_factory=lambda: PcmLikeNoiseModel())

    #: How weights become conductances.
    converter: ConverterConfig = dataclasses.field(default_factory=lambda: SinglePairConverter())

    #: How the conductances get into the devices.
    programming: Programming = dataclasses.field(default_factory=lambda: OneShotProgramming())

    #: Circuits of the forward direction.
    forward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: How a matrix is split over tiles, and the digital circuits around each of them.
    periphery: PeripheryConfig = dataclasses.field(default_factory=lambda: PeripheryConfig())

    #: Which scales of training stay digital, for weights that come from tiles with scales.
    kept_scales: KeptScales = "Learned"

    #: Slices of different significance per weight, each with a converter and circuits of its own; none for one array.
    slices: SliceConfig | None = None

    #: How drift is compensated.
    compensation: Compensation = "Global"

    #: When its factor is read out.
    recalibration: Recalibration = "EveryRead"

    #: From which conductances the tile drifts.
    drift_conversion: DriftConversion = "Physical"


@dataclasses.dataclass(kw_only=True, slots=True)
class InputRangeConfig(Record):
    """The range of the inputs; defaults are AIHWKit's."""

    #: Cut inputs to a range.
    enable: bool = False

    #: Learn the range; otherwise it stays as statistics have left it.
    learn_input_range: bool = True

    #: Range before any data was seen.
    init_value: float = 3.0

    #: Number of updates that take statistics.
    init_from_data: int = 100

    #: Range over standard deviation of the inputs, for the statistics.
    init_std_alpha: float = 3.0

    #: Rate at which a range shrinks that most inputs do not reach.
    decay: float = 0.001

    #: Share of inputs below the range above which it shrinks.
    input_min_percentage: float = 0.95

    #: Widen the range where many outputs are clipped.
    manage_output_clipping: bool = False

    #: Share of outputs that should stay within the range of the ADC.
    output_min_percentage: float = 0.95

    #: Factor on a relative gradient.
    gradient_scale: float = 1.0

    #: The gradient is relative to the range.
    gradient_relative: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class IoConfig(Record):
    """Converters, noise and range management of one direction of a tile. Weights are nominally within ±1, inputs within ±
    `inp_bound`; defaults are AIHWKit's.
    """

    KIND: ClassVar[str] = "io"

    #: Exact products; only `out_scale` still acts.
    is_perfect: bool = False

    #: How a product is spread over passes through the array.
    mv_type: MvType = "OnePass"

    #: Bits of the lower part in `SplitMode`.
    split_mode_bit_shift: int = 3

    #: Range of the DAC; 0 or below is infinite. Must be 1 with noise management.
    inp_bound: float = 1.0

    #: Std of the noise on each input line.
    inp_noise: float = 0.0

    #: Resolution of the DAC: fraction of the full range, or number of steps if above 1; 0 or below is off.
    inp_res: float = 0.007936508

    #: The DAC rounds stochastically.
    inp_sto_round: bool = False

    #: Negative inputs are weaker by this fraction.
    inp_asymmetry: float = 0.0

    #: Range of the ADC; 0 or below is infinite.
    out_bound: float = 12.0

    #: Std of the noise on each output line.
    out_noise: float = 0.06

    #: Relative spread of that noise from line to line.
    out_noise_std: float = 0.0

    #: Resolution of the ADC, as `inp_res`.
    out_res: float = 0.0019607844

    #: The converters themselves: architecture, sharing, spread.
    adc: AdcBank = dataclasses.field(default_factory=lambda: AdcBank())

    #: The ADC rounds stochastically.
    out_sto_round: bool = False

    #: Digital factor on every output.
    out_scale: float = 1.0

    #: Negative outputs are weaker by this fraction.
    out_asymmetry: float = 0.0

    #: What to do about outputs beyond the range (forward only).
    bound_management: BoundManagement = "Iterative"

    #: How inputs are scaled into the range.
    noise_management: NoiseManagement = "AbsMax"

    #: Largest scale of noise management, the scale itself for `Constant`; 0 is no limit.
    nm_thres: float = 0.0

    #: Largest weight that `AbsMaxNPSum` reckons with.
    nm_assumed_wmax: float = 0.6

    #: Share of a new vector in the running mean of `AverageAbsMax`.
    nm_decay: float = 0.001

    #: `Max` takes vectors without a positive input for empty, as AIHWKit does.
    nm_max_zeroes_negative: bool = False

    #: Strength of the weight noise.
    w_noise: float = 0.0

    #: Law of the weight noise.
    w_noise_type: WeightNoise = "None"

    #: Relative spread of the weights' factor for negative inputs, where these have a pass of their own.
    w_read_asymmetry_dtod: float = 0.0

    #: Scale of the IR drop; 0 is none.
    ir_drop: float = 0.0

    #: How the resistance of the wires is reckoned with.
    ir_drop_model: IrDropModel = dataclasses.field(default_factory=lambda: ClosedFormIrDropModel())

    #: Conductance of a wire segment over that of a device at weight 1.
    ir_drop_g_ratio: float = 571428.56

    #: Std of the voltage offset of the output lines, of which only positive draws count.
    v_offset_std: float = 0.0

    #: Weight of the device without conductance against which a line with offset is read.
    v_offset_w_min: float = -1.0

    #: Resistance in series with an output line, in units of the inverse output.
    r_series: float = 0.0

    #: Largest load that the series resistance sees.
    r_series_max_total: float = 3.4028235e+38

    #: Strength of the S-shape of the output at `out_bound`.
    out_nonlinearity: float = 0.0

    #: Relative spread of that strength from line to line.
    out_nonlinearity_std: float = 0.0

    #: Place of unit slope of the S-shape, as a fraction of `out_bound`; 0 leaves it uncalibrated.
    slope_calibration: float = 0.0

    #: Bound management doubles its factor only up to this one.
    max_bm_factor: int = 1000

    #: Bound management doubles its factor only up to this many times the DAC's levels.
    max_bm_res: float = 0.25

    #: Bound management watches the lower bound too.
    bm_test_negative_bound: bool = True

    #: Without `bm_test_negative_bound`: an output below the lower bound also cancels the overflow of the outputs before it, as
    #: AIHWKit's CPU code does.
    bm_negative_overflow_cancels: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class JointSearch(Record):
    """The search."""

    #: Candidates of each range on the grid.
    candidates: int = 6

    #: Narrowings of each golden section.
    narrowings: int = 6

    #: How often both ranges are refined in turn.
    rounds: int = 1


@dataclasses.dataclass(kw_only=True, slots=True)
class KeepRule(Record):
    """Not at all: ranges stay as they are."""

    TAG: ClassVar[tuple[str, str] | None] = ("rule", "Keep")


@dataclasses.dataclass(kw_only=True, slots=True)
class LadderIrDropModel(Record):
    """A ladder of segments per bit line."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Ladder")

    #: Resistance of the wire from row to row (Ω).
    r_row: float = 0.15

    #: Rows of the array; 0 for as many as there are inputs.
    rows: int = 512

    #: Nodes per bit line; must divide the rows.
    segments: int = 8

    #: From weights to conductances.
    conductance: PairConductance = dataclasses.field(default_factory=lambda: PairConductance())

    #: How time is counted.
    time: LadderTime = "Exact"


@dataclasses.dataclass(kw_only=True, slots=True)
class LinearStepDevice(Record):
    """Step that changes linearly with the weight."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "LinearStep")

    #: Mean weight change of one pulse.
    dw_min: float = 0.001

    #: Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
    up_down: float = 0.0

    #: Mean upper bound of the weight, at least 0.
    w_max: float = 0.6

    #: Mean lower bound of the weight, at most 0.
    w_min: float = -0.6

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False

    #: Share of the up step that is lost from weight 0 to the upper reference.
    gamma_up: float = 0.0

    #: Share of the down step that is lost from weight 0 to the lower reference.
    gamma_down: float = 0.0

    #: Device-to-device std of gamma_up (absolute).
    gamma_up_dtod: float = 0.05

    #: Device-to-device std of gamma_down (absolute).
    gamma_down_dtod: float = 0.05

    #: Let steps grow towards the bound (negative gamma); otherwise gamma is folded to its size.
    allow_increasing: bool = False

    #: Refer gamma to w_max and w_min; otherwise to the bounds of the very device.
    mean_bound_reference: bool = True

    #: Cycle-to-cycle noise scales with the actual step; otherwise with the step at w = 0.
    mult_noise: bool = True

    #: The up step grows towards the upper bound.
    reverse_up: bool = False

    #: The down step grows towards the lower bound.
    reverse_down: bool = False

    #: Distance of the reversed reference beyond the far bound.
    reverse_offset: float = 0.01

    #: Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
    write_noise_std: float = 0.0

    #: Draw write noise also when weights are set from outside.
    apply_write_noise_on_set: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class MappingConfig(Record):
    """How a matrix is put onto tiles; defaults are AIHWKit's."""

    #: The bias is added digitally, outside the tile; otherwise it is one more column of the tile, whose input is 1.
    digital_bias: bool = True

    #: Largest |weight| on the tile (ω); 0 switches scaling off.
    weight_scaling_omega: float = 0.0

    #: One scale per output instead of one per tile.
    weight_scaling_columnwise: bool = False

    #: Updates use the learning rate divided by the mean scale, and errors multiplied by it.
    weight_scaling_lr_compensation: bool = False

    #: Train a digital factor on the outputs.
    learn_out_scaling: bool = False

    #: One such factor per output instead of one per tile.
    out_scaling_columnwise: bool = False

    #: Most input lines of one tile; 0 is no limit.
    max_input_size: int = 512

    #: Most output lines of one tile; 0 is no limit.
    max_output_size: int = 512


@dataclasses.dataclass(kw_only=True, slots=True)
class MaxRule(Record):
    """The largest |x|."""

    TAG: ClassVar[tuple[str, str] | None] = ("rule", "Max")


@dataclasses.dataclass(kw_only=True, slots=True)
class MixedPrecision(Record):
    """Gradients are accumulated digitally."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "MixedPrecision")

    #: Mini-batches between two transfers; 0 is never.
    transfer_every: int = 1

    #: Rows written in a transfer; 0 or below is all.
    n_rows_per_transfer: int = -1

    #: The first row of a transfer is random; otherwise rows come in turn.
    random_row: bool = False

    #: Granule in which χ is written; 0 is the granularity of the device.
    granularity: float = 0.0

    #: Factor of what is written.
    transfer_lr: float = 1.0

    #: Levels of the activations; 0 is full precision.
    n_x_bins: int = 0

    #: Levels of the errors; 0 is full precision.
    n_d_bins: int = 0

    #: Round activations stochastically to their levels.
    stoc_round_x: bool = True

    #: Round errors stochastically to their levels.
    stoc_round_d: bool = True

    #: Follow AIHWKit 1.1 where it departs from the paper.
    as_aihwkit: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class MixedPrecisionInt(Record):
    """The same in integers."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "MixedPrecisionInt")

    #: Mini-batches between two transfers; 0 is never.
    transfer_every: int = 1

    #: Rows written in a transfer; 0 or below is all.
    n_rows_per_transfer: int = -1

    #: The first row of a transfer is random; otherwise rows come in turn.
    random_row: bool = False

    #: Granule in which χ is written; 0 is the granularity of the device.
    granularity: float = 0.0

    #: Factor of what is written.
    transfer_lr: float = 1.0

    #: Levels of the activations.
    n_x_bins: int = 5

    #: Levels of the errors.
    n_d_bins: int = 3

    #: Share of what was written that stays in χ.
    momentum_chi: float = 0.0

    #: Momentum of the running sizes of x and d.
    momentum_nm: float = 0.9

    #: Round stochastically.
    stoc_round: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class MovingQuantileRule(Record):
    """Mean quantile of windows."""

    TAG: ClassVar[tuple[str, str] | None] = ("rule", "MovingQuantile")

    #: q.
    quantile: float = 0.99995

    #: Vectors of a window; AIHWKit's are those of a batch.
    window: int = 256

    #: The quantile of x instead of |x|.
    signed: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class MovingStdRule(Record):
    """Mean spread of windows."""

    TAG: ClassVar[tuple[str, str] | None] = ("rule", "MovingStd")

    #: α: range over spread.
    std_alpha: float = 3.0

    #: Vectors of a window; AIHWKit's are those of a batch.
    window: int = 256

    #: The spread around the mean instead of around 0.
    signed: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class NPairConverter(Record):
    """Several pairs of unequal significance."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "NPair")

    #: Significance of every pair.
    f_lst: list[float] = dataclasses.field(default_factory=lambda: [1.0, 1.0])

    #: Conductance of an unused device (µS).
    g_min: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class NodalIrDropModel(Record):
    """Kirchhoff's laws at every node."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Nodal")

    #: Resistance of a word line from one bit line to the next (Ω).
    r_word_line: float = 0.35

    #: Resistance of a bit line from one word line to the next (Ω).
    r_bit_line: float = 0.35

    #: Resistance of a driver (Ω).
    r_driver: float = 0.0

    #: Resistance of a sense amplifier (Ω).
    r_sense: float = 0.0

    #: From weights to conductances.
    conductance: PairConductance = dataclasses.field(default_factory=lambda: PairConductance())


@dataclasses.dataclass(kw_only=True, slots=True)
class OffsetColumnConverter(Record):
    """One device per weight, and a column of shared reference devices."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "OffsetColumn")

    #: Smallest conductance of a device (µS).
    g_min: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class OneShotProgramming(Record):
    """The outcome, from the noise law of the programmed device."""

    TAG: ClassVar[tuple[str, str] | None] = ("procedure", "OneShot")


@dataclasses.dataclass(kw_only=True, slots=True)
class OneSidedUnitCell(Record):
    """A one-sided pair."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "OneSided")

    #: The device, of which there are two.
    device: PulsedDeviceConfig

    #: Make g⁺ the mirror image of g⁻.
    copy_inverted: bool = False

    #: Period of the refresh; 0 is never.
    refresh_every: int = 0

    #: The period counts mini-batches, otherwise vectors.
    units_in_mbatch: bool = True

    #: Least reading of the larger device that is refreshed, in units of w_max.
    refresh_upper_thres: float = 0.75

    #: Least reading of the smaller device then.
    refresh_lower_thres: float = 0.25

    #: Circuits that read the devices for their refresh.
    refresh_forward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: Pulses that write the difference.
    refresh_update: UpdateConfig = dataclasses.field(default_factory=lambda: UpdateConfig())

    #: Deterministic pulses of a refresh go the wrong way, as in AIHWKit 1.1.
    refresh_loses_sign: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class PairConductance(Record):
    """Conductances of weights on pairs of devices: one of each pair holds |w|·k + g_min, the other g_min."""

    #: Largest conductance (µS).
    g_max: float = 25.0

    #: Smallest conductance (µS).
    g_min: float = 0.0

    #: Weight of a device at `g_max`; 0 for the largest |weight| on the array at the time of the product.
    w_at_g_max: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class PcmLike(Record):
    """Phase-change memory cell."""

    #: Coefficients c₀, c₁, … of the programming noise over g_T/g_max (µS).
    prog_coeff: list[float] = dataclasses.field(default_factory=lambda: [0.26348, 1.965, -1.1731])

    #: Largest target conductance (µS).
    g_max: float = 25.0

    #: Time of the first read after programming, where drift begins (s).
    t_0: float = 20.0

    #: Width of a read pulse (s).
    t_read: float = 2.5e-07

    #: Scale of the programming noise; 0 is off.
    prog_noise_scale: float = 1.0

    #: Scale of the read noise; 0 is off.
    read_noise_scale: float = 1.0

    #: Scale of the drift exponents; 0 is off.
    drift_scale: float = 1.0

    #: The g_max (µS) at which `prog_coeff` was measured; left out: 25 for the default coefficients, else `g_max`.
    prog_coeff_g_max_reference: float | None = None


@dataclasses.dataclass(kw_only=True, slots=True)
class PcmLikeNoiseModel(Record):
    """Phase-change memory."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "PcmLike")

    #: Coefficients c₀, c₁, … of the programming noise over g_T/g_max (µS).
    prog_coeff: list[float] = dataclasses.field(default_factory=lambda: [0.26348, 1.965, -1.1731])

    #: Largest target conductance (µS).
    g_max: float = 25.0

    #: Time of the first read after programming, where drift begins (s).
    t_0: float = 20.0

    #: Width of a read pulse (s).
    t_read: float = 2.5e-07

    #: Scale of the programming noise; 0 is off.
    prog_noise_scale: float = 1.0

    #: Scale of the read noise; 0 is off.
    read_noise_scale: float = 1.0

    #: Scale of the drift exponents; 0 is off.
    drift_scale: float = 1.0

    #: The g_max (µS) at which `prog_coeff` was measured; left out: 25 for the default coefficients, else `g_max`.
    prog_coeff_g_max_reference: float | None = None


@dataclasses.dataclass(kw_only=True, slots=True)
class PeripheryConfig(Record):
    """The digital periphery of all tiles of a matrix."""

    #: Sizes, scales and bias.
    mapping: MappingConfig = dataclasses.field(default_factory=lambda: MappingConfig())

    #: Range of the inputs.
    input_range: InputRangeConfig = dataclasses.field(default_factory=lambda: InputRangeConfig())

    #: Precision of scales and of a digital bias.
    quantization: PeripheryQuantization = dataclasses.field(default_factory=lambda: PeripheryQuantization())


@dataclasses.dataclass(kw_only=True, slots=True)
class PeripheryQuantization(Record):
    """Precision of the digital circuits."""

    #: Bits of a number; 0 for full precision.
    n_bits: int = 0

    #: Levels lie symmetric about 0; otherwise between the extremes.
    symmetric: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class PiecewiseStepDevice(Record):
    """Step interpolated between the nodes of a table."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "PiecewiseStep")

    #: Mean weight change of one pulse.
    dw_min: float = 0.001

    #: Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
    up_down: float = 0.0

    #: Mean upper bound of the weight, at least 0.
    w_max: float = 0.6

    #: Mean lower bound of the weight, at most 0.
    w_min: float = -0.6

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False

    #: Factors of the up step at equidistant weights from the lower to the upper bound.
    piecewise_up: list[float] = dataclasses.field(default_factory=lambda: [1.0])

    #: Factors of the down step at the same weights.
    piecewise_down: list[float] = dataclasses.field(default_factory=lambda: [1.0])

    #: Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
    write_noise_std: float = 0.0

    #: Draw write noise also when weights are set from outside.
    apply_write_noise_on_set: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class PowStepDevice(Record):
    """Step that is a power of the distance to the bound."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "PowStep")

    #: Mean weight change of one pulse.
    dw_min: float = 0.001

    #: Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
    up_down: float = 0.0

    #: Mean upper bound of the weight, at least 0.
    w_max: float = 0.6

    #: Mean lower bound of the weight, at most 0.
    w_min: float = -0.6

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False

    #: Mean exponent of the distance to the bound.
    pow_gamma: float = 1.0

    #: Relative device-to-device std of the exponent, common to both directions.
    pow_gamma_dtod: float = 0.1

    #: Systematic asymmetry: above 0 lowers the down exponent, below 0 the up exponent.
    pow_up_down: float = 0.0

    #: Device-to-device std of the asymmetry, in units of pow_gamma.
    pow_up_down_dtod: float = 0.0

    #: Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
    write_noise_std: float = 0.0

    #: Draw write noise also when weights are set from outside.
    apply_write_noise_on_set: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class PowStepReferenceDevice(Record):
    """Power step read against a reference."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "PowStepReference")

    #: Mean weight change of one pulse.
    dw_min: float = 0.001

    #: Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
    up_down: float = 0.0

    #: Mean upper bound of the weight, at least 0.
    w_max: float = 0.6

    #: Mean lower bound of the weight, at most 0.
    w_min: float = -0.6

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False

    #: Mean exponent of the distance to the bound.
    pow_gamma: float = 1.0

    #: Relative device-to-device std of the exponent, common to both directions.
    pow_gamma_dtod: float = 0.1

    #: Systematic asymmetry: above 0 lowers the down exponent, below 0 the up exponent.
    pow_up_down: float = 0.0

    #: Device-to-device std of the asymmetry, in units of pow_gamma.
    pow_up_down_dtod: float = 0.0

    #: Mean reference.
    reference_mean: float = 0.0

    #: Device-to-device std of the reference (absolute).
    reference_std: float = 0.0

    #: Add the symmetry point of each device to its reference.
    subtract_symmetry_point: bool = False

    #: Up-down pairs of the calibration that finds the symmetry point; 0 or below: find it exactly.
    n_estimation_steps: int = -1

    #: How operations other than pulses treat the reference.
    reference_rule: ReferenceRule = "Consistent"


@dataclasses.dataclass(kw_only=True, slots=True)
class PowerLawDrift(Record):
    """Parameters of the drift. Time is in whatever unit the caller uses for `t_0` and for the elapsed time."""

    #: Mean drift exponent; 0 switches drift off.
    nu: float = 0.0

    #: Unit of time.
    t_0: float = 1.0

    #: A weight that changed by more than this since the last call was written anew.
    reset_tol: float = 1e-07

    #: Relative device-to-device std of the exponent.
    nu_dtod: float = 0.0

    #: Relative std of the exponent from call to call.
    nu_std: float = 0.0

    #: Weight per conductance.
    wg_ratio: float = 1.0

    #: Conductance at weight `w_offset`.
    g_offset: float = 0.0

    #: Weight at conductance `g_offset`.
    w_offset: float = 0.0

    #: Change of the exponent per e-fold of conductance.
    nu_k: float = 0.0

    #: Logarithm of the conductance at which the exponent is `nu`.
    log_g0: float = 0.0

    #: Std of the noise added to the weight in every call.
    w_noise_std: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class RampAdc(Record):
    """Comparison with a ramp that all converters share."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Ramp")

    #: Relative std σ of a step of the staircase.
    step_std: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class ReRamCmoNoiseModel(Record):
    """CMO/HfOx resistive memory."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "ReRamCmo")

    #: Largest target conductance (µS).
    g_max: float = 88.2

    #: Smallest conductance (µS).
    g_min: float = 9.0

    #: Programming error (µS): constant, and per µS of the target.
    prog_coeff: list[float] = dataclasses.field(default_factory=lambda: [0.00081107, 0.00106879])

    #: Mean shift (µS) per e-fold of time.
    decay_mean: float = -0.08900206

    #: Spread (µS) of the shift: growth per e-fold of time, and at 1 s.
    decay_std: list[float] = dataclasses.field(default_factory=lambda: [0.04201137, 0.4118334])

    #: Read noise (µS).
    read_k: float = 0.027731648

    #: Width of a read pulse (s).
    t_read: float = 1e-06

    #: Scale of the programming noise; 0 is off.
    prog_noise_scale: float = 1.0

    #: Scale of the read noise; 0 is off.
    read_noise_scale: float = 1.0

    #: Scale of the relaxation; 0 is off.
    drift_scale: float = 1.0


@dataclasses.dataclass(kw_only=True, slots=True)
class ReRamWan2022NoiseModel(Record):
    """Resistive memory of the NeuRRAM chip."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "ReRamWan2022")

    #: Largest target conductance (µS).
    g_max: float = 40.0

    #: The g_max (µS) at which the coefficients were measured.
    coeff_g_max_reference: float = 40.0

    #: Times (s) of the measurements, ascending.
    coeff_times: list[float] = dataclasses.field(default_factory=lambda: [1.0, 86400.0, 172800.0])

    #: Coefficients of the spread over g/g_max (µS), one list per time.
    coeff: list[list[float]] = dataclasses.field(default_factory=lambda: [[0.348, 16.03, -43.853, 45.393, -16.815], [0.701, 22.086, -50.773, 47.095, -16.458], [0.782, 20.274, -43.507, 37.062, -11.934]])

    #: Scale of the spread; 0 is off.
    noise_scale: float = 1.0

    #: Whether relaxation is a property of the device or of the read.
    relaxation: Relaxation = "PerDevice"


@dataclasses.dataclass(kw_only=True, slots=True)
class ReferenceUnitCell(Record):
    """A device and its reference."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Reference")

    #: The device that learns and the reference; one entry serves as both.
    devices: list[PulsedDeviceConfig] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(kw_only=True, slots=True)
class ResidualLearning(Record):
    """Transfer between arrays of falling significance."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "ResidualLearning")

    #: The devices, from the fastest array to the slowest; none: the device of the tile in all arrays.
    devices: list[UnitCell] = dataclasses.field(default_factory=list)

    #: Share of an array in the weight relative to that of the next one; 0 hides all but the last.
    gamma: float = 0.4

    #: The shares one by one, instead of `gamma`.
    gamma_vec: list[float] = dataclasses.field(default_factory=list)

    #: Period of the transfers; 0 is never.
    transfer_every: float = 1.0

    #: The period counts mini-batches, otherwise vectors.
    units_in_mbatch: bool = False

    #: The periods array by array, instead of those that follow from `transfer_every`.
    transfer_every_vec: list[float] = dataclasses.field(default_factory=list)

    #: Slices read in a transfer.
    n_reads_per_transfer: int = 1

    #: Slices are columns, read forward; otherwise rows, read backward.
    transfer_columns: bool = True

    #: Probability that the devices of a column are reset after it was read.
    with_reset_prob: float = 0.0

    #: The first slice of a transfer is random; otherwise slices come in turn.
    random_selection: bool = False

    #: Learning rate of the fast array; 0 is that of the optimiser.
    fast_lr: float = 3.0

    #: Multiply it by that of the optimiser, as AIHWKit does after 1.1.
    scale_fast_lr: bool = True

    #: Learning rate of the transfer.
    transfer_lr: float = 0.3

    #: The same array by array.
    transfer_lr_vec: list[float] = dataclasses.field(default_factory=list)

    #: Multiply it by that of the optimiser.
    scale_transfer_lr: bool = True

    #: Circuits that read an array for its transfer; noise and bound management are off.
    transfer_forward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: Pulses that write the transfer.
    transfer_update: UpdateConfig = dataclasses.field(default_factory=lambda: UpdateConfig())

    #: Follow AIHWKit 1.1 where it departs from the papers, see `docs/differences-from-aihwkit.md`.
    as_aihwkit: bool = False

    #: Number of arrays, unless `devices` lists them.
    tiles: int = 3


@dataclasses.dataclass(kw_only=True, slots=True)
class SarAdc(Record):
    """Successive approximation."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Sar")

    #: Relative std σ of a unit capacitor.
    capacitor_std: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class Sgd(Record):
    """Gradients are pulsed into the devices themselves."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Sgd")


@dataclasses.dataclass(kw_only=True, slots=True)
class SingleDeviceConverter(Record):
    """One device per weight."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "SingleDevice")

    #: Conductance of the smallest weight (µS).
    g_min: float = 9.0


@dataclasses.dataclass(kw_only=True, slots=True)
class SinglePairConverter(Record):
    """One device for positive, one for negative weights."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "SinglePair")

    #: Conductance of an unused device (µS).
    g_min: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class SliceConfig(Record):
    """Bit-slicing."""

    #: Number of slices.
    slices: int = 2

    #: Bits by which the significance falls from slice to slice.
    bits_per_slice: int = 2

    #: Which slices learn.
    update: SliceUpdate = "Carry"

    #: Mini-batches between two resolutions of carries; 0 is never.
    carry_every: int = 1024


@dataclasses.dataclass(kw_only=True, slots=True)
class SoftBoundsDevice(Record):
    """Step that vanishes linearly towards the bounds."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "SoftBounds")

    #: Mean weight change of one pulse.
    dw_min: float = 0.001

    #: Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
    up_down: float = 0.0

    #: Mean upper bound of the weight, at least 0.
    w_max: float = 0.6

    #: Mean lower bound of the weight, at most 0.
    w_min: float = -0.6

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False

    #: Cycle-to-cycle noise scales with the actual step; otherwise with the step at w = 0.
    mult_noise: bool = True

    #: The up step grows towards the upper bound.
    reverse_up: bool = False

    #: The down step grows towards the lower bound.
    reverse_down: bool = False

    #: Distance of the reversed step's zero beyond the far bound.
    reverse_offset: float = 0.01

    #: Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
    write_noise_std: float = 0.0

    #: Draw write noise also when weights are set from outside.
    apply_write_noise_on_set: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class SoftBoundsPmaxDevice(Record):
    """Soft bounds given by the pulses that sweep the weight range."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "SoftBoundsPmax")

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False

    #: Number of pulses from one end of the range to the other.
    p_max: float = 1000.0

    #: Saturation per pulse.
    alpha: float = 0.0005

    #: Lower end of the range, at most 0.
    range_min: float = -1.0

    #: Upper end of the range, at least 0.
    range_max: float = 1.0

    #: How steps and bounds follow from the range.
    mapping: Mapping = "Exact"

    #: Cycle-to-cycle noise scales with the actual step; otherwise with the step at w = 0.
    mult_noise: bool = True

    #: The up step grows towards the upper bound.
    reverse_up: bool = False

    #: The down step grows towards the lower bound.
    reverse_down: bool = False

    #: Distance of the reversed step's zero beyond the far bound.
    reverse_offset: float = 0.01

    #: Std of the difference between the apparent and the persistent weight after a pulse, in units of the mean step.
    write_noise_std: float = 0.0

    #: Draw write noise also when weights are set from outside.
    apply_write_noise_on_set: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class SoftBoundsReferenceDevice(Record):
    """Soft bounds read against a reference."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "SoftBoundsReference")

    #: Mean weight change of one pulse.
    dw_min: float = 0.001

    #: Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
    up_down: float = 0.0

    #: Mean upper bound of the weight, at least 0.
    w_max: float = 0.6

    #: Mean lower bound of the weight, at most 0.
    w_min: float = -0.6

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False

    #: Cycle-to-cycle noise scales with the actual step; otherwise with the step at v = 0.
    mult_noise: bool = False

    #: Relative device-to-device std of the slope of the up step, realised by another upper bound.
    slope_up_dtod: float = 0.0

    #: Relative device-to-device std of the slope of the down step, realised by another lower bound.
    slope_down_dtod: float = 0.0

    #: Mean reference.
    reference_mean: float = 0.0

    #: Device-to-device std of the reference (absolute).
    reference_std: float = 0.0

    #: Add the symmetry point of each device to its reference.
    subtract_symmetry_point: bool = False

    #: How operations other than pulses treat the reference.
    reference_rule: ReferenceRule = "Consistent"

    #: Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
    write_noise_std: float = 0.0

    #: Draw write noise also when weights are set from outside.
    apply_write_noise_on_set: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class StateIndependentNoiseModel(Record):
    """One drift law for all states."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "StateIndependent")

    #: Largest target conductance (µS).
    g_max: float = 25.0

    #: Coefficients of the programming noise over g_T/g_max (µS).
    prog_coeff: list[float] = dataclasses.field(default_factory=lambda: [0.2, 0.0, 0.0])

    #: Scale of the programming noise; 0 is off.
    prog_noise_scale: float = 1.0

    #: Mean of the drift exponent before folding.
    drift_nu_mean: float = 0.1

    #: Std of the drift exponent from device to device before folding.
    drift_nu_std: float = 0.05

    #: Scale of the drift exponents; 0 is off.
    drift_scale: float = 1.0

    #: Time of the first read after programming, where drift begins (s).
    t_0: float = 20.0

    #: Scale of the read noise; 0 is off.
    read_noise_scale: float = 1.0

    #: Width of a read pulse (s).
    t_read: float = 2.5e-07


@dataclasses.dataclass(kw_only=True, slots=True)
class TableStepDevice(Record):
    """Step with mean and noise interpolated between the nodes of tables."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "TableStep")

    #: Mean weight change of one pulse.
    dw_min: float = 0.001

    #: Systematic asymmetry: above 0 weakens the down step to 1 - up_down, below 0 the up step to 1 + up_down.
    up_down: float = 0.0

    #: Mean upper bound of the weight, at least 0.
    w_max: float = 0.6

    #: Mean lower bound of the weight, at most 0.
    w_min: float = -0.6

    #: Relative device-to-device std of the step, common to both directions.
    dw_min_dtod: float = 0.3

    #: Draw the step's device-to-device factor log-normally, exp(dw_min_dtod·ξ), instead of normally.
    dw_min_dtod_log_normal: bool = False

    #: Cycle-to-cycle std of a step, relative to the step.
    dw_min_std: float = 0.3

    #: Device-to-device std of the asymmetry, in units of dw_min.
    up_down_dtod: float = 0.01

    #: Relative device-to-device std of the upper bound.
    w_max_dtod: float = 0.3

    #: Relative device-to-device std of the lower bound.
    w_min_dtod: float = 0.3

    #: Fold drawn steps and bounds to the physical sign; otherwise inverted bounds freeze the device.
    enforce_consistency: bool = True

    #: Give the last column ideal steps and bounds a hundred times as wide.
    perfect_bias: bool = False

    #: Probability that a device is stuck.
    corrupt_devices_prob: float = 0.0

    #: Stuck devices hold a weight uniform within ± this value (cut at the device's bounds).
    corrupt_devices_range: float = 0.1

    #: Std of the random walk of the weight per mini-batch; 0 switches diffusion off.
    diffusion: float = 0.0

    #: Relative device-to-device std of the diffusion.
    diffusion_dtod: float = 0.0

    #: Time constant of the decay in mini-batches; 0 switches decay off.
    lifetime: float = 0.0

    #: Relative device-to-device std of the lifetime.
    lifetime_dtod: float = 0.0

    #: Mean weight after a reset, and the weight that decay tends to.
    reset: float = 0.0

    #: Device-to-device std of the reset weight (absolute).
    reset_dtod: float = 0.0

    #: Cycle-to-cycle std of the weight after a reset (absolute).
    reset_std: float = 0.01

    #: Power-law drift; acts only when the drift operation is called.
    drift: PowerLawDrift = dataclasses.field(default_factory=lambda: PowerLawDrift())

    #: Seed of the device-to-device draws; 0 takes them from the seed of the experiment.
    construction_seed: int = 0

    #: Count the up and down pulses that every device receives.
    count_pulses: bool = False

    #: Mean up step at equidistant weights from the lower to the upper bound, in units of the step.
    step_up: list[float] = dataclasses.field(default_factory=lambda: [1.0])

    #: Mean down step there.
    step_down: list[float] = dataclasses.field(default_factory=lambda: [1.0])

    #: Std of the up step there, in units of the step (times dw_min_std).
    std_up: list[float] = dataclasses.field(default_factory=lambda: [1.0])

    #: Std of the down step there.
    std_down: list[float] = dataclasses.field(default_factory=lambda: [1.0])


@dataclasses.dataclass(kw_only=True, slots=True)
class TabulatedNoiseModel(Record):
    """A user's tables."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Tabulated")

    #: Largest target conductance (µS).
    g_max: float = 25.0

    #: Target conductances (µS) of the measurement.
    g_lst: list[float] = dataclasses.field(default_factory=lambda: [0.0, 25.0])

    #: Mean conductance (µS) right after programming.
    prog_mean_lst: list[float] = dataclasses.field(default_factory=lambda: [0.0, 25.0])

    #: Std (µS) of the conductance right after programming.
    prog_std_lst: list[float] = dataclasses.field(default_factory=lambda: [0.0, 0.0])

    #: Mean drift exponent.
    nu_mean_lst: list[float] = dataclasses.field(default_factory=lambda: [0.0, 0.0])

    #: Std of the drift exponent from device to device.
    nu_std_lst: list[float] = dataclasses.field(default_factory=lambda: [0.0, 0.0])

    #: Relative 1/f noise.
    read_noise_lst: list[float] = dataclasses.field(default_factory=lambda: [0.0, 0.0])

    #: Time of the first read after programming, where drift begins (s).
    t_0: float = 20.0

    #: Width of a read pulse (s).
    t_read: float = 2.5e-07


@dataclasses.dataclass(kw_only=True, slots=True)
class TikiTaka(Record):
    """Transfer from a fast array."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "TikiTaka")

    #: The devices, from the fastest array to the slowest; none: the device of the tile in all arrays.
    devices: list[UnitCell] = dataclasses.field(default_factory=list)

    #: Share of an array in the weight relative to that of the next one; 0 hides all but the last.
    gamma: float = 0.0

    #: The shares one by one, instead of `gamma`.
    gamma_vec: list[float] = dataclasses.field(default_factory=list)

    #: Period of the transfers; 0 is never.
    transfer_every: float = 1.0

    #: The period counts mini-batches, otherwise vectors.
    units_in_mbatch: bool = True

    #: The periods array by array, instead of those that follow from `transfer_every`.
    transfer_every_vec: list[float] = dataclasses.field(default_factory=list)

    #: Slices read in a transfer.
    n_reads_per_transfer: int = 1

    #: Slices are columns, read forward; otherwise rows, read backward.
    transfer_columns: bool = True

    #: Probability that the devices of a column are reset after it was read.
    with_reset_prob: float = 0.0

    #: The first slice of a transfer is random; otherwise slices come in turn.
    random_selection: bool = False

    #: Learning rate of the fast array; 0 is that of the optimiser.
    fast_lr: float = 1.0

    #: Multiply it by that of the optimiser, as AIHWKit does after 1.1.
    scale_fast_lr: bool = True

    #: Learning rate of the transfer.
    transfer_lr: float = 1.0

    #: The same array by array.
    transfer_lr_vec: list[float] = dataclasses.field(default_factory=list)

    #: Multiply it by that of the optimiser.
    scale_transfer_lr: bool = True

    #: Circuits that read an array for its transfer; noise and bound management are off.
    transfer_forward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: Pulses that write the transfer.
    transfer_update: UpdateConfig = dataclasses.field(default_factory=lambda: UpdateConfig())

    #: Follow AIHWKit 1.1 where it departs from the papers, see `docs/differences-from-aihwkit.md`.
    as_aihwkit: bool = False


@dataclasses.dataclass(kw_only=True, slots=True)
class TikiTakaV2(Record):
    """Transfer through a digital buffer."""

    TAG: ClassVar[tuple[str, str] | None] = ("model", "TikiTakaV2")

    #: The devices, from the fastest array to the slowest; none: the device of the tile in all arrays.
    devices: list[UnitCell] = dataclasses.field(default_factory=list)

    #: Share of an array in the weight relative to that of the next one; 0 hides all but the last.
    gamma: float = 0.0

    #: The shares one by one, instead of `gamma`.
    gamma_vec: list[float] = dataclasses.field(default_factory=list)

    #: Period of the transfers; 0 is never.
    transfer_every: float = 1.0

    #: The period counts mini-batches, otherwise vectors.
    units_in_mbatch: bool = True

    #: The periods array by array, instead of those that follow from `transfer_every`.
    transfer_every_vec: list[float] = dataclasses.field(default_factory=list)

    #: Slices read in a transfer.
    n_reads_per_transfer: int = 1

    #: Slices are columns, read forward; otherwise rows, read backward.
    transfer_columns: bool = True

    #: Probability that the devices of a column are reset after it was read.
    with_reset_prob: float = 0.0

    #: The first slice of a transfer is random; otherwise slices come in turn.
    random_selection: bool = False

    #: Learning rate of the fast array; 0 is that of the optimiser.
    fast_lr: float = 1.0

    #: Multiply it by that of the optimiser, as AIHWKit does after 1.1.
    scale_fast_lr: bool = True

    #: Learning rate of the transfer.
    transfer_lr: float = 1.0

    #: The same array by array.
    transfer_lr_vec: list[float] = dataclasses.field(default_factory=list)

    #: Multiply it by that of the optimiser.
    scale_transfer_lr: bool = True

    #: Circuits that read an array for its transfer; noise and bound management are off.
    transfer_forward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: Pulses that write the transfer.
    transfer_update: UpdateConfig = dataclasses.field(default_factory=lambda: UpdateConfig(desired_bl=1, update_bl_management=False, update_management=False))

    #: Follow AIHWKit 1.1 where it departs from the papers, see `docs/differences-from-aihwkit.md`.
    as_aihwkit: bool = False

    #: Threshold of a write, in pulses of the array that is written.
    thres_scale: float = 1.0

    #: Pulses of that array for each threshold reached.
    step: float = 1.0

    #: What is left of the buffer after a write.
    momentum: float = 0.1

    #: `momentum` acts on the whole buffer; otherwise on what was written.
    forget_buffer: bool = True


@dataclasses.dataclass(kw_only=True, slots=True)
class TileUpdatesProgramming(Record):
    """The tile's own pulsed updates."""

    TAG: ClassVar[tuple[str, str] | None] = ("procedure", "TileUpdates")

    #: The unit cell that learns.
    device: UnitCell = dataclasses.field(default_factory=lambda: ConstantStepDevice())

    #: Circuits through which the products are read.
    forward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: Pulses of the updates.
    update: UpdateConfig = dataclasses.field(default_factory=lambda: UpdateConfig())

    #: Updates by this many leading singular vectors of the error; none: by the inputs, one after the other. More than the tile
    #: has lines are as many as it has.
    rank: int | None | None = None

    #: Learning rate.
    learning_rate: float = 0.1

    #: Most updates.
    max_iter: int = 10000

    #: Mean |error| of the products, relative to the largest of them, at which to stop.
    tolerance: float = 0.01

    #: Weights start uniform in ± this.
    w_init: float = 0.01

    #: Weight of the cell that stands for the largest |weight|.
    w_target: float = 0.5


@dataclasses.dataclass(kw_only=True, slots=True)
class TrainingTileConfig(Record):
    """A tile in training."""

    KIND: ClassVar[str] = "tile"

    #: How the tile learns.
    algorithm: Algorithm = dataclasses.field(default_factory=lambda: Sgd())

    #: What sits at every crossing, of all arrays unless the algorithm lists devices.
    device: UnitCell = dataclasses.field(default_factory=lambda: ConstantStepDevice())

    #: Circuits of the forward direction.
    forward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: Circuits of the backward direction; bound management has no effect there.
    backward: IoConfig = dataclasses.field(default_factory=lambda: IoConfig())

    #: Pulses of the update.
    update: UpdateConfig = dataclasses.field(default_factory=lambda: UpdateConfig())

    #: How a matrix is split over tiles, and the digital circuits around each of them.
    periphery: PeripheryConfig = dataclasses.field(default_factory=lambda: PeripheryConfig())

    #: Slices of different significance per weight; none for one array.
    slices: SliceConfig | None = None


@dataclasses.dataclass(kw_only=True, slots=True)
class UpdateConfig(Record):
    """Parameters of the update; defaults are AIHWKit's."""

    KIND: ClassVar[str] = "update"

    #: Kind of pulse trains.
    pulse_type: PulseType = "StochasticCompressed"

    #: Where the chance of stochastic pulses comes from.
    pulse_source: PulseSource = "Independent"

    #: Length of a train in time slots, at most this with `update_bl_management`.
    desired_bl: int = 31

    #: Keep the length fixed; otherwise large learning rates lengthen the train. Without effect under `update_bl_management`.
    fixed_bl: bool = True

    #: Shorten each train to the pulses its vectors need.
    update_bl_management: bool = True

    #: Balance the pulse probabilities of the two sides.
    update_management: bool = True

    #: Resolution of the pulse probabilities of all types but `DeterministicImplicit`: width of a bin, or number of bins if above
    #: 1; 0 or below is off.
    res: float = 0.0

    #: Resolution on the x side for `DeterministicImplicit`, as `res`.
    x_res_implicit: float = 0.0

    #: Resolution on the d side for `DeterministicImplicit`, as `res`.
    d_res_implicit: float = 0.0

    #: Round probabilities stochastically.
    sto_round: bool = False

    #: Take resolutions above 1 for widths, as AIHWKit does: no line then ever fires.
    literal_res: bool = False

    #: Factor on max |d| in update management; below 1 it lets the error side be clipped more.
    um_grad_scale: float = 1.0


@dataclasses.dataclass(kw_only=True, slots=True)
class VectorUnitCell(Record):
    """Several devices per weight."""

    KIND: ClassVar[str] = "cell"

    TAG: ClassVar[tuple[str, str] | None] = ("model", "Vector")

    #: The devices of a cell.
    devices: list[PulsedDeviceConfig] = dataclasses.field(default_factory=list)

    #: Which of them takes the pulses of a vector.
    update_policy: UpdatePolicy = "All"

    #: Where the policy begins.
    first_update_idx: int = 0

    #: Weight γₖ of every device; empty gives each 1/n.
    gamma_vec: list[float] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(kw_only=True, slots=True)
class WeightClipConfig(Record):
    """Clipping; names and defaults are those of AIHWKit's `WeightClipParameter`."""

    #: Where weights are cut.
    type: WeightClipType = "None"

    #: The value of `FixedValue`, a bound for the others; 0 or below is none.
    fixed_value: float = -1.0

    #: Standard deviations that `LayerGaussian` leaves.
    sigma: float = 2.5


@dataclasses.dataclass(kw_only=True, slots=True)
class WeightModifierConfig(Record):
    """A weight modifier; names and defaults are those of AIHWKit's `WeightModifierParameter`."""

    #: What is done to the weights.
    type: WeightModifierType = "None"

    #: Strength of the noise, relative to the largest weight; scale of the noise of `Poly`, `ProgNoise` and `PCMNoise`.
    std_dev: float = 0.0

    #: Every input vector sees a modified matrix of its own; otherwise all vectors between two steps share one.
    per_batch_sample: bool = False

    #: Steps in which `std_dev` and `pdrop` grow linearly to their values; 0 for none. Noise that comes late finds a network that
    #: has learnt something.
    warmup_steps: int = 0

    #: Modify from the first mini-batch on; otherwise from the first step on, as AIHWKit's C++ tile does.
    from_first_batch: bool = False

    #: Step of a grid relative to the largest weight (`DoReFa`: in weight units), or steps per largest weight if above 1; 0 is no
    #: grid.
    res: float = 0.0

    #: Take `res` above 1 for a width, as AIHWKit's C++ tile does: all weights then become 0.
    literal_res: bool = False

    #: Take `res` relative to the whole range from -A to A, as AIHWKit's torch tile and all converters do.
    res_of_range: bool = False

    #: Round by chance, without bias.
    sto_round: bool = False

    #: Largest weight after `DoReFa`.
    dorefa_clip: float = 0.6

    #: Probability that a weight is missing.
    pdrop: float = 0.0

    #: Use the modified copy in evaluation, too.
    enable_during_test: bool = False

    #: A is the largest |weight| of the tile; otherwise `assumed_wmax`.
    rel_to_actual_wmax: bool = True

    #: A if it is not taken from the weights.
    assumed_wmax: float = 1.0

    #: The spread of `MultNormal` is A·`std_dev`, as in AIHWKit's C++ tile; otherwise `std_dev`.
    mult_of_wmax: bool = True

    #: Leave the last column alone, which is the analog bias.
    copy_last_column: bool = False

    #: Coefficients of |W|/A⁰, |W|/A¹, … for `Poly` (relative to A) and `ProgNoise` (in the unit of `g_max`).
    coeffs: list[float] = dataclasses.field(default_factory=lambda: [0.0105392, 0.0768, -0.046925])

    #: Largest conductance for `ProgNoise` and `PCMNoise` (µS).
    g_max: float = 25.0

    #: `PCMNoise`: weights below this many standard deviations of an empty device are 0.
    pcm_zero_thres: float = 0.0

    #: `PCMNoise`: time since programming (s).
    pcm_t_inference: float = 0.0

    #: `PCMNoise`: probability that a device is stuck at 0.
    pcm_prob_at_reset: float = 0.0

    #: `PCMNoise`: probability that one of a pair is stuck at `g_max`.
    pcm_prob_at_gmax: float = 0.0

    #: `PCMNoise`: probability that a pair is stuck anywhere.
    pcm_prob_at_random: float = 0.0

    #: `PCMNoise`: time of the first read after programming (s).
    pcm_t0: float = 20.0


@dataclasses.dataclass(kw_only=True, slots=True)
class WeightRemapConfig(Record):
    """Remapping; names and defaults are those of AIHWKit's `WeightRemapParameter`."""

    #: Which weights are stretched together.
    type: WeightRemapType = "None"

    #: Largest |weight| after remapping.
    remapped_wmax: float = 1.0

    #: Largest ratio between the scales of outputs (`ChannelwiseSymmetric`); 0 is no limit.
    max_scale_range: float = 0.0

    #: Smallest scale to which `max_scale_range` is relative; 0 is none.
    max_scale_ref: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class WriteVerify(Record):
    """Program-and-verify."""

    #: The device as pulses see it; its range of weights stands for 0 to g_max.
    device: PulsedDeviceConfig = dataclasses.field(default_factory=lambda: ConstantStepDevice(w_max_dtod=0.0, w_min_dtod=0.0))

    #: Half width of the acceptance band, in units of g_max.
    acceptance: float = 0.01

    #: Std of one verifying read, in units of g_max.
    read_noise: float = 0.002

    #: Most pulses between two reads of a device.
    pulses_per_read: int = 64

    #: Most pulses of a device.
    max_pulses: int = 4000


@dataclasses.dataclass(kw_only=True, slots=True)
class WriteVerifyProgramming(Record):
    """Program and verify, device by device."""

    TAG: ClassVar[tuple[str, str] | None] = ("procedure", "WriteVerify")

    #: The device as pulses see it; its range of weights stands for 0 to g_max.
    device: PulsedDeviceConfig = dataclasses.field(default_factory=lambda: ConstantStepDevice(w_max_dtod=0.0, w_min_dtod=0.0))

    #: Half width of the acceptance band, in units of g_max.
    acceptance: float = 0.01

    #: Std of one verifying read, in units of g_max.
    read_noise: float = 0.002

    #: Most pulses between two reads of a device.
    pulses_per_read: int = 64

    #: Most pulses of a device.
    max_pulses: int = 4000


#: How the tile learns, chosen by the field `model`.
Algorithm = Union[
    Sgd,
    TikiTaka,
    ResidualLearning,
    TikiTakaV2,
    ChoppedTikiTaka,
    Agad,
    MixedPrecision,
    MixedPrecisionInt,
]

#: Cells that are not just one pulsed device.
CompoundCell = Union[
    IdealUnitCell,
    VectorUnitCell,
    ReferenceUnitCell,
    OneSidedUnitCell,
]

#: Any pulsed device, chosen by the field `model` of a configuration.
PulsedDeviceConfig = Union[
    ConstantStepDevice,
    SoftBoundsDevice,
    SoftBoundsPmaxDevice,
    SoftBoundsReferenceDevice,
    LinearStepDevice,
    ExpStepDevice,
    PowStepDevice,
    PowStepReferenceDevice,
    PiecewiseStepDevice,
    TableStepDevice,
    HiddenStepDevice,
]

#: How steps and bounds follow from the measured range.
Mapping = Union[
    Literal["Exact"],
    Literal["Aihwkit"],
]

#: How operations other than pulses treat a device that is read against a reference. AIHWKit cuts the visible weight w to [b⁻, b⁺]
#: whenever it is set, reset, clipped, decayed or drifted, so that the next pulse may snap it into the range that the device
#: really has; and it adds the symmetry point to the reset weight although w = 0 is the symmetry point already.
ReferenceRule = Union[
    Literal["Consistent"],
    Literal["Aihwkit"],
]

#: Which step at w = 0 is the unit of pulse planning.
Granularity = Union[
    Literal["Mean"],
    Literal["DownStep"],
]

#: Which device of a cell takes the pulses of a vector.
UpdatePolicy = Union[
    Literal["All"],
    Literal["SingleFixed"],
    Literal["SingleSequential"],
    Literal["SingleRandom"],
]

#: How a product is spread over passes.
MvType = Union[
    Literal["Ideal"],
    Literal["OnePass"],
    Literal["PosNegSeparate"],
    Literal["PosNegSeparateDigitalSum"],
    Literal["SplitMode"],
    Literal["BitWise"],
]

#: How a converter finds its number, chosen by the field `model`.
Architecture = Union[
    IdealAdc,
    SarAdc,
    RampAdc,
    FlashAdc,
]

#: What to do about outputs beyond the range. Acts in the forward direction only.
BoundManagement = Union[
    Literal["None"],
    Literal["Iterative"],
    Literal["IterativeWorstCase"],
    Literal["Shift"],
]

#: How α follows from the input vector.
NoiseManagement = Union[
    Literal["None"],
    Literal["AbsMax"],
    Literal["Max"],
    Literal["Constant"],
    Literal["AbsMaxNPSum"],
    Literal["AverageAbsMax"],
]

#: How the noise of a weight depends on its value.
WeightNoise = Union[
    Literal["None"],
    Literal["AdditiveConstant"],
    Literal["PCMRead"],
    Literal["PCMReadDuration"],
]

#: How the resistance of the wires is reckoned with, chosen by the field `model`.
IrDropModel = Union[
    ClosedFormIrDropModel,
    LadderIrDropModel,
    NodalIrDropModel,
]

#: How the read time is counted.
LadderTime = Union[
    Literal["Exact"],
    AihwkitLadderTime,
]

#: How the outer product lr·d xᵀ reaches the devices.
PulseType = Union[
    Literal["None"],
    Literal["NoneWithDevice"],
    Literal["StochasticCompressed"],
    Literal["Stochastic"],
    Literal["MeanCount"],
    Literal["DeterministicImplicit"],
]

#: Where the chance of stochastic pulses comes from.
PulseSource = Union[
    Literal["Independent"],
    Literal["LaggedFibonacci"],
]

#: Which slices take the pulses of an update.
SliceUpdate = Union[
    Literal["Carry"],
    Literal["Gradient"],
]

#: What is done to the weights.
WeightModifierType = Union[
    Literal["None"],
    Literal["AddNormal"],
    Literal["MultNormal"],
    Literal["Discretize"],
    Literal["DiscretizeAddNormal"],
    Literal["DoReFa"],
    Literal["Poly"],
    Literal["ProgNoise"],
    Literal["PCMNoise"],
    Literal["DropConnect"],
    Literal["Copy"],
]

#: Where weights are cut.
WeightClipType = Union[
    Literal["None"],
    Literal["FixedValue"],
    Literal["LayerGaussian"],
    Literal["AverageChannelMax"],
]

#: Which weights are stretched together.
WeightRemapType = Union[
    Literal["None"],
    Literal["LayerwiseSymmetric"],
    Literal["ChannelwiseSymmetric"],
]

#: Any programmed device, chosen by the field `model` of a configuration.
ProgrammedDeviceConfig = Union[
    PcmLikeNoiseModel,
    CustomDriftPcmLikeNoiseModel,
    HermesNoiseModel,
    ReRamWan2022NoiseModel,
    ReRamCmoNoiseModel,
    StateIndependentNoiseModel,
    TabulatedNoiseModel,
]

#: Whether relaxation is a property of the device or of the read.
Relaxation = Union[
    Literal["PerDevice"],
    Literal["Redrawn"],
]

#: Any scheme, chosen by the field `model` of a configuration.
ConverterConfig = Union[
    SinglePairConverter,
    NPairConverter,
    CustomPairConverter,
    SingleDeviceConverter,
    OffsetColumnConverter,
]

#: Any procedure, chosen by the field `procedure` of a configuration.
Programming = Union[
    OneShotProgramming,
    WriteVerifyProgramming,
    GradientDescentProgramming,
    TileUpdatesProgramming,
]

#: Which digital factors stay digital when trained weights move to other tiles; products are the same in all cases, what the
#: devices hold is not.
KeptScales = Union[
    Literal["None"],
    Literal["Learned"],
    Literal["All"],
]

#: How drift is compensated.
Compensation = Union[
    Literal["None"],
    Literal["Global"],
    Literal["GlobalWithExactReference"],
    Literal["PerColumn"],
]

#: When drift compensation is read out.
Recalibration = Union[
    Literal["EveryRead"],
    EveryRecalibration,
    AtRecalibration,
]

#: From which conductances a tile drifts.
DriftConversion = Union[
    Literal["Physical"],
    Literal["Reconverted"],
]

#: How the input range of a tile follows from its inputs, chosen by the field `rule`.
InputRule = Union[
    KeepRule,
    MaxRule,
    MovingQuantileRule,
    MovingStdRule,
    CachedQuantileRule,
]

#: Through which tiles data pass.
Through = Union[
    Literal["Exact"],
    Literal["Analog"],
]

#: What sits at every crossing: `model` is the name of a pulsed device or of a `CompoundCell`.
UnitCell = Union[
    CompoundCell,
    PulsedDeviceConfig,
]
