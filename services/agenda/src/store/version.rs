//! Versions of agendas as rows.

use std::collections::BTreeSet;

use chassis::database::unreadable;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;

use crate::domain::{Tree, Version};

struct Row {
    reference: Reference,
    agenda: Reference,
    space: Space,
    number: i32,
    tree: Json<Tree>,
    proposals: Json<Vec<Reference>>,
    superseded: bool,
    published_at: OffsetDateTime,
    position: Option<i64>,
}

macro_rules! select_versions {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select v.reference as "reference: Reference", v.agenda as "agenda: Reference",
                      a.space as "space: Space", v.number, v.tree as "tree: Json<Tree>",
                      v.proposals as "proposals: Json<Vec<Reference>>", v.number < a.version as "superseded!",
                      v.published_at, l.accepted_position as "position?"
                 from agenda.versions v
                 join agenda.agendas a on a.reference = v.agenda
                 left join agenda.log l on l.event_id = v.published_by "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Version {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let initiative = row.space.initiative().cloned();
        Ok(Self {
            reference: row.reference,
            agenda: row.agenda,
            initiative: initiative
                .ok_or_else(|| sqlx::Error::Protocol("a version without an initiative".to_owned()))?,
            number: row.number.try_into().map_err(unreadable)?,
            tree: row.tree.0,
            proposals: row.proposals.0,
            superseded: row.superseded,
            published_at: row.published_at,
            position: row.position,
        })
    }
}

/// Adds the next version of an agenda, named by its home and the event that published it.
pub async fn insert(
    connection: &mut PgConnection,
    event: &Event,
    tree: &Tree,
    proposals: &[Reference],
) -> Result<(), sqlx::Error> {
    let reference = Reference { node: event.resource.node.clone(), id: event.id };
    sqlx::query!(
        "insert into agenda.versions (agenda, number, reference, published_by, tree, proposals, published_at)
         select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6 from agenda.versions where agenda = $1",
        event.resource.to_string(),
        reference.to_string(),
        event.id,
        Json(tree) as _,
        Json(proposals) as _,
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One version.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Version>, sqlx::Error> {
    let row = select_versions!("where v.reference = $1", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// The versions of an agenda after a number, the first one first.
pub async fn list(
    connection: &mut PgConnection,
    agenda: &Reference,
    after: i32,
    limit: i64,
) -> Result<Vec<Version>, sqlx::Error> {
    let rows = select_versions!(
        "where v.agenda = $1 and v.number > $2 order by v.number limit $3",
        agenda.to_string(),
        after,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// The newest version of each of these agendas, in no order.
pub async fn newest(connection: &mut PgConnection, agendas: &[String]) -> Result<Vec<Version>, sqlx::Error> {
    let rows = select_versions!("where v.agenda = any($1) and v.number = a.version", agendas);
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// Every version in a space, by agenda and number.
pub async fn all(connection: &mut PgConnection, space: &Space) -> Result<Vec<Version>, sqlx::Error> {
    let rows = select_versions!("where a.space = $1 order by v.agenda, v.number", space.to_string());
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// The results and strategies that an agenda ever had.
pub async fn references(connection: &mut PgConnection, agenda: &Reference) -> Result<BTreeSet<Reference>, sqlx::Error> {
    let versions = list(connection, agenda, 0, i64::MAX).await?;
    Ok(versions.iter().flat_map(|version| version.tree.references()).collect())
}
