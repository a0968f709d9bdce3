//! A catalogue of indicators by section: a lens such as protective factors or risks, in it domains, in them indicators.

use std::collections::{BTreeMap, BTreeSet};

use chassis::names::is_slug;

use super::{Framework, Indicator, Part};
use crate::import::File;
use crate::import::report::Fault;
use crate::import::table::{Record, Table};

const READ: [&str; 8] = ["lens", "domain", "slug", "kind", "title", "description", "lead", "source_text"];

pub(super) fn read(file: &File) -> Result<Framework, Vec<Fault>> {
    let table = Table::of(file, &["lens", "domain", "slug", "kind", "title"])?;
    let mut reading = Reading::default();
    for record in table.records().filter(|record| record.get("kind") != "indicator") {
        reading.section(&record);
    }
    for record in table.records().filter(|record| record.get("kind") == "indicator") {
        reading.indicator(&record);
    }
    if reading.results.is_empty() && reading.faults.is_empty() {
        reading.faults.push(table.fault("has no section of a domain", "a row of kind section with lens and domain"));
    }
    let Reading { results, faults, mut left_out, .. } = reading;
    if !faults.is_empty() {
        return Err(faults);
    }
    left_out.extend(table.unread(&READ));
    Ok(Framework { results, left_out })
}

#[derive(Default)]
struct Reading<'a> {
    results: Vec<Part>,
    /// Which result a lens and domain is.
    domains: BTreeMap<(&'a str, &'a str), usize>,
    lenses: BTreeMap<&'a str, &'a str>,
    slugs: BTreeSet<&'a str>,
    faults: Vec<Fault>,
    left_out: BTreeMap<String, usize>,
}

impl<'a> Reading<'a> {
    fn section(&mut self, record: &Record<'a>) {
        let [lens, domain, kind, title] = ["lens", "domain", "kind", "title"].map(|column| record.get(column));
        if kind != "section" {
            self.faults.push(record.fault("kind", "is no kind of row", "section or indicator"));
        } else if title.is_empty() || title.contains('\n') {
            self.faults.push(record.fault("title", "is empty or has several lines", "how the section is called"));
        } else if domain.is_empty() {
            // One of the whole catalogue says nothing that an agenda has a place for.
            if lens.is_empty() {
                *self.left_out.entry("sections without a lens".to_owned()).or_default() += 1;
            } else if self.lenses.insert(lens, title).is_some() {
                self.faults.push(record.fault("lens", "has a section before", "one section for each lens"));
            }
        } else if self.domains.contains_key(&(lens, domain)) {
            self.faults.push(record.fault("domain", "has a section before", "one section for each lens and domain"));
        } else {
            let said = record.get("description").trim_matches('.');
            let above = self.lenses.get(lens).copied().unwrap_or(lens);
            let parts: Vec<&str> = [above, said].into_iter().filter(|part| !part.is_empty()).collect();
            let description = format!("{} ({lens}/{domain})", parts.join(": "));
            self.domains.insert((lens, domain), self.results.len());
            self.results.push(Part::titled(record.line, title.to_owned(), description));
        }
    }

    fn indicator(&mut self, record: &Record<'a>) {
        let [lens, domain, slug, title] = ["lens", "domain", "slug", "title"].map(|column| record.get(column));
        if !is_slug(slug) {
            self.faults.push(record.fault(
                "slug",
                "is no code of a measure",
                "1 to 64 of a-z, 0-9 and -, first a letter",
            ));
        } else if !self.slugs.insert(slug) {
            self.faults.push(record.fault("slug", "is the code of a row before", "a code of its own"));
        }
        if title.is_empty() {
            self.faults.push(record.fault("title", "is empty", "what is counted"));
        }
        let result = self.domains.get(&(lens, domain)).and_then(|place| self.results.get_mut(*place));
        let Some(result) = result else {
            let expected = "a domain with a section of its own in this lens";
            self.faults.push(record.fault("domain", "has no section", expected));
            return;
        };
        let mut words = format!("{title} ({slug})");
        for (before, column) in [(": ", "description"), (" ", "lead"), (" Source: ", "source_text")] {
            let said = record.get(column);
            if !said.is_empty() {
                words = format!("{words}{before}{said}");
            }
        }
        result.indicators.push(Indicator { measure: slug.to_owned(), words });
    }
}
