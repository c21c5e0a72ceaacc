//! Reads a golden folder and prints what it holds, one line per file: a check of the folder itself.
//!
//! `cargo run -p aimc-testkit --example golden_summary -- FOLDER`

use aimc_testkit::golden::{GoldenError, GoldenFile, Node, Tensor, read_folder};
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: golden_summary FOLDER");
        return ExitCode::FAILURE;
    };
    match read_folder(Path::new(&folder)).and_then(|files| files.iter().try_for_each(summarise)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Opens every parameter object and binary array of the file, so that a bad one is found.
fn summarise(file: &GoldenFile) -> Result<(), GoldenError> {
    let mut found = Found::default();
    for key in file.extra.keys() {
        walk(&file.shared(key)?, &mut found)?;
    }
    for case in file.each_case() {
        walk(&case, &mut found)?;
    }
    println!(
        "{}: kind {}, {} cases, {} numbers, {} parameter objects, {} binary arrays",
        file.name,
        file.kind,
        file.cases.len(),
        found.numbers,
        found.params,
        found.tensors
    );
    Ok(())
}

#[derive(Default)]
struct Found {
    numbers: usize,
    params: usize,
    tensors: usize,
}

fn walk(node: &Node<'_>, found: &mut Found) -> Result<(), GoldenError> {
    match node.value() {
        Value::Object(fields) if fields.contains_key("base64") => {
            found.tensors += 1;
            node.read::<Tensor>().map(|_| ())
        }
        Value::Object(fields) => {
            found.params += usize::from(fields.contains_key("class"));
            for (key, child) in node.entries()? {
                if child.value().get("class").is_some() {
                    node.params(key)?;
                }
                walk(&child, found)?;
            }
            Ok(())
        }
        Value::Array(_) => node.items()?.iter().try_for_each(|item| walk(item, found)),
        Value::Number(_) => {
            found.numbers += 1;
            node.read::<f64>().map(|_| ())
        }
        _ => Ok(()),
    }
}
