//! Progress of trainings on the terminal.

use std::borrow::Cow;

use aimc_train::EpochMetrics;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts samples and estimates the time left; silent where there is no terminal.
/// On a narrow terminal the message is cut, not the rest.
pub(crate) fn bar(name: impl Into<Cow<'static, str>>, samples: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("  {prefix:18} {bar:10} {percent:>3} %  {eta:>3} left  {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(samples).with_style(style).with_prefix(name)
}

/// What an epoch gave, in a few words.
pub(crate) fn describe(metrics: &EpochMetrics) -> String {
    format!("loss {:.3}, test accuracy {:.1} %", metrics.train_loss, 100.0 * metrics.test_accuracy)
}
