//! The story: a coalition comes about, agrees on what to change, reports, loses a node half way and gets it back, works
//! and talks together, keeps a confidence, and turns away who is not who they say.

use chassis::clock;
use proto::measurement::{
    Basis, Geography, Observation, Part, SubmissionDefinition, SubmitObservationsRequest, ValueState,
};
use proto::membership::GetOrganizationRequest;
use tokio::time::Instant;

use super::crew::{self, Crew, INITIATIVE};
use super::memory::CatchUp;
use super::tale::Tale;
use super::{Memory, Voice, activities, agenda, circle, crowd, impostors, practice, proposal, schools, talk};
use crate::cli::request_id;
use crate::error::NodeError;
use crate::fleet::{Coalition, Sketch, until};
use crate::import::connecticut::{DISTRICT_LEVEL, ENROLLMENT, GRADUATION, SOURCE};
use crate::import::{Batch, measures};
use crate::load::{Submitting, submit};
use crate::words::thousands;

/// The three nodes.
pub const SKETCHES: [Sketch; 3] = [
    Sketch { name: "backbone", title: "Graduate Connecticut", backbone: true },
    Sketch { name: "alpha", title: "Hartford School District", backbone: false },
    Sketch { name: "beta", title: "Bridgeport School District", backbone: false },
];

/// Tells the story from the beginning.
///
/// # Errors
/// Whatever does not go as told.
pub async fn tell(coalition: &mut Coalition, batches: Vec<Batch>, voice: &Voice) -> Result<Memory, NodeError> {
    let founded = crew::found(coalition.backbone()?).await?;
    voice.say(format!("Graduate Connecticut, a nonprofit, founds \"{INITIATIVE}\" and is its backbone"));
    for partner in ["alpha", "beta"] {
        coalition.link(partner, &founded.initiative, INITIATIVE).await?;
    }
    voice.say("alpha (Hartford) and beta (Bridgeport) join by invitation: one line of text, no restart");
    let crew = Crew::gather(coalition, &founded, &schools::districts(&batches), voice).await?;
    let definitions = measures();
    let measures = founded.define(coalition, &definitions).await?;
    voice.say("Two measures are agreed on: enrollment, and graduation within four years, by race and gender");
    let codes = definitions.into_iter().map(|definition| definition.code);
    let measures = codes.zip(measures).collect();
    let tale = Tale { initiative: founded.initiative, own: founded.own, crew, measures };

    let agenda = agenda::publish(coalition, &tale, voice).await?;
    agenda::endorse(coalition, &tale, &agenda).await?;
    voice.say("alpha and beta endorse it, each at its own node");
    let proposal = proposal::take_through(coalition, &tale, &agenda, voice).await?;

    let (first, second) = schools::halves(batches);
    tale.submit(coalition, &first, voice, "Enrollment").await?;
    let of_alpha = |batch: &Batch| tale.crew.reporter(batch).is_ok_and(|reporter| reporter.node == "alpha");
    let (later, meanwhile): (Vec<_>, Vec<_>) = second.into_iter().partition(of_alpha);
    let catch_up = tale.without_alpha(coalition, &meanwhile, voice).await?;
    tale.submit(coalition, &later, voice, "Graduation in Hartford").await?;
    let strategy = agenda::strategy(&agenda)?;
    activities::plan(coalition, &tale, &strategy, voice).await?;
    let thread = talk::hold(coalition, &tale, voice).await?;
    let practice_card = practice::publish(coalition, &tale, voice).await?;
    let circle = circle::form(coalition, &tale, voice).await?;
    let confidence = tale.confide(coalition, voice).await?;
    tale.forge(coalition, voice).await?;
    Ok(Memory {
        graduation: tale.measure(GRADUATION)?,
        enrollment: tale.measure(ENROLLMENT)?,
        initiative: tale.initiative,
        agenda: agenda.reference,
        strategy,
        proposal,
        organizations: tale.crew.everybody().len() + 1,
        thread,
        practice_card,
        circle,
        confidence,
        catch_up,
    })
}

impl Tale {
    /// Every reporter submits what it has, at its home node.
    async fn submit(
        &self,
        coalition: &Coalition,
        batches: &[Batch],
        voice: &Voice,
        what: &str,
    ) -> Result<(), NodeError> {
        voice.begin("submissions", batches.len());
        crowd::all(batches.iter().map(async |batch| {
            let reporter = self.crew.reporter(batch)?;
            let client = coalition.node(reporter.node)?.speaking_for(&reporter.organization)?;
            let (measure, organization) = (self.measure(batch.measure)?, reporter.organization.to_string());
            let what = Submitting {
                batch,
                measure: &measure,
                organization: &organization,
                source: SOURCE,
                revision_reason: "",
            };
            submit(&client, &what).await?;
            voice.done();
            Ok(())
        }))
        .await?;
        let observations: usize = batches.iter().map(|batch| batch.observations.len()).sum();
        let submissions = if batches.len() == 1 { "submission" } else { "submissions" };
        voice.say(format!(
            "{what}: {} {submissions} of {} observations, each signed at its reporter's home",
            batches.len(),
            thousands(observations as u64)
        ));
        Ok(())
    }

    /// Alpha goes away, the others go on, and alpha comes back. While it is away, somebody with its key writes in its
    /// feed about an organisation of beta's.
    async fn without_alpha(
        &self,
        coalition: &mut Coalition,
        meanwhile: &[Batch],
        voice: &Voice,
    ) -> Result<CatchUp, NodeError> {
        let members = self.members();
        let before = coalition.node("alpha")?.position(&members).await?;
        coalition.stop_node("alpha").await?;
        voice.say("alpha's node is stopped; the others go on");
        self.submit(coalition, meanwhile, voice, "Graduation").await?;
        let victim = &self.crew.on("beta")?.organization;
        impostors::speak_for_another(coalition.node("alpha")?, &self.initiative, victim).await?;
        voice.say("Somebody with alpha's own key writes in alpha's feed about Bridgeport, which is not alpha's");
        let position = coalition.backbone()?.position(&members).await?;
        let started = Instant::now();
        coalition.start_node("alpha").await?;
        until("alpha to catch up", async || {
            Ok((coalition.node("alpha")?.position(&members).await? >= position).then_some(()))
        })
        .await?;
        let (missed, seconds) = (position.saturating_sub(before), started.elapsed().as_secs_f64());
        voice.say(format!("alpha is started again and catches up by itself: {missed} steps of the order"));
        voice.add(format!("in {seconds:.1} s, its start included"));
        Ok(CatchUp { missed, position, seconds })
    }

    /// Alpha tells the backbone a figure that no other partner may hold.
    async fn confide(&self, coalition: &Coalition, voice: &Voice) -> Result<String, NodeError> {
        let alpha = coalition.node("alpha")?;
        let reporter = self.crew.on("alpha")?;
        let confidence = format!("confidence-{}", clock::new_id().simple());
        let space = format!("backbone/{}", alpha.id.as_str());
        let request = SubmitObservationsRequest {
            definition: Some(SubmissionDefinition {
                measure: self.measure(GRADUATION)?,
                organization: reporter.organization.to_string(),
                basis: Basis::Component.into(),
                source: format!("provisional, for the backbone alone: {confidence}"),
            }),
            space: space.clone(),
            observations: vec![provisional(&reporter.place)],
            revision_reason: String::new(),
            request_id: request_id(),
        };
        alpha.speaking_for(&reporter.organization)?.measurement().submit_observations(request).await?;
        until("the backbone to hold alpha's confidence", async || {
            let position = coalition.backbone()?.position(&format!("{}/{space}", self.initiative)).await?;
            Ok((position > 0).then_some(()))
        })
        .await?;
        voice.say("alpha tells the backbone a provisional figure in a space of these two: beta must never hold it");
        Ok(confidence)
    }

    /// Somebody without alpha's key writes in its name; and alpha's own word goes on.
    async fn forge(&self, coalition: &Coalition, voice: &Voice) -> Result<(), NodeError> {
        let alpha = coalition.node("alpha")?;
        let own = &self.crew.on("alpha")?.organization;
        impostors::forge_seal(alpha, &self.initiative, own).await?;
        until("the backbone to refuse a foreign key", async || {
            let refusals = impostors::refusals(coalition.backbone()?).await?;
            Ok(refusals.iter().any(|(code, _)| code == "FOREIGN_KEY").then_some(()))
        })
        .await?;
        voice.say("Somebody in alpha's mailbox, but with another key, is refused at once: FOREIGN_KEY");
        impostors::say_again(alpha, own).await?;
        until("alpha's word at beta", async || {
            let request = GetOrganizationRequest { organization: own.to_string() };
            let held = coalition.node("beta")?.operator()?.membership().get_organization(request).await?.into_inner();
            let website = held.organization.map(|held| held.website).unwrap_or_default();
            Ok((website == impostors::WEBSITE).then_some(()))
        })
        .await?;
        voice.say("alpha's own word goes on: what it says next is at beta");
        Ok(())
    }
}

/// A figure that is not final yet.
fn provisional(place: &str) -> Observation {
    let part = |amount: &str| Some(Part { state: ValueState::Reported.into(), amount: amount.to_owned() });
    Observation {
        geography: Some(Geography {
            level: DISTRICT_LEVEL.to_owned(),
            code: place.to_owned(),
            name: "Hartford School District".to_owned(),
        }),
        period: "2015-07-01/2016-06-30".to_owned(),
        numerator: part("1061"),
        denominator: part("1500"),
        ..Observation::default()
    }
}
