//! Which module of a file belongs to which layer: by a table, or found by kind and shape.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ImportError;
use super::tensors::Tensors;
use super::wanted::{Needed, Slot, Wanted};
use crate::module::join;

/// Names of a file for our layers: `layer0` → `conv1`, or for a single tensor `layer3.weight` → `positions`.
///
/// The four projections of an attention layer may have entries of their own (`layer1.query` → `encoder.q`), for models
/// that keep them apart. Layers without an entry are given modules that have exactly the tensors and shapes they want.
/// Where several fit, they are taken in the order of the numbers in their names, `conv1` before `conv2` before `conv10`;
/// names that differ in more than numbers have no order, and are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Names(BTreeMap<String, String>);

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Names {
    fn from(entries: [(K, V); N]) -> Self {
        Self(entries.into_iter().map(|(layer, module)| (layer.into(), module.into())).collect())
    }
}

/// For every module that is wanted the full names of its tensors; none where there is no such module.
pub(super) type Found = Vec<Option<Vec<String>>>;

impl Names {
    /// Whether some of `parts` of a layer have entries of their own.
    pub(super) fn splits(&self, layer: &str, parts: &[&str]) -> bool {
        parts.iter().any(|part| {
            let part = join(layer, part);
            self.0
                .keys()
                .any(|key| *key == part || key.strip_prefix(&part).is_some_and(|k| k.starts_with('.')))
        })
    }

    /// The full name of a tensor, if the table tells.
    fn tensor(&self, layer: &str, slot: &Slot) -> Option<String> {
        let own = self.0.get(&join(layer, &slot.name)).cloned();
        own.or_else(|| self.0.get(layer).map(|module| join(module, &slot.name)))
    }

    /// Finds the tensors of all modules; refuses entries without meaning, shapes that do not fit, and doubtful cases.
    pub(super) fn find(&self, wanted: &[Wanted], tensors: &Tensors) -> Result<Found, ImportError> {
        self.check_keys(wanted)?;
        let mut found: Found = wanted.iter().map(|wanted| self.by_table(wanted)).collect();
        for (wanted, names) in wanted.iter().zip(&found) {
            check_tensors(wanted, names.as_deref().unwrap_or_default(), tensors)?;
        }
        let mut free: BTreeSet<&str> = tensors.iter().map(|(name, _)| name).collect();
        found.iter().flatten().flatten().for_each(|name| {
            free.remove(name.as_str());
        });
        // Modules that hold modules come first: what lies inside them is not for others. Those that take any shape come
        // last: what others need is not for them.
        let order = |i: &usize| {
            let tensors = &wanted[*i].tensors;
            let nested = tensors.iter().any(|slot| slot.name.contains('.'));
            let any_shape = tensors.iter().any(|slot| matches!(slot.shape, Needed::Count(_)));
            (!nested, any_shape)
        };
        let mut open: Vec<usize> = (0..wanted.len()).filter(|i| found[*i].is_none()).collect();
        open.sort_by_key(order);
        while let Some(&first) = open.first() {
            let (alike, others) = open.iter().partition(|&&i| same(&wanted[i], &wanted[first]));
            let alike: Vec<usize> = alike;
            open = others;
            for (i, module) in alike.iter().zip(modules(&wanted[first], alike.len(), tensors, &free)?) {
                let names: Vec<String> =
                    wanted[*i].tensors.iter().map(|slot| join(&module, &slot.name)).collect();
                names.iter().for_each(|name| {
                    free.remove(name.as_str());
                });
                found[*i] = Some(names);
            }
        }
        Ok(found)
    }

    fn check_keys(&self, wanted: &[Wanted]) -> Result<(), ImportError> {
        let known = |key: &str| {
            wanted.iter().any(|wanted| {
                wanted.layer == key
                    || wanted.tensors.iter().any(|slot| join(&wanted.layer, &slot.name) == key)
            })
        };
        match self.0.keys().find(|key| !known(key)) {
            None => Ok(()),
            Some(key) => {
                let layers = wanted.iter().map(|wanted| wanted.layer.clone()).collect();
                Err(ImportError::Key { key: key.clone(), layers })
            }
        }
    }

    /// The names that the table gives, if it gives all.
    fn by_table(&self, wanted: &Wanted) -> Option<Vec<String>> {
        wanted.tensors.iter().map(|slot| self.tensor(&wanted.layer, slot)).collect()
    }
}

/// Refuses tensors that are not there or have another shape.
fn check_tensors(wanted: &Wanted, names: &[String], tensors: &Tensors) -> Result<(), ImportError> {
    for (slot, name) in wanted.tensors.iter().zip(names) {
        let (layer, tensor) = (wanted.layer.clone(), name.clone());
        match tensors.get(name) {
            None => return Err(ImportError::Absent { layer, tensor }),
            Some(found) if !slot.shape.fits(&found.shape) => {
                let (found, needed) = (found.shape.clone(), slot.shape.to_string());
                return Err(ImportError::Shape { layer, tensor, found, needed });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether any module that serves the one would serve the other.
fn same(a: &Wanted, b: &Wanted) -> bool {
    let mut pairs = a.tensors.iter().zip(&b.tensors);
    a.tensors.len() == b.tensors.len() && pairs.all(|(a, b)| a.name == b.name && a.shape == b.shape)
}

/// The names of `count` modules that have exactly what is wanted, in order; none if there is no such module.
fn modules(
    wanted: &Wanted,
    count: usize,
    tensors: &Tensors,
    free: &BTreeSet<&str>,
) -> Result<Vec<String>, ImportError> {
    let Some(first) = wanted.tensors.first() else { return Ok(Vec::new()) };
    let mut candidates: Vec<&str> = free.iter().filter_map(|name| module_of(name, &first.name)).collect();
    candidates.retain(|module| {
        let all = wanted.tensors.iter().all(|slot| {
            let name = join(module, &slot.name);
            free.contains(name.as_str()) && tensors.get(&name).is_some_and(|t| slot.shape.fits(&t.shape))
        });
        // A module with more numbers of its own is another one.
        let own =
            free.iter().filter(|name| name.rsplit_once('.').map_or("", |(module, _)| module) == *module);
        all && own.count() == wanted.tensors.iter().filter(|slot| !slot.name.contains('.')).count()
    });
    candidates.sort_by_key(|module| numbers(module));
    let ordered = candidates.windows(2).all(|pair| stem(pair[0]) == stem(pair[1]));
    if candidates.is_empty() || candidates.len() == count && ordered {
        Ok(candidates.into_iter().map(str::to_owned).collect())
    } else {
        let modules = candidates.into_iter().map(str::to_owned).collect();
        Err(ImportError::Doubt { layer: wanted.layer.clone(), kind: wanted.kind, count, modules })
    }
}

/// The module whose tensor `slot` has the full name `name`.
fn module_of<'a>(name: &'a str, slot: &str) -> Option<&'a str> {
    let module = name.strip_suffix(slot)?;
    if module.is_empty() { Some("") } else { module.strip_suffix('.') }
}

/// The numbers in a name, in order.
fn numbers(name: &str) -> Vec<u64> {
    let digits = name.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    digits.map(|part| part.parse().unwrap_or(u64::MAX)).collect()
}

/// The name without its numbers.
fn stem(name: &str) -> String {
    let mut stem = String::new();
    for c in name.chars() {
        match c {
            '0'..='9' if stem.ends_with('#') => {}
            '0'..='9' => stem.push('#'),
            c => stem.push(c),
        }
    }
    stem
}
