//! What can be wrong with golden data.

use std::path::PathBuf;

/// Golden data that could not be read, or that lack a field a test asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GoldenError {
    /// The folder or file could not be read.
    #[error("{path}: cannot be read: {error}")]
    Io {
        /// Folder or file.
        path: PathBuf,
        /// What the operating system said.
        error: std::io::Error,
    },
    /// The folder holds no `*.json` file.
    #[error("{path}: contains no golden file (*.json)")]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The text is not JSON; a truncated file ends here.
    #[error("{file}: not valid JSON: {error}")]
    Json {
        /// File name.
        file: String,
        /// Line, column and cause.
        error: serde_json::Error,
    },
    /// The `format` field is not the one this reader understands.
    #[error("{file}: format is {found}, expected \"{expected}\"")]
    Format {
        /// File name.
        file: String,
        /// The field as written, or `missing`.
        found: String,
        /// The format this reader understands.
        expected: &'static str,
    },
    /// A field is missing or has another type than asked for.
    #[error("{file}: {}{path}: expected {expected}, found {found}", .case.as_ref().map(|c| format!("case \"{c}\": ")).unwrap_or_default())]
    Field {
        /// File name.
        file: String,
        /// Name of the case; `None` outside the cases.
        case: Option<String>,
        /// Dotted path from the case (or the file), list positions as numbers.
        path: String,
        /// What the field should be.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// No case has this name.
    #[error("{file}: no case is named \"{case}\"")]
    NoSuchCase {
        /// File name.
        file: String,
        /// The name asked for.
        case: String,
    },
    /// Two cases share a name, so that a name does not identify a case.
    #[error("{file}: two cases are named \"{case}\"")]
    DuplicateCase {
        /// File name.
        file: String,
        /// The repeated name.
        case: String,
    },
}
