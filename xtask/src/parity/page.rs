//! The pages: parity (what is here) and names (where AIHWKit's names are).

use super::feature::{Feature, Here, SECTIONS, Section, State};
use super::names::theirs;
use super::records::{Elsewhere, RECORDS, Record};
use super::registries::{Entry, Registry, find, of_command};

const PARITY_HEAD: &str = "\
# Parity with AIHWKit 1.1.0

What AIHWKit can do, and where it is here. Written by `cargo xtask parity`; do not edit. What can be chosen by name comes from the \
registries of the program, fields from its schemas, Rust names from the compiler. **Have** is built and tested; *ours only* has no \
counterpart in AIHWKit. Where results differ on purpose, see `docs/differences-from-aihwkit.md`.
";

const NAMES_HEAD: &str = "\
# AIHWKit's names, one by one

Written by `cargo xtask parity --names`; do not edit. Paths are those of `cargo xtask train` unless another command is named; \
`{model=X}` chooses a record, `[]` is any entry of a list.
";

/// How much is here, and how much is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) have: usize,
    pub(super) partly: usize,
    pub(super) not: usize,
    pub(super) ours: usize,
}

/// `docs/parity.md`.
pub(super) fn parity() -> String {
    let mut counts = Counts::default();
    let sections: Vec<String> = SECTIONS.iter().map(|section| parity_section(section, &mut counts)).collect();
    let Counts { have, partly, not, ours } = counts;
    let total =
        format!("\n{have} features are here, {partly} in part, {not} not; {ours} more are ours only.\n");
    PARITY_HEAD.to_owned() + &total + &sections.concat()
}

fn parity_section(section: &Section, counts: &mut Counts) -> String {
    let mut rows = Vec::new();
    for registry in registries(section) {
        rows.extend(registry.entries().iter().map(|entry| registered(registry, entry, counts)));
    }
    rows.extend(section.features.iter().map(|feature| listed(feature, counts)));
    table(&format!("## {}", section.title), &["feature", "AIHWKit", "here", ""], &rows)
}

fn registries(section: &Section) -> impl Iterator<Item = &'static Registry> {
    section.registries.iter().filter_map(|id| find(id))
}

fn registered(registry: &Registry, entry: &Entry, counts: &mut Counts) -> Vec<String> {
    let name = theirs(registry, entry);
    *(if name.is_some() { &mut counts.have } else { &mut counts.ours }) += 1;
    let state = if name.is_some() { "**have**" } else { "*ours only*" };
    let what = if entry.what.is_empty() { registry.title } else { &entry.what };
    vec![
        what.to_owned(),
        codes(name.as_deref().unwrap_or_default()),
        registry.choice(&entry.name),
        state.to_owned(),
    ]
}

fn listed(feature: &Feature, counts: &mut Counts) -> Vec<String> {
    let state = match feature.state {
        State::Have => {
            counts.have += 1;
            "**have**".to_owned()
        }
        State::Partly(missing) => {
            counts.partly += 1;
            format!("partly: {missing}")
        }
        State::Not(why) => {
            counts.not += 1;
            format!("not: {why}")
        }
    };
    vec![feature.what.to_owned(), codes(feature.theirs), places(feature.here), state]
}

/// `book/src/names.md`. A column for another front end, such as Python, would follow from the same entries, beside `here`.
pub(super) fn names() -> String {
    let mut text = NAMES_HEAD.to_owned();
    for section in SECTIONS {
        let of_registries = registries(section).flat_map(|registry| {
            let entries = registry.entries().into_iter();
            entries.filter_map(|entry| {
                Some(vec![codes(&theirs(registry, &entry)?), registry.choice(&entry.name)])
            })
        });
        let features = section.features.iter().filter(|feature| !feature.here.is_empty());
        let of_features = features.map(|feature| vec![codes(feature.theirs), places(feature.here)]);
        let rows: Vec<Vec<String>> = of_registries.chain(of_features).collect();
        text += &table(&format!("## {}", section.title), &["AIHWKit", "here"], &rows);
    }
    let rows: Vec<Vec<String>> = RECORDS.iter().map(record).collect();
    let columns = ["AIHWKit", "here", "fields", "except"];
    text + &table("## Parameter objects, field by field", &columns, &rows)
}

fn record(record: &Record) -> Vec<String> {
    let exceptions = record.exceptions.iter().map(|(field, elsewhere)| match elsewhere {
        Elsewhere::At(path) => format!("`{field}` is `{path}`"),
        Elsewhere::Why(why) => format!("`{field}`: {why}"),
    });
    let exceptions: Vec<String> = exceptions.collect();
    let same = record.fields().count() - exceptions.len();
    let schema = record.schema.as_str();
    vec![
        code(record.theirs),
        format!("`{}` ({schema})", record.path),
        format!("{same} of the same name"),
        exceptions.join("; "),
    ]
}

fn places(here: &[Here]) -> String {
    let place = |here: &Here| match here {
        Here::Named(id, name) => find(id).map_or_else(|| code(name), |registry| registry.choice(name)),
        Here::Field(schema, path) => code(path) + &of_command(*schema),
        Here::File(path) => code(path),
        Here::Item(path) => code(&path.replace(' ', "")),
    };
    here.iter().map(place).collect::<Vec<_>>().join(", ")
}

/// One name as code; several, separated by commas, each.
fn codes(names: &str) -> String {
    if names.is_empty() { String::new() } else { names.split(", ").map(code).collect::<Vec<_>>().join(", ") }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn table(heading: &str, columns: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
    };
    let head = line(&mut columns.iter().copied());
    let rule = format!("|{}\n", "---|".repeat(columns.len()));
    let body: String = rows.iter().map(|row| line(&mut row.iter().map(String::as_str))).collect();
    format!("\n{heading}\n\n{head}{rule}{body}")
}
