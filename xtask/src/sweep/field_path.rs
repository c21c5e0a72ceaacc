//! Fields of a tree by their path: `tile.device.dw_min`, `override[0].layer`, `history[-1].test_accuracy`.
//!
//! A negative index counts from the end. Tables on the way to a field are made where they are missing, entries of lists
//! are not.

use aimc_device::ConfigError;
use serde_json::{Map, Value};

/// One step into a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// An entry of a table.
    Key(String),
    /// An entry of a list.
    Index(i64),
}

/// A path, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldPath {
    text: String,
    steps: Vec<Step>,
}

impl FieldPath {
    /// Takes a path apart; refuses one that names nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let steps = text.split('.').map(part).collect::<Option<Vec<_>>>();
        let requirement = "must be a path such as tile.device.dw_min or history[-1].test_accuracy";
        let steps = steps.ok_or_else(|| ConfigError::new("", format!("{text:?}"), requirement))?;
        Ok(Self { text: text.to_owned(), steps: steps.into_iter().flatten().collect() })
    }

    /// What it names, if it is there.
    pub(crate) fn get<'a>(&self, tree: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(tree, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => {
                let items = node.as_array()?;
                items.get(place(*index, items.len())?)
            }
        })
    }

    /// Puts `value` there; what stood there is replaced whole.
    pub(crate) fn set(&self, tree: &mut Value, value: Value) -> Result<(), ConfigError> {
        let refused = |requirement: &str| Err(ConfigError::new(self.text.clone(), "", requirement));
        let mut node = tree;
        for step in &self.steps {
            node = match step {
                Step::Key(key) => {
                    if node.is_null() {
                        *node = Value::Object(Map::new());
                    }
                    let Some(table) = node.as_object_mut() else {
                        return refused("leads through something that is no table");
                    };
                    table.entry(key.as_str()).or_insert(Value::Null)
                }
                Step::Index(index) => {
                    let items = node.as_array_mut();
                    let found = items.and_then(|items| {
                        let at = place(*index, items.len())?;
                        items.get_mut(at)
                    });
                    let Some(item) = found else { return refused("leads to an entry that no list has") };
                    item
                }
            };
        }
        *node = value;
        Ok(())
    }
}

/// The place of an index in a list of `len`; a negative one counts from the end.
fn place(index: i64, len: usize) -> Option<usize> {
    let from_start = if index < 0 { i64::try_from(len).ok()?.checked_add(index)? } else { index };
    usize::try_from(from_start).ok()
}

/// `key[1][2]` as its steps.
fn part(text: &str) -> Option<Vec<Step>> {
    let (key, indexes) = text.split_at(text.find('[').unwrap_or(text.len()));
    if key.is_empty() {
        return None;
    }
    let mut steps = vec![Step::Key(key.to_owned())];
    let mut rest = indexes;
    while !rest.is_empty() {
        let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
        steps.push(Step::Index(index.parse().ok()?));
        rest = after;
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_into_tables_and_lists() {
        let tree = json!({ "a": { "b": [1, { "c": 2 }, 3] } });
        let get = |path: &str| FieldPath::parse(path).unwrap().get(&tree).cloned();
        assert_eq!(get("a.b[0]"), Some(json!(1)));
        assert_eq!(get("a.b[1].c"), Some(json!(2)));
        assert_eq!(get("a.b[-1]"), Some(json!(3)));
        for path in ["a.b[3]", "a.b[-4]", "a.c", "a[0]", "a.b.c"] {
            assert_eq!(get(path), None, "{path}");
        }
        for path in ["", "a..b", "a[", "a[x]", "[0]", "a]", "a[0]b"] {
            let known = FieldPath::parse(path);
            assert!(known.is_err() || path == "a]", "{path}: {known:?}");
        }
    }

    #[test]
    fn what_is_set_is_read_back_and_nothing_else_changes() {
        let mut tree = json!({ "a": [{ "b": 1, "c": 2 }] });
        FieldPath::parse("a[-1].b").unwrap().set(&mut tree, json!("x")).unwrap();
        FieldPath::parse("d.e").unwrap().set(&mut tree, json!([1])).unwrap();
        assert_eq!(tree, json!({ "a": [{ "b": "x", "c": 2 }], "d": { "e": [1] } }));
        for path in ["a[1].b", "a[0].b.c", "d[0]"] {
            let error = FieldPath::parse(path).unwrap().set(&mut tree, json!(0)).unwrap_err();
            assert_eq!(error.field, path);
        }
    }
}
