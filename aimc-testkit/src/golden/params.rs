//! Parameter objects: a configuration of the measured simulator, complete.

use super::{GoldenError, Node};

/// A parameter object `{class, preset?, non_default?, resolved?}`.
///
/// Some small objects (converters) are written without `resolved`; their own fields then take its
/// place. Nested objects are looked through, `resolved.f32("forward.inp_res")`, or opened with
/// `resolved.params("forward")`.
#[derive(Debug, Clone)]
pub struct Params<'a> {
    /// Configuration class of the measured simulator.
    pub class: &'a str,
    /// Its preset subclass, if one was used.
    pub preset: Option<&'a str>,
    /// The fields that differ from the defaults of `class`.
    pub non_default: Option<Node<'a>>,
    /// All fields.
    pub resolved: Node<'a>,
}

impl<'a> Params<'a> {
    pub(super) fn new(node: Node<'a>) -> Result<Self, GoldenError> {
        Ok(Self {
            class: node.str("class")?,
            preset: node.opt("preset").map(|_| node.str("preset")).transpose()?,
            non_default: node.opt("non_default"),
            resolved: node.opt("resolved").unwrap_or(node),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn full_nested_and_bare_objects() {
        let value = json!({
            "device": {"class": "ExpStep", "preset": "ReRam", "non_default": {"dw": 1},
                       "resolved": {"dw": 1, "io": {"class": "Io", "non_default": {}, "resolved": {"res": 2}}}},
            "converter": {"class": "Pair", "g_max": 25},
        });
        let case = Node::new(&value, "f.json", Some("c"), String::new());
        let device = case.params("device").unwrap();
        assert_eq!((device.class, device.preset), ("ExpStep", Some("ReRam")));
        assert_eq!(device.non_default.unwrap().f32("dw").unwrap(), 1.0);
        assert_eq!(device.resolved.f32("io.res").unwrap(), 2.0);
        assert_eq!(device.resolved.params("io").unwrap().class, "Io");
        let converter = case.params("converter").unwrap();
        assert!(converter.preset.is_none() && converter.non_default.is_none());
        assert_eq!(converter.resolved.f64("g_max").unwrap(), 25.0);
    }
}
