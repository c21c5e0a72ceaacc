//! Golden files and folders of them.

use super::{GoldenError, Node};
use crate::golden::read::describe;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::path::Path;

/// The one format this reader understands.
pub const FORMAT: &str = "aimc-golden/1";

/// One golden file, checked: the head fields exist and every case has a name of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenFile {
    /// File name, for messages.
    pub name: String,
    /// Always [`FORMAT`].
    pub format: String,
    /// What was measured, e.g. `mvm_exact`.
    pub kind: String,
    /// Exact meaning of the fields, in words.
    pub doc: String,
    /// The simulator and versions that produced the numbers.
    pub source: Map<String, Value>,
    /// The cases, objects with a unique string `name`.
    pub cases: Vec<Value>,
    /// All other top-level fields: inputs shared by the cases.
    pub extra: Map<String, Value>,
}

impl GoldenFile {
    /// Parses the text of a golden file; `name` only serves the messages.
    ///
    /// # Errors
    /// Not JSON (or cut short), another format, a missing head field, a case without a unique name.
    pub fn parse(name: &str, text: &str) -> Result<Self, GoldenError> {
        let json = |error| GoldenError::Json { file: name.to_owned(), error };
        let value: Value = serde_json::from_str(text).map_err(json)?;
        let root = Node::new(&value, name, None, String::new());
        let mut extra = value.as_object().ok_or_else(|| root.error_here("an object"))?.clone();
        if extra.get("format").and_then(Value::as_str) != Some(FORMAT) {
            let found = extra.get("format").map_or("missing".into(), describe);
            return Err(GoldenError::Format { file: name.to_owned(), found, expected: FORMAT });
        }
        let source = root.get("source")?;
        let file = Self {
            name: name.to_owned(),
            format: FORMAT.to_owned(),
            kind: root.str("kind")?.to_owned(),
            doc: root.str("doc")?.to_owned(),
            source: source.value().as_object().ok_or_else(|| source.error_here("an object"))?.clone(),
            cases: checked_cases(name, &root)?,
            extra: Map::new(),
        };
        for head in ["format", "kind", "doc", "source", "cases"] {
            extra.shift_remove(head);
        }
        Ok(Self { extra, ..file })
    }

    /// Reads and parses one file.
    ///
    /// # Errors
    /// As [`Self::parse`], or the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, GoldenError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| GoldenError::Io { path: path.to_owned(), error })?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        Self::parse(&name.to_string_lossy(), &text)
    }

    /// The cases in file order.
    pub fn each_case(&self) -> impl Iterator<Item = Node<'_>> {
        self.cases.iter().map(|value| Node::new(value, &self.name, Some(case_name(value)), String::new()))
    }

    /// The case of that name.
    ///
    /// # Errors
    /// [`GoldenError::NoSuchCase`].
    pub fn case(&self, name: &str) -> Result<Node<'_>, GoldenError> {
        let missing = || GoldenError::NoSuchCase { file: self.name.clone(), case: name.to_owned() };
        self.each_case().find(|case| case.name() == name).ok_or_else(missing)
    }

    /// A top-level field outside the cases (shared inputs), by its key.
    ///
    /// # Errors
    /// [`GoldenError::Field`] if there is none.
    pub fn shared(&self, key: &str) -> Result<Node<'_>, GoldenError> {
        let missing = || GoldenError::Field {
            file: self.name.clone(),
            case: None,
            path: key.to_owned(),
            expected: "a value",
            found: "nothing".into(),
        };
        let value = self.extra.get(key).ok_or_else(missing)?;
        Ok(Node::new(value, &self.name, None, key.to_owned()))
    }
}

fn case_name(case: &Value) -> &str {
    case.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn checked_cases(file: &str, root: &Node<'_>) -> Result<Vec<Value>, GoldenError> {
    let mut seen = HashSet::new();
    let cases = root.get("cases")?.items()?;
    for case in &cases {
        let name = case.str("name")?;
        if !seen.insert(name) {
            return Err(GoldenError::DuplicateCase { file: file.to_owned(), case: name.to_owned() });
        }
    }
    Ok(cases.iter().map(|case| case.value().clone()).collect())
}

/// Reads every `*.json` of a folder, sorted by file name; other files are left alone.
///
/// ```
/// let error = aimc_testkit::golden::read_folder("/no/such/folder".as_ref()).unwrap_err();
/// assert!(error.to_string().starts_with("/no/such/folder: cannot be read"));
/// ```
///
/// # Errors
/// The folder is missing or holds no golden file, or one of the files is bad (see
/// [`GoldenFile::parse`]).
pub fn read_folder(folder: &Path) -> Result<Vec<GoldenFile>, GoldenError> {
    let io = |error| GoldenError::Io { path: folder.to_owned(), error };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(GoldenError::EmptyFolder { path: folder.to_owned() });
    }
    paths.sort();
    paths.iter().map(|path| GoldenFile::read(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"format":"aimc-golden/1","kind":"k","doc":"d","source":{"torch":"2.10.0"},
        "inputs":{"a":[1]},"cases":[
        {"name":"one","x":1},
        {"name":"two"}]}"#;

    fn message(text: &str) -> String {
        GoldenFile::parse("f.json", text).unwrap_err().to_string()
    }

    #[test]
    fn a_good_file() {
        let file = GoldenFile::parse("f.json", GOOD).unwrap();
        assert_eq!((file.kind.as_str(), file.doc.as_str()), ("k", "d"));
        assert_eq!(file.source["torch"], "2.10.0");
        assert_eq!(file.extra.keys().collect::<Vec<_>>(), ["inputs"]);
        assert_eq!(file.each_case().map(|c| c.name().to_owned()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(file.case("one").unwrap().u64("x").unwrap(), 1);
        assert_eq!(file.shared("inputs").unwrap().vec_f32("a").unwrap(), [1.0]);
        assert_eq!(file.case("three").unwrap_err().to_string(), "f.json: no case is named \"three\"");
        let error = file.shared("inputs").unwrap().f64("b").unwrap_err();
        assert_eq!(error.to_string(), "f.json: inputs.b: expected a value, found nothing");
        let error = file.shared("none").unwrap_err();
        assert_eq!(error.to_string(), "f.json: none: expected a value, found nothing");
    }

    #[test]
    fn bad_files_say_what_is_wrong() {
        let other = GOOD.replace("golden/1", "golden/2");
        assert_eq!(message(&other), "f.json: format is \"aimc-golden/2\", expected \"aimc-golden/1\"");
        assert_eq!(message("{}"), "f.json: format is missing, expected \"aimc-golden/1\"");
        assert_eq!(message("[]"), "f.json: : expected an object, found a list of 0");
        let unnamed = GOOD.replace(r#""name":"two""#, r#""label":"two""#);
        assert_eq!(message(&unnamed), "f.json: cases.1.name: expected a value, found nothing");
        let twice = GOOD.replace(r#""two""#, r#""one""#);
        assert_eq!(message(&twice), "f.json: two cases are named \"one\"");
        for head in ["kind", "doc", "source", "cases"] {
            let missing = GOOD.replace(&format!("\"{head}\":"), "\"renamed\":");
            assert_eq!(message(&missing), format!("f.json: {head}: expected a value, found nothing"));
        }
    }

    #[test]
    fn no_truncation_passes_or_panics() {
        for length in 0..GOOD.len() {
            let text = message(&GOOD[..length]);
            assert!(text.starts_with("f.json: not valid JSON: ") && text.lines().count() == 1, "{text}");
        }
    }

    #[test]
    fn folders() {
        let folder = std::env::temp_dir().join(format!("aimc-testkit-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let empty = read_folder(&folder).unwrap_err().to_string();
        for (name, text) in [("b.json", GOOD), ("a.json", GOOD), ("README.md", "no JSON")] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let names: Vec<String> = read_folder(&folder).unwrap().into_iter().map(|f| f.name).collect();
        std::fs::write(folder.join("c.json"), &GOOD[..40]).unwrap();
        let truncated = read_folder(&folder).unwrap_err().to_string();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(empty.ends_with("contains no golden file (*.json)"), "{empty}");
        assert_eq!(names, ["a.json", "b.json"]);
        assert!(truncated.starts_with("c.json: not valid JSON"), "{truncated}");
        assert!(read_folder(&folder).is_err());
    }
}
