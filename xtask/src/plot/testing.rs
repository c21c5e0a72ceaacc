//! What every chart must keep, checked on the SVG itself.

use super::text::width;

/// A text of the chart with its box (left, top, right, bottom) in pixels.
pub(super) struct Placed {
    pub(super) text: String,
    pub(super) area: [f64; 4],
}

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let from = tag.find(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{name} in {tag}")) + name.len() + 3;
    &tag[from..from + tag[from..].find('"').unwrap()]
}

fn number(tag: &str, name: &str) -> f64 {
    attribute(tag, name).parse().unwrap()
}

fn unescape(text: &str) -> String {
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (name, plain)| text.replace(name, plain))
}

/// All texts of a chart.
pub(super) fn texts(svg: &str) -> Vec<Placed> {
    let parts = svg.split("<text").skip(1);
    parts
        .map(|part| {
            let (tag, rest) = part.split_once('>').unwrap();
            let text = unescape(rest.split_once("</text>").unwrap().0.trim());
            let scaled = |name| number(tag, name) / 10.0;
            let (x, y, size) = (scaled("x"), scaled("y"), scaled("font-size"));
            let (long, high) = (width(&text, size), size * 0.9);
            let left = match attribute(tag, "text-anchor") {
                "start" => 0.0,
                "middle" => long / 2.0,
                _ => long,
            };
            let area = if tag.contains("rotate(270") {
                [x - high / 2.0, y - long / 2.0, x + high / 2.0, y + long / 2.0]
            } else {
                [x - left, y - high / 2.0, x - left + long, y + high / 2.0]
            };
            Placed { text, area }
        })
        .collect()
}

/// Only the words.
pub(super) fn words(svg: &str) -> Vec<String> {
    texts(svg).into_iter().map(|placed| placed.text).collect()
}

/// Well-formed, numbers only, all text in view, no text over another.
pub(super) fn assert_sound(svg: &str) {
    assert_well_formed(svg);
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    let head = svg.split_once('>').unwrap().0;
    let view: Vec<f64> = attribute(head, "viewBox").split(' ').map(|n| n.parse().unwrap()).collect();
    let placed = texts(svg);
    for (k, one) in placed.iter().enumerate() {
        let [left, top, right, bottom] = one.area;
        let inside = left >= 0.0 && top >= 0.0 && right <= view[2] && bottom <= view[3];
        assert!(inside, "\"{}\" at {:?} leaves {view:?}", one.text, one.area);
        for other in &placed[k + 1..] {
            let [l, t, r, b] = other.area;
            let apart = right <= l || r <= left || bottom <= t || b <= top;
            assert!(apart, "\"{}\" {:?} covers \"{}\" {:?}", one.text, one.area, other.text, other.area);
        }
    }
}

/// Every tag is closed in order, every `&` begins an entity, and no control character is left.
pub(crate) fn assert_well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "stray > in {}", &rest[..start]);
        let end = start + rest[start..].find('>').expect("an end of the tag");
        let tag = &rest[start + 1..end];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    for part in xml.split('&').skip(1) {
        let entity = part.split_once(';').map(|(name, _)| name);
        assert!(matches!(entity, Some("lt" | "gt" | "amp" | "quot" | "apos" | "#39")), "&{part}");
    }
    assert!(xml.chars().all(|c| !c.is_control() || c == '\n'), "control character");
}
