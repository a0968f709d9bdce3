//! What this node may tell, asked before it is recorded: the same rule by which the border of every other node will
//! judge it. Whoever calls is told at once what would otherwise be refused after the answer.

use proto::common::{Role, Teller as Rule, Telling};
use sqlx::PgConnection;
use time::OffsetDateTime;
use tonic::Status;

use crate::errors;
use crate::event::Fact;
use crate::names::{NodeId, Reference, Space, Within};
use crate::{circles, roles};

/// Refuses facts that the backbone would refuse. Where this node is the backbone its operator speaks for it, and may
/// tell anything.
///
/// # Errors
/// `FAILED_PRECONDITION` with the reason; what the database says.
pub async fn check(
    connection: &mut PgConnection,
    teller: &Teller<'_>,
    facts: &[Fact],
    now: OffsetDateTime,
) -> Result<(), Status> {
    for fact in facts {
        let Some(initiative) = fact.space.initiative() else { continue };
        let backbone = initiative.node == *teller.node;
        if backbone && teller.operator {
            continue;
        }
        if let Space::Of(_, Within::Backbone(partner)) = &fact.space
            && !backbone
            && partner != teller.node
        {
            let words =
                "only that node and the backbone write into this space: use members, or backbone/ and your own node";
            return Err(errors::refused("NOT_ITS_SPACE", words));
        }
        if let Space::Of(_, Within::Circle(circle)) = &fact.space
            && !backbone
            && !circles::includes(connection, &fact.space, teller.node).await.map_err(errors::database)?
        {
            return Err(errors::refused("NOT_ITS_SPACE", format!("this node is not in the circle {circle}")));
        }
        if let Some(rule) = proto::telling(&fact.type_name) {
            allowed(connection, teller, initiative, rule, now).await?;
        }
    }
    Ok(())
}

/// Who would tell.
pub struct Teller<'a> {
    /// This node.
    pub node: &'a NodeId,
    /// On whose behalf.
    pub organization: Option<&'a Reference>,
    /// Whether the caller operates this node.
    pub operator: bool,
}

async fn allowed(
    connection: &mut PgConnection,
    teller: &Teller<'_>,
    initiative: &Reference,
    rule: &Telling,
    now: OffsetDateTime,
) -> Result<(), Status> {
    match rule.teller() {
        Rule::Backbone if initiative.node != *teller.node => {
            Err(errors::refused("BACKBONE_ONLY", "only the initiative's backbone may do this"))
        }
        Rule::Role => {
            let spoken_for: Vec<Reference> = teller.organization.into_iter().cloned().collect();
            let held = roles::held(connection, initiative, &spoken_for, now).await.map_err(errors::database)?;
            if rule.roles().any(|role| held.contains(&role)) {
                return Ok(());
            }
            let roles: Vec<&str> = rule.roles().map(words).collect();
            let who = teller.organization.map_or("whoever calls for no organization".to_owned(), ToString::to_string);
            let words = format!("{who} holds no role in the initiative that may do this; one of: {}", roles.join(", "));
            Err(errors::refused("ROLE_MISSING", words))
        }
        Rule::Home | Rule::Backbone | Rule::Unspecified => Ok(()),
    }
}

fn words(role: Role) -> &'static str {
    role.as_str_name().trim_start_matches("ROLE_")
}
