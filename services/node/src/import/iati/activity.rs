//! One `iati-activity`, read; what is wrong with it is noted with its line.

use std::collections::BTreeMap;

use prost::Message;
use proto::activities::{ActivityDefinition, ActivityState, Place};
use time::Date;

use super::texts::{cut, day, narrative, one_line, place};
use super::xml::Element;
use super::{Found, Planned};
use crate::import::report::Fault;

const TITLE: usize = 200;
const DESCRIPTION: usize = 4000;
const NAME: usize = 200;
const PLACES: usize = 200;
/// Bytes that a definition may have before its organizations are in it: with them it stays under what an event takes.
const BYTES: usize = 36 << 10;

/// Reads one activity.
pub(super) struct Reading<'a> {
    pub(super) file: &'a str,
    /// Whether budgets say what is needed.
    pub(super) needs: bool,
    pub(super) found: Found,
    pub(super) faults: Vec<Fault>,
    /// Of the activity that is read: its identifier, language and currency.
    pub(super) identifier: String,
    pub(super) language: String,
    pub(super) currency: String,
}

/// The elements of an activity that are read; others are counted and left out.
pub(super) fn wanted(name: &str) -> bool {
    [
        "iati-identifier",
        "reporting-org",
        "title",
        "description",
        "participating-org",
        "activity-status",
        "activity-date",
        "recipient-country",
        "recipient-region",
        "location",
        "budget",
        "transaction",
    ]
    .contains(&name)
}

impl<'a> Reading<'a> {
    pub(super) fn of(file: &'a str, needs: bool) -> Self {
        Self {
            file,
            needs,
            found: Found::default(),
            faults: Vec::new(),
            identifier: String::new(),
            language: String::new(),
            currency: String::new(),
        }
    }

    pub(super) fn activity(&mut self, activity: &Element) -> Option<Planned> {
        self.identifier = one_line(activity.first("iati-identifier").map_or("", |element| &element.text));
        self.language = activity.attribute("xml:lang").unwrap_or("en").to_owned();
        self.currency = activity.attribute("default-currency").unwrap_or_default().to_owned();
        let faults = self.faults.len();
        let external_id = self.identifier.clone();
        if external_id.is_empty() || external_id.chars().count() > NAME {
            let expected = "1 to 200 characters";
            self.wrong::<()>(activity, "iati-identifier", &external_id, "is missing or too long", expected);
        }
        let title = self.title(activity);
        let description = self.description(activity);
        let state = self.state(activity);
        let dates = self.dates(activity);
        let (mut leads, supporting, funding) = self.organizations(activity);
        let reporting = activity.first("reporting-org").and_then(|element| element.attribute("ref"));
        match reporting {
            Some(reporting) if !leads.iter().any(|lead| lead == reporting) => leads.push(reporting.to_owned()),
            Some(_) => {}
            None => return self.wrong(activity, "reporting-org/@ref", "", "is missing", "the publisher's identifier"),
        }
        let places = self.places(activity);
        let (start_date, end_date) = dates.unwrap_or_default();
        let mut definition = ActivityDefinition {
            title: title.unwrap_or_default(),
            description,
            places,
            start_date,
            end_date,
            external_id,
            ..ActivityDefinition::default()
        };
        while definition.encoded_len() > BYTES && definition.places.pop().is_some() {
            self.left_out("places that do not fit", 1);
        }
        let state = state.unwrap_or(ActivityState::Planned);
        let mut planned = Planned { definition, state, leads, supporting, funding, ..Planned::default() };
        self.money(activity, &mut planned);
        let level = activity.attribute("hierarchy").unwrap_or("1");
        *self.found.hierarchy.entry(level.chars().take(8).collect()).or_default() += 1;
        (self.faults.len() == faults).then_some(planned)
    }

    pub(super) fn wrong<T>(
        &mut self,
        at: &Element,
        place: &str,
        value: &str,
        reason: &str,
        expected: &str,
    ) -> Option<T> {
        let column = match self.identifier.as_str() {
            "" => place.to_owned(),
            identifier => format!("{place} of {}", cut(identifier, NAME).0),
        };
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line: at.line,
            column,
            value: cut(&one_line(value), NAME).0,
            reason: reason.to_owned(),
            expected: expected.to_owned(),
        });
        None
    }

    pub(super) fn left_out(&mut self, what: &'static str, many: u64) {
        if many > 0 {
            *self.found.left_out.entry(what).or_default() += many;
        }
    }

    fn title(&mut self, activity: &Element) -> Option<String> {
        let whole = one_line(&narrative(activity.first("title"), &self.language));
        if whole.is_empty() {
            return self.wrong(activity, "title", "", "is missing", "a title in a narrative");
        }
        let (title, long) = cut(&whole, TITLE);
        self.left_out("ends of long titles", u64::from(long));
        Some(title)
    }

    /// All descriptions, one after the other.
    fn description(&mut self, activity: &Element) -> String {
        let mut texts: Vec<String> = Vec::new();
        for element in activity.all("description") {
            let text = narrative(Some(element), &self.language);
            if !text.is_empty() && !texts.contains(&text) {
                texts.push(text);
            }
        }
        let (description, long) = cut(&texts.join("\n\n"), DESCRIPTION);
        self.left_out("ends of long descriptions", u64::from(long));
        description
    }

    fn state(&mut self, activity: &Element) -> Option<ActivityState> {
        let status = activity.first("activity-status");
        let code = status.and_then(|status| status.attribute("code")).unwrap_or_default();
        let state = match code {
            "1" => ActivityState::Planned,
            "2" => ActivityState::UnderWay,
            "3" | "4" => ActivityState::Completed,
            "5" => ActivityState::Cancelled,
            "6" => {
                self.left_out("suspensions: such an activity is under way here", 1);
                ActivityState::UnderWay
            }
            other => {
                let expected = "a code from 1 to 6 of IATI's ActivityStatus";
                return self.wrong(status.unwrap_or(activity), "activity-status", other, "is no status", expected);
            }
        };
        Some(state)
    }

    /// First and last day: the actual ones where they are known, else the planned ones.
    fn dates(&mut self, activity: &Element) -> Option<(String, String)> {
        let faults = self.faults.len();
        let mut days = BTreeMap::<&str, Date>::new();
        for element in activity.all("activity-date") {
            let kind = element.attribute("type").unwrap_or_default();
            let Some(kind) = ["1", "2", "3", "4"].into_iter().find(|known| *known == kind) else {
                let expected = "1 or 2 for the start, 3 or 4 for the end";
                self.wrong::<()>(element, "activity-date/@type", kind, "is no type of date", expected);
                continue;
            };
            if let Some(day) = self.own_date(element, "activity-date") {
                days.entry(kind).or_insert(day);
            }
        }
        let first = days.get("2").or_else(|| days.get("1")).copied();
        let mut last = days.get("4").or_else(|| days.get("3")).copied();
        if first.zip(last).is_some_and(|(first, last)| last < first) {
            let mixed = days.contains_key("2") && !days.contains_key("4");
            if !mixed {
                let (value, expected) = (last.map(|day| day.to_string()), "an end on or after the start");
                let value = value.unwrap_or_default();
                return self.wrong(activity, "activity-date", &value, "is an end before the start", expected);
            }
            self.left_out("planned ends before the actual start", 1);
            last = None;
        }
        let written = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        (self.faults.len() == faults).then(|| (written(first), written(last)))
    }

    /// The date of a child.
    pub(super) fn date(&mut self, within: &Element, place: &str, name: &str) -> Option<Date> {
        match within.first(name) {
            Some(element) => self.own_date(element, place),
            None => self.wrong(within, place, "", "is missing", "a date such as 2023-12-31"),
        }
    }

    fn own_date(&mut self, element: &Element, place: &str) -> Option<Date> {
        let text = element.attribute("iso-date").unwrap_or_default();
        let found = day(text);
        if found.is_none() {
            let place = format!("{place}/@iso-date");
            self.wrong::<()>(element, &place, text, "is no date", "a date such as 2023-12-31");
        }
        found
    }

    /// Identifiers of whoever may lead, supports and funds.
    fn organizations(&mut self, activity: &Element) -> (Vec<String>, Vec<String>, Vec<String>) {
        let (mut accountable, mut carrying, mut extending, mut funding) = (vec![], vec![], vec![], vec![]);
        for element in activity.all("participating-org") {
            let role = element.attribute("role").unwrap_or_default();
            let list = match role {
                "1" => &mut funding,
                "2" => &mut accountable,
                "3" => &mut extending,
                "4" => &mut carrying,
                role => {
                    let expected = "a code from 1 to 4 of IATI's OrganisationRole";
                    self.wrong::<()>(element, "participating-org/@role", role, "is no role", expected);
                    continue;
                }
            };
            match element.attribute("ref").filter(|known| known.chars().any(char::is_alphanumeric)) {
                None => self.left_out("organisations without an identifier", 1),
                Some(known) if list.iter().any(|before| before == known) => {}
                Some(known) => list.push(known.to_owned()),
            }
        }
        let mut leads = accountable;
        leads.extend(carrying.into_iter().filter(|one| !leads.contains(one)).collect::<Vec<_>>());
        let supporting = [leads.clone(), extending].concat();
        (leads, supporting, funding)
    }

    fn places(&mut self, activity: &Element) -> Vec<Place> {
        let named = ["recipient-country", "recipient-region", "location"];
        let elements = activity.children.iter().filter(|child| named.contains(&child.name.as_str()));
        let mut places: Vec<Place> = Vec::new();
        for element in elements {
            let Some(place) = place(element, &self.language) else {
                self.left_out("places without a code", 1);
                continue;
            };
            if places.iter().any(|before| before.level == place.level && before.code == place.code) {
                continue;
            }
            if places.len() == PLACES {
                self.left_out("places that do not fit", 1);
                continue;
            }
            places.push(place);
        }
        places
    }
}
