//! One batch, one submission: in one call where it fits, else opened, recorded and sealed in several. What is not
//! sealed does not count.

use proto::measurement::*;
use serde::Serialize;

use super::id_of;
use super::sending::each;
use crate::client::Client;
use crate::error::NodeError;
use crate::import::Batch;

/// How many observations one call may bring.
const MOST: usize = 2000;
/// A batch with all that its submission needs.
#[derive(Clone, Copy, Debug)]
pub struct Submitting<'a> {
    /// What is submitted.
    pub batch: &'a Batch,
    /// Reference of the measure.
    pub measure: &'a str,
    /// Reference of the organization.
    pub organization: &'a str,
    /// Where the figures come from.
    pub source: &'a str,
    /// Why figures that were reported before change; empty where none do.
    pub revision_reason: &'a str,
}

/// What became of one submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It counts.
    Submitted {
        /// Its reference.
        submission: String,
    },
    /// The node said no: nothing of it counts.
    Failed {
        /// Why.
        reason: String,
    },
    /// Not tried, because another one failed before.
    NotSent,
}

/// One submission and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Code of the measure.
    pub measure: &'static str,
    /// Name of the place.
    pub place: String,
    /// The organization that reports.
    pub organization: String,
    /// How many observations.
    pub observations: usize,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Submits one batch and gives the submission's reference.
///
/// # Errors
/// Where the node refuses: nothing of the batch counts then.
pub async fn submit(client: &Client, what: &Submitting<'_>) -> Result<String, NodeError> {
    let request = what.batch.request(what.measure, what.organization, "", what.source);
    let request = SubmitObservationsRequest { revision_reason: what.revision_reason.to_owned(), ..request };
    if request.observations.len() > MOST {
        return in_parts(client, request).await;
    }
    let request = match what.revision_reason {
        "" => request,
        // Another payload under the same id would be refused.
        _ => SubmitObservationsRequest { request_id: id_of("submit", &request), ..request },
    };
    let made = client.measurement().submit_observations(request).await?.into_inner().submission;
    Ok(made.unwrap_or_default().reference)
}

async fn in_parts(client: &Client, whole: SubmitObservationsRequest) -> Result<String, NodeError> {
    let [open_id, seal_id] = ["open", "seal"].map(|what| id_of(what, &whole));
    let open = OpenSubmissionRequest { definition: whole.definition, space: whole.space, request_id: open_id };
    let opened = client.measurement().open_submission(open).await?.into_inner().submission;
    let submission = opened.unwrap_or_default().reference;
    let mut recorded = Submission::default();
    for part in whole.observations.chunks(MOST) {
        let request = RecordObservationsRequest {
            submission: submission.clone(),
            observations: part.to_vec(),
            request_id: String::new(),
        };
        let request = RecordObservationsRequest { request_id: id_of("record", &request), ..request };
        let answer = client.measurement().record_observations(request).await?.into_inner();
        recorded = answer.submission.unwrap_or_default();
    }
    let seal = SealSubmissionRequest {
        submission: submission.clone(),
        count: whole.observations.len() as u64,
        digest: recorded.digest,
        revision_reason: whole.revision_reason,
        request_id: seal_id,
    };
    client.measurement().seal_submission(seal).await?;
    Ok(submission)
}

/// Submits many, several at a time. After the first that fails no other is begun; `done` is told of each that ended.
pub async fn submit_all(client: &Client, all: &[Submitting<'_>], done: impl Fn()) -> Vec<Line> {
    let answers = each(all, async |what| submit(client, what).await, done).await;
    let line = |(what, answer): (&Submitting<'_>, _)| Line {
        measure: what.batch.measure,
        place: what.batch.place.name.clone(),
        organization: what.organization.to_owned(),
        observations: what.batch.observations.len(),
        outcome: match answer {
            None => Outcome::NotSent,
            Some(Ok(submission)) => Outcome::Submitted { submission },
            Some(Err(error)) => Outcome::Failed { reason: NodeError::to_string(&error) },
        },
    };
    all.iter().zip(answers).map(line).collect()
}
