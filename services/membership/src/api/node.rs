//! Calls about nodes.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::paging::Page;
use chassis::parse;
use proto::membership::*;
use tonic::{Request, Response};

use super::initiative::known as initiative_known;
use super::{Answer, Room, filter};
use crate::contract::node as contract;
use crate::store::{Rows, initiative as initiatives, node as rows};

pub(super) async fn get_node(desk: &Desk<Room>, request: Request<GetNodeRequest>) -> Answer<GetNodeResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let node = parse::node(&mut violations, "node", &request.node);
    let (initiative, node) = violations.finish(|| Some((initiative?, node?)))?;
    look.authorise(Some(&initiative), None).await?;
    let found = errors::found(rows::load(look.connection(), &initiative, &node).await, "node", &node)?;
    Ok(Response::new(GetNodeResponse { node: Some(contract::write(&found)) }))
}

pub(super) async fn list_nodes(desk: &Desk<Room>, request: Request<ListNodesRequest>) -> Answer<ListNodesResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let state = filter(&mut violations, "state", request.state);
    let list = ListNodesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    initiative_known(initiatives::load(look.connection(), &initiative).await, &initiative)?;
    let filter = rows::Filter { node: None, state };
    let nodes = rows::list(look.connection(), &initiative, filter, Rows::from(&page)).await;
    let mut nodes = nodes.map_err(errors::database)?;
    let next_page_token = page.cut(&mut nodes, |node| node.id.to_string());
    let nodes = nodes.iter().map(contract::write).collect();
    Ok(Response::new(ListNodesResponse { nodes, next_page_token }))
}
