//! What a coalition agrees on before the soak: who takes part, where they talk, what they measure and vote on, and what
//! only two of them may know.

use std::net::SocketAddr;

use chassis::clock;
use chassis::event::timestamp;
use chassis::names::Reference;
use node::error::NodeError;
use node::fleet::{Coalition, Founded, Node, organization, until};
use proto::agenda::decision_rule::Quorum;
use proto::agenda::*;
use proto::common::Role;
use proto::measurement::{Aggregation, Direction, MeasureDefinition, MeasureKind};
use proto::membership::{Circle, CreateCircleRequest, GetCircleRequest, Initiative, Sector};
use proto::messaging::{ChannelDefinition, ChannelKind, CreateChannelRequest, GetChannelRequest};
use time::Duration;

use super::field::by_door;
use super::wrong;

const NAME: &str = "Everyone reads";

/// What was agreed.
pub struct World {
    /// Reference of the initiative.
    pub initiative: String,
    /// Its name.
    pub name: String,
    /// For whom each node speaks, in the order of the nodes.
    pub organizations: Vec<Reference>,
    /// Reference of a measure.
    pub measure: String,
    /// Reference of a proposal that stays open.
    pub proposal: String,
    /// The channel in which all talk.
    pub plaza: String,
    /// Where only the backbone and the first partner talk: in a space of the two, and in a circle.
    pub secret: [Secret; 2],
}

/// A space that two nodes hold, and a channel in it.
pub struct Secret {
    /// The space within the initiative.
    pub within: String,
    /// Reference of the channel.
    pub channel: String,
    /// Part of the space's name, that no other node may know.
    pub name: String,
}

impl World {
    /// The whole name of a space.
    pub fn space(&self, within: &str) -> String {
        format!("{}/{within}", self.initiative)
    }
}

/// Founds an initiative with everybody in the coalition; each reaches the hub by a door of its own.
pub async fn found(coalition: &Coalition, doors: &[SocketAddr]) -> Result<World, NodeError> {
    let initiative = Initiative { display_name: NAME.to_owned(), ..Initiative::default() };
    let alliance = organization("Readers' Alliance", Sector::Nonprofit, &[]);
    let founded = Founded::begin(coalition.backbone()?, initiative, alliance).await?;
    let mut organizations = vec![founded.own.clone()];
    for (node, door) in coalition.nodes.iter().zip(doors).skip(1) {
        let name = node.sketch.name;
        let line = coalition.invite(name, &founded.initiative, NAME).await?;
        coalition.join(name, by_door(&line, *door)?).await?;
        let library = organization(node.sketch.title, Sector::Institution, &[]);
        organizations.push(founded.admit(coalition, name, library, &[Role::Partner, Role::DataLead]).await?);
    }
    let measure = founded.define(coalition, &[visits()]).await?.remove(0);
    let founding = Founding { coalition, founded: &founded, organizations: &organizations };
    let plaza = founding.channel(coalition.backbone()?, &founded.own, "members", "Plaza").await?;
    founding.known(&plaza).await?;
    let secret = [founding.private().await?, founding.circle().await?];
    let proposal = founding.proposal().await?;
    Ok(World {
        initiative: founded.initiative.clone(),
        name: NAME.to_owned(),
        organizations,
        measure,
        proposal,
        plaza,
        secret,
    })
}

struct Founding<'a> {
    coalition: &'a Coalition,
    founded: &'a Founded,
    organizations: &'a [Reference],
}

impl Founding<'_> {
    /// Opens a channel; a room hears of roles and circles a moment after they were told.
    async fn channel(&self, node: &Node, own: &Reference, space: &str, name: &str) -> Result<String, NodeError> {
        let request = CreateChannelRequest {
            initiative: self.founded.initiative.clone(),
            space: space.to_owned(),
            definition: Some(ChannelDefinition {
                organization: own.to_string(),
                name: name.to_owned(),
                kind: ChannelKind::Discussion.into(),
                ..ChannelDefinition::default()
            }),
            request_id: clock::new_id().to_string(),
        };
        let speaking = node.speaking_for(own)?;
        let made = until(format!("the channel {name}"), async || {
            Ok(speaking.messaging().create_channel(request.clone()).await.ok())
        });
        Ok(made.await?.into_inner().channel.unwrap_or_default().reference)
    }

    /// Waits until every node knows a channel.
    async fn known(&self, channel: &str) -> Result<(), NodeError> {
        for node in &self.coalition.nodes {
            knows(node, channel).await?;
        }
        Ok(())
    }

    fn alpha(&self) -> Result<(&Node, &Reference), NodeError> {
        let alpha = self.coalition.nodes.get(1).zip(self.organizations.get(1));
        alpha.ok_or_else(|| wrong("there is no partner"))
    }

    async fn private(&self) -> Result<Secret, NodeError> {
        let (alpha, library) = self.alpha()?;
        let within = format!("backbone/{}", alpha.id);
        let channel = self.channel(alpha, library, &within, "Between us").await?;
        knows(self.coalition.backbone()?, &channel).await?;
        Ok(Secret { name: within.clone(), within, channel })
    }

    async fn circle(&self) -> Result<Secret, NodeError> {
        let (alpha, library) = self.alpha()?;
        let backbone = self.coalition.backbone()?;
        let circle = Circle {
            display_name: "Finances".to_owned(),
            nodes: vec![backbone.id.to_string(), alpha.id.to_string()],
            ..Circle::default()
        };
        let request = CreateCircleRequest {
            initiative: self.founded.initiative.clone(),
            circle: Some(circle),
            request_id: clock::new_id().to_string(),
        };
        let made =
            self.founded.staff.membership().create_circle(request).await?.into_inner().circle.unwrap_or_default();
        until("alpha to know the circle", async || {
            let request =
                GetCircleRequest { initiative: self.founded.initiative.clone(), circle: made.reference.clone() };
            Ok(alpha.operator()?.membership().get_circle(request).await.ok())
        })
        .await?;
        let channel = self.channel(alpha, library, &made.space, "Finances").await?;
        knows(backbone, &channel).await?;
        let name = made.reference.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Secret { within: made.space, channel, name })
    }

    async fn proposal(&self) -> Result<String, NodeError> {
        let (staff, request_id) = (&self.founded.staff, || clock::new_id().to_string());
        let request = CreateAgendaRequest {
            initiative: self.founded.initiative.clone(),
            tree: Some(tree()),
            request_id: request_id(),
        };
        let agenda = until("the agenda's room to know the backbone's role", async || {
            Ok(staff.agenda().create_agenda(request.clone()).await.ok())
        });
        let agenda = agenda.await?.into_inner().agenda.unwrap_or_default().reference;
        let request = PublishAgendaRequest { agenda, request_id: request_id(), ..PublishAgendaRequest::default() };
        let agenda = staff.agenda().publish_agenda(request).await?.into_inner().agenda.unwrap_or_default();
        let request = CreateProposalRequest {
            version: agenda.current.unwrap_or_default().reference,
            organization: self.founded.own.to_string(),
            revision: Some(later_days()),
            request_id: request_id(),
        };
        let made = staff.agenda().create_proposal(request).await?.into_inner().proposal.unwrap_or_default().reference;
        for node in &self.coalition.nodes {
            until(format!("{} to know the proposal", node.sketch.name), async || {
                let request = GetProposalRequest { proposal: made.clone() };
                let known = node.operator()?.agenda().get_proposal(request).await.ok();
                Ok(known.filter(|known| {
                    let proposal = known.get_ref().proposal.as_ref();
                    proposal
                        .is_some_and(|proposal| proposal.state() == ProposalState::Open && proposal.revision.is_some())
                }))
            })
            .await?;
        }
        Ok(made)
    }
}

async fn knows(node: &Node, channel: &str) -> Result<(), NodeError> {
    until(format!("{} to know a channel", node.sketch.name), async || {
        let request = GetChannelRequest { channel: channel.to_owned() };
        Ok(node.operator()?.messaging().get_channel(request).await.ok().map(drop))
    })
    .await
}

fn visits() -> MeasureDefinition {
    MeasureDefinition {
        code: "visits".to_owned(),
        name: "Visits to a library".to_owned(),
        kind: MeasureKind::PerformanceMeasure.into(),
        unit: "visits".to_owned(),
        direction: Direction::Up.into(),
        aggregation: Aggregation::Sum.into(),
        per: 1,
        ..MeasureDefinition::default()
    }
}

fn tree() -> AgendaTree {
    AgendaTree {
        display_name: "Every child reads".to_owned(),
        problem: "Too many fall behind".to_owned(),
        vision: "Every child reads well".to_owned(),
        population: "Children of the county".to_owned(),
        results: vec![AgendaResult { title: "Children read at eight".to_owned(), ..AgendaResult::default() }],
    }
}

fn later_days() -> ProposalRevision {
    ProposalRevision {
        title: "Later school days".to_owned(),
        rationale: "They sleep too little".to_owned(),
        amendment: "School begins at nine".to_owned(),
        rule: Some(DecisionRule {
            method: DecisionMethod::Consent.into(),
            threshold_percent: 0,
            quorum: Some(Quorum::QuorumCount(1)),
        }),
        close_time: Some(timestamp(clock::now() + Duration::days(7))),
        ..ProposalRevision::default()
    }
}
