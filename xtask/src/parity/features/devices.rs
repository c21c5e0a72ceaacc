//! Devices that learn, cells of several devices, and training algorithms.

use crate::parity::feature::{Here, Section, have, item, not};
use crate::schema::SchemaName::Train;

const SOFT_BOUNDS: &str = "tile.device{model=SoftBounds}";

pub(in crate::parity) const SECTION: Section = Section {
    title: "Devices that learn and training algorithms",
    registries: &["device", "cell", "policy", "algorithm", "pulse"],
    features: &[
        have(
            "What all pulsed devices share",
            "PulsedDevice",
            &[item!(aimc_device::pulsed::PulsedDevice), Here::Field(Train, SOFT_BOUNDS)],
        ),
        have(
            "Exact storage that may forget",
            "FloatingPointDevice, IdealDevice",
            &[Here::Named("cell", "Ideal")],
        ),
        have("What unit cells share", "UnitCell", &[item!(aimc_tile::unit_cell::CellArray)]),
        have("A pair of equal devices", "DifferenceUnitCell", &[Here::Named("cell", "OneSided")]),
        have(
            "A device whose updates are summed digitally",
            "DigitalRankUpdateCell",
            &[item!(aimc_train::algorithms::DigitalRankUpdateTile)],
        ),
        have(
            "Power-law drift of devices that learn",
            "DriftParameter, SimpleDriftParameter",
            &[item!(aimc_device::pulsed::PowerLawDrift)],
        ),
        have(
            "Update management",
            "UpdateParameters.update_management",
            &[Here::Field(Train, "tile.update.update_management")],
        ),
        have(
            "Management of the pulse length",
            "UpdateParameters.update_bl_management",
            &[Here::Field(Train, "tile.update.update_bl_management")],
        ),
        have(
            "Weight of the fast array, its learning rate in units of that of the training",
            "gamma, scale_fast_lr",
            &[
                Here::Field(Train, "tile.algorithm{model=ChoppedTikiTaka}.gamma"),
                Here::Field(Train, "tile.algorithm{model=ChoppedTikiTaka}.scale_fast_lr"),
            ],
        ),
        have(
            "Moving symmetry points to zero",
            "reference devices set by hand",
            &[item!(aimc_train::ZeroShifting)],
        ),
        not("Sparse gradients in update management", "UpdateParameters.d_sparsity", "not built"),
    ],
};
