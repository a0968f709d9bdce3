//! Who may call what: every call by everybody, against a table that stands here and not in the contract.

use chassis::authn::Caller;
use chassis::names::Reference;
use chassis::testing::{operator, some_node, speaking_for};
use prost_types::FieldMask;
use proto::agenda::*;
use proto::common::Role;
use tonic::{Code, Status};

use crate::scene::{Scene, consent, endorsement, new_id, position, proposal, tree};

/// Whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Without a token.
    Nobody,
    /// With a token, and nothing more.
    Somebody,
    /// Speaks for the organization that the request writes as.
    Own,
    /// Speaks for an organization that works for the backbone of another initiative.
    Elsewhere,
    /// Operates the node.
    Operator,
    /// Speaks for another organization, which holds this role here.
    Holding(Role),
}
use Who::{Elsewhere, Holding, Nobody, Operator, Own, Somebody};

const ROLES: [Role; 6] =
    [Role::BackboneStaff, Role::SteeringCommittee, Role::Partner, Role::DataLead, Role::Funder, Role::Observer];

/// Sets of callers that calls are open to, beside the operator, who may do everything.
const WORK_ON: &[Who] = &[Holding(Role::BackboneStaff), Holding(Role::SteeringCommittee)];
const DECIDE: &[Who] = &[Holding(Role::BackboneStaff)];
const OWN: &[Who] = &[Own];
const MEMBERS: &[Who] = &[
    Holding(Role::BackboneStaff),
    Holding(Role::SteeringCommittee),
    Holding(Role::Partner),
    Holding(Role::DataLead),
    Holding(Role::Funder),
    Holding(Role::Observer),
];

const TABLE: [(&str, &[Who]); 20] = [
    ("AmendProposal", OWN),
    ("CreateAgenda", WORK_ON),
    ("CreateProposal", OWN),
    ("DecideProposal", DECIDE),
    ("EndorseAgendaVersion", OWN),
    ("GetAgenda", MEMBERS),
    ("GetAgendaVersion", MEMBERS),
    ("GetProposal", MEMBERS),
    ("GetTally", MEMBERS),
    ("ListAgendaVersions", MEMBERS),
    ("ListAgendas", MEMBERS),
    ("ListEndorsements", MEMBERS),
    ("ListPositions", MEMBERS),
    ("ListProposals", MEMBERS),
    ("PublishAgenda", WORK_ON),
    ("TakePosition", OWN),
    ("UpdateAgenda", WORK_ON),
    ("WithdrawEndorsement", OWN),
    ("WithdrawPosition", OWN),
    ("WithdrawProposal", OWN),
];

/// A published agenda with a changed draft, endorsed by a partner, with a proposal on which everybody has a position.
struct Situation {
    version: AgendaVersion,
    partner: Reference,
    /// A partner that has said nothing yet.
    newcomer: Reference,
    endorsement: Endorsement,
    proposal: Proposal,
    position: Position,
}

impl Situation {
    async fn of(scene: &Scene) -> Self {
        let partner = scene.partner().await;
        let newcomer = scene.partner().await;
        let version = scene.version().await;
        let update = UpdateAgendaRequest {
            agenda: version.agenda.clone(),
            tree: Some(AgendaTree { vision: new_id(), ..AgendaTree::default() }),
            update_mask: Some(FieldMask { paths: vec!["vision".to_owned()] }),
            etag: String::new(),
            request_id: new_id(),
        };
        scene.here().update_agenda(update).await.unwrap();
        let endorsement = scene.endorse(&version, &partner).await;
        let proposal = scene.propose(&version, &partner, consent()).await;
        scene.accept().await;
        let position = scene.take(&proposal, &partner, Stance::Agree).await;
        scene.accept().await;
        Self { version, partner, newcomer, endorsement, proposal, position }
    }
}

async fn caller(scene: &Scene, situation: &Situation, who: Who) -> Option<Caller> {
    let another = Reference::born_on(&scene.stage.node);
    match who {
        Nobody => None,
        Somebody => Some(speaking_for(&[])),
        Own => Some(speaking_for(&[&situation.partner, &situation.newcomer])),
        Elsewhere => {
            scene.stage.grant(&Reference::born_on(&some_node()), &another, Role::BackboneStaff).await;
            Some(speaking_for(&[&another]))
        }
        Operator => Some(operator()),
        Holding(role) => {
            scene.stage.grant(&scene.initiative, &another, role).await;
            Some(speaking_for(&[&another]))
        }
    }
}

async fn call(scene: &Scene, situation: &Situation, call: &str, caller: Option<&Caller>) -> Result<(), Status> {
    let mut client = scene.client(caller);
    let Situation { version, partner, newcomer, endorsement: endorsed, proposal: proposed, position: taken } =
        situation;
    let initiative = scene.initiative.to_string();
    let (request_id, etag, reason) = (new_id(), String::new(), "Because".to_owned());
    let agenda = version.agenda.clone();
    macro_rules! answered {
        ($method:ident($request:expr)) => {
            client.$method($request).await.map(drop)
        };
    }
    match call {
        "CreateAgenda" => answered!(create_agenda(CreateAgendaRequest { initiative, tree: Some(tree()), request_id })),
        "GetAgenda" => answered!(get_agenda(GetAgendaRequest { agenda })),
        "ListAgendas" => answered!(list_agendas(ListAgendasRequest { initiative, ..Default::default() })),
        "UpdateAgenda" => answered!(update_agenda(UpdateAgendaRequest {
            agenda,
            tree: Some(AgendaTree { vision: new_id(), ..AgendaTree::default() }),
            update_mask: Some(FieldMask { paths: vec!["vision".to_owned()] }),
            etag,
            request_id,
        })),
        "PublishAgenda" => {
            answered!(publish_agenda(PublishAgendaRequest { agenda, proposals: Vec::new(), etag, request_id }))
        }
        "GetAgendaVersion" => {
            answered!(get_agenda_version(GetAgendaVersionRequest { version: version.reference.clone() }))
        }
        "ListAgendaVersions" => {
            answered!(list_agenda_versions(ListAgendaVersionsRequest { agenda, ..Default::default() }))
        }
        "EndorseAgendaVersion" => {
            answered!(endorse_agenda_version(endorsement(version, newcomer)))
        }
        "WithdrawEndorsement" => answered!(withdraw_endorsement(WithdrawEndorsementRequest {
            endorsement: endorsed.reference.clone(),
            reason,
            request_id,
        })),
        "ListEndorsements" => {
            answered!(list_endorsements(ListEndorsementsRequest { initiative, ..Default::default() }))
        }
        "CreateProposal" => answered!(create_proposal(proposal(version, partner, consent()))),
        "AmendProposal" => answered!(amend_proposal(AmendProposalRequest {
            proposal: proposed.reference.clone(),
            revision: Some(ProposalRevision { title: new_id(), ..consent() }),
            etag,
            request_id,
        })),
        "WithdrawProposal" => answered!(withdraw_proposal(WithdrawProposalRequest {
            proposal: proposed.reference.clone(),
            reason,
            etag,
            request_id,
        })),
        "GetProposal" => answered!(get_proposal(GetProposalRequest { proposal: proposed.reference.clone() })),
        "ListProposals" => answered!(list_proposals(ListProposalsRequest { initiative, ..Default::default() })),
        "TakePosition" => answered!(take_position(position(proposed, 1, partner, Stance::Abstain))),
        "WithdrawPosition" => answered!(withdraw_position(WithdrawPositionRequest {
            position: taken.reference.clone(),
            reason,
            request_id,
        })),
        "ListPositions" => answered!(list_positions(ListPositionsRequest {
            proposal: proposed.reference.clone(),
            ..Default::default()
        })),
        // Allowed and too early is an answer too: it is told apart from denied below.
        "DecideProposal" => {
            match client
                .decide_proposal(DecideProposalRequest { proposal: proposed.reference.clone(), request_id })
                .await
            {
                Err(status) if status.code() == Code::FailedPrecondition => Ok(()),
                answer => answer.map(drop),
            }
        }
        "GetTally" => answered!(get_tally(GetTallyRequest { proposal: proposed.reference.clone() })),
        other => panic!("{other} is not in this test"),
    }
}

#[tokio::test]
async fn every_call_is_open_to_whom_it_says_and_to_nobody_else() {
    let scene = Scene::set().await;
    for (name, listed) in TABLE {
        let mut situation = Situation::of(&scene).await;
        for who in [Nobody, Somebody, Own, Elsewhere, Operator].into_iter().chain(ROLES.map(Holding)) {
            let caller = caller(&scene, &situation, who).await;
            let told = scene.stage.log().await.len();
            let code = match call(&scene, &situation, name, caller.as_ref()).await {
                Ok(()) => Code::Ok,
                Err(status) => status.code(),
            };
            let expected = match who {
                Nobody => Code::Unauthenticated,
                who if who == Operator || listed.contains(&who) => Code::Ok,
                // Who speaks is a partner, and reads what partners read.
                Own if listed.contains(&Holding(Role::Partner)) => Code::Ok,
                _ => Code::PermissionDenied,
            };
            assert_eq!(code, expected, "{name} by {who:?}");
            if scene.stage.log().await.len() != told {
                situation = Situation::of(&scene).await;
            }
        }
    }
}

#[tokio::test]
async fn who_may_not_leaves_nothing_behind() {
    let scene = Scene::set().await;
    let situation = Situation::of(&scene).await;
    let stranger = speaking_for(&[&Reference::born_on(&scene.stage.node)]);
    for (name, _) in TABLE {
        let before = scene.stage.everything().await;
        let denied = call(&scene, &situation, name, Some(&stranger)).await.unwrap_err();
        assert_eq!(denied.code(), Code::PermissionDenied, "{name}");
        assert!(scene.stage.everything().await == before, "{name} left something behind");
    }
}

#[test]
fn the_table_has_every_call_of_the_contract() {
    let calls = proto::methods().filter_map(|(path, _)| path.strip_prefix("/commonweal.agenda.v1.AgendaService/"));
    let listed: Vec<&str> = TABLE.iter().map(|(call, _)| *call).collect();
    assert_eq!(calls.collect::<Vec<_>>(), listed);
}

#[tokio::test]
async fn a_partner_decides_nothing_on_its_own_node() {
    // A node that is not the backbone of the initiative: even its operator cannot decide there.
    let elsewhere = Reference::born_on(&some_node());
    let scene = Scene::of(chassis::testing::Stage::set().await, elsewhere).await;
    let staff = scene.partner().await;
    scene.stage.grant(&scene.initiative, &staff, Role::BackboneStaff).await;
    let agenda = scene.client(Some(&speaking_for(&[&staff])));
    let version = published_by(&scene, agenda).await;
    let proposed = scene.propose(&version, &staff, consent()).await;
    scene.accept().await;
    scene.take(&proposed, &staff, Stance::Agree).await;
    scene.accept().await;
    let backbone = scene.backbone.clone();
    let agreed = PositionTaken {
        definition: Some(PositionDefinition {
            proposal: proposed.reference.clone(),
            revision: 1,
            organization: backbone.to_string(),
            stance: Stance::Agree.into(),
            reason: String::new(),
        }),
    };
    let position = Reference::born_on(&backbone.node);
    let space = chassis::names::Space::members(&scene.initiative);
    scene.stage.hear(&backbone.node, &chassis::event::Fact::of(&position, &space, &agreed)).await;
    assert_eq!(crate::scene::reason(&scene.decide(&proposed).await.unwrap_err()), "BACKBONE_ONLY");
}

async fn published_by(scene: &Scene, mut client: crate::scene::Client) -> AgendaVersion {
    let create =
        CreateAgendaRequest { initiative: scene.initiative.to_string(), tree: Some(tree()), request_id: new_id() };
    let agenda = client.create_agenda(create).await.unwrap().into_inner().agenda.unwrap().reference;
    let publish = PublishAgendaRequest { agenda, request_id: new_id(), ..Default::default() };
    client.publish_agenda(publish).await.unwrap().into_inner().agenda.unwrap().current.unwrap()
}
