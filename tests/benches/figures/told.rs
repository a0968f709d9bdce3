//! A small command that is measured: a submission is opened, which is one event of 1 KiB and four rows.

use measurement::Measurement;
use node::client::Client;
use proto::measurement::{Basis, OpenSubmissionRequest, SubmissionDefinition, SubmissionOpened};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::figure::Outcome;
use crate::nodes::{Node, new_id};
use crate::raw::{self, Told};
use crate::writes::Command;

/// What an event of the figures weighs.
pub const EVENT_BYTES: usize = 1024;

/// What a submission of an organization says of itself, padded until its event has 1 KiB.
pub async fn definition(node: &Node, measure: &str) -> Outcome<SubmissionDefinition> {
    let mut definition = SubmissionDefinition {
        measure: measure.to_owned(),
        organization: node.organization.clone(),
        basis: Basis::Component.into(),
        source: String::new(),
    };
    // The first try shows what the envelope weighs.
    for _ in 0..2 {
        let missing = EVENT_BYTES.saturating_sub(size(node, &definition).await?);
        definition.source.push_str(&"x".repeat(missing));
    }
    Ok(definition)
}

async fn size(node: &Node, definition: &SubmissionDefinition) -> Outcome<usize> {
    let definition = SubmissionDefinition { source: format!("x{}", definition.source), ..definition.clone() };
    node.client.measurement().open_submission(open(&definition)).await?;
    Ok(Rows::last(&mut node.tables("measurement").await?).await?.told.event.len())
}

/// The call.
pub fn open(definition: &SubmissionDefinition) -> OpenSubmissionRequest {
    OpenSubmissionRequest { definition: Some(definition.clone()), space: String::new(), request_id: new_id() }
}

/// The event.
pub fn event(definition: &SubmissionDefinition) -> SubmissionOpened {
    SubmissionOpened { definition: Some(definition.clone()) }
}

/// A submission that is opened again and again.
#[derive(Clone)]
pub struct Opening {
    definition: SubmissionDefinition,
    rows: Rows,
}

impl Opening {
    /// At a node, for a measure.
    pub async fn at(node: &Node, measure: &str) -> Outcome<Self> {
        let definition = definition(node, measure).await?;
        Ok(Self { definition, rows: Rows::last(&mut node.tables("measurement").await?).await? })
    }
}

impl Command for Opening {
    type Room = Measurement;

    async fn call(&self, client: &Client) -> Outcome<()> {
        client.measurement().open_submission(open(&self.definition)).await?;
        Ok(())
    }

    async fn write(&self, bare: &mut PgConnection) -> Outcome<()> {
        let rows = &self.rows;
        raw::command(OPENING, &rows.told)?
            .bind(rows.series)
            .bind(&rows.measure)
            .bind(&rows.organization)
            .bind(&rows.source)
            .bind(&rows.observations_digest)
            .execute(bare)
            .await?;
        Ok(())
    }
}

/// The row of the submission, and those that every command leaves behind.
const OPENING: &str = raw::statement!(
    "insert into submissions (reference, key, series, space, measure, organization, basis, source, state, digest,
                              version, created_at, updated_at)
     values ($1, $2, $12, $3, $13, $14, 1, $15, 1, $16, 1, clock_timestamp(), clock_timestamp())"
);

/// The rows that one call leaves behind, but for their keys.
#[derive(Clone, FromRow)]
pub struct Rows {
    /// Those that every command leaves behind.
    #[sqlx(flatten)]
    pub told: Told,
    series: Uuid,
    measure: String,
    organization: String,
    source: String,
    observations_digest: Vec<u8>,
}

impl Rows {
    /// Those of the last call.
    pub async fn last(room: &mut PgConnection) -> Outcome<Self> {
        let rows = sqlx::query_as(raw::last!(
            "SubmissionOpened",
            "OpenSubmission",
            "s.series, s.measure, s.organization, s.source, s.digest as observations_digest",
            "submissions s on s.reference = l.resource"
        ));
        Ok(rows.fetch_one(room).await?)
    }
}
