//! Awards and their disbursements on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::parse;
use chassis::revision::etag;
use proto::activities as message;
use proto::activities::DisbursementState;

use super::{date, means, write_date, write_initiative, write_optional};
use crate::domain::Award;
use crate::domain::award::{Definition, Disbursement};

/// Reads what is awarded.
pub fn read_definition(violations: &mut Violations, message: Option<&message::AwardDefinition>) -> Option<Definition> {
    let message = parse::message(violations, "definition", message)?;
    let organization = parse::reference(violations, "definition.organization", &message.organization);
    let recipient = parse::optional_reference(violations, "definition.recipient", &message.recipient);
    let recipient_name = parse::optional_text(violations, "definition.recipient_name", &message.recipient_name, 200);
    if message.recipient.is_empty() && message.recipient_name.trim().is_empty() {
        violations.add("definition.recipient", "is required, or at least recipient_name");
    }
    let means = means::read(violations, "definition.means", message.means.as_ref());
    let day = date(violations, "definition.award_date", &message.award_date);
    let purpose = parse::required(violations, "definition.purpose", &message.purpose)
        .and_then(|text| parse::prose(violations, "definition.purpose", text, 4000));
    let activity = parse::optional_reference(violations, "definition.activity", &message.activity);
    let need = parse::optional_reference(violations, "definition.need", &message.need);
    let external_id = parse::optional_text(violations, "definition.external_id", &message.external_id, 200);
    Some(Definition {
        organization: organization?,
        recipient,
        recipient_name: recipient_name?,
        means: means?,
        date: day?,
        purpose: purpose?,
        activity,
        need,
        external_id: external_id?,
    })
}

/// Reads a disbursement and its number, which is 0 for a new one.
pub fn read_disbursement(
    violations: &mut Violations,
    message: Option<&message::Disbursement>,
) -> Option<(u32, Disbursement)> {
    let message = parse::message(violations, "disbursement", message)?;
    let state = parse::choice::<DisbursementState>(violations, "disbursement.state", message.state);
    let amount = means::read_amount(violations, "disbursement.amount", &message.amount);
    let day = date(violations, "disbursement.date", &message.date);
    let note = parse::prose(violations, "disbursement.note", &message.note, 1000);
    let paid = state? == DisbursementState::Paid;
    Some((message.number, Disbursement { paid, amount: amount?, date: day?, note: note? }))
}

/// An award as the contract writes it.
pub fn write(award: &Award) -> message::Award {
    let parts = (1..).zip(&award.content.disbursements);
    message::Award {
        reference: award.reference.to_string(),
        initiative: write_initiative(&award.space),
        definition: Some(write_definition(&award.content.definition)),
        state: award.state.number(),
        state_reason: award.reason.clone(),
        disbursements: parts.map(|(number, part)| write_disbursement(number, part)).collect(),
        paid: award.content.paid().normalize().to_string(),
        create_time: Some(timestamp(award.stamp.created_at)),
        update_time: Some(timestamp(award.stamp.updated_at)),
        etag: etag(award.stamp.version),
    }
}

/// What is awarded, as the contract writes it.
pub fn write_definition(definition: &Definition) -> message::AwardDefinition {
    message::AwardDefinition {
        organization: definition.organization.to_string(),
        recipient: write_optional(definition.recipient.as_ref()),
        recipient_name: definition.recipient_name.clone(),
        means: Some(means::write(&definition.means)),
        award_date: write_date(definition.date),
        purpose: definition.purpose.clone(),
        activity: write_optional(definition.activity.as_ref()),
        need: write_optional(definition.need.as_ref()),
        external_id: definition.external_id.clone(),
    }
}

/// A disbursement as the contract writes it.
pub fn write_disbursement(number: u32, part: &Disbursement) -> message::Disbursement {
    let state = if part.paid { DisbursementState::Paid } else { DisbursementState::Planned };
    message::Disbursement {
        number,
        state: state.into(),
        amount: part.amount.to_string(),
        date: write_date(part.date),
        note: part.note.clone(),
    }
}
