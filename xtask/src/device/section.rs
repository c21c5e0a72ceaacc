//! Everything about one device: its figures with the numbers behind them, and what follows from its parameters.

use aimc_device::RngKey;
use aimc_device::rng::label;

use super::facts::{facts, spoken};
use super::mean_device::MeanDevice;
use super::pulse_response;
use super::source::Source;
use super::symmetry::{self, Symmetry};
use super::{DeviceError, retention, steps};
use crate::csv::Columns;
use crate::interrupt;
use crate::number::significant;
use crate::plot::{Axis, LineChart};

/// One figure in all its forms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    /// End of the names of its files.
    pub(crate) name: &'static str,
    pub(crate) svg: String,
    pub(crate) columns: Columns,
    pub(crate) caption: String,
}

impl Figure {
    fn new(
        name: &'static str,
        chart: &LineChart,
        columns: Columns,
        caption: String,
    ) -> Result<Self, DeviceError> {
        Ok(Self { name, svg: chart.render()?, columns, caption })
    }
}

/// One device of the report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    pub(crate) source: Source,
    /// Quantity, value and what it means.
    pub(crate) facts: Vec<[String; 3]>,
    pub(crate) figures: Vec<Figure>,
    /// What there is no figure for.
    pub(crate) remarks: Vec<String>,
}

/// Measures one device; its draws depend on the seed alone, not on other devices of the report.
pub(crate) fn measure(source: Source, devices: usize, seed: u64) -> Result<Section, DeviceError> {
    let key = RngKey::root(seed);
    let mean = MeanDevice::of(&source.device)?;
    let symmetry = symmetry::find(&mean)?;
    let mut section = Section {
        facts: facts(&source, &mean, &symmetry)?,
        source,
        figures: Vec::new(),
        remarks: Vec::new(),
    };
    section.pulse_response(devices, key)?;
    interrupt::check()?;
    section.steps(&mean, &symmetry, key)?;
    interrupt::check()?;
    section.retention(&mean, devices, key)?;
    interrupt::check()?;
    section.drift(&mean, devices, key)?;
    if section.figures.iter().all(|figure| !matches!(figure.name, "retention" | "drift")) {
        section.remarks.push(
            "This device neither decays, nor diffuses, nor drifts: it holds what is written.".to_owned(),
        );
    }
    Ok(section)
}

impl Section {
    fn pulse_response(&mut self, devices: usize, key: RngKey) -> Result<(), DeviceError> {
        let key = key.fold_in(label("pulse response"));
        let response = pulse_response::measure(&self.source.device, devices, 0, key)?;
        let chart = response.chart(&format!("{}: pulse response", self.source.stem));
        let caption = format!(
            "Weights as they are read, under {} up pulses and then as many down pulses, all from weight 0; dashed: \
             single devices.",
            response.pulses_each_way()
        );
        self.figures.push(Figure::new("pulse_response", &chart, response.columns(), caption)?);
        Ok(())
    }

    fn steps(&mut self, mean: &MeanDevice, symmetry: &Symmetry, key: RngKey) -> Result<(), DeviceError> {
        let curves = steps::measure(mean, key)?;
        let chart = curves.chart(&format!("{}: step against weight", self.source.stem), symmetry);
        let [up, down] = mean.pulses_per_step;
        let shared = match (up, down) {
            (1, 1) => String::new(),
            _ => format!(
                " Hidden states: {up} up or {down} down pulses release one step, which they share here."
            ),
        };
        let noise = if curves.is_noisy() {
            format!(
                " Bands: ± one standard deviation from cycle to cycle, of {} noisy pulses per weight, cut by the \
                 bounds as the steps are.",
                mean.samples()
            )
        } else {
            " Pulses have no cycle-to-cycle noise.".to_owned()
        };
        let caption = format!(
            "Change of the weight by one pulse on the mean device, without noise (lines).{noise}{shared} {}",
            spoken(symmetry)
        );
        self.figures.push(Figure::new("steps", &chart, curves.columns(), caption)?);
        if curves.is_drowned() {
            let mean = curves.without_noise();
            let chart =
                mean.chart(&format!("{}: step against weight, without noise", self.source.stem), symmetry);
            let caption = "The lines of the figure before, which its bands hide.".to_owned();
            self.figures.push(Figure::new("steps_without_noise", &chart, mean.columns(), caption)?);
        }
        Ok(())
    }

    fn retention(&mut self, mean: &MeanDevice, devices: usize, key: RngKey) -> Result<(), DeviceError> {
        let device = &self.source.device;
        let Some(fading) = retention::forget(device, mean, devices, key.fold_in(label("retention")))? else {
            return Ok(());
        };
        let common = device.common();
        let mut causes = Vec::new();
        if common.lifetime > 0.0 {
            let lifetime = significant(f64::from(common.lifetime), 4);
            let reset = significant(f64::from(common.reset), 4);
            causes.push(format!("decay towards {reset} with a lifetime of {lifetime} mini-batches"));
        }
        if common.diffusion > 0.0 {
            let rate = significant(f64::from(common.diffusion), 4);
            causes.push(format!("diffusion of {rate} per square root of mini-batches"));
        }
        let chart = fading.chart(
            &format!("{}: retention without pulses", self.source.stem),
            Axis::linear("time without pulses", "mini-batches"),
        );
        let caption = population_caption(devices, &causes.join(" and "));
        let columns = fading.columns("time (mini-batches)");
        self.figures.push(Figure::new("retention", &chart, columns, caption)?);
        Ok(())
    }

    fn drift(&mut self, mean: &MeanDevice, devices: usize, key: RngKey) -> Result<(), DeviceError> {
        let device = &self.source.device;
        let Some(fading) = retention::drift(device, mean, devices, key.fold_in(label("drift")))? else {
            return Ok(());
        };
        let drift = device.common().drift;
        let chart = fading.chart(
            &format!("{}: power-law drift", self.source.stem),
            Axis::log10("time since writing", "units of t₀"),
        );
        let nu = significant(f64::from(drift.nu), 4);
        let t_0 = significant(f64::from(drift.t_0), 4);
        let caption = population_caption(devices, &format!("drift with a mean exponent of {nu}, t₀ = {t_0}"));
        let columns = fading.columns("time since writing (units of t_0)");
        self.figures.push(Figure::new("drift", &chart, columns, caption)?);
        Ok(())
    }
}

fn population_caption(devices: usize, cause: &str) -> String {
    format!(
        "Mean weight of {devices} devices that were written to three levels, under {cause}; band: 5 % to 95 % of them. \
         Devices whose bounds are narrower start there. Write noise is left out."
    )
}
