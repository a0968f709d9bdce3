//! What this node told before it knew that it was restored: looked at by a person, and told again or dropped.

use chassis::errors::{self, Violations};
use chassis::event::{Event, timestamp};
use chassis::names::Space;
use chassis::paging::Page;
use proto::federation::{
    DropReissueRequest, DropReissueResponse, ListReissuesRequest, ListReissuesResponse, Reissue, SendReissueRequest,
    SendReissueResponse,
};
use tonic::{Request, Response, Status};

use super::Api;
use super::refusal::failed;
use crate::reissue;
use crate::store::{nodes, reissues};

pub(super) async fn list_reissues(
    api: &Api,
    request: Request<ListReissuesRequest>,
) -> Result<Response<ListReissuesResponse>, Status> {
    let (mut look, request) = api.desk.look(request).await?;
    let (page, after) = listed(&request)?;
    look.authorise(None, None).await?;
    let mut found = reissues::list(look.connection(), after, page.limit()).await.map_err(errors::database)?;
    let next_page_token = page.cut(&mut found, |one| one.id.to_string());
    Ok(Response::new(ListReissuesResponse { reissues: found.into_iter().map(shown).collect(), next_page_token }))
}

fn listed(request: &ListReissuesRequest) -> Result<(Page, i64), Status> {
    let mut violations = Violations::default();
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &ListReissuesRequest::default());
    let after = page.as_ref().and_then(|page| page.after.as_deref()).map_or(Ok(0), str::parse);
    let after = after.inspect_err(|_| violations.add("page_token", "is not the next_page_token of this list"));
    violations.finish(|| Some((page?, after.ok()?)))
}

fn shown(one: reissues::Reissue) -> Reissue {
    let event = Event::decode(&one.event).ok();
    Reissue {
        number: one.id,
        space: one.space,
        r#type: one.type_name,
        resource: one.resource,
        made_at: event.as_ref().map(|event| timestamp(event.made_at)),
        withdrawn_at: Some(timestamp(one.withdrawn_at)),
        message: event.map(|event| event.data).unwrap_or_default(),
    }
}

pub(super) async fn send_reissue(
    api: &Api,
    request: Request<SendReissueRequest>,
) -> Result<Response<SendReissueResponse>, Status> {
    let (mut work, request) = api.desk.begin(request).await?;
    work.authorise(None, None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let found = errors::found(reissues::take(work.connection(), request.number).await, "reissue", request.number)?;
    let space: Space = found.space.parse().map_err(|error| errors::internal(&error))?;
    let initiative = match space.initiative() {
        Some(reference) => nodes::initiative(work.connection(), reference).await.map_err(errors::database)?,
        None => None,
    };
    let initiative = initiative.ok_or_else(|| errors::not_found("initiative of", &found.space))?;
    let border = api.links.border();
    reissue::send(border, work.connection(), &initiative, &found).await.map_err(failed)?;
    let reply = work.reply(SendReissueResponse {}).await?;
    border.committed();
    Ok(reply)
}

pub(super) async fn drop_reissue(
    api: &Api,
    request: Request<DropReissueRequest>,
) -> Result<Response<DropReissueResponse>, Status> {
    let (mut work, request) = api.desk.begin(request).await?;
    work.authorise(None, None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    errors::found(reissues::take(work.connection(), request.number).await, "reissue", request.number)?;
    work.reply(DropReissueResponse {}).await
}
