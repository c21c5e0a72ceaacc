//! Patterns of names: `*` stands for any characters, also none.
//!
//! ```
//! use aimc_nn::pattern::fits;
//! assert!(fits("layer*.tile", "layer12.tile") && !fits("layer*.tile", "layer1.bias"));
//! ```

/// Whether `name` fits `pattern`, in which `*` stands for any characters, also none.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // The earliest place leaves most for the parts that follow.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names() {
        for (pattern, yes, no) in [
            ("layer0.tile", "layer0.tile", "layer10.tile"),
            ("*", "layer0.tile", "\u{0}"),
            ("layer*.tile", "layer12.tile", "layer1.bias"),
            ("*.query.*", "layer3.query.tile", "layer3.key.tile"),
            ("layer*1*tile", "layer1.0.tile", "layer0.tile"),
            ("a*a", "aa", "a"),
            ("*ab*ab", "abab", "ab"),
            ("", "", "layer0.tile"),
        ] {
            assert!(fits(pattern, yes), "{pattern} {yes}");
            assert!(pattern == "*" || !fits(pattern, no), "{pattern} {no}");
        }
    }
}
