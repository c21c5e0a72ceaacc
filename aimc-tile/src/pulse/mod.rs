//! Pulse trains and the outer-product update by coincidence.
//!
//! [`config`] says what trains are made of, [`management`] scales the lines, [`train`] draws the pulses (or `count`
//! computes them) and [`outer_product`] lets them meet at the devices, whose weights may be noted on the way ([`notes`]).

mod binomial;
mod certain_lines;
pub(crate) mod comparison;
pub mod config;
mod count;
pub mod lagged_fibonacci;
pub(crate) mod live_lines;
pub mod management;
pub mod notes;
pub mod outer_product;
mod probabilities;
pub mod single_lines;
pub mod train;

pub use config::{PulseSource, PulseType, UpdateConfig};
pub use notes::Note;
