//! Peripheral circuits, in the order in which the signal flows:
//! [`noise_management`] → [`dac`] → array ([`mvm`]) → [`adc`] → [`bound_management`].

pub mod adc;
pub mod bound_management;
pub mod dac;
pub mod io;
pub mod mvm;
pub mod noise_management;
pub mod quantiser;
pub mod weight_noise;

pub use io::IoConfig;
pub use mvm::AnalogMvm;
