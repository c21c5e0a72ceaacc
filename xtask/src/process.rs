//! The command line as a process, for tests that kill it.

use std::process::{Command, Stdio};

/// The command line, a word in a line.
const WORDS: &str = "XTASK_TEST_COMMAND_LINE";

/// What the tests start: this program with another command line. A test of its own binary would have it built twice.
#[test]
#[ignore = "started by tests"]
fn the_process() {
    let words = std::env::var(WORDS).unwrap();
    std::process::exit(i32::from(crate::exit_code(words.split('\n'))));
}

/// A process with these words as its command line; its output can be read.
pub(crate) fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["process::the_process", "--exact", "--ignored", "--nocapture"]);
    command.env(WORDS, words.into_iter().collect::<Vec<_>>().join("\n"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
