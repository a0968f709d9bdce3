//! The commands of the load: each carries a mark that its event carries, too.

use node::client::Client;
use proto::agenda::{PositionDefinition, Stance, TakePositionRequest};
use proto::measurement::*;
use proto::membership::{Organization, RegisterOrganizationRequest, Sector, UpdateOrganizationRequest};
use proto::messaging::{EditMessageRequest, PostMessageRequest, WithdrawMessageRequest};
use tonic::Status;

use super::dice::Dice;
use super::world::World;

/// Marks a command: who gave it at which node, and which of theirs it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Number of the node.
    pub node: usize,
    /// Number of the worker there.
    pub worker: u64,
    /// Number of its command.
    pub number: u64,
}

const BEFORE: &[u8] = b"soak-";
const LENGTH: usize = "0101-000001.".len();

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "soak-{:02}{:02}-{:06}.", self.node, self.worker, self.number)
    }
}

impl Mark {
    /// The first mark in some bytes.
    pub fn find(bytes: &[u8]) -> Option<Self> {
        let at = bytes.windows(BEFORE.len()).position(|window| window == BEFORE)? + BEFORE.len();
        let text = std::str::from_utf8(bytes.get(at..at + LENGTH)?).ok()?;
        let (who, number) = text.strip_suffix('.')?.split_once('-')?;
        let (node, worker) = who.split_at_checked(2)?;
        Some(Self { node: node.parse().ok()?, worker: worker.parse().ok()?, number: number.parse().ok()? })
    }
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Says something where all talk.
    Say,
    /// Reports a figure to all.
    Report,
    /// Changes the organization that gives the command.
    Rename,
    /// Registers another one, as the node's operator.
    Register,
    /// Takes a position on the proposal.
    TakePosition,
    /// Says something in the first or the second of the spaces of two.
    Whisper(usize),
    /// Reports a figure in the first of them.
    Confide,
    /// Says something else where it said something before.
    Amend,
    /// Takes back what it said before.
    TakeBack,
}

impl Kind {
    /// Any that the node may give.
    pub fn any(dice: &mut Dice, node: usize) -> Self {
        const OPEN: [Kind; 7] =
            [Kind::Say, Kind::Report, Kind::Rename, Kind::Register, Kind::TakePosition, Kind::Amend, Kind::TakeBack];
        const SECRET: [Kind; 3] = [Kind::Whisper(0), Kind::Whisper(1), Kind::Confide];
        let secret = node < 2 && dice.below(3) == 0;
        // The backbone's observations in a space of two would be another's to report.
        let [first, others @ ..] = SECRET;
        match secret {
            true if node == 0 => dice.one_of(first, &[Kind::Whisper(1)]),
            true => dice.one_of(first, &others),
            false => {
                let [first, others @ ..] = OPEN;
                dice.one_of(first, &others)
            }
        }
    }

    /// The space of its event within the initiative.
    pub fn within<'a>(&self, world: &'a World) -> &'a str {
        let [private, circle] = &world.secret;
        match self {
            Self::Whisper(1) => &circle.within,
            Self::Whisper(_) | Self::Confide => &private.within,
            _ => "members",
        }
    }

    /// Whether the node's operator gives it; else somebody who speaks for the node's organization.
    pub fn is_operators(&self) -> bool {
        matches!(self, Self::Register)
    }

    /// The service that answers.
    pub fn room(&self) -> &'static str {
        match self {
            Self::Say | Self::Whisper(_) | Self::Amend | Self::TakeBack => "messaging",
            Self::Report | Self::Confide => "measurement",
            Self::Rename | Self::Register => "membership",
            Self::TakePosition => "agenda",
        }
    }
}

/// A command.
#[derive(Clone, Debug)]
pub struct Command {
    /// Of which run.
    pub seed: u64,
    /// Its mark.
    pub mark: Mark,
    /// What it does.
    pub kind: Kind,
    /// The message that it is about, where there is one already.
    pub about: Option<String>,
}

/// A word that only two nodes may hold.
pub fn canary(seed: u64, secret: usize) -> String {
    format!("canary-{seed:016x}-{secret}-of-two")
}

impl Command {
    /// Gives it: the resource that it is about.
    pub async fn give(&self, client: &Client, world: &World) -> Result<String, Status> {
        let organization = world.organizations.get(self.mark.node).map(ToString::to_string).unwrap_or_default();
        let request_id = format!("{}-{}", self.seed, self.mark);
        let Self { mark, kind, .. } = self;
        let message = self.about.clone().unwrap_or_default();
        let [private, circle] = &world.secret;
        match kind {
            Kind::Say => self.post(client, &world.plaza, organization, request_id).await,
            Kind::Whisper(1) => self.post(client, &circle.channel, organization, request_id).await,
            Kind::Whisper(_) => self.post(client, &private.channel, organization, request_id).await,
            Kind::Amend => {
                let request = EditMessageRequest { message, body: self.words(), etag: String::new(), request_id };
                let answer = client.messaging().edit_message(request).await?.into_inner();
                Ok(answer.message.unwrap_or_default().reference)
            }
            Kind::TakeBack => {
                let request = WithdrawMessageRequest { message, request_id };
                let answer = client.messaging().withdraw_message(request).await?.into_inner();
                Ok(answer.message.unwrap_or_default().reference)
            }
            Kind::Report | Kind::Confide => self.report(client, world, organization, request_id).await,
            Kind::Rename => {
                let renamed =
                    Organization { reference: organization, display_name: mark.to_string(), ..Organization::default() };
                let request = UpdateOrganizationRequest {
                    organization: Some(renamed),
                    update_mask: Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] }),
                    request_id,
                };
                let answer = client.membership().update_organization(request).await?.into_inner();
                Ok(answer.organization.unwrap_or_default().reference)
            }
            Kind::Register => {
                let sector = Sector::Community.into();
                let registered = Organization { display_name: mark.to_string(), sector, ..Organization::default() };
                let initiative = world.initiative.clone();
                let request = RegisterOrganizationRequest { initiative, organization: Some(registered), request_id };
                let answer = client.membership().register_organization(request).await?.into_inner();
                Ok(answer.organization.unwrap_or_default().reference)
            }
            Kind::TakePosition => {
                let definition = PositionDefinition {
                    proposal: world.proposal.clone(),
                    revision: 1,
                    organization,
                    stance: Stance::Object.into(),
                    reason: mark.to_string(),
                };
                let request = TakePositionRequest { definition: Some(definition), request_id };
                let answer = client.agenda().take_position(request).await?.into_inner();
                Ok(answer.position.unwrap_or_default().reference)
            }
        }
    }

    /// The mark, and in a space of two the word that gives it away.
    fn words(&self) -> String {
        match self.kind {
            Kind::Whisper(secret) => format!("{} {}", self.mark, canary(self.seed, secret)),
            Kind::Confide => format!("{} {}", self.mark, canary(self.seed, 0)),
            _ => self.mark.to_string(),
        }
    }

    async fn post(
        &self,
        client: &Client,
        channel: &str,
        organization: String,
        request_id: String,
    ) -> Result<String, Status> {
        let (channel, body) = (channel.to_owned(), self.words());
        let request = PostMessageRequest { channel, organization, body, request_id, ..PostMessageRequest::default() };
        let answer = client.messaging().post_message(request).await?.into_inner();
        Ok(answer.message.unwrap_or_default().reference)
    }

    async fn report(
        &self,
        client: &Client,
        world: &World,
        organization: String,
        request_id: String,
    ) -> Result<String, Status> {
        let place = Geography {
            level: "town".to_owned(),
            code: format!("{}-{}-{}", self.mark.node, self.mark.worker, self.mark.number),
            name: "A town".to_owned(),
        };
        let observation = Observation {
            geography: Some(place),
            period: "2024-01-01/2024-12-31".to_owned(),
            value: Some(Part { state: ValueState::Reported.into(), amount: self.mark.number.to_string() }),
            ..Observation::default()
        };
        let request = SubmitObservationsRequest {
            definition: Some(SubmissionDefinition {
                measure: world.measure.clone(),
                organization,
                basis: Basis::Component.into(),
                source: self.words(),
            }),
            space: self.kind.within(world).to_owned(),
            observations: vec![observation],
            request_id,
            ..SubmitObservationsRequest::default()
        };
        let answer = client.measurement().submit_observations(request).await?.into_inner();
        Ok(answer.submission.unwrap_or_default().reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_where_it_is() {
        let mark = Mark { node: 1, worker: 0, number: 42 };
        assert_eq!(Mark::find(format!("before {mark} after").as_bytes()), Some(mark));
        assert_eq!(Mark::find(b"soak-01"), None);
        assert_eq!(Mark::find(b"soak-xx00-000001."), None);
    }

    #[test]
    fn only_two_nodes_whisper() {
        let mut dice = Dice::of(1, 1);
        let secret = |kind: Kind| matches!(kind, Kind::Whisper(_) | Kind::Confide);
        assert!((0..500).all(|_| !secret(Kind::any(&mut dice, 2))));
        assert!((0..500).any(|_| secret(Kind::any(&mut dice, 1))));
    }
}
