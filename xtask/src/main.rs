//! Command line of the workspace.
#![allow(dead_code, unused_imports)] // The commands that use these modules are wired next.

mod data;
mod files;
mod interrupt;
mod plot;
mod report;

fn main() {}
