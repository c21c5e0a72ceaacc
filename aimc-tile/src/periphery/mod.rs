//! Peripheral circuits, in the order in which the signal flows:
//! [`noise_management`] → [`dac`] → array ([`mvm`]) → [`adc`] → [`bound_management`].

pub mod adc;
pub mod bound_management;
mod buffers;
pub(crate) mod crossbar;
pub mod dac;
pub mod frozen;
pub mod io;
pub mod ir_drop;
mod lines;
pub mod mv_type;
pub mod mvm;
pub mod noise_management;
pub mod nonlinearity;
pub mod quantiser;
pub mod voltage_offset;
pub mod weight_noise;

pub use io::IoConfig;
pub use mvm::AnalogMvm;
