//! Fields of configurations by their path: `tile.forward`, `network.layers[].kernel`, `tile.device{model=ExpStep}.A_up`.
//!
//! The JSON schemas decide what exists; `{field=value}` chooses the record whose constant `field` is `value`.

use std::collections::BTreeSet;

use serde_json::Value;

/// A schema, and where a path has come to in it.
pub(super) struct SchemaPath<'a> {
    root: &'a Value,
    nodes: Vec<&'a Value>,
}

impl<'a> SchemaPath<'a> {
    /// What stands at `path`; none if nothing does.
    pub(super) fn find(root: &'a Value, path: &str) -> Option<Self> {
        let mut place = Self { root, nodes: vec![root] };
        for step in path.split('.') {
            place = place.step(step);
        }
        (!place.nodes.is_empty()).then_some(place)
    }

    /// Names of the fields of whatever may stand here.
    pub(super) fn fields(&self) -> BTreeSet<&'a str> {
        let mut names = BTreeSet::new();
        for record in self.nodes.iter().flat_map(|node| self.records(node)) {
            self.collect_fields(record, &mut names);
        }
        names
    }

    /// The words that may stand here: constants, and names that take a record.
    pub(super) fn words(&self) -> BTreeSet<&'a str> {
        let records = self.nodes.iter().flat_map(|node| self.records(node));
        let words = |record: &'a Value| {
            let list = record.get("enum").and_then(Value::as_array).into_iter().flatten();
            let constants = record.get("const").into_iter().chain(list).filter_map(Value::as_str);
            let keys = record
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(|fields| fields.keys());
            constants.chain(keys.map(String::as_str)).collect::<Vec<_>>()
        };
        records.flat_map(words).collect()
    }

    fn step(&self, step: &str) -> Self {
        let (name, choice) = match step.split_once('{') {
            Some((name, choice)) => (name, choice.trim_end_matches('}').split_once('=')),
            None => (step, None),
        };
        let (name, each) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
        let records = self.nodes.iter().flat_map(|node| self.records(node));
        let mut nodes: Vec<&Value> = records.flat_map(|record| self.property(record, name)).collect();
        if each {
            nodes = nodes
                .into_iter()
                .flat_map(|node| self.records(node))
                .filter_map(|node| node.get("items"))
                .collect();
        }
        if let Some((field, value)) = choice {
            let chosen = |record: &&Value| {
                self.property(record, field)
                    .iter()
                    .any(|node| node.get("const").is_some_and(|is| is == value))
            };
            nodes = nodes.into_iter().flat_map(|node| self.records(node)).filter(chosen).collect();
        }
        Self { root: self.root, nodes }
    }

    /// The alternatives that a node stands for. One with fields of its own beside a reference stays together.
    fn records(&self, node: &'a Value) -> Vec<&'a Value> {
        let lists = ["oneOf", "anyOf"].into_iter().filter_map(|kind| node.get(kind)?.as_array());
        let alternatives: Vec<&Value> = lists.flatten().flat_map(|inner| self.records(inner)).collect();
        match self.referred(node) {
            _ if !alternatives.is_empty() => alternatives,
            Some(inner) if node.get("properties").is_none() => self.records(inner),
            _ => vec![node],
        }
    }

    fn property(&self, record: &'a Value, name: &str) -> Vec<&'a Value> {
        match (
            record.pointer("/properties").and_then(|properties| properties.get(name)),
            self.referred(record),
        ) {
            (Some(found), _) => vec![found],
            (None, Some(inner)) => {
                self.records(inner).into_iter().flat_map(|inner| self.property(inner, name)).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    fn collect_fields(&self, record: &'a Value, names: &mut BTreeSet<&'a str>) {
        let properties = record.get("properties").and_then(Value::as_object);
        names.extend(properties.into_iter().flat_map(|fields| fields.keys()).map(String::as_str));
        if let Some(inner) = self.referred(record) {
            self.records(inner).into_iter().for_each(|inner| self.collect_fields(inner, names));
        }
    }

    fn referred(&self, node: &Value) -> Option<&'a Value> {
        self.root.pointer(node.get("$ref")?.as_str()?.strip_prefix('#')?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{SchemaName, value};

    #[test]
    fn paths_lead_through_lists_alternatives_and_choices() {
        let schema = value(SchemaName::Train);
        for path in
            ["seed", "tile.device.model", "network.layers[].kernel", "tile.device{model=ExpStep}.A_up"]
        {
            assert!(SchemaPath::find(&schema, path).is_some(), "{path}");
        }
        for path in [
            "sead",
            "tile.device{model=ExpStep}.p_max",
            "tile.device{model=Magic}",
            "seed[].x",
            "network.layers.kernel",
        ] {
            assert!(SchemaPath::find(&schema, path).is_none(), "{path}");
        }
    }

    #[test]
    fn fields_are_those_of_the_chosen_record() {
        let schema = value(SchemaName::Train);
        let fields = SchemaPath::find(&schema, "tile.device{model=PowStep}").unwrap().fields();
        assert!(fields.contains("pow_gamma") && fields.contains("dw_min") && !fields.contains("A_up"));
    }
}
