//! The snippets of the documents: every table of TOML is a configuration that its command accepts, every command line is one that this
//! program knows, and every chapter with Rust is among those that the documentation tests run.

use std::path::{Path, PathBuf};

use aimc_device::{ConfigError, config};
use clap::Parser;

use crate::files::root;
use crate::sweep::SweepConfig;
use crate::{Arguments, hwa, infer, train};

/// A fenced block of a document.
struct Block {
    /// Where it begins, for messages.
    place: String,
    /// What stands behind the fence: `toml,train`, `sh`, `rust`.
    kind: String,
    text: String,
}

fn chapters() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("book/src")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    files
}

fn blocks(file: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(file).unwrap();
    let (mut found, mut open): (Vec<Block>, bool) = (Vec::new(), false);
    for (i, line) in text.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(kind) => {
                let place = format!("{}:{}", file.display(), i + 1);
                found.push(Block { place, kind: kind.to_owned(), text: String::new() });
                open = true;
            }
            None if open => {
                if let Some(block) = found.last_mut() {
                    block.text += &format!("{line}\n");
                }
            }
            None => {}
        }
    }
    assert!(!open, "{}: a block is not closed", file.display());
    found
}

fn of_book() -> impl Iterator<Item = Block> {
    chapters().into_iter().flat_map(|file| blocks(&file))
}

/// Whether the command takes the configuration.
fn accepts(kind: &str, text: &str) -> Result<(), ConfigError> {
    let tree = config::parse_toml(text)?;
    match kind {
        "train" => train::decode(tree).map(drop),
        "infer" => infer::decode(tree).map(drop),
        "hwa" => hwa::decode(tree).map(drop),
        "sweep" => config::decode::<SweepConfig>(tree)?.validate(),
        _ => Err(ConfigError::new("", kind, "must be train, infer, hwa or sweep behind \"toml,\"")),
    }
}

#[test]
fn every_configuration_of_the_book_is_accepted() {
    let mut number = 0;
    for block in of_book().filter(|block| block.kind.starts_with("toml")) {
        let kind = block.kind.strip_prefix("toml,").unwrap_or_default();
        accepts(kind, &block.text).unwrap_or_else(|error| panic!("{}: {error}", block.place));
        number += 1;
    }
    assert!(number > 15, "only {number} configurations found");
}

#[test]
fn a_wrong_configuration_would_be_noticed() {
    let text =
        "[network]\nmlp = { hidden = [4], activation = \"sigmoid\" }\n[tile.device]\nmodel = \"SoftBound\"";
    assert_eq!(accepts("train", text).unwrap_err().field, "tile.device.model");
    assert!(accepts("", text).is_err());
}

#[test]
fn every_command_line_is_known_and_names_files_that_exist() {
    let documents =
        ["README.md", "examples/README.md", "docs/reproductions.md"].map(|file| root().join(file));
    let mut number = 0;
    for block in documents.iter().chain(&chapters()).flat_map(|file| blocks(file)) {
        for line in block.text.lines().filter(|line| block.kind == "sh" && line.starts_with("cargo xtask ")) {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().skip(1).collect();
            let known = Arguments::try_parse_from(&words);
            let help = known.as_ref().is_err_and(|error| error.kind() == clap::error::ErrorKind::DisplayHelp);
            assert!(known.is_ok() || help, "{}: {line}: {}", block.place, known.unwrap_err());
            for file in words.iter().filter(|word| word.starts_with("examples/")) {
                assert!(root().join(file).exists(), "{}: {file} does not exist", block.place);
            }
            number += 1;
        }
    }
    assert!(number > 30, "only {number} command lines found");
}

#[test]
fn every_chapter_is_in_the_contents_and_its_rust_is_tested() {
    let contents = std::fs::read_to_string(root().join("book/src/SUMMARY.md")).unwrap();
    let snippets = std::fs::read_to_string(root().join("book/snippets.rs")).unwrap();
    for file in chapters() {
        let (name, stem) =
            (file.file_name().unwrap().to_str().unwrap(), file.file_stem().unwrap().to_str().unwrap());
        assert!(
            name == "SUMMARY.md" || contents.contains(&format!("({name})")),
            "{name} is not in the contents"
        );
        let rust = blocks(&file).iter().any(|block| block.kind.starts_with("rust"));
        let tested = snippets.lines().any(|line| line.trim() == stem);
        assert_eq!(rust, tested, "{name}: Rust {rust}, listed in book/snippets.rs {tested}");
    }
    for link in contents.split('(').skip(1) {
        let file = link.split(')').next().unwrap();
        assert!(root().join("book/src").join(file).exists(), "the contents name {file}");
    }
}
