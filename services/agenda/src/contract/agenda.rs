//! Agendas and their versions on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::revision::etag;
use proto::agenda as message;

use super::{read_references, tree, write_position};
use crate::domain::{Agenda, Draft, Version};

const MOST_PROPOSALS: usize = 50;

/// Reads the proposals that a version carries out.
pub fn read_proposals(violations: &mut Violations, texts: &[String]) -> Option<Vec<Reference>> {
    read_references(violations, "proposals", texts, MOST_PROPOSALS)
}

/// An agenda as the contract writes it, with its draft for those who may see it.
pub fn write(agenda: &Agenda, with_draft: bool) -> message::Agenda {
    let draft = agenda.draft.as_ref().filter(|_| with_draft);
    message::Agenda {
        reference: agenda.reference.to_string(),
        initiative: agenda.initiative.to_string(),
        current: agenda.current.as_ref().map(write_version),
        version_count: agenda.current.as_ref().map_or(0, |version| version.number),
        draft: draft.map(write_draft),
        create_time: agenda.stamp.map(|stamp| timestamp(stamp.created_at)),
        update_time: agenda.stamp.map(|stamp| timestamp(stamp.updated_at)),
        etag: agenda.stamp.map(|stamp| etag(stamp.version)).unwrap_or_default(),
    }
}

fn write_draft(draft: &Draft) -> message::AgendaDraft {
    message::AgendaDraft {
        tree: Some(tree::write(&draft.tree)),
        update_time: Some(timestamp(draft.stamp.updated_at)),
        etag: etag(draft.stamp.version),
    }
}

/// A version as the contract writes it.
pub fn write_version(version: &Version) -> message::AgendaVersion {
    let state = match version.superseded {
        true => message::AgendaVersionState::Superseded,
        false => message::AgendaVersionState::Current,
    };
    message::AgendaVersion {
        reference: version.reference.to_string(),
        agenda: version.agenda.to_string(),
        number: version.number,
        tree: Some(tree::write(&version.tree)),
        proposals: version.proposals.iter().map(ToString::to_string).collect(),
        state: state.into(),
        publish_time: Some(timestamp(version.published_at)),
        accepted_position: write_position(version.position),
    }
}
