//! What every call does with bad input: a precise status, and nothing half-written.

use chassis::names::Reference;
use chassis::testing::{some_node, speaking_for};
use proto::common::Role;
use proto::membership::*;
use tonic::{Code, Response, Status};

use crate::scene::{
    Client, Scene, Situation, asking, attendance, desks, district, fields, identifier, new_id, open_term, reason,
    reference, talks,
};

/// Where a call is made, and what it must not have changed.
struct Trial {
    scene: Scene,
    situation: Situation,
}

/// Makes a call as the operator and gives its refusal, once it is seen that nothing was written.
macro_rules! refusal {
    ($trial:expr, $method:ident($request:expr)) => {{
        let before = $trial.scene.stage.everything().await;
        let status = $trial.scene.here().$method($request).await.map(drop).unwrap_err();
        assert_eq!($trial.scene.stage.everything().await, before, "{} left something behind", stringify!($method));
        status
    }};
}

/// The fields that a call calls wrong.
macro_rules! wrong {
    ($trial:expr, $method:ident($request:expr)) => {{
        let status = refusal!($trial, $method($request));
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        fields(&status)
    }};
}

/// Which code a call is refused with, and for which reason.
macro_rules! no {
    ($trial:expr, $method:ident($request:expr)) => {{
        let status = refusal!($trial, $method($request));
        (status.code(), reason(&status))
    }};
}

mod admission;
mod circle;
mod initiative;
mod join_request;
mod membership;
mod organization;
mod posting;
mod reads;
mod repetition;
mod working_group;

impl Trial {
    async fn begins() -> Self {
        let scene = Scene::set().await;
        let situation = Situation::of(&scene).await;
        Self { scene, situation }
    }

    fn initiative(&self) -> String {
        self.situation.initiative.reference.clone()
    }

    fn unknown(&self) -> String {
        Reference::born_on(&self.scene.stage.node).to_string()
    }
}

fn refused(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

fn unknown() -> (Code, String) {
    (Code::NotFound, "NOT_FOUND".to_owned())
}

fn stale() -> (Code, String) {
    (Code::Aborted, "STALE_ETAG".to_owned())
}

fn mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() })
}

fn timestamp(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}
