//! The Rust snippets of the book, each an example that the documentation tests compile and run.
//!
//! A chapter with Rust in it is listed here; a test of the command line finds one that is not. Snippets of TOML and of the shell are
//! checked there, too.

/// Every chapter with Rust in it.
macro_rules! chapters {
    ($($chapter:ident)*) => {
        $(#[cfg(doctest)] #[doc = include_str!(concat!("src/", stringify!($chapter), ".md"))] mod $chapter {})*
    };
}

chapters! {
    first_tile
    choosing_a_device
    measured_devices
    periphery
    tiki_taka
    hardware_aware
    inference
    seeds
    adding_a_device
}
