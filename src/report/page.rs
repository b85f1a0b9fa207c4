//! A page of results: one HTML file that needs no other and no network, with its figures and tables beside it as files
//! for papers and programs.

use super::html::escape;
use crate::{Error, Result, files};
use std::path::Path;

/// A page in the making.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Its heading.
    pub title: String,
    /// What stands under the heading: what this is, in a sentence or two.
    pub lead: String,
    /// What follows, in order.
    pub blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Clone, Debug)]
pub enum Block {
    /// Begins a section.
    Heading(String),
    /// Paragraphs, empty lines between them.
    Text(String),
    /// A table, also written as `tables/NAME.csv`.
    Table(Table),
    /// A figure, also written as `figures/NAME.svg` and `.png`, and `.csv` where it holds its numbers.
    Figure(Figure),
}

/// Rows under a heading.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its file's name without the ending; one of its own in a page.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// The columns' names, with units.
    pub columns: Vec<String>,
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// A drawing.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    /// Its files' name without the ending; one of its own in a page.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// The drawing as a whole SVG element.
    pub svg: String,
    /// The same as the bytes of a PNG, two pixels for each of the SVG's.
    pub png: Vec<u8>,
    /// The numbers in it, where they are to be written too.
    pub csv: Option<String>,
}

/// Looks of all pages, for light and dark screens.
const STYLE: &str = include_str!("page.css");

impl Page {
    /// A page with nothing below its title.
    pub fn new(title: impl Into<String>) -> Self {
        Page { title: title.into(), ..Page::default() }
    }

    /// Begins a section.
    pub fn heading(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Heading(text.into()))
    }

    /// Adds paragraphs.
    pub fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Text(text.into()))
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) -> &mut Self {
        self.push(Block::Table(table))
    }

    /// Adds a figure.
    pub fn figure(&mut self, figure: Figure) -> &mut Self {
        self.push(Block::Figure(figure))
    }

    fn push(&mut self, block: Block) -> &mut Self {
        self.blocks.push(block);
        self
    }

    /// Writes `index.html`, `figures/` and `tables/` into a folder, each file whole or not at all, over earlier ones; the
    /// index last, so that what it links to is there.
    ///
    /// # Errors
    /// [`Error::Io`] where a file or folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        files::make_folder(folder)?;
        for block in &self.blocks {
            match block {
                Block::Table(table) => {
                    let folder = folder.join("tables");
                    files::make_folder(&folder)?;
                    let path = folder.join(format!("{}.csv", table.name));
                    let text = csv_text(&table.columns, &table.rows)
                        .map_err(|e| Error::Catalogue { path: path.clone(), message: e.to_string() })?;
                    files::replace(&path, text.as_bytes())?;
                }
                Block::Figure(figure) => {
                    let folder = folder.join("figures");
                    files::make_folder(&folder)?;
                    let path = |ending| folder.join(format!("{}.{ending}", figure.name));
                    files::replace(&path("svg"), figure.svg.as_bytes())?;
                    files::replace(&path("png"), &figure.png)?;
                    if let Some(csv) = &figure.csv {
                        files::replace(&path("csv"), csv.as_bytes())?;
                    }
                }
                Block::Heading(_) | Block::Text(_) => (),
            }
        }
        files::replace(&folder.join("index.html"), self.html().as_bytes())
    }

    /// The page as HTML.
    pub fn html(&self) -> String {
        let title = escape(&self.title);
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        );
        if !self.lead.is_empty() {
            out.push_str(&format!("<p class=\"lead\">{}</p>\n", escape(&self.lead)));
        }
        for block in &self.blocks {
            out.push_str(&block.html());
        }
        out.push_str("</body>\n</html>\n");
        out
    }
}

impl Block {
    fn html(&self) -> String {
        match self {
            Block::Heading(text) => format!("<h2>{}</h2>\n", escape(text)),
            Block::Text(text) => text.split("\n\n").map(|p| format!("<p>{}</p>\n", escape(p))).collect(),
            Block::Table(table) => table.html(),
            Block::Figure(figure) => figure.html(),
        }
    }
}

impl Table {
    fn html(&self) -> String {
        let numeric: Vec<bool> = (0..self.columns.len()).map(|column| self.is_numeric(column)).collect();
        let row = |cells: &[String], tag: &str| {
            let cell = |(cell, numeric): (&String, &bool)| {
                let class = if *numeric { " class=\"number\"" } else { "" };
                format!("<{tag}{class}>{}</{tag}>", escape(cell))
            };
            format!("<tr>{}</tr>\n", cells.iter().zip(&numeric).map(cell).collect::<String>())
        };
        let body: String = self.rows.iter().map(|cells| row(cells, "td")).collect();
        format!(
            "<div class=\"table\"><table>\n<caption>{} {}</caption>\n<thead>{}</thead>\n<tbody>\n{body}</tbody>\n\
             </table></div>\n",
            escape(&self.caption),
            link("tables", &self.name, "csv"),
            row(&self.columns, "th")
        )
    }

    /// Whether a column holds only numbers, with signs and percent, and dashes for those that are not known.
    fn is_numeric(&self, column: usize) -> bool {
        let number = |cell: &String| {
            let bare = cell.trim_start_matches(['+', '\u{2212}', '-']).trim_end_matches('%');
            cell == "–" || bare.parse::<f64>().is_ok()
        };
        !self.rows.is_empty() && self.rows.iter().all(|row| row.get(column).is_some_and(number))
    }
}

impl Figure {
    fn html(&self) -> String {
        let endings = ["svg", "png"].into_iter().chain(self.csv.as_ref().map(|_| "csv"));
        let links: Vec<String> = endings.map(|ending| link("figures", &self.name, ending)).collect();
        format!(
            "<figure>\n{}<figcaption>{} {}</figcaption>\n</figure>\n",
            self.svg,
            escape(&self.caption),
            links.join(" ")
        )
    }
}

fn link(folder: &str, name: &str, ending: &str) -> String {
    format!("<a href=\"{folder}/{}.{ending}\">{}</a>", escape(name), ending.to_uppercase())
}

/// Rows under a heading as comma-separated values.
pub(super) fn csv_text(columns: &[String], rows: &[Vec<String>]) -> std::result::Result<String, csv::Error> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(columns)?;
    rows.iter().try_for_each(|row| writer.write_record(row))?;
    let bytes = writer.into_inner().map_err(|e| e.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let mut page = Page::new("R² < 1 & more");
        page.lead = "of <b>galaxies</b>".to_owned();
        let cells = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        page.heading("A \"first\" part").text("One.\n\nTwo <i>.").table(Table {
            name: "numbers".into(),
            caption: "Some".into(),
            columns: cells(["parameter", "bias", "of"]),
            rows: vec![cells(["a, b", "−0.1", "50%"]), cells(["c", "–", "+3"])],
        });
        page.figure(Figure {
            name: "drawing".into(),
            caption: "Lines".into(),
            svg: "<svg></svg>\n".into(),
            png: vec![1, 2],
            csv: Some("x\n1\n".into()),
        });
        page
    }

    #[test]
    fn whatever_is_said_is_shown_as_it_is() {
        let html = page().html();
        assert!(
            html.contains(
                "<h1>R² &lt; 1 &amp; more</h1>\n<p class=\"lead\">of &lt;b&gt;galaxies&lt;/b&gt;</p>"
            )
        );
        assert!(html.contains("<h2>A &quot;first&quot; part</h2>\n<p>One.</p>\n<p>Two &lt;i&gt;.</p>"));
        assert!(!html.contains("<i>") && !html.contains("<script"));
    }

    #[test]
    fn numbers_stand_to_the_right_and_words_to_the_left() {
        let html = page().html();
        assert!(
            html.contains("<th>parameter</th><th class=\"number\">bias</th><th class=\"number\">of</th>"),
            "{html}"
        );
        assert!(html.contains("<td>a, b</td><td class=\"number\">−0.1</td>"));
    }

    #[test]
    fn a_page_leaves_its_files_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a/report");
        for _ in 0..2 {
            page().write(&place).unwrap();
        }
        let entries = |below: &str| {
            let entries = std::fs::read_dir(place.join(below)).unwrap();
            let mut names: Vec<_> =
                entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(entries(""), ["figures", "index.html", "tables"]);
        assert_eq!(entries("figures"), ["drawing.csv", "drawing.png", "drawing.svg"]);
        assert_eq!(entries("tables"), ["numbers.csv"]);
        let csv = std::fs::read_to_string(place.join("tables/numbers.csv")).unwrap();
        assert_eq!(csv, "parameter,bias,of\n\"a, b\",−0.1,50%\nc,–,+3\n");
    }

    #[test]
    fn a_place_that_is_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("file");
        std::fs::write(&place, "x").unwrap();
        assert!(page().write(&place).unwrap_err().to_string().contains("it is a file"));
    }
}
