//! Which initiative a command means.

use chassis::names::Reference;
use proto::membership::{GetInitiativeRequest, Initiative, ListInitiativesRequest};

use crate::client::Client;
use crate::error::NodeError;

/// The initiative that is named, or else the only one that this node knows.
pub(super) async fn meant(client: &Client, named: Option<&Reference>) -> Result<Initiative, NodeError> {
    if let Some(named) = named {
        let request = GetInitiativeRequest { initiative: named.to_string() };
        return Ok(client.membership().get_initiative(request).await?.into_inner().initiative.unwrap_or_default());
    }
    let listed = client.membership().list_initiatives(ListInitiativesRequest::default()).await?.into_inner();
    let mut known = listed.initiatives.into_iter();
    match (known.next(), known.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(NodeError::Usage(
            "this node knows no initiative: join one with `commonweal join`, or begin one (CreateInitiative)"
                .to_owned(),
        )),
        (Some(one), Some(other)) => Err(NodeError::Usage(format!(
            "say which with --initiative: this node knows several, such as {} ({}) and {} ({})",
            one.reference, one.display_name, other.reference, other.display_name
        ))),
    }
}
