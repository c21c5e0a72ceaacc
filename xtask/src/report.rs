//! One self-contained HTML page: text, figures and tables, readable without a network, scripts or other files.

use std::fmt::Write as _;

/// Looks of the page; figures stay on white, because their colours were chosen for it.
const STYLE: &str = include_str!("report.css");

/// Name and version of the program, for everything that it writes.
pub(crate) const PROGRAM: &str = concat!("aimc ", env!("CARGO_PKG_VERSION"));

/// How a page says that it is one of ours; others are not taken into a joined page.
const GENERATOR: &str = concat!("<meta name=\"generator\" content=\"aimc ", env!("CARGO_PKG_VERSION"), "\">");

/// A page put together block by block. Every text is escaped; only figures are taken as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    title: String,
    subtitle: String,
    body: String,
    figures: usize,
    tables: usize,
}

impl Report {
    /// An empty page with a headline and a line below it.
    pub(crate) fn new(title: impl Into<String>, subtitle: impl Into<String>) -> Self {
        Self { title: title.into(), subtitle: subtitle.into(), body: String::new(), figures: 0, tables: 0 }
    }

    /// Begins a section.
    pub(crate) fn section(&mut self, heading: &str) -> &mut Self {
        self.push(format_args!("<h2>{}</h2>\n", escape(heading)))
    }

    /// A paragraph of text.
    pub(crate) fn paragraph(&mut self, text: &str) -> &mut Self {
        self.push(format_args!("<p>{}</p>\n", escape(text)))
    }

    /// The few numbers to see first: pairs of what it is and its value.
    pub(crate) fn highlights(&mut self, items: &[(&str, &str)]) -> &mut Self {
        self.push(format_args!("<dl class=\"highlights\">\n"));
        for (name, value) in items {
            let (name, value) = (escape(name), escape(value));
            self.push(format_args!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"));
        }
        self.push(format_args!("</dl>\n"))
    }

    /// A numbered figure; `svg` is a chart of [`crate::plot`] and goes in as it is.
    pub(crate) fn figure(&mut self, svg: &str, caption: &str) -> &mut Self {
        self.figures += 1;
        let (number, caption) = (self.figures, escape(caption));
        self.push(format_args!(
            "<figure>\n<div class=\"card\">\n{}\n</div>\n<figcaption><b>Figure {number}.</b> {caption}</figcaption>\n\
             </figure>\n",
            svg.trim()
        ))
    }

    /// A numbered table; columns of numbers are set flush right. Short rows are filled with empty cells, and cells
    /// beyond the headers are shown under an empty header, so that nothing is lost.
    pub(crate) fn table<S: AsRef<str>>(
        &mut self,
        headers: &[S],
        rows: &[Vec<String>],
        caption: &str,
    ) -> &mut Self {
        self.tables += 1;
        let (number, caption) = (self.tables, escape(caption));
        let columns = rows.iter().map(Vec::len).fold(headers.len(), usize::max);
        let classes: Vec<&str> =
            (0..columns).map(|column| if is_numeric(rows, column) { " class=\"n\"" } else { "" }).collect();
        self.push(format_args!(
            "<figure>\n<figcaption><b>Table {number}.</b> {caption}</figcaption>\n<div class=\"scroll\">\n\
             <table>\n<thead>\n<tr>"
        ));
        for (column, class) in classes.iter().enumerate() {
            let header = escape(headers.get(column).map_or("", AsRef::as_ref));
            self.push(format_args!("<th scope=\"col\"{class}>{header}</th>"));
        }
        self.push(format_args!("</tr>\n</thead>\n<tbody>\n"));
        for row in rows {
            self.push(format_args!("<tr>"));
            for (column, class) in classes.iter().enumerate() {
                let cell = escape(row.get(column).map_or("", String::as_str));
                self.push(format_args!("<td{class}>{cell}</td>"));
            }
            self.push(format_args!("</tr>\n"));
        }
        self.push(format_args!("</tbody>\n</table>\n</div>\n</figure>\n"))
    }

    /// Something to unfold, such as the configuration a result came from; line breaks are kept.
    pub(crate) fn details(&mut self, summary: &str, text: &str) -> &mut Self {
        let (summary, text) = (escape(summary), escape(text));
        // HTML drops a line break right after <pre>, so one of ours goes first.
        self.push(format_args!("<details>\n<summary>{summary}</summary>\n<pre>\n{text}</pre>\n</details>\n"))
    }

    /// Whether a text is a page that [`Report::render`] of this version made.
    pub(crate) fn is_ours(page: &str) -> bool {
        page.contains(GENERATOR) && parts(page).is_some()
    }

    /// A list of pages to come with links to them: their places and texts.
    pub(crate) fn contents(&mut self, pages: &[(&str, &str)]) -> &mut Self {
        self.push(format_args!("<nav>\n<ul>\n"));
        for (i, (place, page)) in pages.iter().enumerate() {
            let (title, place) = (parts(page).map_or("", |(title, ..)| title), escape(place));
            self.push(format_args!("<li><a href=\"#page{i}\">{title}</a> ({place})</li>\n"));
        }
        self.push(format_args!("</ul>\n</nav>\n"))
    }

    /// Takes over the body of a page of ours as number `i` of [`Report::contents`]; of another page nothing.
    pub(crate) fn embed(&mut self, i: usize, place: &str, page: &str) -> &mut Self {
        let Some((title, subtitle, body)) = parts(page).filter(|_| Self::is_ours(page)) else { return self };
        let place = escape(place);
        self.push(format_args!(
            "<section>\n<h1 id=\"page{i}\">{title}</h1>\n<p class=\"subtitle\">{subtitle} ({place})</p>\n{body}</section>\n"
        ))
    }

    /// The whole page.
    pub(crate) fn render(&self) -> String {
        let (title, subtitle) = (escape(&self.title), escape(&self.subtitle));
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n{GENERATOR}\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <header>\n<h1>{title}</h1>\n<p class=\"subtitle\">{subtitle}</p>\n</header>\n{}</main>\n</body>\n</html>\n",
            self.body
        )
    }

    fn push(&mut self, html: std::fmt::Arguments<'_>) -> &mut Self {
        // Writing to a String cannot fail.
        let _ = self.body.write_fmt(html);
        self
    }
}

/// Title, subtitle and body of a rendered page, escaped as they stand there.
fn parts(page: &str) -> Option<(&str, &str, &str)> {
    let between = |from: &str, to: &str| {
        let (_, rest) = page.split_once(from)?;
        rest.split_once(to).map(|(inner, _)| inner)
    };
    let (_, rest) = page.split_once("</header>\n")?;
    let (body, _) = rest.rsplit_once("</main>")?;
    Some((between("<h1>", "</h1>")?, between("<p class=\"subtitle\">", "</p>")?, body))
}

/// Makes any text safe inside an element or an attribute of HTML and SVG; control characters become spaces.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            '\r' => {}
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// Whether a column holds numbers; empty cells and dashes may be among them.
fn is_numeric(rows: &[Vec<String>], column: usize) -> bool {
    let cells = || rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.trim());
    let missing = |cell: &str| matches!(cell, "" | "-" | "–" | "—" | "n/a" | "NaN");
    cells().any(|cell| !missing(cell)) && cells().all(|cell| missing(cell) || looks_numeric(cell))
}

fn looks_numeric(cell: &str) -> bool {
    let bare = cell.trim_start_matches(['+', '-', '−', '±', '<', '>', '≤', '≥', '≈', '~', ' ']);
    bare.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && bare.chars().all(|c| c.is_ascii_digit() || " .,+-−±×%eE/()⁰¹²³⁴⁵⁶⁷⁸⁹⁻…".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::testing::assert_well_formed;

    const NASTY: &str = "<script>alert('x')</script> & \"quoted\" \u{0}";

    fn full() -> Report {
        let mut report = Report::new("Title", "Subtitle");
        let rows = vec![vec!["a".to_owned(), "1.5".to_owned()], vec!["b".to_owned()]];
        report
            .section("Heading")
            .highlights(&[("accuracy", "97.1 %")])
            .paragraph("Words.")
            .figure("<svg><g/></svg>", "A figure")
            .table(&["name", "value"], &rows, "A table")
            .details("Configuration", "a = 1\nb = 2\n");
        report
    }

    fn body(page: &str) -> &str {
        let from = page.find("<main>").unwrap();
        &page[from..page.find("</body>").unwrap()]
    }

    #[test]
    fn a_page_is_well_formed_and_needs_nothing_else() {
        let page = full().render();
        assert_well_formed(body(&page));
        for outside in ["http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("<svg><g/></svg>") && page.contains("<b>Figure 1.</b> A figure"));
        assert_eq!(page, full().render());
    }

    #[test]
    fn every_text_is_escaped() {
        let mut report = Report::new(NASTY, NASTY);
        report
            .section(NASTY)
            .paragraph(NASTY)
            .highlights(&[(NASTY, NASTY)])
            .figure("<svg></svg>", NASTY)
            .table(&[NASTY], &[vec![NASTY.to_owned()]], NASTY)
            .details(NASTY, NASTY);
        let page = report.render();
        assert_well_formed(body(&page));
        assert!(!page.contains("<script") && !page.contains('\u{0}'));
        assert_eq!(page.matches("&lt;script&gt;alert(&#39;x&#39;)").count(), 13);
    }

    #[test]
    fn numbers_are_set_flush_right_and_words_are_not() {
        for number in ["1", "-2.5", "−3", "97.1 ± 0.4 %", "1e-5", "2×10⁻⁶", "< 0.01", "12 / 30", ".5"]
        {
            assert!(looks_numeric(number), "{number}");
        }
        for word in ["", "8x8 digits", "seed 1", "1 hour", "%", "-", "e"] {
            assert!(!looks_numeric(word), "{word}");
        }
        let page = full().render();
        assert!(page.contains("<th scope=\"col\">name</th><th scope=\"col\" class=\"n\">value</th>"));
        assert!(page.contains("<td>b</td><td class=\"n\"></td>"));
    }

    #[test]
    fn cells_beyond_the_headers_are_kept() {
        let mut report = Report::new("", "");
        report.table(&["a"], &[vec!["1".to_owned(), "lost?".to_owned()]], "");
        assert!(report.render().contains("<td>lost?</td>"));
    }

    /// Not a check: writes a page with the charts that the other `look` tests put into the folder before.
    #[test]
    #[ignore = "writes a page for the eye"]
    fn look() {
        let folder = std::path::PathBuf::from(std::env::var_os("AIMC_LOOK").unwrap());
        let svg = |name| std::fs::read_to_string(folder.join(name)).unwrap();
        let mut report =
            Report::new("Analog inference over ten years", "Optical digits 8x8, 64-32-10 network, 25 seeds");
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["1 hour", "96.1 ± 0.4", "94.2 ± 1.1", "1.2e-3"]),
            row(["1 day", "95.8 ± 0.4", "91.0 ± 1.5", "3.4e-3"]),
            row(["10 years", "94.3 ± 0.6", "81.7 ± 2.9", "—"]),
        ];
        let headers = ["after", "with compensation (%)", "without (%)", "p value"];
        report
            .highlights(&[("digital accuracy", "97.5 %"), ("analog, 1 hour", "96.1 %"), ("analog, 10 years", "94.3 %")])
            .section("How accuracy drifts")
            .paragraph("Conductances of phase-change-like devices fall with a power of time. One factor per tile, measured before every inference, brings most of the loss back.")
            .figure(&svg("drift.svg"), "Mean over 25 seeds; bands show one standard deviation.")
            .table(&headers, &rows, "Test accuracy, mean ± standard deviation over seeds.")
            .section("Devices")
            .figure(&svg("histogram.svg"), "Conductances right after programming.")
            .details("Configuration", "[device]\nkind = \"pcm\"\nseed = 17\n");
        std::fs::write(folder.join("report.html"), report.render()).unwrap();
    }
}
