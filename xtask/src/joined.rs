//! `cargo xtask report DIR`: all reports in a folder as one page that can be browsed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use crate::files::{OutputError, Outputs, check_folder};
use crate::report::{PROGRAM, Report};

/// The name under which commands write their pages.
const PAGE: &str = "report.html";

/// Folders below this many others are not looked at.
const DEPTH: usize = 8;

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct JoinArguments {
    /// Folder with results of other commands, at any depth.
    #[arg(value_name = "DIR", default_value = "out")]
    folder: PathBuf,
    /// Folder for the page, which is called index.html.
    #[arg(long, value_name = "DIR", default_value = "out/joined")]
    out: PathBuf,
}

/// Why the page could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JoinError {
    #[error("{}: cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: holds no {PAGE} of this program; commands such as demo, train, infer, repro and verify write some", .0.display())]
    Empty(PathBuf),
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Joins the pages.
pub(crate) fn run(arguments: &JoinArguments) -> Result<(), JoinError> {
    let start = Instant::now();
    check_folder(&arguments.out)?;
    let pages = pages(&arguments.folder)?;
    let (page, joined) = render(&pages);
    if joined.is_empty() {
        return Err(JoinError::Empty(arguments.folder.clone()));
    }
    println!("Joined:");
    joined.iter().for_each(|place| println!("  {place}"));
    let mut outputs = Outputs::new();
    outputs.add("index.html", page);
    outputs.finish(&arguments.out, start)?;
    Ok(())
}

/// Every page below `folder` by the name of its folder, in the order of these names.
fn pages(folder: &Path) -> Result<Vec<(String, String)>, JoinError> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((inner, depth)) = folders.pop() {
        let unreadable = |error| JoinError::Unreadable { path: inner.clone(), error };
        for entry in std::fs::read_dir(&inner).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            // Links may lead in a circle.
            if path.is_dir() && !path.is_symlink() && depth < DEPTH {
                folders.push((path, depth + 1));
            } else if path.file_name().is_some_and(|name| name == PAGE) {
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| JoinError::Unreadable { path: path.clone(), error })?;
                let place = inner.strip_prefix(folder).unwrap_or(&inner).to_string_lossy().into_owned();
                found.push((if place.is_empty() { ".".to_owned() } else { place }, text));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The page, and the places of what it has joined; what is no page of this program is left out.
fn render(pages: &[(String, String)]) -> (String, Vec<String>) {
    let mut report = Report::new("Results", "All reports of a folder on one page");
    let known = pages.iter().filter(|(_, text)| Report::is_ours(text));
    let known: Vec<(&str, &str)> = known.map(|(place, text)| (place.as_str(), text.as_str())).collect();
    report.contents(&known);
    for (i, (place, text)) in known.iter().enumerate() {
        report.embed(i, place, text);
    }
    report.section("How to get this again").paragraph(&format!("{PROGRAM}, cargo xtask report"));
    (report.render(), known.iter().map(|(place, _)| (*place).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::testing::assert_well_formed;

    fn page(title: &str) -> String {
        let mut report = Report::new(title, "Below & beside");
        report.section("Numbers").highlights(&[("accuracy", "97.1 %")]).figure("<svg><g/></svg>", "A figure");
        report.render()
    }

    fn joined(folder: &Path, out: &Path) -> Result<String, JoinError> {
        run(&JoinArguments { folder: folder.to_owned(), out: out.to_owned() })?;
        Ok(std::fs::read_to_string(out.join("index.html")).unwrap())
    }

    #[test]
    fn pages_at_any_depth_are_joined_in_order_and_can_be_reached() {
        let folder = tempfile::tempdir().unwrap();
        for (place, title) in [("train", "Training <b>"), ("repro/wan", "Reproduction"), ("demo", "Demo")] {
            std::fs::create_dir_all(folder.path().join(place)).unwrap();
            std::fs::write(folder.path().join(place).join(PAGE), page(title)).unwrap();
        }
        std::fs::write(folder.path().join("train/notes.html"), page("Not a report")).unwrap();
        let text = joined(folder.path(), &folder.path().join("joined")).unwrap();
        let body = &text[text.find("<main>").unwrap()..text.find("</body>").unwrap()];
        assert_well_formed(body);
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words}"));
        assert!(at("<h1 id=\"page0\">Demo") < at("<h1 id=\"page1\">Reproduction"));
        assert!(at("<h1 id=\"page1\">Reproduction") < at("<h1 id=\"page2\">Training &lt;b&gt;"));
        assert!(at("href=\"#page2\"") < at("<h1 id=\"page0\">") && text.matches("<svg>").count() == 3);
        assert!(!text.contains("Not a report") && text.matches("<style>").count() == 1);
        for outside in ["http:", "https:", "src=", "url(", "<script", "<link"] {
            assert!(!text.contains(outside), "{outside}");
        }
        // The page itself is no report: joining again gives the same.
        assert_eq!(joined(folder.path(), &folder.path().join("joined")).unwrap(), text);
    }

    #[test]
    fn other_pages_and_empty_folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        assert!(matches!(joined(folder.path(), &out), Err(JoinError::Empty(_))));
        std::fs::write(folder.path().join(PAGE), "<html><main><script>alert(1)</script></main></html>")
            .unwrap();
        assert!(matches!(joined(folder.path(), &out), Err(JoinError::Empty(_))));
        let missing = folder.path().join("missing");
        assert!(matches!(joined(&missing, &out), Err(JoinError::Unreadable { .. })));
    }
}
