//! The rules, without a database.

use chassis::clock;
use chassis::names::{NodeId, Reference};
use chassis::revision::Stamp;
use time::{Duration, OffsetDateTime};

use super::admission::{self, Admission, Invitation};
use super::initiative;
use super::join_request::{self, Asking};
use super::organization;
use super::*;

fn backbone() -> NodeId {
    NodeId::of_key(&[1; 32])
}

fn alpha() -> NodeId {
    NodeId::of_key(&[2; 32])
}

fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(10_000)
}

fn stamp() -> Stamp {
    Stamp { version: 1, created_at: now(), updated_at: now() }
}

fn initiative() -> Initiative {
    let profile = InitiativeProfile {
        display_name: "Every student graduates".to_owned(),
        purpose: String::new(),
        region: String::new(),
        state: InitiativeState::Active,
    };
    Initiative { reference: Reference::born_on(&backbone()), profile, stamp: stamp() }
}

fn closed(initiative: &Initiative) -> Initiative {
    let profile = InitiativeProfile { state: InitiativeState::Closed, ..initiative.profile.clone() };
    Initiative { profile, ..initiative.clone() }
}

fn organization(initiative: &Initiative, node: &NodeId) -> Organization {
    let profile = OrganizationProfile {
        display_name: "Hartford".to_owned(),
        sector: Sector::Institution,
        identifiers: Vec::new(),
        website: String::new(),
    };
    Organization {
        reference: Reference::born_on(node),
        initiative: initiative.reference.clone(),
        profile,
        stamp: stamp(),
    }
}

fn request(organization: &Organization) -> JoinRequest {
    JoinRequest {
        reference: Reference::born_on(&organization.reference.node),
        initiative: organization.initiative.clone(),
        asked: Asked { organization: organization.reference.clone(), statement: String::new() },
        state: JoinRequestState::Open,
        answered_by: None,
        stamp: stamp(),
    }
}

fn membership(organization: &Organization, state: MembershipState, roles: &[RoleTerm]) -> Membership {
    Membership {
        reference: Reference::born_on(&backbone()),
        initiative: organization.initiative.clone(),
        organization: Some(organization.reference.clone()),
        invitee: String::new(),
        state,
        reason: String::new(),
        roles: roles.to_vec(),
        join_request: None,
        stamp: stamp(),
    }
}

fn term(role: Role, days: Option<i64>) -> RoleTerm {
    RoleTerm { role, from: now() - Duration::days(30), until: days.map(|days| now() + Duration::days(days)) }
}

#[test]
fn an_initiative_is_changed_at_its_backbone_until_it_is_closed() {
    let initiative = initiative();
    let revision = || initiative::Revision { region: Some("Maine".to_owned()), ..Default::default() };
    let facts = initiative::revise(&initiative, &backbone(), revision()).unwrap();
    let expected = InitiativeProfile { region: "Maine".to_owned(), ..initiative.profile.clone() };
    assert_eq!(facts, [Fact::InitiativeRevised(expected)]);
    assert_eq!(initiative::revise(&initiative, &backbone(), initiative::Revision::default()), Ok(Vec::new()));
    assert_eq!(initiative::revise(&initiative, &alpha(), revision()), Err(Refusal::NotTheBackbone));
    let closed = closed(&initiative);
    assert_eq!(initiative::revise(&closed, &backbone(), revision()), Err(Refusal::InitiativeClosed));
}

#[test]
fn an_organization_is_changed_where_it_lives() {
    let initiative = initiative();
    let hartford = organization(&initiative, &alpha());
    let revision = || organization::Revision { sector: Some(Sector::Business), ..Default::default() };
    assert_eq!(organization::revise(&hartford, &alpha(), revision(), None).unwrap().len(), 1);
    let refused = organization::revise(&hartford, &backbone(), revision(), None);
    assert_eq!(refused, Err(Refusal::NotItsHome("organization")));
    let taken = Identifier { scheme: "US-EIN".to_owned(), value: "7".to_owned() };
    let refused = organization::revise(&hartford, &alpha(), revision(), Some(taken));
    assert!(matches!(refused, Err(Refusal::AlreadyRegistered { .. })));
}

#[test]
fn who_asks_lives_here_and_is_no_member_and_has_not_asked() {
    let initiative = initiative();
    let hartford = organization(&initiative, &alpha());
    let ask = |initiative: &Initiative, membership: Option<&Membership>, asked: bool, here: &NodeId| {
        let known = Asking { initiative, organization: &hartford, membership, asked };
        join_request::create(&known, here, String::new())
    };
    assert!(ask(&initiative, None, false, &alpha()).is_ok());
    assert_eq!(ask(&initiative, None, false, &backbone()), Err(Refusal::NotItsHome("organization")));
    assert_eq!(ask(&initiative, None, true, &alpha()), Err(Refusal::AlreadyAsked));
    assert_eq!(ask(&closed(&initiative), None, false, &alpha()), Err(Refusal::InitiativeClosed));
    let invited = membership(&hartford, MembershipState::Invited, &[]);
    assert!(ask(&initiative, Some(&invited), false, &alpha()).is_ok(), "it takes the invitation up");
    for state in [MembershipState::Active, MembershipState::Suspended] {
        let member = membership(&hartford, state, &[]);
        assert_eq!(ask(&initiative, Some(&member), false, &alpha()), Err(Refusal::AlreadyMember));
    }
    let other = super::tests::initiative();
    assert_eq!(ask(&other, None, false, &alpha()), Err(Refusal::OtherInitiative("organization")));
}

#[test]
fn a_request_is_taken_back_by_its_home_before_it_is_answered() {
    let request = request(&organization(&initiative(), &alpha()));
    assert!(join_request::withdraw(&request, &alpha()).is_ok());
    assert_eq!(join_request::withdraw(&request, &backbone()), Err(Refusal::NotItsHome("request")));
    let answered = JoinRequest { answered_by: Some(Reference::born_on(&backbone())), ..request.clone() };
    assert_eq!(join_request::withdraw(&answered, &alpha()), Err(Refusal::AlreadyAnswered));
    let withdrawn = JoinRequest { state: JoinRequestState::Withdrawn, ..request };
    assert_eq!(join_request::withdraw(&withdrawn, &alpha()), Err(Refusal::RequestWithdrawn));
}

#[test]
fn one_is_invited_once_and_by_the_backbone() {
    let initiative = initiative();
    let hartford = organization(&initiative, &alpha());
    let invite = |initiative: &Initiative, standing: Option<&Membership>, here: &NodeId| {
        let known = Invitation { initiative, organization: Some(&hartford), standing };
        let invitee = Invitee::Registered(hartford.reference.clone());
        admission::invite(&known, here, invitee)
    };
    assert!(invite(&initiative, None, &backbone()).is_ok());
    assert_eq!(invite(&initiative, None, &alpha()), Err(Refusal::NotTheBackbone));
    assert_eq!(invite(&closed(&initiative), None, &backbone()), Err(Refusal::InitiativeClosed));
    let invited = membership(&hartford, MembershipState::Invited, &[]);
    assert_eq!(invite(&initiative, Some(&invited), &backbone()), Err(Refusal::AlreadyInvited));
    let suspended = membership(&hartford, MembershipState::Suspended, &[]);
    assert_eq!(invite(&initiative, Some(&suspended), &backbone()), Err(Refusal::AlreadyMember));
}

fn admit(
    initiative: &Initiative,
    invitation: Option<&Membership>,
    request: Option<&JoinRequest>,
    standing: Option<&Membership>,
    here: &NodeId,
) -> Result<Vec<Fact>, Refusal> {
    let asking = request.map(|request| Organization {
        reference: request.asked.organization.clone(),
        initiative: request.initiative.clone(),
        ..organization(initiative, &alpha())
    });
    let known = Admission { initiative, invitation, request, asking: asking.as_ref(), standing };
    admission::admit(&known, here, vec![term(Role::Partner, None)], now())
}

#[test]
fn an_admission_tells_the_member_and_then_its_roles() {
    let initiative = initiative();
    let hartford = organization(&initiative, &alpha());
    let invited = membership(&hartford, MembershipState::Invited, &[]);
    let facts = admit(&initiative, Some(&invited), None, None, &backbone()).unwrap();
    let organization = hartford.reference.clone();
    assert_eq!(
        facts,
        [
            Fact::MemberAdmitted { organization: organization.clone(), join_request: None },
            Fact::RoleGranted { organization, term: term(Role::Partner, None) },
        ]
    );
    assert_eq!(admit(&initiative, Some(&invited), None, None, &alpha()), Err(Refusal::NotTheBackbone));
    let closed = closed(&initiative);
    assert_eq!(admit(&closed, Some(&invited), None, None, &backbone()), Err(Refusal::InitiativeClosed));
    let known =
        Admission { initiative: &initiative, invitation: Some(&invited), request: None, asking: None, standing: None };
    let over = vec![term(Role::Partner, Some(0))];
    let refused = admission::admit(&known, &backbone(), over, now());
    assert_eq!(refused, Err(Refusal::TermOver { role: Role::Partner, until: now() }));
}

#[test]
fn a_request_takes_up_the_invitation_of_its_organization() {
    let initiative = initiative();
    let hartford = organization(&initiative, &alpha());
    let (asked, invited) = (request(&hartford), membership(&hartford, MembershipState::Invited, &[]));
    let to_come = Membership { organization: None, ..invited.clone() };
    for (invitation, standing, taken_up) in [
        (None, Some(&invited), Some(&invited)),
        (Some(&invited), Some(&invited), Some(&invited)),
        (None, None, None),
        (Some(&to_come), None, Some(&to_come)),
    ] {
        assert!(admit(&initiative, invitation, Some(&asked), standing, &backbone()).is_ok());
        let known =
            Admission { initiative: &initiative, invitation, request: Some(&asked), asking: Some(&hartford), standing };
        assert_eq!(known.invited(), taken_up);
    }
    let refused = admit(&initiative, Some(&to_come), None, None, &backbone());
    assert_eq!(refused, Err(Refusal::InviteeUnregistered));
    let own_first = admit(&initiative, Some(&to_come), Some(&asked), Some(&invited), &backbone());
    assert_eq!(own_first, Err(Refusal::AlreadyInvited));
}

#[test]
fn who_does_not_fit_is_not_admitted() {
    let initiative = initiative();
    let (hartford, bridgeport) = (organization(&initiative, &alpha()), organization(&initiative, &alpha()));
    let invited = membership(&hartford, MembershipState::Invited, &[]);
    let asked = request(&bridgeport);
    let refused = admit(&initiative, Some(&invited), Some(&asked), None, &backbone());
    assert_eq!(refused, Err(Refusal::InvitationForAnother));
    let member = membership(&hartford, MembershipState::Active, &[]);
    assert_eq!(admit(&initiative, Some(&member), None, None, &backbone()), Err(Refusal::NotInvited));
    let asked = request(&hartford);
    let refused = admit(&initiative, None, Some(&asked), Some(&member), &backbone());
    assert_eq!(refused, Err(Refusal::AlreadyMember));
    let other = super::tests::initiative();
    let refused = admit(&other, Some(&invited), None, None, &backbone());
    assert_eq!(refused, Err(Refusal::OtherInitiative("invitation")));
    let refused = admit(&other, None, Some(&asked), None, &backbone());
    assert_eq!(refused, Err(Refusal::OtherInitiative("request")));
}

#[test]
fn who_asks_is_registered() {
    let initiative = initiative();
    let hartford = organization(&initiative, &alpha());
    let admit = |request: &JoinRequest, asking: Option<&Organization>| {
        let known =
            Admission { initiative: &initiative, invitation: None, request: Some(request), asking, standing: None };
        admission::admit(&known, &backbone(), Vec::new(), now())
    };
    assert!(admit(&request(&hartford), Some(&hartford)).is_ok());
    assert_eq!(admit(&request(&hartford), None), Err(Refusal::Unregistered));
    let other = organization(&super::tests::initiative(), &alpha());
    assert_eq!(admit(&request(&hartford), Some(&other)), Err(Refusal::OtherInitiative("organization")));
}

#[test]
fn roles_are_granted_once_and_again_when_their_term_is_over() {
    let hartford = organization(&initiative(), &alpha());
    let roles = [term(Role::Partner, Some(1)), term(Role::Funder, Some(0))];
    let member = membership(&hartford, MembershipState::Active, &roles);
    let grant = |role| member.grant(&backbone(), term(role, None), now());
    assert!(grant(Role::DataLead).is_ok());
    assert!(grant(Role::Funder).is_ok(), "its term is over");
    assert_eq!(grant(Role::Partner), Err(Refusal::RoleHeld(Role::Partner)));
    assert_eq!(member.grant(&alpha(), term(Role::DataLead, None), now()), Err(Refusal::NotTheBackbone));
    let over = member.grant(&backbone(), term(Role::DataLead, Some(-1)), now());
    assert!(matches!(over, Err(Refusal::TermOver { role: Role::DataLead, .. })));
    assert!(member.end_role(&backbone(), Role::Partner, now()).is_ok());
    assert_eq!(member.end_role(&backbone(), Role::Funder, now()), Err(Refusal::RoleNotHeld(Role::Funder)));
}

#[test]
fn a_suspension_ends_each_role_and_a_reinstatement_grants_those_whose_term_goes_on() {
    let hartford = organization(&initiative(), &alpha());
    let roles = [term(Role::Partner, None), term(Role::Funder, Some(1))];
    let member = membership(&hartford, MembershipState::Active, &roles);
    let because = "No word since May".to_owned();
    assert_eq!(
        member.suspend(&backbone(), because.clone()).unwrap(),
        [
            Fact::MemberSuspended { reason: because.clone() },
            Fact::RoleEnded(Role::Partner),
            Fact::RoleEnded(Role::Funder),
        ]
    );
    let suspended = membership(&hartford, MembershipState::Suspended, &roles);
    let later = now() + Duration::days(2);
    let organization = hartford.reference.clone();
    assert_eq!(
        suspended.reinstate(&backbone(), later).unwrap(),
        [Fact::MemberReinstated, Fact::RoleGranted { organization, term: term(Role::Partner, None) },]
    );
    assert_eq!(member.reinstate(&backbone(), now()), Err(Refusal::NotSuspended));
    assert_eq!(suspended.suspend(&backbone(), because.clone()), Err(Refusal::NotActive));
    assert_eq!(suspended.reinstate(&alpha(), now()), Err(Refusal::NotTheBackbone));
    assert_eq!(member.suspend(&alpha(), because), Err(Refusal::NotTheBackbone));
}

#[test]
fn a_membership_ends_once() {
    let hartford = organization(&initiative(), &alpha());
    let because = || "Merged".to_owned();
    let end = |state| membership(&hartford, state, &[term(Role::Partner, None)]).end(&backbone(), because());
    let ended = Fact::MembershipEnded { reason: because() };
    let with_role = [Fact::RoleEnded(Role::Partner), ended.clone()];
    assert_eq!(end(MembershipState::Active).unwrap(), with_role);
    assert_eq!(end(MembershipState::Suspended).unwrap(), std::slice::from_ref(&ended));
    assert_eq!(end(MembershipState::Invited).unwrap(), [ended]);
    assert_eq!(end(MembershipState::Ended), Err(Refusal::MembershipEnded));
    let over = membership(&hartford, MembershipState::Ended, &[]);
    assert_eq!(over.suspend(&backbone(), because()), Err(Refusal::MembershipEnded));
    assert_eq!(over.reinstate(&backbone(), clock::now()), Err(Refusal::MembershipEnded));
    assert_eq!(over.end(&alpha(), because()), Err(Refusal::NotTheBackbone));
}

#[test]
fn a_refusal_says_why_in_plain_words() {
    let until = OffsetDateTime::UNIX_EPOCH;
    let words = [
        (
            Refusal::TermOver { role: Role::DataLead, until },
            "the term of the role data lead ended on 1970-01-01, before it could begin",
        ),
        (
            Refusal::RoleHeld(Role::Partner),
            "the member holds the role partner already: end it first to give it another term",
        ),
        (Refusal::NotItsHome("organization"), "this organization lives on another node and can only be changed there"),
    ];
    for (refusal, plain) in words {
        assert_eq!(refusal.to_string(), plain);
    }
}
