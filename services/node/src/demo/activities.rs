//! Activities of three organisations for one strategy, in named places; one place is left without.

use proto::activities::*;

use super::Voice;
use super::tale::{Speaker, Tale};
use crate::cli::request_id;
use crate::error::NodeError;
use crate::fleet::{Coalition, heard};
use crate::import::connecticut::{DISTRICT_LEVEL, GRADUATION};

/// The four largest cities in the story, by the state's code of their district.
pub(super) const CITIES: [(&str, &str); 4] =
    [("0150011", "Bridgeport"), ("0640011", "Hartford"), ("0930011", "New Haven"), ("1510011", "Waterbury")];

/// What an organisation does, and where.
struct Plan {
    title: &'static str,
    description: &'static str,
    cities: &'static [&'static str],
    first_day: &'static str,
    last_day: &'static str,
}

const TEAMS: Plan = Plan {
    title: "Ninth-grade teams at Bulkeley, Hartford Public and Weaver High School",
    description: "The teachers of each ninth-grader meet every week, look at marks and absences, and say who helps whom.",
    cities: &["Hartford"],
    first_day: "2017-08-29",
    last_day: "2018-06-08",
};
const COUNSELLORS: Plan = Plan {
    title: "A counsellor for every ninth-grader at Bassick and Harding High School",
    description: "A counsellor speaks with every ninth-grader each month, and with those who fall behind each week.",
    cities: &["Bridgeport"],
    first_day: "2017-08-31",
    last_day: "2018-06-15",
};
const MENTORS: Plan = Plan {
    title: "Mentors from local employers for ninth-graders who fall behind",
    description: "Volunteers who are trained and looked after give a student two hours a week until the end of tenth grade.",
    cities: &["Hartford", "New Haven"],
    first_day: "2017-10-02",
    last_day: "2019-06-14",
};

/// Each of the three says at its own node what it does for a strategy; Hartford's teams have begun.
pub(super) async fn plan(coalition: &Coalition, tale: &Tale, strategy: &str, voice: &Voice) -> Result<(), NodeError> {
    let backbone = tale.speaker(coalition, "backbone")?;
    let (alpha, beta) = (tale.speaker(coalition, "alpha")?, tale.speaker(coalition, "beta")?);
    let teams = create(tale, &alpha, strategy, &TEAMS, vec![backbone.organization.clone()]).await?;
    create(tale, &beta, strategy, &COUNSELLORS, Vec::new()).await?;
    create(tale, &backbone, strategy, &MENTORS, Vec::new()).await?;
    let request = BeginActivityRequest { activity: teams, etag: String::new(), request_id: request_id() };
    alpha.client.activities().begin_activity(request).await?;
    voice.say(
        "Three organisations say what they do for one strategy, to find ninth-graders who fall behind: in Hartford,",
    );
    voice.add("in Bridgeport and in New Haven; nobody does anything in Waterbury");
    Ok(())
}

async fn create(
    tale: &Tale,
    lead: &Speaker,
    strategy: &str,
    plan: &Plan,
    supporting: Vec<String>,
) -> Result<String, NodeError> {
    let cities = places().into_iter().filter(|place| plan.cities.contains(&place.name.as_str()));
    let request = CreateActivityRequest {
        initiative: tale.initiative.clone(),
        definition: Some(ActivityDefinition {
            lead: lead.organization.clone(),
            title: plan.title.to_owned(),
            description: plan.description.to_owned(),
            strategy: strategy.to_owned(),
            measures: vec![tale.measure(GRADUATION)?],
            supporting,
            places: cities.collect(),
            start_date: plan.first_day.to_owned(),
            end_date: plan.last_day.to_owned(),
            ..ActivityDefinition::default()
        }),
        request_id: request_id(),
    };
    let made = heard(format!("the role of {} among the activities", lead.organization), async || {
        lead.client.activities().create_activity(request.clone()).await
    });
    Ok(made.await?.activity.unwrap_or_default().reference)
}

/// The cities as the service names places.
pub(super) fn places() -> Vec<Place> {
    let place = |(code, name): &(&str, &str)| Place {
        level: DISTRICT_LEVEL.to_owned(),
        code: (*code).to_owned(),
        name: (*name).to_owned(),
    };
    CITIES.iter().map(place).collect()
}
