//! A practice card: what one organisation learned, for whoever follows the initiative.

use proto::messaging::*;

use super::Voice;
use super::tale::Tale;
use crate::cli::request_id;
use crate::error::NodeError;
use crate::fleet::{Coalition, heard};
use crate::import::connecticut::GRADUATION;

pub(super) const TITLE: &str = "Calling home on the first day missed";

/// Bridgeport's own figures, as the state published them.
const FIGURES: [(&str, &str); 2] = [("2010-11", "60.5"), ("2014-15", "63.6")];

/// Beta publishes it in the initiative's public space; its reference.
pub(super) async fn publish(coalition: &Coalition, tale: &Tale, voice: &Voice) -> Result<String, NodeError> {
    let beta = tale.speaker(coalition, "beta")?;
    let point =
        |(period, value): &(&str, &str)| SeriesPoint { period: (*period).to_owned(), value: (*value).to_owned() };
    let request = PublishPracticeCardRequest {
        initiative: tale.initiative.clone(),
        definition: Some(PracticeCardDefinition {
            organization: beta.organization.clone(),
            title: TITLE.to_owned(),
            challenge: "Ninth-graders who miss a few days in autumn are far behind by winter.".to_owned(),
            tried: "Somebody who knows the family calls on the first day missed, and asks what would help.".to_owned(),
            cost: "One part-time person for every two hundred ninth-graders.".to_owned(),
            result: "More of each class finish in four years.".to_owned(),
            series: Some(MeasureSeries {
                measure: tale.measure(GRADUATION)?,
                name: "Students who graduate from high school within four years".to_owned(),
                unit: "percent".to_owned(),
                points: FIGURES.iter().map(point).collect(),
            }),
            failed: "Calls by a machine: nobody called back.".to_owned(),
        }),
        request_id: request_id(),
    };
    let published = heard("beta's role among those who teach", async || {
        beta.client.messaging().publish_practice_card(request.clone()).await
    });
    voice.say("Bridgeport publishes a practice card of what it learned, for every initiative that follows this one");
    Ok(published.await?.practice_card.unwrap_or_default().reference)
}
