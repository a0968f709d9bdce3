//! Calls about nodes.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::{NodeId, Reference};
use chassis::paging::Page;
use chassis::parse;
use proto::membership::*;
use tonic::{Request, Status};

use super::{Reply, Room, filter};
use crate::domain::NodeState;
use crate::store::Rows;
use crate::{contract, store};

pub(super) async fn get(desk: &Desk<Room>, request: Request<GetNodeRequest>) -> Reply<GetNodeResponse> {
    let (mut look, request) = desk.look(request).await?;
    let (initiative, node) = parse_named(&request)?;
    look.authorise(Some(&initiative), None).await?;
    let found = errors::found(store::node::find(look.connection(), &initiative, &node).await, "node", &node)?;
    Ok(GetNodeResponse { node: Some(contract::node(&found)) }.into())
}

fn parse_named(request: &GetNodeRequest) -> Result<(Reference, NodeId), Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let node = parse::node(&mut violations, "node", &request.node);
    violations.finish(|| Some((initiative?, node?)))
}

struct Listing {
    initiative: Reference,
    state: Option<NodeState>,
    page: Page,
}

pub(super) async fn list(desk: &Desk<Room>, request: Request<ListNodesRequest>) -> Reply<ListNodesResponse> {
    let (mut look, request) = desk.look(request).await?;
    let Listing { initiative, state, page } = parse_listing(&request)?;
    look.authorise(Some(&initiative), None).await?;
    errors::found(store::initiative::find(look.connection(), &initiative).await, "initiative", &initiative)?;
    let filter = store::node::Filter { node: None, state };
    let found = store::node::list(look.connection(), &initiative, filter, Rows::from(&page)).await;
    let mut found = found.map_err(errors::database)?;
    let next_page_token = page.cut(&mut found, |node| node.id.to_string());
    let nodes = found.iter().map(contract::node).collect();
    Ok(ListNodesResponse { nodes, next_page_token }.into())
}

fn parse_listing(request: &ListNodesRequest) -> Result<Listing, Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let state = filter(&mut violations, "state", request.state);
    let list = ListNodesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    violations.finish(|| Some(Listing { initiative: initiative?, state, page: page? }))
}
