//! How wide a text will be, near enough to leave room for it.
//!
//! The font is the reader's, so nothing exact can be known. Widths are those of a wide sans-serif face, on purpose:
//! a little too much room shows less than a clipped word.

/// Estimated width of a text in pixels at a font size in pixels.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// Width of a character as a share of the font size.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '|' | '.' | ',' | ':' | ';' | '\'' | '!' => 0.33,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' | ' ' | '\u{a0}' => 0.40,
        '⁰' | '¹' | '²' | '³' | '⁴' | '⁵' | '⁶' | '⁷' | '⁸' | '⁹' | '⁻' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.95,
        'A'..='Z' => 0.72,
        // Wide scripts take a full square.
        '\u{2e80}'.. => 1.1,
        _ => 0.62,
    }
}

/// Breaks a text into lines of at most `room` pixels, between words where it can.
pub(super) fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    // A sign at the start of a line reads badly; everybody else can ask for a no-break space.
    let text = text.replace(" %", "\u{a0}%");
    for word in text.split(|c: char| c.is_whitespace() && c != '\u{a0}').filter(|word| !word.is_empty()) {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, size) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        // A word that is too long by itself is broken between characters.
        for c in word.chars() {
            if !line.is_empty() && width(&line, size) + em(c) * size > room {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A whole number in superscript.
pub(super) fn superscript(number: i32) -> String {
    let raise = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0' | '4'..='9' => char::from_u32(0x2070 + (c as u32 - '0' as u32)).unwrap_or(c),
        other => other,
    };
    number.to_string().chars().map(raise).collect()
}

/// A number with a real minus sign.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        // Rounding can leave "-0.0".
        Some(digits) if digits.chars().all(|c| c == '0' || c == '.') => digits.to_owned(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_all_words_and_the_room() {
        let text = "accuracy of the analog network after drift compensation";
        let lines = wrap(text, 12.0, 120.0);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line, 12.0) <= 120.0), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        assert!(wrap(" \n ", 12.0, 10.0).is_empty());
        assert_eq!(wrap("up to 97.5 %", 12.0, 55.0), ["up to", "97.5\u{a0}%"]);
    }

    #[test]
    fn endless_words_are_broken_and_no_room_still_ends() {
        let lines = wrap("abcdefghijklmnopqrstuvwxyz", 12.0, 40.0);
        assert!(lines.len() > 3 && lines.iter().all(|line| width(line, 12.0) <= 40.0), "{lines:?}");
        assert_eq!(wrap("ab c", 12.0, 0.0), ["a", "b", "c"]);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(superscript(-103), "⁻¹⁰³");
        assert_eq!(superscript(4567), "⁴⁵⁶⁷");
        assert_eq!(fixed(-1.25, 1), "−1.2");
        assert_eq!(fixed(-0.001, 1), "0.0");
    }
}
