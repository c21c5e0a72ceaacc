//! The tests of the crates, built by cargo and run one program after the other.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::VerifyError;
use super::findings::{self, Finding};
use crate::files::root;
use crate::interrupt;

/// A program full of tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) package: String,
    /// Its first source file, from the root of the workspace.
    pub(super) source: PathBuf,
    executable: PathBuf,
    /// Folder of its crate, in which cargo would start it.
    folder: PathBuf,
}

/// How a test has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Holds,
    Fails,
    /// Marked as not to be run.
    Ignored,
}

/// A test and how it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tested {
    /// Its path inside the program.
    pub(super) name: String,
    pub(super) ending: Ending,
}

/// What a program full of tests has given.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) tests: Vec<Tested>,
    pub(super) findings: Vec<Finding>,
}

/// Has cargo build the tests of these packages; what it says goes to the terminal.
pub(super) fn build(packages: &[&str]) -> Result<Vec<Program>, VerifyError> {
    let output = cargo(packages, &["test", "--no-run", "--lib", "--tests", "--message-format=json"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(VerifyError::Cargo)?;
    if !output.status.success() {
        return Err(VerifyError::Build);
    }
    Ok(programs(&String::from_utf8_lossy(&output.stdout), &root()))
}

/// The programs among cargo's messages.
fn programs(messages: &str, root: &Path) -> Vec<Program> {
    let program = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
        if message.pointer("/profile/test") != Some(&Value::Bool(true)) {
            return None;
        }
        let folder = Path::new(text("/manifest_path")?).parent()?;
        let source = Path::new(text("/target/src_path")?);
        Some(Program {
            package: folder.file_name()?.to_str()?.to_owned(),
            source: source.strip_prefix(root).unwrap_or(source).to_owned(),
            executable: text("/executable")?.into(),
            folder: folder.to_owned(),
        })
    };
    messages.lines().filter_map(program).collect()
}

fn cargo(packages: &[&str], words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(words);
    for package in packages {
        command.args(["--package", package]);
    }
    command
}

impl Program {
    /// Runs the tests whose names contain `filter`; their findings go through a file in `folder`.
    pub(super) fn run(&self, filter: Option<&str>, folder: &Path) -> Result<Run, VerifyError> {
        let file = folder.join("findings.jsonl");
        let output = Command::new(&self.executable)
            .args(filter)
            .current_dir(&self.folder)
            .env("AIMC_FINDINGS", &file)
            .stderr(Stdio::null())
            .output()
            .map_err(VerifyError::Cargo)?;
        interrupt::check()?;
        let mut tests = endings(&String::from_utf8_lossy(&output.stdout));
        let failed = tests.iter().any(|test| test.ending == Ending::Fails);
        if !output.status.success() && !failed {
            let name = format!("the program ended early ({})", output.status);
            tests.push(Tested { name, ending: Ending::Fails });
        }
        let findings = findings::take(&file)?;
        Ok(Run { tests, findings })
    }
}

/// Runs the examples in the documentation; their names are file, item and line.
pub(super) fn examples(packages: &[&str]) -> Result<Vec<Tested>, VerifyError> {
    let output = cargo(packages, &["test", "--doc", "--no-fail-fast"])
        .stderr(Stdio::null())
        .output()
        .map_err(VerifyError::Cargo)?;
    interrupt::check()?;
    let mut tests = endings(&String::from_utf8_lossy(&output.stdout));
    if !output.status.success() && tests.iter().all(|test| test.ending != Ending::Fails) {
        let name = "documentation - all that `cargo test --doc` compiles".to_owned();
        tests.push(Tested { name, ending: Ending::Fails });
    }
    Ok(tests)
}

/// The verdicts in what a program of tests prints.
fn endings(text: &str) -> Vec<Tested> {
    let ending = |line: &str| {
        let (name, word) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
        let ending = match word.split(',').next()? {
            "ok" => Ending::Holds,
            "FAILED" => Ending::Fails,
            "ignored" => Ending::Ignored,
            _ => return None,
        };
        // What a test is expected to do stands behind its name.
        let name = [" - should panic", " - compile fail", " - compile"]
            .iter()
            .fold(name, |name, words| name.strip_suffix(words).unwrap_or(name));
        Some(Tested { name: name.to_owned(), ending })
    };
    text.lines().filter_map(ending).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_from_what_is_printed() {
        let text = "\nrunning 4 tests\ntest a::b ... ok\ntest c - should panic ... FAILED\n\
                    test src/d.rs - d (line 3) ... ignored, slow\ntest result: FAILED. 1 passed\ntest e ... bench: 3\n";
        let found = endings(text);
        let ending = |name: &str| found.iter().find(|test| test.name == name).map(|test| test.ending);
        assert_eq!(found.len(), 3);
        assert_eq!(ending("a::b"), Some(Ending::Holds));
        assert_eq!(ending("c"), Some(Ending::Fails));
        assert_eq!(ending("src/d.rs - d (line 3)"), Some(Ending::Ignored));
    }

    #[test]
    fn programs_are_read_from_the_messages_of_cargo() {
        let test = r#"{"reason":"compiler-artifact","manifest_path":"/w/aimc-tile/Cargo.toml","profile":{"test":true},
            "target":{"src_path":"/w/aimc-tile/tests/tile/main.rs"},"executable":"/w/target/tile-1"}"#;
        let library = r#"{"reason":"compiler-artifact","manifest_path":"/w/aimc-tile/Cargo.toml","profile":{"test":false},
            "target":{"src_path":"/w/aimc-tile/src/lib.rs"},"executable":null}"#;
        let messages = [test, library].map(|message| message.replace('\n', "")).join("\n");
        let found = programs(&messages, Path::new("/w"));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].package.as_str(), found[0].source.to_str().unwrap()),
            ("aimc-tile", "aimc-tile/tests/tile/main.rs")
        );
    }
}
