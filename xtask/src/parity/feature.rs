//! What AIHWKit can do, feature by feature, and where it is here.

use crate::schema::SchemaName;

/// How much of a feature is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Have,
    /// What is missing.
    Partly(&'static str),
    /// Why it is not here, or what takes its place.
    Not(&'static str),
}

/// Where a feature is. Every kind is checked: by the registry, the schema, the compiler or the disk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Here {
    /// An entry of a registry.
    Named(&'static str, &'static str),
    /// A field of a configuration.
    Field(SchemaName, &'static str),
    /// A Rust item, see [`item`].
    Item(&'static str),
    /// A file of the repository.
    File(&'static str),
}

/// The name of a Rust item; one that does not exist does not compile.
macro_rules! item {
    ($($part:ident)::+) => {{
        #[allow(unused_imports)]
        use $($part)::+ as _;
        $crate::parity::feature::Here::Item(stringify!($($part)::+))
    }};
}
pub(super) use item;

/// A feature of AIHWKit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feature {
    /// What it does.
    pub(super) what: &'static str,
    /// What it is called there.
    pub(super) theirs: &'static str,
    pub(super) here: &'static [Here],
    pub(super) state: State,
}

pub(super) const fn have(what: &'static str, theirs: &'static str, here: &'static [Here]) -> Feature {
    Feature { what, theirs, here, state: State::Have }
}

pub(super) const fn partly(
    what: &'static str,
    theirs: &'static str,
    here: &'static [Here],
    missing: &'static str,
) -> Feature {
    Feature { what, theirs, here, state: State::Partly(missing) }
}

pub(super) const fn not(what: &'static str, theirs: &'static str, why: &'static str) -> Feature {
    Feature { what, theirs, here: &[], state: State::Not(why) }
}

/// A part of the parity table.
pub(super) struct Section {
    pub(super) title: &'static str,
    /// Registries whose entries belong here.
    pub(super) registries: &'static [&'static str],
    /// What no registry lists.
    pub(super) features: &'static [Feature],
}

/// The whole table, in its order.
pub(super) const SECTIONS: &[Section] = &[
    super::features::tiles::SECTION,
    super::features::configurations::SECTION,
    super::features::devices::SECTION,
    super::features::presets::SECTION,
    super::features::circuits::SECTION,
    super::features::hardware_aware::SECTION,
    super::features::inference::SECTION,
    super::features::networks::SECTION,
    super::features::services::SECTION,
    super::features::examples::SECTION,
    super::features::literature::SECTION,
];
