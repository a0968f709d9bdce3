//! The rules of the border: what may enter, and what to do with a number that is not the next. Pure.

pub mod succession;

use chassis::event::Event;
use chassis::names::{NodeId, Reference, Space, Within};
use proto::common::{Role, Teller, Telling};

use crate::wire::{EVENT_BYTES, FeedName, Head, Link};

/// What the members space says, at the governance position, about the node that wrote an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Governance {
    /// It belongs to the initiative.
    pub admitted: bool,
    /// It is the initiative's backbone.
    pub backbone: bool,
    /// Where the entry's space is a circle: it is in it.
    pub in_circle: bool,
    /// Which organization living on it holds which role.
    pub roles: Vec<(Reference, Role)>,
    /// Its keys, first to current; of the backbone only where it tells of a new one.
    pub keys: Vec<Head>,
}

/// Why an entry is refused. Final: the feed goes on without it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The origin does not belong to the initiative at that position.
    #[error("{0} does not belong to the initiative")]
    NotAdmitted(NodeId),
    /// The origin may not write into the space.
    #[error("{0} may not write into this space")]
    NotItsSpace(NodeId),
    /// The body is missing or is no event.
    #[error("its body is not an event: {0}")]
    NotAnEvent(String),
    /// The event's id is not one that is made by its home's clock.
    #[error("the event's id {0} is no UUIDv7")]
    BadId(uuid::Uuid),
    /// The event says other things than the header around it.
    #[error("the event's {0} is not the one in its header")]
    Contradiction(&'static str),
    /// The resource belongs to another node.
    #[error("{origin} told something about a resource whose home is {home}: only the home may")]
    NotItsHome {
        /// Who told.
        origin: NodeId,
        /// Whose it is.
        home: NodeId,
    },
    /// Not an event that may leave a node.
    #[error("{0} is not an event that may cross the border")]
    Untellable(String),
    /// Not in such a space.
    #[error("{0} may not be told in such a space")]
    SpaceForbidden(String),
    /// Only the backbone may.
    #[error("only the backbone may tell {0}")]
    BackboneOnly(String),
    /// A role is missing.
    #[error("whoever {origin} told {event_type} for holds no role that may: one of {roles}")]
    RoleMissing {
        /// Who told.
        origin: NodeId,
        /// What.
        event_type: String,
        /// Which roles would do.
        roles: String,
    },
    /// The same event stands in the order already.
    #[error("the same event was told before")]
    DuplicateEvent,
    /// The keys it tells of are not the way on from those it had.
    #[error("{origin} cannot have changed its key so: {what}")]
    NotItsKeys {
        /// Who told.
        origin: NodeId,
        /// What is wrong with them.
        what: String,
    },
    /// Too large.
    #[error("the event has {0} bytes; at most {EVENT_BYTES} may cross the border")]
    TooLarge(usize),
}

/// What is said of an entry that came without its body.
const MISSING: &str = "it did not come along, as none does that is too large to cross the border";

impl Refusal {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAdmitted(_) => "NOT_ADMITTED",
            Self::NotItsSpace(_) => "NOT_ITS_SPACE",
            Self::NotAnEvent(_) => "NOT_AN_EVENT",
            Self::BadId(_) => "BAD_EVENT_ID",
            Self::Contradiction(_) => "CONTRADICTION",
            Self::NotItsHome { .. } => "NOT_ITS_HOME",
            Self::Untellable(_) => "UNTELLABLE",
            Self::SpaceForbidden(_) => "SPACE_FORBIDDEN",
            Self::BackboneOnly(_) => "BACKBONE_ONLY",
            Self::RoleMissing { .. } => "ROLE_MISSING",
            Self::DuplicateEvent => "DUPLICATE_EVENT",
            Self::NotItsKeys { .. } => "NOT_ITS_KEYS",
            Self::TooLarge(_) => "TOO_LARGE",
        }
    }
}

/// Judges one entry: reads it, and asks the rules. The same answer on every node that knows the same order.
///
/// # Errors
/// Why it is refused.
pub fn judge(feed: &FeedName, link: &Link, governance: &Governance, told_before: bool) -> Result<Event, Refusal> {
    let event = read(feed, link, governance.backbone)?;
    permit(feed, &event, governance, told_before)?;
    Ok(event)
}

/// The event in an entry, as far as its bytes, its names and its signer bear it out. Whoever holds the entry finds the
/// same, whatever version of the contract it has and whatever else it knows: here nothing is left to a verdict.
/// `backbone` says that the root's word makes the origin the initiative's backbone.
///
/// # Errors
/// Why there is no such event.
pub fn read(feed: &FeedName, link: &Link, backbone: bool) -> Result<Event, Refusal> {
    if !may_write(&feed.space, &feed.origin, backbone) {
        return Err(Refusal::NotItsSpace(feed.origin.clone()));
    }
    let body = link.body.as_ref().ok_or_else(|| Refusal::NotAnEvent(MISSING.to_owned()))?;
    if body.event.len() > EVENT_BYTES {
        return Err(Refusal::TooLarge(body.event.len()));
    }
    let event = Event::decode(&body.event).map_err(|error| Refusal::NotAnEvent(error.to_string()))?;
    agrees(feed, link, &event)?;
    if event.id.get_version() != Some(uuid::Version::SortRand) || event.id.get_variant() != uuid::Variant::RFC4122 {
        return Err(Refusal::BadId(event.id));
    }
    if event.resource.node != feed.origin {
        return Err(Refusal::NotItsHome { origin: feed.origin.clone(), home: event.resource.node });
    }
    // A message of the contract that is no event moves no state anywhere, but may mean something within a node.
    if proto::telling(&event.type_name).is_none() && proto::knows(&event.type_name) {
        return Err(Refusal::Untellable(event.type_name));
    }
    succession::shown(&event).map_err(|what| Refusal::NotItsKeys { origin: feed.origin.clone(), what })?;
    Ok(event)
}

/// Whether the rules of the contract let an event in: a judgement by the nodes and roles of a position, by the rule of
/// the event's type in this version of the contract, and by what is in the order already.
///
/// # Errors
/// Why not.
pub fn permit(feed: &FeedName, event: &Event, governance: &Governance, told_before: bool) -> Result<(), Refusal> {
    if !governance.admitted && !governance.backbone {
        return Err(Refusal::NotAdmitted(feed.origin.clone()));
    }
    if is_circle(&feed.space) && !governance.in_circle && !governance.backbone {
        return Err(Refusal::NotItsSpace(feed.origin.clone()));
    }
    may_tell(feed, event, governance)?;
    may_change_keys(event, governance)?;
    if told_before { Err(Refusal::DuplicateEvent) } else { Ok(()) }
}

/// Whether a space has a list of its own of the nodes in it, which the space's own order tells.
pub fn is_circle(space: &Space) -> bool {
    matches!(space, Space::Of(_, Within::Circle(_)))
}

/// Whether a node may write into a space by the name of the space. Who is in a circle does not stand in its name.
pub fn may_write(space: &Space, origin: &NodeId, backbone: bool) -> bool {
    match space {
        Space::Local => false,
        Space::Of(_, Within::Members | Within::Public | Within::Circle(_)) => true,
        Space::Of(_, Within::Backbone(partner)) => backbone || partner == origin,
    }
}

fn agrees(feed: &FeedName, link: &Link, event: &Event) -> Result<(), Refusal> {
    if event.home != feed.origin {
        return Err(Refusal::Contradiction("home"));
    }
    if event.space != feed.space {
        return Err(Refusal::Contradiction("space"));
    }
    if event.type_name != link.event_type {
        return Err(Refusal::Contradiction("type"));
    }
    Ok(())
}

/// A type that this version does not know is accepted by the home rule alone: it is kept, passed on, and applied after
/// an upgrade.
fn may_tell(feed: &FeedName, event: &Event, governance: &Governance) -> Result<(), Refusal> {
    let name = || event.type_name.clone();
    let Some(rule) = proto::telling(&event.type_name) else { return Ok(()) };
    if !rule.spaces().any(|kind| kind == event.space.kind()) {
        return Err(Refusal::SpaceForbidden(name()));
    }
    match rule.teller() {
        Teller::Home => Ok(()),
        Teller::Backbone if governance.backbone => Ok(()),
        Teller::Backbone => Err(Refusal::BackboneOnly(name())),
        // The backbone grants the roles: none can be missing to it.
        Teller::Role if governance.backbone || spoken_for(event, rule, governance) => Ok(()),
        Teller::Role => {
            Err(Refusal::RoleMissing { origin: feed.origin.clone(), event_type: name(), roles: roles_in_words(rule) })
        }
        Teller::Unspecified => Err(Refusal::Untellable(name())),
    }
}

/// Of two successors of one key only the one that is accepted first is its node's.
fn may_change_keys(event: &Event, governance: &Governance) -> Result<(), Refusal> {
    let refused = |what: &str| Refusal::NotItsKeys { origin: event.home.clone(), what: what.to_owned() };
    match succession::shown(event) {
        Ok(None) => Ok(()),
        Ok(Some(shown)) if succession::goes_on(&governance.keys, &shown.heads) => Ok(()),
        Ok(Some(_)) => Err(refused("they do not go on from the keys it had")),
        Err(what) => Err(refused(&what)),
    }
}

/// Whether the organization on whose behalf the event was told holds one of the roles: beside a member on the same node
/// nobody else may speak.
fn spoken_for(event: &Event, rule: &Telling, governance: &Governance) -> bool {
    let fits = |(organization, role): &(Reference, Role)| {
        event.actor.organization.as_ref() == Some(organization) && rule.roles().any(|allowed| allowed == *role)
    };
    governance.roles.iter().any(fits)
}

fn roles_in_words(rule: &Telling) -> String {
    let words = rule.roles().map(|role| role.as_str_name().trim_start_matches("ROLE_").to_lowercase());
    words.collect::<Vec<_>>().join(", ")
}

/// Somebody to whom an initiative's spaces are sent.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// The node.
    pub node: &'a NodeId,
    /// It only follows the initiative.
    pub follower: bool,
}

/// Whether a node may hold a space by the name of the space: what it may not hold is never sent to it. Who is in a circle
/// does not stand in its name.
pub fn may_hold(space: &Space, holder: Holder<'_>) -> bool {
    match space {
        Space::Local => false,
        Space::Of(_, Within::Public) => true,
        Space::Of(..) if holder.follower => false,
        Space::Of(_, Within::Members | Within::Circle(_)) => true,
        Space::Of(_, Within::Backbone(partner)) => partner == holder.node,
    }
}

/// What to do with a run of numbers, given the highest one held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take those after the first `seen`.
    Take {
        /// How many of them are held already.
        seen: u64,
    },
    /// All of them are held already.
    Drop,
    /// Some before them are missing: ask.
    Ask,
}

/// Next: take. Lower: drop. Higher: ask.
pub fn step(held: u64, first: u64, last: u64) -> Step {
    if last <= held {
        Step::Drop
    } else if first > held + 1 {
        Step::Ask
    } else {
        Step::Take { seen: held + 1 - first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use chassis::event::{Actor, Fact};
    use chassis::names::Reference;
    use proto::federation::NodeEnded;

    fn alpha() -> NodeId {
        NodeId::of_key(&[1; 32])
    }

    fn beta() -> NodeId {
        NodeId::of_key(&[2; 32])
    }

    fn told(home: &NodeId, resource: &NodeId) -> (FeedName, Link) {
        let space = Space::members(&Reference::born_on(&beta()));
        let fact = Fact::of(&Reference::born_on(resource), &space, &NodeEnded::default());
        let event = Event::told(&fact, home, &Actor::default());
        let feed = FeedName { space, origin: home.clone(), epoch: 1 };
        let link = crate::wire::entry(&feed, 1, &crate::wire::GENESIS, &event, Bytes::from(event.encode()), [0; 16]);
        (feed, link)
    }

    fn backbone() -> Governance {
        Governance { admitted: true, backbone: true, ..Governance::default() }
    }

    fn partner() -> Governance {
        Governance { admitted: true, ..Governance::default() }
    }

    #[test]
    fn the_backbone_may_tell_what_is_its_own_to_tell() {
        let (feed, link) = told(&alpha(), &alpha());
        assert!(judge(&feed, &link, &backbone(), false).is_ok());
    }

    #[test]
    fn an_event_is_named_by_its_homes_clock() {
        let (feed, link) = told(&alpha(), &alpha());
        for id in [uuid::Uuid::nil(), uuid::Uuid::max(), uuid::Builder::from_custom_bytes([7; 16]).into_uuid()] {
            let event = Event { id, ..crate::wire::event(link.body.as_ref().unwrap()).unwrap() };
            let bytes = Bytes::from(event.encode());
            let link = crate::wire::entry(&feed, 1, &crate::wire::GENESIS, &event, bytes, [0; 16]);
            assert_eq!(judge(&feed, &link, &backbone(), false).unwrap_err().code(), "BAD_EVENT_ID");
        }
    }

    #[test]
    fn nobody_tells_about_anothers_resource() {
        let (feed, link) = told(&alpha(), &beta());
        assert_eq!(judge(&feed, &link, &backbone(), false).unwrap_err().code(), "NOT_ITS_HOME");
    }

    #[test]
    fn a_partner_does_not_speak_for_the_backbone() {
        let (feed, link) = told(&alpha(), &alpha());
        assert_eq!(judge(&feed, &link, &partner(), false).unwrap_err().code(), "BACKBONE_ONLY");
    }

    #[test]
    fn a_stranger_is_not_heard() {
        let (feed, link) = told(&alpha(), &alpha());
        assert_eq!(judge(&feed, &link, &Governance::default(), false).unwrap_err().code(), "NOT_ADMITTED");
    }

    #[test]
    fn nobody_writes_between_two_others() {
        let (mut feed, link) = told(&alpha(), &alpha());
        let Some(initiative) = feed.space.initiative().cloned() else { panic!("no initiative") };
        feed.space = Space::Of(initiative, Within::Backbone(beta()));
        assert_eq!(judge(&feed, &link, &partner(), false).unwrap_err().code(), "NOT_ITS_SPACE");
    }

    #[test]
    fn an_event_enters_once() {
        let (feed, link) = told(&alpha(), &alpha());
        assert_eq!(judge(&feed, &link, &backbone(), true).unwrap_err().code(), "DUPLICATE_EVENT");
    }

    #[test]
    fn a_header_cannot_lie_about_its_event() {
        let (mut feed, link) = told(&alpha(), &alpha());
        feed.space = Space::members(&Reference::born_on(&beta()));
        assert_eq!(judge(&feed, &link, &backbone(), false).unwrap_err().code(), "CONTRADICTION");
        let (feed, mut link) = told(&alpha(), &alpha());
        link.event_type = "commonweal.federation.v1.NodeAdmitted".to_owned();
        assert_eq!(judge(&feed, &link, &backbone(), false).unwrap_err().code(), "CONTRADICTION");
    }

    #[test]
    fn a_follower_holds_what_is_public_and_nothing_else() {
        let initiative = Reference::born_on(&beta());
        let alpha = alpha();
        let within = [
            Within::Members,
            Within::Backbone(alpha.clone()),
            Within::Circle(Reference::born_on(&beta())),
            Within::Public,
        ];
        let held = |follower: bool| {
            let holder = Holder { node: &alpha, follower };
            within.clone().map(|within| may_hold(&Space::Of(initiative.clone(), within), holder))
        };
        assert_eq!(held(true), [false, false, false, true]);
        assert_eq!(held(false), [true; 4]);
    }

    #[test]
    fn only_the_next_number_is_taken() {
        assert_eq!(step(0, 1, 3), Step::Take { seen: 0 });
        assert_eq!(step(2, 1, 3), Step::Take { seen: 2 });
        assert_eq!(step(3, 1, 3), Step::Drop);
        assert_eq!(step(3, 5, 9), Step::Ask);
    }
}
