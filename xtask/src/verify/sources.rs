//! What the sources say about a test: its documentation is the claim, the equation of its file stands above.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::VerifyError;

/// A function and the text of its documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// The line on which it begins, from 1.
    line: usize,
    /// Its documentation as one paragraph; empty if it has none.
    pub(super) doc: String,
}

/// A source file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    /// First sentence of its documentation.
    pub(super) title: String,
    /// The blocks of equations in it.
    pub(super) equations: String,
    functions: Vec<Function>,
}

/// The sources of some crates by their path from the root of the workspace.
#[derive(Debug, Default)]
pub(super) struct Sources(BTreeMap<String, Source>);

impl Sources {
    /// Reads all Rust files of the packages.
    pub(super) fn read(root: &Path, packages: &[&str]) -> Result<Self, VerifyError> {
        let mut sources = BTreeMap::new();
        let mut folders: Vec<PathBuf> = packages.iter().map(|package| root.join(package)).collect();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(VerifyError::Sources)? {
                let path = entry.map_err(VerifyError::Sources)?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).map_err(VerifyError::Sources)?;
                    let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                    sources.insert(name, parse(&text));
                }
            }
        }
        Ok(Self(sources))
    }

    pub(super) fn file(&self, path: &str) -> Option<&Source> {
        self.0.get(path)
    }

    /// The file and function of the test `path` (`module::tests::name`) of the program that begins in `source`.
    pub(super) fn test(&self, source: &Path, path: &str) -> Option<(&str, &Function)> {
        let (modules, name) = path.rsplit_once("::").unwrap_or(("", path));
        let modules: Vec<&str> = modules.split("::").collect();
        let belongs = |file: &str| match source.file_name().and_then(|name| name.to_str()) {
            Some("lib.rs" | "main.rs") => {
                source.parent().is_some_and(|folder| Path::new(file).starts_with(folder))
            }
            _ => Path::new(file) == source,
        };
        let likeness = |file: &str| {
            let parts = file.trim_end_matches(".rs").split('/').map(|part| part.trim_end_matches("_tests"));
            parts.filter(|part| modules.contains(part)).count()
        };
        let files = self.0.iter().filter(|(file, _)| belongs(file));
        let found = files.flat_map(|(file, source)| {
            source
                .functions
                .iter()
                .filter(|function| function.name == name)
                .map(|function| (file.as_str(), function))
        });
        // The first of those that are most alike.
        found.rev().max_by_key(|(file, _)| likeness(file))
    }

    /// The function in which a line stands.
    pub(super) fn around(&self, file: &str, line: usize) -> Option<&Function> {
        self.0.get(file)?.functions.iter().rev().find(|function| function.line <= line)
    }
}

fn parse(text: &str) -> Source {
    let (mut functions, mut doc) = (Vec::new(), Vec::new());
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(words) = line.strip_prefix("///") {
            doc.push(words.trim());
            continue;
        }
        if let Some(name) = function_name(line) {
            functions.push(Function { name: name.to_owned(), line: i + 1, doc: paragraph(&doc) });
        }
        // Attributes may stand between the documentation and what it is about.
        if !line.starts_with("#[") {
            doc.clear();
        }
    }
    let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let title =
        head.iter().map(|line| line.trim()).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    Source { title, equations: blocks(&head), functions }
}

fn function_name(line: &str) -> Option<&str> {
    let rest = ["pub(crate) ", "pub(super) ", "pub "]
        .iter()
        .fold(line, |line, word| line.strip_prefix(word).unwrap_or(line));
    let name = rest.strip_prefix("fn ")?.split(['(', '<']).next()?;
    (!name.is_empty()).then_some(name)
}

/// Lines of documentation as one paragraph, without blocks of code.
fn paragraph(lines: &[&str]) -> String {
    let mut code = false;
    let words = lines.iter().filter(|line| {
        let fence = line.starts_with("```");
        code ^= fence;
        !fence && !code && !line.is_empty()
    });
    words.copied().collect::<Vec<_>>().join(" ")
}

/// The blocks of text in documentation, which hold equations.
fn blocks(lines: &[&str]) -> String {
    let mut inside = false;
    let mut found = Vec::new();
    for line in lines {
        let line = line.strip_prefix(' ').unwrap_or(line);
        if line.starts_with("```") {
            inside = line == "```text";
        } else if inside {
            found.push(line);
        }
    }
    found.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
//! Soft bounds: the step
//! shrinks.
//!
//! ```text
//! w ← w + a(1 - w/b)
//! ```
//!
//! ```
//! let code = 1;
//! ```

/// Not a test.
fn helper<T>() {}

/// Steps: Δw ~ N(a, σ),
/// everywhere.
#[test]
fn steps_are_normal() {
    expect();
}

proptest! {
    #[test]
    fn without_words(x in 0..1) {}
}
";

    fn sources() -> Sources {
        let other = TEXT.replace("Steps: Δw ~ N(a, σ),", "Another file.");
        Sources(BTreeMap::from([
            ("aimc-x/src/soft.rs".to_owned(), parse(TEXT)),
            ("aimc-x/src/hard_tests.rs".to_owned(), parse(&other)),
            ("aimc-x/tests/laws.rs".to_owned(), parse(TEXT)),
        ]))
    }

    #[test]
    fn documentation_is_the_claim_and_blocks_are_equations() {
        let source = parse(TEXT);
        assert_eq!(source.title, "Soft bounds: the step shrinks.");
        assert_eq!(source.equations, "w ← w + a(1 - w/b)");
        let docs: Vec<(&str, &str)> =
            source.functions.iter().map(|f| (f.name.as_str(), f.doc.as_str())).collect();
        assert_eq!(
            docs,
            [
                ("helper", "Not a test."),
                ("steps_are_normal", "Steps: Δw ~ N(a, σ), everywhere."),
                ("without_words", ""),
            ]
        );
    }

    #[test]
    fn tests_are_found_by_their_modules() {
        let sources = sources();
        let library = Path::new("aimc-x/src/lib.rs");
        let found =
            |source, path| sources.test(source, path).map(|(file, function)| (file, function.doc.as_str()));
        let soft = ("aimc-x/src/soft.rs", "Steps: Δw ~ N(a, σ), everywhere.");
        assert_eq!(found(library, "soft::tests::steps_are_normal"), Some(soft));
        assert_eq!(
            found(library, "hard::tests::steps_are_normal"),
            Some(("aimc-x/src/hard_tests.rs", "Another file. everywhere."))
        );
        assert_eq!(
            found(Path::new("aimc-x/tests/laws.rs"), "steps_are_normal").unwrap().0,
            "aimc-x/tests/laws.rs"
        );
        assert_eq!(found(library, "soft::tests::nothing"), None);
    }

    #[test]
    fn a_line_is_in_the_function_above_it() {
        let sources = sources();
        let around = |line| sources.around("aimc-x/src/soft.rs", line).map(|function| function.name.as_str());
        assert_eq!((around(1), around(13), around(19)), (None, Some("helper"), Some("steps_are_normal")));
    }
}
