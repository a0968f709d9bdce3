//! The one small command that is measured: a submission is opened, which is one event of 1 KiB and four rows.

use proto::measurement::{Basis, OpenSubmissionRequest, SubmissionDefinition, SubmissionOpened};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::figure::Outcome;
use crate::nodes::{Node, new_id};

/// What an event of the figures weighs.
const EVENT_BYTES: usize = 1024;

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
    Ok(Rows::last(&mut node.tables("measurement").await?).await?.event.len())
}

/// The call.
pub fn open(definition: &SubmissionDefinition) -> OpenSubmissionRequest {
    OpenSubmissionRequest { definition: Some(definition.clone()), space: String::new(), request_id: new_id() }
}

/// The event.
pub fn event(definition: &SubmissionDefinition) -> SubmissionOpened {
    SubmissionOpened { definition: Some(definition.clone()) }
}

/// The rows that one call leaves behind, but for their keys.
#[derive(Clone, FromRow)]
pub struct Rows {
    /// Of the log: who told it.
    pub teller: String,
    /// Of the log: the event's type.
    pub event_type: String,
    /// Of the log: the event.
    pub event: Vec<u8>,
    /// Of the log and of the submission.
    pub space: String,
    /// Of the submission.
    pub series: Uuid,
    /// Of the submission.
    pub measure: String,
    /// Of the submission.
    pub organization: String,
    /// Of the submission.
    pub source: String,
    /// Of the submission.
    pub observations_digest: Vec<u8>,
    /// Of the request.
    pub caller: String,
    /// Of the request.
    pub method: String,
    /// Of the request.
    pub request_digest: Vec<u8>,
    /// Of the request.
    pub reply: Vec<u8>,
}

impl Rows {
    /// Those of the last call.
    pub async fn last(room: &mut PgConnection) -> Outcome<Self> {
        let rows = sqlx::query_as(
            "select l.source as teller, l.type as event_type, l.bytes as event, l.space,
                    s.series, s.measure, s.organization, s.source, s.digest as observations_digest,
                    r.caller, r.method, r.digest as request_digest, r.reply
               from (select * from log where type like '%.SubmissionOpened' order by position desc limit 1) l
               join submissions s on s.reference = l.resource
              cross join (select * from requests where method like '%/OpenSubmission' order by at desc limit 1) r",
        );
        Ok(rows.fetch_one(room).await?)
    }
}
