//! aimc-device.
