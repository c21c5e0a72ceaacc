//! Charts of trainings over their epochs.

use crate::plot::{Axis, LineChart, Series};

/// Accuracy on the test data in percent.
pub(crate) fn accuracy_chart(series: Vec<Series>) -> LineChart {
    let y = Axis::linear("test accuracy", "%");
    LineChart { series, ..LineChart::new("Test accuracy during training", epochs(), y) }
}

/// A loss on a logarithmic scale.
pub(crate) fn loss_chart(title: &str, label: &str, unit: &str, series: Vec<Series>) -> LineChart {
    LineChart { series, ..LineChart::new(title, epochs(), Axis::log10(label, unit)) }
}

/// The axis of all these charts.
pub(crate) fn epochs() -> Axis {
    Axis::linear("epoch", "number")
}
