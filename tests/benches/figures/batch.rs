//! Observations in batches.

use std::time::{Duration, Instant};

use chassis::clock;
use measurement::Measurement;
use proto::measurement::{Basis, SubmissionDefinition, SubmitObservationsRequest};
use sqlx::PgPool;
use uuid::Uuid;

use crate::figure::{Figure, Outcome, in_turns, median};
use crate::nodes::{Coalition, new_id};
use crate::observations::{self, BATCH};
use crate::raw;

const TURN: Duration = Duration::from_secs(2);

/// Observations a second by calls, beside rows a second.
pub async fn figure(alone: &Coalition, rounds: usize) -> Outcome<Figure> {
    let bare = raw::tables::<Measurement>(alone, 1).await?;
    let (series, mut number, mut bare_number) = (clock::new_id(), 0, 0);
    let limit = async || {
        alone.rest().await?;
        inserts(&bare, series, &mut bare_number).await
    };
    let (ours, limit) = in_turns(rounds, async || calls(alone, &mut number).await, limit).await?;
    bare.close().await;
    Ok(Figure { name: "batch_observations", ours: median(&ours), limit: median(&limit), unit: "observations/s" })
}

/// Only the calls are timed: what makes the observations is no part of either side.
async fn calls(alone: &Coalition, number: &mut i64) -> Outcome<f64> {
    let node = alone.node(0)?;
    let mut client = node.client.measurement();
    let (mut spent, mut count) = (Duration::ZERO, 0);
    while spent < TURN {
        *number += 1;
        let definition = SubmissionDefinition {
            measure: alone.measure.clone(),
            organization: node.organization.clone(),
            basis: Basis::Component.into(),
            source: "the figures' bench".to_owned(),
        };
        let request = SubmitObservationsRequest {
            definition: Some(definition),
            space: String::new(),
            observations: observations::messages(*number),
            revision_reason: String::new(),
            request_id: new_id(),
        };
        let begun = Instant::now();
        client.submit_observations(request).await?;
        spent += begun.elapsed();
        count += BATCH;
    }
    Ok(count as f64 / spent.as_secs_f64())
}

async fn inserts(bare: &PgPool, series: Uuid, number: &mut i64) -> Outcome<f64> {
    let mut connection = bare.acquire().await?;
    let (mut spent, mut count) = (Duration::ZERO, 0);
    while spent < TURN {
        *number += 1;
        let columns = observations::columns(*number);
        let begun = Instant::now();
        count += raw::batch(&mut connection, series, &columns).await?;
        spent += begun.elapsed();
    }
    Ok(count as f64 / spent.as_secs_f64())
}
