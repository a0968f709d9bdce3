//! The way of a command.

use chassis::authn::{Call, Caller};
use chassis::event::Actor;
use chassis::names::Reference;
use chassis::requests;
use chassis::testing::{Stage, speaking_for};
use proto::common::{Access, Role};
use tonic::{Code, Request, Response, Status};

use crate::notes::{Noted, Notes, noted};

type Room = Notes<true>;

/// A command of the test room: writes a new note, and answers what it wrote.
async fn write(stage: &Stage<Room>, call: Call, request_id: &str, text: &str) -> Result<Response<Noted>, Status> {
    write_as(stage, call, request_id, text, None, None).await
}

async fn write_as(
    stage: &Stage<Room>,
    call: Call,
    request_id: &str,
    text: &str,
    initiative: Option<&Reference>,
    organization: Option<&Reference>,
) -> Result<Response<Noted>, Status> {
    let mut request = Request::new(Noted { text: text.to_owned() });
    request.extensions_mut().insert(call);
    let (mut work, request) = stage.desk.begin(request).await?;
    work.authorise(initiative, organization).await?;
    if let Some(reply) = work.answered(request_id, &request).await? {
        return Ok(reply);
    }
    let note = Reference::born_on(work.node());
    work.record(&[noted(&note, &request.text)]).await?;
    work.reply(Noted { text: note.to_string() }).await
}

fn call(rule: Access, caller: &Caller) -> Call {
    Call { caller: Some(caller.clone()), method: "/test.Notes/Write".to_owned(), rule: Box::leak(Box::new(rule)) }
}

fn signed_in(caller: &Caller) -> Call {
    call(Access { signed_in: true, ..Access::default() }, caller)
}

async fn notes(stage: &Stage<Room>) -> i64 {
    sqlx::query_scalar("select count(*) from notes.note").fetch_one(&stage.pool).await.unwrap()
}

#[tokio::test]
async fn the_same_request_again_has_one_effect_and_the_same_answer() {
    let stage = Stage::set().await;
    let ana = speaking_for(&[]);
    let first = write(&stage, signed_in(&ana), "request-1", "a").await.unwrap().into_inner();
    let again = write(&stage, signed_in(&ana), "request-1", "a").await.unwrap().into_inner();
    assert_eq!((first, notes(&stage).await), (again, 1));

    let other = write(&stage, signed_in(&ana), "request-1", "b").await.unwrap_err();
    assert_eq!(other.code(), Code::InvalidArgument);
    assert!(other.message().contains("another request was made under this id"), "{other}");
    assert_eq!(notes(&stage).await, 1);
}

#[tokio::test]
async fn a_request_id_is_the_callers_and_the_methods_own() {
    let stage = Stage::set().await;
    let (ana, ben) = (speaking_for(&[]), speaking_for(&[]));
    write(&stage, signed_in(&ana), "request-1", "a").await.unwrap();
    write(&stage, signed_in(&ben), "request-1", "b").await.unwrap();
    let elsewhere = Call { method: "/test.Notes/Other".to_owned(), ..signed_in(&ana) };
    write(&stage, elsewhere, "request-1", "c").await.unwrap();
    assert_eq!(notes(&stage).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_many_times_at_one_instant_has_one_effect() {
    let stage = Stage::set().await;
    let ana = speaking_for(&[]);
    let calls = (0..12).map(|_| write(&stage, signed_in(&ana), "request-1", "a"));
    let answers = futures_util::future::join_all(calls).await;
    let answers: Vec<Noted> = answers.into_iter().map(|answer| answer.unwrap().into_inner()).collect();
    assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
    assert_eq!(notes(&stage).await, 1);
}

#[tokio::test]
async fn a_request_that_failed_may_come_again_under_its_id() {
    let stage = Stage::set().await;
    let ana = speaking_for(&[]);
    let failed = write(&stage, signed_in(&ana), "request-1", &"x".repeat(2000)).await.unwrap_err();
    assert_eq!(failed.code(), Code::Internal);
    assert!(!failed.message().contains("xxx"), "internals stay inside: {failed}");
    write(&stage, signed_in(&ana), "request-1", "a").await.unwrap();
    assert_eq!(notes(&stage).await, 1);
}

#[tokio::test]
async fn a_request_without_a_proper_id_writes_nothing() {
    let stage = Stage::set().await;
    let ana = speaking_for(&[]);
    let before = stage.everything().await;
    for id in ["", "short", "with blank", "naïve-request", &"x".repeat(65)] {
        let refused = write(&stage, signed_in(&ana), id, "a").await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{id}");
        assert!(refused.message().starts_with("request_id: "), "{refused}");
    }
    assert_eq!(stage.everything().await, before);
}

#[tokio::test]
async fn who_may_not_write_writes_nothing_and_learns_nothing() {
    let stage = Stage::set().await;
    let (initiative, organization) = (Reference::born_on(&stage.node), Reference::born_on(&stage.node));
    let partners = || Access { roles: vec![Role::Partner.into()], ..Access::default() };
    let ana = speaking_for(&[&organization]);
    let ask =
        async |caller| write_as(&stage, call(partners(), caller), "request-1", "a", Some(&initiative), None).await;

    let before = stage.everything().await;
    let denied = ask(&ana).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    assert!(denied.message().contains("the role partner in the initiative"), "{denied}");
    assert_eq!(stage.everything().await, before);

    stage.grant(&initiative, &organization, Role::Partner).await;
    ask(&ana).await.unwrap();
    // Authorised anew each time: an answer that was kept is no longer given to who lost the role.
    sqlx::query("update roles set ended = true").execute(&stage.pool).await.unwrap();
    assert_eq!(ask(&ana).await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn only_who_speaks_for_an_organization_writes_as_it() {
    let stage = Stage::set().await;
    let (own, other) = (Reference::born_on(&stage.node), Reference::born_on(&stage.node));
    let rule = || Access { own_organization: true, ..Access::default() };
    let ana = speaking_for(&[&own]);
    write_as(&stage, call(rule(), &ana), "request-1", "a", None, Some(&own)).await.unwrap();
    let denied = write_as(&stage, call(rule(), &ana), "request-2", "a", None, Some(&other)).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    let denied = write_as(&stage, call(rule(), &ana), "request-3", "a", None, None).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied, "an organization that nobody named is nobody's own");
}

#[tokio::test]
async fn an_event_names_the_organization_and_a_pseudonym() {
    let stage = Stage::<Room>::set().await;
    let organization = Reference::born_on(&stage.node);
    let ana = Caller { person: "pseudonym".to_owned(), ..speaking_for(&[&organization]) };
    write(&stage, signed_in(&ana), "request-1", "a").await.unwrap();
    let bytes: Vec<u8> = sqlx::query_scalar("select bytes from log").fetch_one(&stage.pool).await.unwrap();
    let actor = chassis::event::Event::decode(&bytes).unwrap().actor;
    assert_eq!(actor, Actor { organization: Some(organization), person: Some("pseudonym".to_owned()) });
    assert!(!String::from_utf8_lossy(&bytes).contains(&ana.subject));
}

#[tokio::test]
async fn what_was_not_authorised_cannot_record() {
    let stage = Stage::<Room>::set().await;
    let ana = speaking_for(&[]);
    let before = stage.everything().await;
    let begin = async || {
        let mut request = Request::new(Noted::default());
        request.extensions_mut().insert(signed_in(&ana));
        stage.desk.begin(request).await.unwrap().0
    };
    let fact = noted(&Reference::born_on(&stage.node), "a");

    let mut work = begin().await;
    assert_eq!(work.record(std::slice::from_ref(&fact)).await.unwrap_err().code(), Code::Internal);
    let mut work = begin().await;
    let early = work.answered::<_, Noted>("request-1", &Noted::default()).await.unwrap_err();
    assert_eq!(early.code(), Code::Internal);
    let mut work = begin().await;
    work.authorise(None, None).await.unwrap();
    assert_eq!(work.record(&[fact]).await.unwrap_err().code(), Code::Internal, "nor without a request id");
    assert_eq!(begin().await.reply(Noted::default()).await.unwrap_err().code(), Code::Internal);
    assert_eq!(stage.everything().await, before);

    let nobody = stage.desk.begin(Request::new(Noted::default())).await.map(|_| ()).unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn answers_are_kept_for_seven_days() {
    let stage = Stage::set().await;
    let ana = speaking_for(&[]);
    write(&stage, signed_in(&ana), "request-1", "a").await.unwrap();
    write(&stage, signed_in(&ana), "request-2", "b").await.unwrap();
    let age = "update requests set at = at - interval '7 days 1 minute' where request_id = 'request-1'";
    sqlx::query(age).execute(&stage.pool).await.unwrap();
    let mut connection = stage.pool.acquire().await.unwrap();
    assert_eq!(requests::prune(&mut connection).await.unwrap(), 1);
    drop(connection);
    write(&stage, signed_in(&ana), "request-1", "a").await.unwrap();
    write(&stage, signed_in(&ana), "request-2", "b").await.unwrap();
    assert_eq!(notes(&stage).await, 3);
}
