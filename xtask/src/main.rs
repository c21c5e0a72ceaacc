//! Command line of the workspace: `cargo xtask COMMAND`.
//!
//! This is the only crate that touches files, clock and terminal.
#![allow(dead_code, unused_imports)] // TODO

mod data;
mod files;
mod golden;
mod interrupt;
mod plot;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Simulation of analog in-memory computing: train and evaluate networks on resistive crossbars.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare with golden reference data: every case of every file in DIR.
    Golden {
        /// Folder with golden files (*.json).
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Box<dyn std::error::Error>> {
    interrupt::install()?;
    match command {
        Command::Golden { dir } => Ok(if golden::run(&dir)? { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
    }
}
