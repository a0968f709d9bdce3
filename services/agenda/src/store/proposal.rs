//! Proposals and their revisions as rows.

use chassis::database::unreadable;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{small, spot};
use crate::domain::{Content, Proposal, Quorum, Revision, Rule, Tree};

const PERCENT: i32 = 1;
const COUNT: i32 = 2;

struct Row {
    reference: Reference,
    space: Space,
    agenda_version: Reference,
    organization: Reference,
    void_reason: String,
    withdrawn: bool,
    withdrawn_reason: String,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_proposals {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", space as "space: Space",
                      agenda_version as "agenda_version: Reference", organization as "organization: Reference",
                      void_reason, withdrawn_by is not null as "withdrawn!", withdrawn_reason, version, created_at,
                      updated_at
                 from agenda.proposals "# + $which,
            $($argument),*
        )
    };
}

impl From<Row> for Proposal {
    fn from(row: Row) -> Self {
        Self {
            reference: row.reference,
            space: row.space,
            version: row.agenda_version,
            organization: row.organization,
            void_reason: row.void_reason,
            withdrawn: row.withdrawn.then_some(row.withdrawn_reason),
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        }
    }
}

/// Adds a proposal without revisions; one that is there already stays as it is.
pub async fn insert(
    connection: &mut PgConnection,
    event: &Event,
    (version, organization): (&Reference, &Reference),
    void_reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into agenda.proposals
             (reference, space, agenda_version, organization, void_reason, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, 1, $6, $6) on conflict (reference) do nothing",
        event.resource.to_string(),
        event.space.to_string(),
        version.to_string(),
        organization.to_string(),
        void_reason,
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts one more event of a proposal.
pub async fn touch(
    connection: &mut PgConnection,
    reference: &Reference,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update agenda.proposals set version = version + 1, updated_at = $2 where reference = $1",
        reference.to_string(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds the next revision of a proposal that is here.
pub async fn add_revision(connection: &mut PgConnection, event: &Event, content: &Content) -> Result<(), sqlx::Error> {
    let (unit, quorum) = match content.rule.quorum {
        Quorum::Percent(share) => (PERCENT, share),
        Quorum::Count(count) => (COUNT, count),
    };
    sqlx::query!(
        "insert into agenda.revisions
             (proposal, number, told_by, title, rationale, amendment, tree, method, threshold, quorum_unit, quorum,
              closes_at)
         select p.reference, (select count(*) + 1 from agenda.revisions where proposal = $1), $2, $3, $4, $5, $6, $7,
                $8, $9, $10, $11
           from agenda.proposals p where p.reference = $1",
        event.resource.to_string(),
        event.id,
        content.title,
        content.rationale,
        content.amendment,
        content.tree.as_ref().map(Json) as _,
        content.rule.method.number(),
        small(content.rule.threshold_percent),
        unit,
        small(quorum),
        content.closes_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a proposal back, by an event whose place says whether it came in time; only the first such event does.
pub async fn withdraw(connection: &mut PgConnection, event: &Event, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update agenda.proposals
            set withdrawn_reason = case when withdrawn_by is null then $3 else withdrawn_reason end,
                withdrawn_by = coalesce(withdrawn_by, $2), version = version + 1, updated_at = $4
          where reference = $1",
        event.resource.to_string(),
        event.id,
        reason,
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One proposal.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Proposal>, sqlx::Error> {
    let row = select_proposals!("where reference = $1", reference.to_string()).fetch_optional(connection).await?;
    Ok(row.map(Proposal::from))
}

/// One proposal on which nobody else on this node says anything until the end of the transaction.
pub async fn load_locked(
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<Proposal>, sqlx::Error> {
    let row =
        select_proposals!("where reference = $1 for update", reference.to_string()).fetch_optional(connection).await?;
    Ok(row.map(Proposal::from))
}

/// Which proposals a list is to hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those against this version.
    pub version: Option<Reference>,
    /// Only those of this organization.
    pub organization: Option<Reference>,
}

/// Proposals of a space sorted by reference, which is by home and then by time.
pub async fn list(
    connection: &mut PgConnection,
    space: &Space,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Proposal>, sqlx::Error> {
    let rows = select_proposals!(
        "where space = $1 and ($2::text is null or agenda_version = $2) and ($3::text is null or organization = $3)
           and ($4::text is null or reference > $4)
         order by reference limit $5",
        space.to_string(),
        filter.version.as_ref().map(ToString::to_string),
        filter.organization.as_ref().map(ToString::to_string),
        after,
        limit,
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(Proposal::from).collect())
}

struct RevisionRow {
    number: i32,
    told_by: Uuid,
    title: String,
    rationale: String,
    amendment: String,
    tree: Option<Json<Tree>>,
    method: i32,
    threshold: i32,
    quorum_unit: i32,
    quorum: i32,
    closes_at: OffsetDateTime,
    accepted_position: Option<i64>,
    accepted_at: Option<OffsetDateTime>,
}

impl TryFrom<RevisionRow> for Revision {
    type Error = sqlx::Error;

    fn try_from(row: RevisionRow) -> Result<Self, sqlx::Error> {
        let quorum = row.quorum.try_into().map_err(unreadable)?;
        let rule = Rule {
            method: row.method.try_into().map_err(unreadable)?,
            threshold_percent: row.threshold.try_into().map_err(unreadable)?,
            quorum: if row.quorum_unit == PERCENT { Quorum::Percent(quorum) } else { Quorum::Count(quorum) },
        };
        let content = Content {
            title: row.title,
            rationale: row.rationale,
            amendment: row.amendment,
            tree: row.tree.map(|tree| tree.0),
            rule,
            closes_at: row.closes_at,
        };
        let spot = spot(row.told_by, row.accepted_position, row.accepted_at);
        Ok(Self { number: row.number.try_into().map_err(unreadable)?, content, spot })
    }
}

/// The revisions of a proposal by number, with their places in the order.
pub async fn revisions(connection: &mut PgConnection, proposal: &Reference) -> Result<Vec<Revision>, sqlx::Error> {
    let rows = sqlx::query_as!(
        RevisionRow,
        r#"select r.number, r.told_by, r.title, r.rationale, r.amendment, r.tree as "tree: Json<Tree>", r.method,
                  r.threshold, r.quorum_unit, r.quorum, r.closes_at, l.accepted_position as "accepted_position?",
                  l.accepted_at as "accepted_at?"
             from agenda.revisions r
             left join agenda.log l on l.event_id = r.told_by
            where r.proposal = $1 order by r.number"#,
        proposal.to_string(),
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}
