//! Every claim of the parity table, looked up in the program.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::feature::{Here, SECTIONS, State};
use super::records::{Elsewhere, RECORDS, Record};
use super::registries::{ALL, find};
use super::schema_path::SchemaPath;
use super::{names, page};
use crate::files::root;
use crate::schema::{self, SchemaName};

fn schemas() -> BTreeMap<&'static str, Value> {
    let all = [SchemaName::Train, SchemaName::Infer, SchemaName::Hwa];
    all.into_iter().map(|name| (name.as_str(), schema::value(name))).collect()
}

#[test]
fn every_registry_has_entries_that_its_field_takes() {
    let schemas = schemas();
    for registry in ALL {
        let entries = registry.entries();
        let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        assert!(!entries.is_empty() && names.len() == entries.len(), "{}: {names:?}", registry.id);
        if let Some((schema, path)) = registry.field {
            let place = SchemaPath::find(&schemas[schema.as_str()], path);
            let place = place.unwrap_or_else(|| panic!("{}: no field {path}", registry.id));
            // Names of presets are checked when they are resolved.
            let known = place.words();
            let taken =
                entries.iter().all(|entry| path.ends_with("preset") || known.contains(entry.name.as_str()));
            assert!(taken, "{path} takes {known:?}, not all of {names:?}");
        }
    }
}

#[test]
fn every_registry_is_in_exactly_one_section() {
    let mut listed: Vec<&str> = SECTIONS.iter().flat_map(|section| section.registries).copied().collect();
    let mut known: Vec<&str> = ALL.iter().map(|registry| registry.id).collect();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(listed, known);
}

#[test]
fn written_names_are_in_their_registries() {
    for names in names::ALL {
        let known =
            find(names.registry).unwrap_or_else(|| panic!("no registry {}", names.registry)).entries();
        for (ours, _) in names.pairs {
            assert!(known.iter().any(|entry| entry.name == *ours), "{} has no {ours}", names.registry);
        }
    }
}

#[test]
fn features_are_where_the_table_says() {
    let schemas = schemas();
    for feature in SECTIONS.iter().flat_map(|section| section.features) {
        let empty = matches!(feature.state, State::Not(_));
        assert_eq!(feature.here.is_empty(), empty, "{}: a place, and only for what is here", feature.what);
        for here in feature.here {
            let there = match here {
                Here::Named(id, name) => {
                    find(id).is_some_and(|known| known.entries().iter().any(|entry| entry.name == *name))
                }
                Here::Field(schema, path) => SchemaPath::find(&schemas[schema.as_str()], path).is_some(),
                Here::File(path) => root().join(path).exists(),
                Here::Item(_) => true, // compiled
            };
            assert!(there, "{}: {here:?} does not exist", feature.what);
        }
    }
}

fn exception(record: &Record, field: &str) -> Option<Elsewhere> {
    record.exceptions.iter().find(|(name, _)| *name == field).map(|(_, elsewhere)| *elsewhere)
}

/// A path of an exception, from the top of the configuration.
fn from_top(record: &Record, path: &str) -> String {
    if path.starts_with("tile.") { path.to_owned() } else { format!("{}.{path}", record.path) }
}

#[test]
fn every_field_of_a_parameter_object_is_where_the_table_says() {
    let schemas = schemas();
    for record in RECORDS {
        let schema = &schemas[record.schema.as_str()];
        let ours =
            SchemaPath::find(schema, record.path).unwrap_or_else(|| panic!("no {}", record.path)).fields();
        let theirs: BTreeSet<&str> = record.fields().collect();
        for field in &theirs {
            match exception(record, field) {
                None => assert!(ours.contains(field), "{}.{field} is not in {}", record.theirs, record.path),
                Some(Elsewhere::At(path)) => {
                    let path = from_top(record, path);
                    assert!(
                        SchemaPath::find(schema, &path).is_some(),
                        "{}.{field}: no {path}",
                        record.theirs
                    );
                }
                Some(Elsewhere::Why(_)) => {
                    assert!(
                        !ours.contains(field),
                        "{}.{field} is in {} after all",
                        record.theirs,
                        record.path
                    );
                }
            }
        }
        let known = |(field, _): &(&str, Elsewhere)| theirs.contains(field);
        assert!(record.exceptions.iter().all(known), "{}: an exception for no field", record.theirs);
    }
}

/// `cargo xtask parity > docs/parity.md` and `cargo xtask parity --names > book/src/names.md` renew them.
#[test]
fn the_committed_pages_are_up_to_date() {
    for (file, text) in [("docs/parity.md", page::parity()), ("book/src/names.md", page::names())] {
        let committed = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        assert!(committed == text, "renew {file}");
    }
}
