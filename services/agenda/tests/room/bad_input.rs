//! What every call says to bad input: what is wrong, field by field, and nothing written.

use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::testing::some_node;
use prost_types::{FieldMask, Timestamp};
use proto::agenda::decision_rule::Quorum;
use proto::agenda::*;
use tonic::{Code, Status};

use crate::scene::{Scene, consent, endorsement, fields, later, majority, new_id, position, proposal, reason, tree};

/// Code and wrong fields of a refused call, which wrote nothing.
macro_rules! refused {
    ($scene:expr, $method:ident, $request:expr) => {{
        let before = $scene.stage.everything().await;
        let status: Status = $scene.here().$method($request).await.unwrap_err();
        assert_eq!($scene.stage.everything().await, before, "something was written");
        status
    }};
}

#[tokio::test]
async fn nothing_at_all_is_refused_by_every_call() {
    let scene = Scene::set().await;
    macro_rules! wrong {
        ($($method:ident($request:ident) = $fields:expr;)+) => {
            $(
                let status = refused!(scene, $method, $request::default());
                assert_eq!(status.code(), Code::InvalidArgument, stringify!($method));
                assert_eq!(fields(&status), $fields, stringify!($method));
            )+
        };
    }
    wrong! {
        create_agenda(CreateAgendaRequest) = ["initiative", "tree"];
        get_agenda(GetAgendaRequest) = ["agenda"];
        list_agendas(ListAgendasRequest) = ["initiative"];
        update_agenda(UpdateAgendaRequest) = ["agenda", "tree", "update_mask"];
        publish_agenda(PublishAgendaRequest) = ["agenda"];
        get_agenda_version(GetAgendaVersionRequest) = ["version"];
        list_agenda_versions(ListAgendaVersionsRequest) = ["agenda"];
        endorse_agenda_version(EndorseAgendaVersionRequest) = ["organization", "version"];
        withdraw_endorsement(WithdrawEndorsementRequest) = ["endorsement", "reason"];
        list_endorsements(ListEndorsementsRequest) = ["initiative"];
        create_proposal(CreateProposalRequest) = ["organization", "revision", "version"];
        amend_proposal(AmendProposalRequest) = ["proposal", "revision"];
        withdraw_proposal(WithdrawProposalRequest) = ["proposal", "reason"];
        get_proposal(GetProposalRequest) = ["proposal"];
        list_proposals(ListProposalsRequest) = ["initiative"];
        take_position(TakePositionRequest) = ["definition"];
        withdraw_position(WithdrawPositionRequest) = ["position", "reason"];
        list_positions(ListPositionsRequest) = ["proposal"];
        decide_proposal(DecideProposalRequest) = ["proposal"];
        get_tally(GetTallyRequest) = ["proposal"];
    }
}

#[tokio::test]
async fn what_nobody_knows_is_not_found() {
    let scene = Scene::set().await;
    let (version, partner) = (scene.version().await, scene.partner().await);
    let known = scene.propose(&version, &partner, consent()).await;
    let unknown = Reference::born_on(&scene.stage.node).to_string();
    let stranger = AgendaVersion { reference: unknown.clone(), ..version };
    let no_proposal = Proposal { reference: unknown.clone(), ..known };
    let (etag, reason) = (String::new(), "Because".to_owned());
    macro_rules! unknown {
        ($($method:ident($request:expr);)+) => {
            $(assert_eq!(refused!(scene, $method, $request).code(), Code::NotFound, stringify!($method));)+
        };
    }
    unknown! {
        create_agenda(CreateAgendaRequest {
            initiative: unknown.clone(), tree: Some(tree()), request_id: new_id(),
        });
        get_agenda(GetAgendaRequest { agenda: unknown.clone() });
        update_agenda(UpdateAgendaRequest {
            agenda: unknown.clone(),
            tree: Some(tree()),
            update_mask: Some(FieldMask { paths: vec!["vision".to_owned()] }),
            etag: etag.clone(),
            request_id: new_id(),
        });
        publish_agenda(PublishAgendaRequest {
            agenda: unknown.clone(), proposals: Vec::new(), etag: etag.clone(), request_id: new_id(),
        });
        get_agenda_version(GetAgendaVersionRequest { version: unknown.clone() });
        list_agenda_versions(ListAgendaVersionsRequest { agenda: unknown.clone(), ..Default::default() });
        endorse_agenda_version(endorsement(&stranger, &partner));
        withdraw_endorsement(WithdrawEndorsementRequest {
            endorsement: unknown.clone(), reason: reason.clone(), request_id: new_id(),
        });
        create_proposal(proposal(&stranger, &partner, consent()));
        amend_proposal(AmendProposalRequest {
            proposal: unknown.clone(), revision: Some(consent()), etag: etag.clone(), request_id: new_id(),
        });
        withdraw_proposal(WithdrawProposalRequest {
            proposal: unknown.clone(), reason: reason.clone(), etag, request_id: new_id(),
        });
        get_proposal(GetProposalRequest { proposal: unknown.clone() });
        take_position(position(&no_proposal, 1, &partner, Stance::Agree));
        withdraw_position(WithdrawPositionRequest { position: unknown.clone(), reason, request_id: new_id() });
        list_positions(ListPositionsRequest { proposal: unknown.clone(), ..Default::default() });
        decide_proposal(DecideProposalRequest { proposal: unknown.clone(), request_id: new_id() });
        get_tally(GetTallyRequest { proposal: unknown });
    }
}

#[tokio::test]
async fn a_tree_is_refused_with_all_that_is_wrong_with_it() {
    let scene = Scene::set().await;
    let create = |tree: AgendaTree| CreateAgendaRequest {
        initiative: scene.initiative.to_string(),
        tree: Some(tree),
        request_id: new_id(),
    };
    let mut malformed = tree();
    malformed.display_name = " ".to_owned();
    malformed.problem = "x".repeat(4001);
    malformed.vision = "a\0b".to_owned();
    malformed.results[0].title = "x".repeat(501);
    malformed.results[0].measures = vec!["x".to_owned()];
    malformed.results[0].strategies[1].title = String::new();
    malformed.results[1].reference = "nowhere".to_owned();
    let status = refused!(scene, create_agenda, create(malformed));
    let wrong = [
        "display_name",
        "problem",
        "results[0].measures[0]",
        "results[0].strategies[1].title",
        "results[0].title",
        "results[1].reference",
        "vision",
    ];
    assert_eq!(fields(&status), wrong.map(|field| format!("tree.{field}")));

    let mut twice = tree();
    twice.results[0].measures = vec![scene.backbone.to_string(), scene.backbone.to_string()];
    assert_eq!(fields(&refused!(scene, create_agenda, create(twice))), ["tree.results[0].measures[1]"]);
    let mut strange = tree();
    strange.results[1].reference = scene.backbone.to_string();
    assert_eq!(fields(&refused!(scene, create_agenda, create(strange))), ["tree.results[1].reference"]);

    let result = |strategies: usize| AgendaResult {
        title: "x".to_owned(),
        strategies: vec![Strategy { title: "x".to_owned(), ..Strategy::default() }; strategies],
        ..AgendaResult::default()
    };
    for (results, field) in [
        (vec![result(0); 101], "tree.results"),
        (vec![result(84); 6], "tree.results"),
        (vec![result(101)], "tree.results[0].strategies"),
        (vec![AgendaResult { description: "x".repeat(4000), ..result(0) }; 23], "tree"),
    ] {
        let status = refused!(scene, create_agenda, create(AgendaTree { results, ..tree() }));
        assert_eq!(fields(&status), [field]);
    }
}

#[tokio::test]
async fn the_largest_tree_there_may_be_fits_into_its_events() {
    let scene = Scene::set().await;
    let strategy = Strategy { title: "x".repeat(20), ..Strategy::default() };
    let result = AgendaResult { title: "x".repeat(20), strategies: vec![strategy; 99], ..AgendaResult::default() };
    let mut large = AgendaTree { results: vec![result; 5], ..tree() };
    large.results[0].description = "x".repeat(4000);
    for result in large.results.iter_mut().flat_map(|result| &mut result.strategies).take(310) {
        result.description = "x".repeat(100);
    }
    let published = scene.publish(&scene.draft(large).await).await.current.unwrap();
    let references: std::collections::BTreeSet<String> = published
        .tree
        .unwrap()
        .results
        .into_iter()
        .flat_map(|result| result.strategies.into_iter().map(|one| one.reference).chain([result.reference]))
        .collect();
    assert_eq!(references.len(), 500);
    let sizes: Vec<usize> = scene.stage.log().await.iter().map(|event| event.encode().len()).collect();
    assert!(sizes.iter().all(|size| *size < 96 * 1024), "{sizes:?}");
    assert!(sizes.iter().any(|size| *size > 80 * 1024), "{sizes:?}");
}

#[tokio::test]
async fn an_agenda_that_is_not_whole_is_not_published() {
    let scene = Scene::set().await;
    let name = AgendaTree { display_name: "Every child".to_owned(), ..AgendaTree::default() };
    let draft = scene.draft(name).await;
    let publish = |etag: &str, proposals: Vec<String>| PublishAgendaRequest {
        agenda: draft.reference.clone(),
        proposals,
        etag: etag.to_owned(),
        request_id: new_id(),
    };
    let status = refused!(scene, publish_agenda, publish("", Vec::new()));
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "INCOMPLETE"));
    for part in ["problem", "vision", "population", "results"] {
        assert!(status.message().contains(part), "{}", status.message());
    }
    assert_eq!(refused!(scene, publish_agenda, publish("7", Vec::new())).code(), Code::Aborted);
    assert_eq!(fields(&refused!(scene, publish_agenda, publish("x", Vec::new()))), ["etag"]);
    let many = vec![scene.backbone.to_string(); 51];
    assert_eq!(fields(&refused!(scene, publish_agenda, publish("", many))), ["proposals"]);
    let mask = FieldMask { paths: vec!["reference".to_owned()] };
    let update = UpdateAgendaRequest {
        agenda: draft.reference.clone(),
        tree: Some(tree()),
        update_mask: Some(mask),
        etag: String::new(),
        request_id: new_id(),
    };
    assert_eq!(fields(&refused!(scene, update_agenda, update)), ["update_mask"]);
}

#[tokio::test]
async fn a_proposal_is_refused_with_all_that_is_wrong_with_it() {
    let scene = Scene::set().await;
    let (version, partner) = (scene.version().await, scene.partner().await);
    let rule = |method: i32, threshold_percent: u32, quorum: Option<Quorum>| ProposalRevision {
        rule: Some(DecisionRule { method, threshold_percent, quorum }),
        ..consent()
    };
    let (agreeing, most) = (DecisionMethod::Consent.into(), DecisionMethod::Majority.into());
    for (revision, wrong) in [
        (ProposalRevision::default(), vec!["amendment", "close_time", "rationale", "rule", "title"]),
        (
            ProposalRevision { title: "x".repeat(201), rationale: "x".repeat(4001), ..consent() },
            vec!["rationale", "title"],
        ),
        (ProposalRevision { amendment: "x".repeat(4001), ..consent() }, vec!["amendment"]),
        (
            ProposalRevision { close_time: Some(Timestamp { seconds: i64::MAX, nanos: 0 }), ..consent() },
            vec!["close_time"],
        ),
        (rule(0, 0, Some(Quorum::QuorumCount(1))), vec!["rule.method"]),
        (rule(9, 0, Some(Quorum::QuorumCount(1))), vec!["rule.method"]),
        (rule(agreeing, 50, Some(Quorum::QuorumCount(0))), vec!["rule.quorum_count", "rule.threshold_percent"]),
        (rule(most, 49, Some(Quorum::QuorumPercent(101))), vec!["rule.quorum_percent", "rule.threshold_percent"]),
        (rule(most, 100, None), vec!["rule.quorum_percent", "rule.threshold_percent"]),
    ] {
        let status = refused!(scene, create_proposal, proposal(&version, &partner, revision));
        assert_eq!(fields(&status), wrong.iter().map(|field| format!("revision.{field}")).collect::<Vec<_>>());
    }
    let past = ProposalRevision { close_time: Some(timestamp(later(-1))), ..consent() };
    let status = refused!(scene, create_proposal, proposal(&version, &partner, past.clone()));
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "CLOSES_AT_ONCE"));

    let made = scene.propose(&version, &partner, consent()).await;
    let amend = |revision: ProposalRevision, etag: &str| AmendProposalRequest {
        proposal: made.reference.clone(),
        revision: Some(revision),
        etag: etag.to_owned(),
        request_id: new_id(),
    };
    assert_eq!(reason(&refused!(scene, amend_proposal, amend(past, ""))), "CLOSES_AT_ONCE");
    assert_eq!(refused!(scene, amend_proposal, amend(majority(), "9")).code(), Code::Aborted);
    let mut short = proposal(&version, &partner, consent());
    short.request_id = "short".to_owned();
    assert_eq!(fields(&refused!(scene, create_proposal, short)), ["request_id"]);
}

#[tokio::test]
async fn a_position_is_refused_with_all_that_is_wrong_with_it() {
    let scene = Scene::set().await;
    let (version, partner) = (scene.version().await, scene.partner().await);
    let proposed = scene.propose(&version, &partner, consent()).await;
    let with = |change: fn(&mut PositionDefinition)| {
        let mut request = position(&proposed, 1, &partner, Stance::Agree);
        change(request.definition.as_mut().unwrap());
        request
    };
    for (request, wrong) in [
        (with(|one| one.stance = 0), "stance"),
        (with(|one| one.stance = 4), "stance"),
        (with(|one| one.stance = Stance::Object.into()), "reason"),
        (with(|one| one.reason = "x".repeat(2001)), "reason"),
        (with(|one| one.revision = 0), "revision"),
        (with(|one| one.organization = "x".to_owned()), "organization"),
        (with(|one| one.proposal = String::new()), "proposal"),
    ] {
        assert_eq!(fields(&refused!(scene, take_position, request)), [format!("definition.{wrong}")]);
    }
    let ahead = refused!(scene, take_position, position(&proposed, 2, &partner, Stance::Agree));
    assert_eq!(reason(&ahead), "OTHER_REVISION");
}

#[tokio::test]
async fn an_organization_that_lives_elsewhere_speaks_there() {
    let scene = Scene::set().await;
    let (version, partner) = (scene.version().await, scene.partner().await);
    let proposed = scene.propose(&version, &partner, consent()).await;
    let elsewhere = Reference::born_on(&some_node());
    for status in [
        refused!(scene, endorse_agenda_version, endorsement(&version, &elsewhere)),
        refused!(scene, create_proposal, proposal(&version, &elsewhere, consent())),
        refused!(scene, take_position, position(&proposed, 1, &elsewhere, Stance::Agree)),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "SPEAKS_ELSEWHERE"));
    }
}

#[tokio::test]
async fn a_list_is_asked_for_within_bounds() {
    let scene = Scene::set().await;
    let list = ListProposalsRequest {
        initiative: scene.initiative.to_string(),
        version: "x".to_owned(),
        organization: "y".to_owned(),
        page_size: -1,
        page_token: "z".to_owned(),
    };
    assert_eq!(fields(&refused!(scene, list_proposals, list)), ["organization", "page_token", "version"]);
    let list = ListEndorsementsRequest {
        initiative: scene.initiative.to_string(),
        state: 9,
        page_size: -1,
        ..Default::default()
    };
    assert_eq!(fields(&refused!(scene, list_endorsements, list)), ["page_size", "state"]);
}
