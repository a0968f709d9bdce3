//! What is told is what is read back.

use chassis::event::{Actor, Event};
use chassis::names::{NodeId, Reference, Space};
use time::OffsetDateTime;

use super::{read, tell};
use crate::domain::{
    Change, Fact, Identifier, InitiativeChange, InitiativeProfile, InitiativeState, Invitee, JoinRequestChange,
    MembershipChange, OrganizationChange, OrganizationProfile, Role, RoleTerm, Sector,
};

fn changes(organization: &Reference) -> Vec<Change> {
    let initiative = InitiativeProfile {
        display_name: "Every student graduates".to_owned(),
        purpose: "All of them".to_owned(),
        region: "Connecticut".to_owned(),
        state: InitiativeState::Forming,
    };
    let district = OrganizationProfile {
        display_name: "Hartford".to_owned(),
        sector: Sector::Institution,
        identifiers: vec![Identifier { scheme: "CT-SDE-district".to_owned(), value: "0640011".to_owned() }],
        website: "https://example.org".to_owned(),
    };
    let until = Some(OffsetDateTime::UNIX_EPOCH + time::Duration::DAY);
    let term = RoleTerm { role: Role::Partner, from: OffsetDateTime::UNIX_EPOCH, until };
    let organization = organization.clone();
    vec![
        Change::Initiative(InitiativeChange::Created(initiative.clone())),
        Change::Initiative(InitiativeChange::Revised(initiative)),
        Change::Organization(OrganizationChange::Registered(district.clone())),
        Change::Organization(OrganizationChange::Revised(district)),
        Change::JoinRequest(JoinRequestChange::Made { organization: organization.clone(), statement: "Us".to_owned() }),
        Change::JoinRequest(JoinRequestChange::Withdrawn),
        Change::Membership(MembershipChange::Invited(Invitee::Registered(organization.clone()))),
        Change::Membership(MembershipChange::Invited(Invitee::ToCome("Bridgeport".to_owned()))),
        Change::Membership(MembershipChange::Admitted {
            organization: organization.clone(),
            join_request: Some(organization.clone()),
        }),
        Change::Membership(MembershipChange::Admitted { organization: organization.clone(), join_request: None }),
        Change::Membership(MembershipChange::RoleGranted { organization: organization.clone(), term }),
        Change::Membership(MembershipChange::RoleGranted { organization, term: RoleTerm { until: None, ..term } }),
        Change::Membership(MembershipChange::RoleEnded(Role::Funder)),
        Change::Membership(MembershipChange::Suspended("No word since May".to_owned())),
        Change::Membership(MembershipChange::Reinstated),
        Change::Membership(MembershipChange::Ended("Merged".to_owned())),
    ]
}

#[test]
fn what_is_told_is_what_is_read_back_and_has_a_rule_for_who_may_tell_it() {
    let node = NodeId::of_key(&[1; 32]);
    let (initiative, resource) = (Reference::born_on(&node), Reference::born_on(&node));
    for change in changes(&Reference::born_on(&node)) {
        let fact = Fact { resource: resource.clone(), initiative: initiative.clone(), change };
        let told = tell(&fact);
        assert_eq!(told.space, Space::members(&initiative));
        assert!(proto::telling(&told.type_name).is_some(), "{}", told.type_name);
        let event = Event::told(&told, &node, &Actor::default());
        assert_eq!(read(&event).unwrap(), Some(fact.change));
    }
}

#[test]
fn a_type_of_a_newer_version_is_not_guessed_at() {
    let node = NodeId::of_key(&[1; 32]);
    let (initiative, resource) = (Reference::born_on(&node), Reference::born_on(&node));
    let change = Change::Membership(MembershipChange::Reinstated);
    let mut told = tell(&Fact { resource, initiative, change });
    told.type_name = "commonweal.membership.v1.MemberPromoted".to_owned();
    assert_eq!(read(&Event::told(&told, &node, &Actor::default())).unwrap(), None);
}

#[test]
fn a_word_of_a_newer_version_is_not_guessed_at() {
    let node = NodeId::of_key(&[1; 32]);
    let (initiative, resource) = (Reference::born_on(&node), Reference::born_on(&node));
    let ended = proto::membership::RoleEnded { role: 99, ..proto::membership::RoleEnded::default() };
    let told = chassis::event::Fact::of(&resource, &Space::members(&initiative), &ended);
    assert!(read(&Event::told(&told, &node, &Actor::default())).is_err());
}
