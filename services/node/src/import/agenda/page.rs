//! Pages of a dashboard, each with what was published of one indicator: in its front matter a status, a unit, and values
//! with their dates. Of the front matter only that is read.

use std::path::Path;

use rust_decimal::Decimal;

use crate::import::File;
use crate::import::report::Fault;

/// What one page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The indicator: what the file is called.
    pub(super) slug: String,
    status: String,
    unit: String,
    dates: Vec<String>,
    values: Vec<String>,
}

/// Reads a page.
pub(super) fn read(file: &File) -> Result<Page, Fault> {
    let text = std::str::from_utf8(&file.bytes)
        .map_err(|_| file.fault(0, "", "", "is not UTF-8", "a page saved as UTF-8 text"))?;
    let slug = Path::new(&file.name).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut page = Page { slug, ..Page::default() };
    let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    if lines.next().is_none_or(|(line, _)| line.trim_end() != "---") {
        return Err(file.fault(1, "", "", "does not begin with front matter", "a line --- and one more behind it"));
    }
    let (mut block, mut list) = ("", "");
    for (line, number) in lines {
        let (indent, said) = (line.len() - line.trim_start().len(), line.trim());
        if said == "---" {
            return page.whole(file);
        }
        let (name, value) = said.split_once(':').unwrap_or(("", said));
        match indent {
            0 => (block, list) = (name, ""),
            2 if block == "plot" => list = name,
            _ => {}
        }
        match (block, indent, list) {
            ("status", 0, _) => page.status = plain(value),
            ("plot", 2, "unit") => page.unit = plain(value),
            ("plot", 4, "dates") => page.dates.push(item(said)),
            ("plot", 4, "values") if item(said).parse::<Decimal>().is_ok() => page.values.push(item(said)),
            ("plot", 4, "values") => {
                return Err(file.fault(number, "values", said, "is no number", "a number such as 39.6"));
            }
            _ => {}
        }
    }
    Err(file.fault(0, "", "", "has front matter without an end", "a second line ---"))
}

fn item(said: &str) -> String {
    plain(said.strip_prefix('-').unwrap_or(said))
}

fn plain(value: &str) -> String {
    value.trim().trim_matches('"').to_owned()
}

impl Page {
    fn whole(self, file: &File) -> Result<Self, Fault> {
        if self.values.is_empty() {
            return Err(file.fault(0, "plot.values", "", "are not there", "the values that were published"));
        }
        Ok(self)
    }

    /// What was published, in words: the values with their dates, where there are as many.
    pub(super) fn words(&self) -> String {
        let values: Vec<String> = match self.dates.len() == self.values.len() {
            true => self.values.iter().zip(&self.dates).map(|(value, date)| format!("{value} ({date})")).collect(),
            false => self.values.clone(),
        };
        let said = [values.join(", "), self.unit.clone(), self.status.clone()];
        let said: Vec<&str> = said.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        format!(" Published: {}.", said.join("; "))
    }
}
