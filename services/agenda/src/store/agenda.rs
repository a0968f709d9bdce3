//! Agendas and their drafts as rows.

use std::collections::BTreeMap;

use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;

use super::version;
use crate::domain::{Agenda, Draft, Tree, Version};

/// One agenda as far as its own tables go: published, drafted, or both.
struct Row {
    reference: Reference,
    space: Option<Space>,
    initiative: Option<Reference>,
    version: Option<i64>,
    created_at: Option<OffsetDateTime>,
    updated_at: Option<OffsetDateTime>,
    tree: Option<Json<Tree>>,
    draft_version: Option<i64>,
    drafted_at: Option<OffsetDateTime>,
    revised_at: Option<OffsetDateTime>,
}

macro_rules! select_agendas {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select coalesce(a.reference, d.reference) as "reference!: Reference", a.space as "space?: Space",
                      d.initiative as "initiative?: Reference", a.version as "version?",
                      a.created_at as "created_at?", a.updated_at as "updated_at?", d.tree as "tree?: Json<Tree>",
                      d.version as "draft_version?", d.created_at as "drafted_at?", d.updated_at as "revised_at?"
                 from agenda.agendas a
                 full join agenda.drafts d on d.reference = a.reference "# + $which,
            $($argument),*
        )
    };
}

impl Row {
    fn agenda(self, current: Option<Version>) -> Result<Agenda, sqlx::Error> {
        let initiative = self.space.and_then(|space| space.initiative().cloned()).or(self.initiative);
        let draft = match (self.tree, stamp(self.draft_version, self.drafted_at, self.revised_at)) {
            (Some(tree), Some(stamp)) => Some(Draft { tree: tree.0, stamp }),
            _ => None,
        };
        Ok(Agenda {
            reference: self.reference,
            initiative: initiative
                .ok_or_else(|| sqlx::Error::Protocol("an agenda without an initiative".to_owned()))?,
            current,
            stamp: stamp(self.version, self.created_at, self.updated_at),
            draft,
        })
    }
}

fn stamp(
    version: Option<i64>,
    created_at: Option<OffsetDateTime>,
    updated_at: Option<OffsetDateTime>,
) -> Option<Stamp> {
    Some(Stamp { version: version?, created_at: created_at?, updated_at: updated_at? })
}

/// Adds a draft; one that is there already stays as it is.
pub async fn insert_draft(
    connection: &mut PgConnection,
    reference: &Reference,
    initiative: &Reference,
    tree: &Tree,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into agenda.drafts (reference, initiative, tree, version, created_at, updated_at)
         values ($1, $2, $3, 1, $4, $4) on conflict (reference) do nothing",
        reference.to_string(),
        initiative.to_string(),
        Json(tree) as _,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a draft another tree.
pub async fn revise_draft(
    connection: &mut PgConnection,
    reference: &Reference,
    tree: &Tree,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update agenda.drafts set tree = $2, version = version + 1, updated_at = $3 where reference = $1",
        reference.to_string(),
        Json(tree) as _,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts one more version of an agenda, which may be its first.
pub async fn publish(
    connection: &mut PgConnection,
    reference: &Reference,
    space: &Space,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into agenda.agendas as a (reference, space, version, created_at, updated_at)
         values ($1, $2, 1, $3, $3)
         on conflict (reference) do update set version = a.version + 1, updated_at = excluded.updated_at",
        reference.to_string(),
        space.to_string(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One agenda.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Agenda>, sqlx::Error> {
    let rows = select_agendas!("where a.reference = $1 or d.reference = $1", reference.to_string());
    let rows = rows.fetch_all(&mut *connection).await?;
    Ok(with_versions(connection, rows).await?.pop())
}

/// One agenda, of which nobody else changes the draft until the end of the transaction.
pub async fn load_locked(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Agenda>, sqlx::Error> {
    sqlx::query!("select version from agenda.drafts where reference = $1 for update", reference.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    load(connection, reference).await
}

/// Agendas of an initiative sorted by reference, which is by home and then by time; those of which no version was
/// published only if asked for.
pub async fn list(
    connection: &mut PgConnection,
    initiative: &Reference,
    drafts: bool,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Agenda>, sqlx::Error> {
    let rows = select_agendas!(
        "where (a.space = $1 or (a.reference is null and $2 and d.initiative = $3))
           and ($4::text is null or coalesce(a.reference, d.reference) > $4)
         order by coalesce(a.reference, d.reference) limit $5",
        Space::members(initiative).to_string(),
        drafts,
        initiative.to_string(),
        after,
        limit,
    );
    let rows = rows.fetch_all(&mut *connection).await?;
    with_versions(connection, rows).await
}

async fn with_versions(connection: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Agenda>, sqlx::Error> {
    let agendas: Vec<String> = rows.iter().map(|row| row.reference.to_string()).collect();
    let newest = version::newest(connection, &agendas).await?;
    let mut newest: BTreeMap<Reference, Version> =
        newest.into_iter().map(|version| (version.agenda.clone(), version)).collect();
    rows.into_iter()
        .map(|row| {
            let current = newest.remove(&row.reference);
            row.agenda(current)
        })
        .collect()
}
