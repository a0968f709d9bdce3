//! Calls about initiatives.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::{Mask, Read};
use proto::membership::*;
use tonic::{Request, Status};

use super::{Reply, Room};
use crate::domain::initiative::{self, Revision};
use crate::domain::{InitiativeProfile, InitiativeState};
use crate::store::Rows;
use crate::{contract, events, store};

const NAME_LENGTH: usize = 200;
const PURPOSE_LENGTH: usize = 4000;
const REGION_LENGTH: usize = 200;
const CHANGEABLE: &[&str] = &["display_name", "purpose", "region", "state"];

pub(super) async fn create(
    desk: &Desk<Room>,
    request: Request<CreateInitiativeRequest>,
) -> Reply<CreateInitiativeResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let profile = parse_new(&request)?;
    work.authorise(None, None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let reference = Reference::born_on(work.node());
    let facts = initiative::create(&reference, profile);
    work.record(&events::told(&facts)).await?;
    let initiative =
        errors::found(store::initiative::find(work.connection(), &reference).await, "initiative", &reference)?;
    work.reply(CreateInitiativeResponse { initiative: Some(contract::initiative(&initiative)) }).await
}

fn parse_new(request: &CreateInitiativeRequest) -> Result<InitiativeProfile, Status> {
    let mut violations = Violations::default();
    let given = parse::message(&mut violations, "initiative", request.initiative.as_ref());
    let profile = given.and_then(|given| {
        let unsaid = Initiative { state: InitiativeState::Forming.number(), ..given.clone() };
        let given = if given.state == 0 { &unsaid } else { given };
        let Revision { display_name, purpose, region, state } = fields(&mut violations, given, |_| true);
        if state == Some(InitiativeState::Closed) {
            violations.add("initiative.state", "an initiative begins forming or active");
        }
        Some(InitiativeProfile { display_name: display_name?, purpose: purpose?, region: region?, state: state? })
    });
    violations.finish(|| profile)
}

fn fields(violations: &mut Violations, given: &Initiative, take: impl Fn(&str) -> bool) -> Revision {
    let mut revision = Revision::default();
    if take("display_name") {
        revision.display_name = parse::text(violations, "initiative.display_name", &given.display_name, NAME_LENGTH);
    }
    if take("purpose") {
        revision.purpose = parse::prose(violations, "initiative.purpose", &given.purpose, PURPOSE_LENGTH);
    }
    if take("region") {
        revision.region = parse::optional_text(violations, "initiative.region", &given.region, REGION_LENGTH);
    }
    if take("state") {
        revision.state = parse::choice(violations, "initiative.state", given.state);
    }
    revision
}

pub(super) async fn get(desk: &Desk<Room>, request: Request<GetInitiativeRequest>) -> Reply<GetInitiativeResponse> {
    let (mut look, request) = desk.look(request).await?;
    let reference = parse_named(&request.initiative)?;
    look.authorise(Some(&reference), None).await?;
    let initiative =
        errors::found(store::initiative::find(look.connection(), &reference).await, "initiative", &reference)?;
    Ok(GetInitiativeResponse { initiative: Some(contract::initiative(&initiative)) }.into())
}

fn parse_named(initiative: &str) -> Result<Reference, Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", initiative);
    violations.finish(|| initiative)
}

pub(super) async fn list(
    desk: &Desk<Room>,
    request: Request<ListInitiativesRequest>,
) -> Reply<ListInitiativesResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let whole = ListInitiativesRequest::default();
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &whole);
    let page = violations.finish(|| page)?;
    look.authorise(None, None).await?;
    // The operator sees all that this node takes part in, others only where they belong.
    let caller = look.caller().cloned();
    let others = caller.as_ref().filter(|caller| !caller.operator).map(|caller| caller.organizations.as_slice());
    let filter = store::initiative::Filter { with_roles_of: others, space: None };
    let now = look.now();
    let found = store::initiative::list(look.connection(), filter, now, Rows::from(&page)).await;
    let mut found = found.map_err(errors::database)?;
    let next_page_token = page.cut(&mut found, |initiative| initiative.reference.to_string());
    let initiatives = found.iter().map(contract::initiative).collect();
    Ok(ListInitiativesResponse { initiatives, next_page_token }.into())
}

pub(super) async fn update(
    desk: &Desk<Room>,
    request: Request<UpdateInitiativeRequest>,
) -> Reply<UpdateInitiativeResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let Update { reference, read, revision } = parse_update(&request)?;
    work.authorise(Some(&reference), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let initiative =
        errors::found(store::initiative::locked(work.connection(), &reference).await, "initiative", &reference)?;
    read.still(initiative.stamp.version)?;
    let facts = initiative::revise(&initiative, work.node(), revision)?;
    work.record(&events::told(&facts)).await?;
    let initiative =
        errors::found(store::initiative::find(work.connection(), &reference).await, "initiative", &reference)?;
    work.reply(UpdateInitiativeResponse { initiative: Some(contract::initiative(&initiative)) }).await
}

struct Update {
    reference: Reference,
    read: Read,
    revision: Revision,
}

fn parse_update(request: &UpdateInitiativeRequest) -> Result<Update, Status> {
    let mut violations = Violations::default();
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), CHANGEABLE);
    let given = parse::message(&mut violations, "initiative", request.initiative.as_ref());
    let update = given.and_then(|given| {
        let reference = parse::reference(&mut violations, "initiative.reference", &given.reference);
        let read = Read::asked(&mut violations, "initiative.etag", &given.etag);
        let mask = mask?;
        let revision = fields(&mut violations, given, |field| mask.has(field));
        Some(Update { reference: reference?, read: read?, revision })
    });
    violations.finish(|| update)
}
