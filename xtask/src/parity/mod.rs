//! `cargo xtask parity`: what AIHWKit can do and where it is here, as `docs/parity.md`; with `--names` AIHWKit's names one by one, as
//! `book/src/names.md`.
//!
//! One source for both: [`feature`] and [`features`] say what no registry lists, [`registries`] asks the program for what can be chosen by
//! name, [`names`] and [`records`] say what AIHWKit calls it. A name that does not exist here fails a test or does not compile.

mod feature;
mod features;
mod names;
mod page;
mod records;
mod registries;
#[cfg(test)]
mod schema_path;

use clap::Args;

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct ParityArguments {
    /// AIHWKit's names and where each is here (book/src/names.md), instead of the table of features (docs/parity.md).
    #[arg(long)]
    names: bool,
}

/// Prints the page.
pub(crate) fn run(arguments: &ParityArguments) {
    print!("{}", if arguments.names { page::names() } else { page::parity() });
}

#[cfg(test)]
mod tests;
