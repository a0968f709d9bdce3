//! The partner who cheats: a member like any other, with a key and a mailbox of its own, whose node does not run any
//! more. Somebody plays tricks with both.
//!
//! What must not count carries a word that is looked for afterwards, on every node. The tricks that need the partner's
//! own feed continue it where the backbone has it, and some of them leave it so that its own node would be stuck.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chassis::event::{Actor, Event, Fact};
use chassis::identity::NodeKeys;
use chassis::names::{NodeId, Reference, Space};
use federation::hub::{NodeCredentials, NodeMailbox};
use federation::store::order;
use federation::wire::{self, FeedName, GENESIS, Link};
use node::error::NodeError;
use proto::federation::have::SpaceHead;
use proto::federation::{Frame, Have, NodeEnded, link_message};
use proto::membership::{Organization, OrganizationRevised, Sector};
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use super::dice::Dice;
use super::field::Field;
use super::place::Place;
use super::post;
use super::world::World;
use super::wrong;

/// What is looked for where nothing forged may be.
pub const FORGED: &str = "forged-";
/// The hub may be away, and the link of whoever cheats fails like any.
const PLAYED_WITHIN: Duration = Duration::from_secs(15);
const SALT: [u8; 16] = [7; 16];

/// What the cheat does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// Says something true of itself: this does count, and shows that the others get there.
    Own,
    /// Seals its next entry with a key that is not its own.
    ForeignKey,
    /// Says something of another's organization, with its own key.
    AnothersHome,
    /// Continues another's feed, with its own key.
    Impersonate,
    /// Takes the id of another's event for its own.
    SquatId,
    /// Shuts another node out, as only the backbone may.
    ShutOut,
    /// Says two things at one place of its feed.
    Equivocate,
    /// Leaves a gap in its feed.
    Gap,
    /// Begins its feed anew in another epoch.
    OtherEpoch,
    /// Puts another body under a header that was sealed.
    WrongBody,
    /// Sends again what another once said.
    ReplayAnother,
    /// Says something in a space that it is not in.
    OtherSpace,
    /// Says more at once than may be said.
    Oversize,
    /// Sends bytes that mean nothing.
    Garbage,
    /// Sends a flood of them.
    Flood,
    /// Asks for everything from the beginning, many times.
    Rewind,
    /// Confirms what there is not.
    ConfirmNothing,
}

impl Trick {
    /// All of them.
    pub const ALL: [Trick; 17] = [
        Trick::Own,
        Trick::ForeignKey,
        Trick::AnothersHome,
        Trick::Impersonate,
        Trick::SquatId,
        Trick::ShutOut,
        Trick::Equivocate,
        Trick::Gap,
        Trick::OtherEpoch,
        Trick::WrongBody,
        Trick::ReplayAnother,
        Trick::OtherSpace,
        Trick::Oversize,
        Trick::Garbage,
        Trick::Flood,
        Trick::Rewind,
        Trick::ConfirmNothing,
    ];

    /// Any of them.
    pub fn any(dice: &mut Dice) -> Self {
        let [first, others @ ..] = Self::ALL;
        dice.one_of(first, &others)
    }
}

/// The partner who cheats.
pub struct Cheat {
    keys: NodeKeys,
    foreign: NodeKeys,
    credentials: NodeCredentials,
    mailbox: NodeMailbox,
    organization: Reference,
    members: Space,
    secrets: Vec<Space>,
    played: AtomicU64,
    /// Its node and what it stood on: its proxy is still in use.
    place: Place,
}

/// Where a feed is, as the backbone has it.
struct Tip {
    feed: FeedName,
    sequence: u64,
    digest: [u8; 32],
}

impl Cheat {
    /// From now on this member cheats; its node is stopped.
    pub async fn of(place: Place, world: &World, organization: Reference) -> Result<Self, NodeError> {
        let mut node = place.node.write().await;
        let mut connection = PgConnection::connect(node.database()).await.map_err(wrong)?;
        let mailbox: serde_json::Value = sqlx::query_scalar("select mailbox from federation.links")
            .fetch_one(&mut connection)
            .await
            .map_err(wrong)?;
        connection.close().await.map_err(wrong)?;
        let credentials: NodeCredentials = serde_json::from_value(mailbox).map_err(wrong)?;
        let keys = node.keys()?;
        let elsewhere = node.config().node.data_dir.join("impostor");
        chassis::strongbox::folder(&elsewhere)?;
        let foreign = NodeKeys::open(&elsewhere)?;
        node.stop().await?;
        drop(node);
        place.ground.broker.stop().await?;
        place.ground.postgres.stop().await?;
        let mailbox = NodeMailbox::connect(&credentials).await?;
        let space = |within: &str| Space::within(&world.initiative, within).map_err(wrong);
        let secrets = world.secret.iter().map(|secret| space(&secret.within)).collect::<Result<_, _>>()?;
        let (members, played) = (space("members")?, AtomicU64::new(0));
        Ok(Self { keys, foreign, credentials, mailbox, organization, members, secrets, played, place })
    }

    /// Its node's id.
    pub fn id(&self) -> &NodeId {
        self.keys.id()
    }

    /// Whether the hub lets it in at present.
    pub fn is_let_in(&self) -> bool {
        self.mailbox.road().borrow().is_open()
    }

    /// What opens its mailbox.
    pub fn credentials(&self) -> &NodeCredentials {
        &self.credentials
    }

    /// The folder of its node.
    pub async fn folder(&self) -> std::path::PathBuf {
        self.place.node.read().await.config().node.data_dir.clone()
    }

    /// Plays a trick, if the way is open.
    pub async fn play(&self, trick: Trick, field: &Field) -> Result<(), NodeError> {
        match timeout(PLAYED_WITHIN, self.try_to(trick, field)).await {
            Ok(Ok(())) => field.log.note(&format!("{trick:?} was sent")),
            Ok(Err(error)) => field.log.note(&format!("{trick:?} was not sent: {error}")),
            Err(_) => field.log.note(&format!("{trick:?} was not sent in time")),
        }
        Ok(())
    }

    async fn try_to(&self, trick: Trick, field: &Field) -> Result<(), NodeError> {
        match trick {
            Trick::Garbage => return self.garbage(1).await,
            Trick::Flood => return self.garbage(400).await,
            Trick::Rewind => return self.rewind().await,
            Trick::ConfirmNothing => return self.confirm_nothing().await,
            _ => {}
        }
        let url = field.place(0)?.node.read().await.database().to_owned();
        let mut backbone = PgConnection::connect(&url).await.map_err(wrong)?;
        let sent = match trick {
            Trick::ReplayAnother => self.replay(&mut backbone).await,
            Trick::Impersonate => {
                let victim = field.world.organizations.get(1).ok_or_else(|| wrong("there is no partner"))?;
                let tip = self.tip(&mut backbone, &victim.node).await?;
                let entry = next(&tip, self.renamed(victim, &self.forged()));
                self.send(wire::frame(std::slice::from_ref(&entry), wire::seal(&self.keys, &entry.digest))).await
            }
            _ => {
                let tip = self.tip(&mut backbone, self.id()).await?;
                self.in_own_feed(trick, field, tip, &mut backbone).await
            }
        };
        backbone.close().await.map_err(wrong)?;
        sent
    }

    async fn in_own_feed(
        &self,
        trick: Trick,
        field: &Field,
        mut tip: Tip,
        backbone: &mut PgConnection,
    ) -> Result<(), NodeError> {
        let (own, forged) = (&self.organization, self.forged());
        let played = self.played.load(Ordering::Relaxed);
        match trick {
            Trick::ForeignKey => {
                let entry = next(&tip, self.renamed(own, &forged));
                let seal = wire::seal(&self.foreign, &entry.digest);
                return self.send(wire::frame(std::slice::from_ref(&entry), seal)).await;
            }
            Trick::WrongBody => {
                let mut entry = next(&tip, self.renamed(own, "Library of Mallory"));
                let other = next(&tip, self.renamed(own, &forged));
                entry.body = other.body;
                return self.sealed(&entry).await;
            }
            Trick::Equivocate => {
                self.sealed(&next(&tip, self.renamed(own, &format!("Either {played}")))).await?;
                return self.sealed(&next(&tip, self.renamed(own, &format!("Or {played}")))).await;
            }
            Trick::Gap => tip.sequence += 5,
            Trick::OtherEpoch => tip = Tip { feed: FeedName { epoch: 2, ..tip.feed }, sequence: 0, digest: GENESIS },
            Trick::OtherSpace => {
                let at = usize::from(played % 2 == 1);
                let space = self.secrets.get(at).ok_or_else(|| wrong("there is no secret"))?.clone();
                tip = Tip { feed: FeedName { space, ..tip.feed }, sequence: 0, digest: GENESIS };
            }
            _ => {}
        }
        let entry = match trick {
            Trick::Own => next(&tip, self.renamed(own, &format!("Library of Mallory, {played}"))),
            Trick::AnothersHome => {
                let victim = field.world.organizations.get(1).ok_or_else(|| wrong("there is no partner"))?;
                next(&tip, self.renamed(victim, &forged))
            }
            Trick::SquatId => {
                let id = sqlx::query_scalar(
                    "select event_id from federation.entries
                      where refused is null and event_id is not null and origin <> $1 order by written_at desc limit 1",
                )
                .bind(self.id().as_str())
                .fetch_one(&mut *backbone)
                .await
                .map_err(wrong)?;
                next(&tip, Event { id, ..self.renamed(own, &forged) })
            }
            Trick::ShutOut => {
                let victim = field.world.organizations.get(2).ok_or_else(|| wrong("there is no other partner"))?;
                let ended = NodeEnded { node: victim.node.to_string(), reason: forged };
                let about = Reference::born_on(self.id());
                next(&tip, Event::told(&Fact::of(&about, &self.members, &ended), self.id(), &Actor::default()))
            }
            Trick::Oversize => next(&tip, self.renamed(own, &forged.repeat(150 * 1024 / forged.len()))),
            _ => next(&tip, self.renamed(own, &forged)),
        };
        self.sealed(&entry).await
    }

    /// A word that must be nowhere.
    fn forged(&self) -> String {
        format!("{FORGED}{:06}", self.played.fetch_add(1, Ordering::Relaxed))
    }

    /// An organization called otherwise, in the space of all.
    fn renamed(&self, organization: &Reference, name: &str) -> Event {
        let told = OrganizationRevised {
            organization: Some(Organization {
                reference: organization.to_string(),
                initiative: self.members.initiative().map(ToString::to_string).unwrap_or_default(),
                node: organization.node.to_string(),
                display_name: name.to_owned(),
                sector: Sector::Institution.into(),
                ..Organization::default()
            }),
        };
        Event::told(&Fact::of(organization, &self.members, &told), self.id(), &Actor::default())
    }

    async fn tip(&self, backbone: &mut PgConnection, origin: &NodeId) -> Result<Tip, NodeError> {
        let (sequence, digest): (i64, Vec<u8>) = sqlx::query_as(
            "select sequence, digest from federation.feeds where space = $1 and origin = $2 and epoch = 1",
        )
        .bind(self.members.to_string())
        .bind(origin.as_str())
        .fetch_one(backbone)
        .await
        .map_err(wrong)?;
        let feed = FeedName { space: self.members.clone(), origin: origin.clone(), epoch: 1 };
        let sequence = u64::try_from(sequence).unwrap_or(0);
        Ok(Tip { feed, sequence, digest: wire::head(&digest).unwrap_or(GENESIS) })
    }

    async fn sealed(&self, entry: &Link) -> Result<(), NodeError> {
        self.send(wire::frame(std::slice::from_ref(entry), wire::seal(&self.keys, &entry.digest))).await
    }

    async fn send(&self, frame: Frame) -> Result<(), NodeError> {
        post::send(&self.mailbox, link_message::Message::Frame(frame)).await
    }

    async fn replay(&self, backbone: &mut PgConnection) -> Result<(), NodeError> {
        let after = self.played.fetch_add(1, Ordering::Relaxed) % 40;
        for step in order::steps(backbone, &self.members, after, 3, None).await.map_err(wrong)? {
            if let Some(frame) = step.frame {
                self.send(frame).await?;
            }
        }
        Ok(())
    }

    async fn garbage(&self, count: u64) -> Result<(), NodeError> {
        let mut dice = Dice::of(self.played.fetch_add(1, Ordering::Relaxed), 99);
        for _ in 0..count {
            let length = dice.between(1, 600);
            let bytes: Vec<u8> = (0..length).map(|_| u8::try_from(dice.below(256)).unwrap_or(0)).collect();
            post::raw(&self.mailbox, Bytes::from(bytes)).await?;
        }
        Ok(())
    }

    async fn rewind(&self) -> Result<(), NodeError> {
        for _ in 0..50 {
            let have = Have { answer: true, resume: true, ..Have::default() };
            post::send(&self.mailbox, link_message::Message::Have(have)).await?;
        }
        Ok(())
    }

    async fn confirm_nothing(&self) -> Result<(), NodeError> {
        let spaces = [&self.members].into_iter().chain(&self.secrets);
        let head = |space: &Space| SpaceHead {
            initiative: space.initiative().map(ToString::to_string).unwrap_or_default(),
            space: wire::within(space),
            position: 1 << 40,
            digest: Bytes::from_static(&[7; 32]),
        };
        let have = Have { spaces: spaces.map(head).collect(), resume: true, ..Have::default() };
        post::send(&self.mailbox, link_message::Message::Have(have)).await
    }
}

/// The next entry of a feed.
fn next(tip: &Tip, event: Event) -> Link {
    let event = Event { space: tip.feed.space.clone(), ..event };
    wire::entry(&tip.feed, tip.sequence + 1, &tip.digest, &event, Bytes::from(event.encode()), SALT)
}
