//! The story: a coalition comes about, reports, loses a node half way and gets it back, keeps a confidence, and turns
//! away who is not who they say.

use chassis::clock;
use proto::measurement::{
    Basis, CreateMeasureRequest, GetMeasureRequest, ListMeasuresRequest, Observation, Part, SubmissionDefinition,
    SubmitObservationsRequest, ValueState,
};
use proto::membership::GetOrganizationRequest;
use tokio::time::Instant;

use super::founding::{self, Founded, INITIATIVE, Reporter};
use super::memory::CatchUp;
use super::schools::{self, District};
use super::voice::thousands;
use super::{Memory, Voice, crowd, impostors};
use crate::cli::request_id;
use crate::error::NodeError;
use crate::fleet::{Coalition, Sketch, until};
use crate::import::connecticut::{ENROLLMENT, GRADUATION, SOURCE, STATE};
use crate::import::{Batch, measures};
use crate::load::{self, Submitting};

/// The three nodes.
pub const SKETCHES: [Sketch; 3] = [
    Sketch { name: "backbone", title: "Graduate Connecticut", backbone: true },
    Sketch { name: "alpha", title: "Hartford School District", backbone: false },
    Sketch { name: "beta", title: "Bridgeport School District", backbone: false },
];
const OWN_NODE: [(&str, &str); 2] = [("alpha", "Hartford School District"), ("beta", "Bridgeport School District")];

/// Tells the story from the beginning.
///
/// # Errors
/// Whatever does not go as told.
pub async fn tell(coalition: &mut Coalition, batches: Vec<Batch>, voice: &Voice) -> Result<Memory, NodeError> {
    let founded = founding::found(coalition.backbone()?).await?;
    voice.say(format!("Graduate Connecticut, a nonprofit, founds the initiative \"{INITIATIVE}\" as its backbone"));
    for partner in ["alpha", "beta"] {
        coalition.link(partner, &founded.initiative, INITIATIVE).await?;
    }
    voice.say("alpha (Hartford) and beta (Bridgeport) join by invitation: one line of text each, and no restart");
    let reporters = gather(coalition, &founded, &schools::districts(&batches), voice).await?;
    let measures = define(coalition, &founded).await?;
    voice.say("Two measures are agreed: enrollment, and graduation within four years, by race and by gender");
    let tale = Tale { initiative: founded.initiative.clone(), reporters, measures };

    let (first, second) = schools::halves(batches);
    tale.submit(coalition, &first, voice, ENROLLMENT).await?;
    let (later, meanwhile) = second.into_iter().partition(|batch| tale.node_of(batch) == Some("alpha"));
    let catch_up = tale.without_alpha(coalition, meanwhile, voice).await?;
    tale.submit(coalition, &later, voice, "Hartford's graduation").await?;
    let confidence = tale.confide(coalition, voice).await?;
    tale.forge(coalition, voice).await?;
    let [graduation, enrollment] = [GRADUATION, ENROLLMENT].map(|code| tale.measure(code));
    Ok(Memory {
        initiative: tale.initiative.clone(),
        graduation: graduation?,
        enrollment: enrollment?,
        confidence,
        catch_up,
    })
}

/// Registers and admits everybody.
async fn gather(
    coalition: &Coalition,
    founded: &Founded,
    districts: &[District],
    voice: &Voice,
) -> Result<Vec<Reporter>, NodeError> {
    let own = |district: &District| OWN_NODE.iter().find(|(_, name)| *name == district.name).map(|(node, _)| *node);
    let hosted: Vec<District> = districts.iter().filter(|district| own(district).is_none()).cloned().collect();
    let mut reporters = vec![founding::admit_state(founded, STATE).await?];
    reporters.extend(founding::admit_districts(founded, &hosted).await?);
    voice.say(format!(
        "{} school districts without a node of their own are hosted by the backbone, beside the state's \
                       department of education",
        hosted.len()
    ));
    for district in districts {
        if let Some(node) = own(district) {
            reporters.push(founding::ask_and_admit(coalition, founded, node, district).await?);
        }
    }
    voice.say("Hartford and Bridgeport register at home, ask to join, and are admitted by the backbone");
    Ok(reporters)
}

/// Defines the measures at the backbone, and waits until the partners know them.
async fn define(coalition: &Coalition, founded: &Founded) -> Result<Vec<(String, String)>, NodeError> {
    // The measuring service hears of the staff's role a moment after it was granted.
    until("the backbone's staff to be known", async || {
        let request = ListMeasuresRequest { initiative: founded.initiative.clone(), ..ListMeasuresRequest::default() };
        Ok(founded.staff.measurement().list_measures(request).await.ok())
    })
    .await?;
    let mut made = Vec::new();
    for definition in measures() {
        let code = definition.code.clone();
        let request = CreateMeasureRequest {
            initiative: founded.initiative.clone(),
            definition: Some(definition),
            request_id: request_id(),
        };
        let measure = founded.staff.measurement().create_measure(request).await?.into_inner().measure;
        made.push((code, measure.unwrap_or_default().reference));
    }
    for node in &coalition.nodes {
        let operator = node.operator()?;
        for (_, measure) in &made {
            until(format!("{} to know the measures", node.sketch.name), async || {
                Ok(operator.measurement().get_measure(GetMeasureRequest { measure: measure.clone() }).await.ok())
            })
            .await?;
        }
    }
    Ok(made)
}

/// What the second half of the story needs to know of the first.
struct Tale {
    initiative: String,
    reporters: Vec<Reporter>,
    measures: Vec<(String, String)>,
}

impl Tale {
    fn reporter(&self, batch: &Batch) -> Result<&Reporter, NodeError> {
        let found = self.reporters.iter().find(|reporter| reporter.code == batch.place.code);
        found.ok_or_else(|| NodeError::Usage(format!("nobody reports for {}", batch.place.name)))
    }

    fn node_of(&self, batch: &Batch) -> Option<&'static str> {
        self.reporter(batch).ok().map(|reporter| reporter.node)
    }

    fn measure(&self, code: &str) -> Result<String, NodeError> {
        let found = self.measures.iter().find(|(known, _)| known == code).map(|(_, reference)| reference.clone());
        found.ok_or_else(|| NodeError::Usage(format!("there is no measure {code}")))
    }

    fn of_node(&self, node: &str) -> Result<&Reporter, NodeError> {
        let found = self.reporters.iter().find(|reporter| reporter.node == node);
        found.ok_or_else(|| NodeError::Usage(format!("nobody lives on {node}")))
    }

    fn members(&self) -> String {
        format!("{}/members", self.initiative)
    }

    /// Every reporter submits what it has, at its home node.
    async fn submit(
        &self,
        coalition: &Coalition,
        batches: &[Batch],
        voice: &Voice,
        what: &str,
    ) -> Result<(), NodeError> {
        crowd::all(batches.iter().map(async |batch| {
            let reporter = self.reporter(batch)?;
            let client = coalition.node(reporter.node)?.speaking_for(&reporter.organization)?;
            let (measure, organization) = (self.measure(batch.measure)?, reporter.organization.to_string());
            let what = Submitting {
                batch,
                measure: &measure,
                organization: &organization,
                source: SOURCE,
                revision_reason: "",
            };
            load::submit(&client, &what).await
        }))
        .await?;
        let observations: usize = batches.iter().map(|batch| batch.observations.len()).sum();
        voice.say(format!(
            "{what}: {} submissions, each at its reporter's home, of {} observations",
            batches.len(),
            thousands(observations)
        ));
        Ok(())
    }

    /// Alpha goes away, the others go on, and alpha comes back. While it is away, somebody with its key writes in its
    /// feed about an organisation of beta's.
    async fn without_alpha(
        &self,
        coalition: &mut Coalition,
        meanwhile: Vec<Batch>,
        voice: &Voice,
    ) -> Result<CatchUp, NodeError> {
        let before = position(coalition, "alpha", &self.members()).await?;
        coalition.stop_node("alpha").await?;
        voice.say("alpha's node is stopped; the others go on");
        self.submit(coalition, &meanwhile, voice, "Graduation").await?;
        let victim = &self.of_node("beta")?.organization;
        impostors::speak_for_another(coalition.node("alpha")?, &self.initiative, victim).await?;
        voice.say("An impostor with alpha's own key writes about an organisation of beta's into alpha's feed");
        let target = position(coalition, "backbone", &self.members()).await?;
        let started = Instant::now();
        coalition.start_node("alpha").await?;
        until("alpha to catch up", async || {
            Ok((position(coalition, "alpha", &self.members()).await? >= target).then_some(()))
        })
        .await?;
        let catch_up = CatchUp {
            missed: target.saturating_sub(before),
            position: target,
            seconds: started.elapsed().as_secs_f64(),
        };
        voice.say(format!(
            "alpha is started again and catches up by itself: {} steps in {:.1} s, its start included",
            catch_up.missed, catch_up.seconds
        ));
        Ok(catch_up)
    }

    /// Alpha tells the backbone a figure that no other partner may hold.
    async fn confide(&self, coalition: &Coalition, voice: &Voice) -> Result<String, NodeError> {
        let alpha = coalition.node("alpha")?;
        let reporter = self.of_node("alpha")?;
        let confidence = format!("confidence-{}", clock::new_id().simple());
        let part = |amount: &str| Some(Part { state: ValueState::Reported.into(), amount: amount.to_owned() });
        let request = SubmitObservationsRequest {
            definition: Some(SubmissionDefinition {
                measure: self.measure(GRADUATION)?,
                organization: reporter.organization.to_string(),
                basis: Basis::Component.into(),
                source: format!("provisional, for the backbone alone: {confidence}"),
            }),
            space: format!("backbone/{}", alpha.id.as_str()),
            observations: vec![Observation {
                geography: Some(proto::measurement::Geography {
                    level: crate::import::connecticut::DISTRICT_LEVEL.to_owned(),
                    code: reporter.code.clone(),
                    name: "Hartford School District".to_owned(),
                }),
                period: "2015-07-01/2016-06-30".to_owned(),
                numerator: part("1061"),
                denominator: part("1500"),
                ..Observation::default()
            }],
            revision_reason: String::new(),
            request_id: request_id(),
        };
        let client = alpha.speaking_for(&reporter.organization)?;
        client.measurement().submit_observations(request).await?;
        let space = format!("{}/backbone/{}", self.initiative, alpha.id.as_str());
        until("the backbone to hold alpha's confidence", async || {
            Ok((position(coalition, "backbone", &space).await? > 0).then_some(()))
        })
        .await?;
        voice.say("alpha tells the backbone a provisional figure in their own space: beta must never hold it");
        Ok(confidence)
    }

    /// Somebody without alpha's key writes in its name; and alpha's own word goes on.
    async fn forge(&self, coalition: &Coalition, voice: &Voice) -> Result<(), NodeError> {
        let alpha = coalition.node("alpha")?;
        let own = &self.of_node("alpha")?.organization;
        impostors::forge_seal(alpha, &self.initiative, own).await?;
        let backbone = coalition.backbone()?;
        until("the backbone to refuse a foreign key", async || {
            let codes = impostors::refusals(backbone).await?;
            Ok(codes.iter().any(|(code, _)| code == "FOREIGN_KEY").then_some(()))
        })
        .await?;
        voice.say("An impostor with alpha's mailbox, but not its key, is refused: FOREIGN_KEY");
        impostors::say_again(alpha, own).await?;
        until("alpha's word at beta", async || {
            let request = GetOrganizationRequest { organization: own.to_string() };
            let held = coalition.node("beta")?.operator()?.membership().get_organization(request).await?.into_inner();
            let website = held.organization.map(|held| held.website).unwrap_or_default();
            Ok((website == impostors::WEBSITE).then_some(()))
        })
        .await?;
        voice.say("alpha's own word goes on: what it tells next is at beta");
        Ok(())
    }
}

/// How far a node holds the order of a space.
async fn position(coalition: &Coalition, node: &str, space: &str) -> Result<u64, NodeError> {
    let operator = coalition.node(node)?.operator()?;
    let status = operator.federation().get_status(proto::federation::GetStatusRequest {}).await?.into_inner();
    Ok(status.spaces.iter().find(|held| held.space == space).map_or(0, |held| held.position))
}
