//! Between the contract's messages and the domain's words, both ways; what is malformed is named field by field.

pub mod measure;
pub mod observation;
pub mod reading;
pub mod submission;
