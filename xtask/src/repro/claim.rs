//! What a reproduction claims, and what it has found.

use serde::Serialize;

use crate::plot::LineChart;

/// Where a band or a published value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Basis {
    /// An equation, stated beside it.
    Physics,
    /// A number that AIHWKit states or gives.
    Aihwkit,
    /// The publication's claim, from its text.
    Text,
    /// The publication's claim, as we recall it; to be checked.
    Recollection,
}

impl Basis {
    fn spoken(self) -> &'static str {
        match self {
            Self::Physics => "physics",
            Self::Aihwkit => "AIHWKit",
            Self::Text => "publication's text",
            Self::Recollection => "publication, from recollection",
        }
    }
}

/// A number that must lie in a band.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Claim {
    /// What is measured, with its unit.
    pub(crate) what: String,
    /// Lower and upper end.
    pub(crate) band: (f64, f64),
    /// Where the band is from.
    pub(crate) basis: Basis,
    /// Why the band is where it is.
    pub(crate) why: String,
    /// What was found.
    pub(crate) measured: f64,
}

impl Claim {
    /// A claim whose band is what `basis` says, for the reason `why`.
    pub(crate) fn new(
        what: impl Into<String>,
        band: (f64, f64),
        (basis, why): (Basis, &str),
        measured: f64,
    ) -> Self {
        Self { what: what.into(), band, basis, why: why.to_owned(), measured }
    }

    /// Whether it lies in its band; no number does not.
    pub(crate) fn holds(&self) -> bool {
        (self.band.0..=self.band.1).contains(&self.measured)
    }
}

/// What a reproduction has found.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// What must hold.
    pub(crate) claims: Vec<Claim>,
    /// Charts with their captions.
    #[serde(skip)]
    pub(crate) charts: Vec<(LineChart, String)>,
    /// Parameters behind it.
    pub(crate) parameters: serde_json::Value,
}

/// Columns of [`Outcome::rows`].
pub(crate) const HEADERS: [&str; 5] = ["claim", "band", "measured", "verdict", "basis"];

impl Outcome {
    /// Whether every claim holds.
    pub(crate) fn holds(&self) -> bool {
        self.claims.iter().all(Claim::holds)
    }

    /// A row per claim.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        let end = |value: f64| match value {
            v if v == f64::INFINITY => "∞".to_owned(),
            v if v == f64::NEG_INFINITY => "-∞".to_owned(),
            v => short(v),
        };
        let row = |claim: &Claim| {
            vec![
                claim.what.clone(),
                format!("{} … {}", end(claim.band.0), end(claim.band.1)),
                short(claim.measured),
                if claim.holds() { "holds" } else { "OUTSIDE" }.to_owned(),
                claim.basis.spoken().to_owned(),
            ]
        };
        self.claims.iter().map(row).collect()
    }
}

/// Four digits.
fn short(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:.3e}") } else { format!("{value:.4}") }
}
