//! Trees on the wire.

use chassis::errors::Violations;
use chassis::names::Reference;
use chassis::parse;
use chassis::revision::Mask;
use prost::Message;
use proto::agenda as message;

use super::read_references;
use crate::domain::agenda::Change;
use crate::domain::{Strategy, Tree, TreeResult};

/// What of a tree may change.
pub const MAY_CHANGE: &[&str] = &["display_name", "problem", "vision", "population", "results"];

const MOST_RESULTS: usize = 100;
const MOST_MEASURES: usize = 50;
const MOST_STRATEGIES_OF_A_RESULT: usize = 100;
const MOST_STRATEGIES: usize = 500;
const MOST_PROSE: usize = 4000;
const MOST_TITLE: usize = 500;
/// An event must stay under 96 KiB with its envelope, and the whole tree stands in one.
const MOST_BYTES: usize = 88 * 1024;
/// A reference as text: a node id, a slash and a UUID. Those that are left empty are given one later.
const REFERENCE_BYTES: usize = 32 + 1 + 36 + 2;

/// Reads a whole tree; its fields are named `tree...`.
pub fn read(violations: &mut Violations, message: Option<&message::AgendaTree>) -> Option<Tree> {
    let message = parse::message(violations, "tree", message)?;
    let fits = bounded(violations, message);
    let display_name = display_name(violations, message);
    let problem = parse::prose(violations, "tree.problem", &message.problem, MOST_PROSE);
    let vision = parse::prose(violations, "tree.vision", &message.vision, MOST_PROSE);
    let population = parse::prose(violations, "tree.population", &message.population, MOST_PROSE);
    let results = if fits { results(violations, &message.results) } else { None };
    Some(Tree {
        display_name: display_name?,
        problem: problem?,
        vision: vision?,
        population: population?,
        results: results?,
    })
}

/// Reads the fields that the mask names; others are not looked at.
pub fn read_change(
    violations: &mut Violations,
    message: Option<&message::AgendaTree>,
    mask: Option<&Mask>,
) -> Option<Change> {
    let message = parse::message(violations, "tree", message)?;
    let fits = bounded(violations, message);
    let mask = mask?;
    let mut change = Change::default();
    if mask.has("display_name") {
        change.display_name = Some(display_name(violations, message)?);
    }
    if mask.has("problem") {
        change.problem = Some(parse::prose(violations, "tree.problem", &message.problem, MOST_PROSE)?);
    }
    if mask.has("vision") {
        change.vision = Some(parse::prose(violations, "tree.vision", &message.vision, MOST_PROSE)?);
    }
    if mask.has("population") {
        change.population = Some(parse::prose(violations, "tree.population", &message.population, MOST_PROSE)?);
    }
    if mask.has("results") && fits {
        change.results = Some(results(violations, &message.results)?);
    }
    Some(change)
}

fn bounded(violations: &mut Violations, message: &message::AgendaTree) -> bool {
    let unnamed = message.results.iter().map(|result| {
        let strategies = result.strategies.iter().filter(|strategy| strategy.reference.is_empty()).count();
        strategies + usize::from(result.reference.is_empty())
    });
    let bytes = message.encoded_len() + unnamed.sum::<usize>() * REFERENCE_BYTES;
    if bytes > MOST_BYTES {
        violations.add("tree", format!("has {bytes} bytes with its references, at most {MOST_BYTES} are allowed"));
    }
    bytes <= MOST_BYTES
}

fn display_name(violations: &mut Violations, message: &message::AgendaTree) -> Option<String> {
    parse::text(violations, "tree.display_name", &message.display_name, 200)
}

fn results(violations: &mut Violations, messages: &[message::AgendaResult]) -> Option<Vec<TreeResult>> {
    let strategies: usize = messages.iter().map(|result| result.strategies.len()).sum();
    if messages.len() > MOST_RESULTS || strategies > MOST_STRATEGIES {
        let words = format!(
            "are {} with {strategies} strategies, at most {MOST_RESULTS} with {MOST_STRATEGIES} are allowed",
            messages.len()
        );
        violations.add("tree.results", words);
        return None;
    }
    let read: Vec<Option<TreeResult>> =
        messages.iter().enumerate().map(|(nth, message)| result(violations, nth, message)).collect();
    read.into_iter().collect()
}

fn result(violations: &mut Violations, nth: usize, message: &message::AgendaResult) -> Option<TreeResult> {
    let field = |name: &str| format!("tree.results[{nth}].{name}");
    let reference = named(violations, &field("reference"), &message.reference);
    let title = parse::text(violations, &field("title"), &message.title, MOST_TITLE);
    let description = parse::prose(violations, &field("description"), &message.description, MOST_PROSE);
    let measures = read_references(violations, &field("measures"), &message.measures, MOST_MEASURES);
    if message.strategies.len() > MOST_STRATEGIES_OF_A_RESULT {
        let words = format!("are {}, at most {MOST_STRATEGIES_OF_A_RESULT} are allowed", message.strategies.len());
        violations.add(field("strategies"), words);
        return None;
    }
    let strategies: Vec<Option<Strategy>> = message
        .strategies
        .iter()
        .enumerate()
        .map(|(which, message)| strategy(violations, &field(&format!("strategies[{which}]")), message))
        .collect();
    Some(TreeResult {
        reference: reference?,
        title: title?,
        description: description?,
        measures: measures?,
        strategies: strategies.into_iter().collect::<Option<_>>()?,
    })
}

fn strategy(violations: &mut Violations, field: &str, message: &message::Strategy) -> Option<Strategy> {
    let reference = named(violations, &format!("{field}.reference"), &message.reference);
    let title = parse::text(violations, &format!("{field}.title"), &message.title, MOST_TITLE);
    let description = parse::prose(violations, &format!("{field}.description"), &message.description, MOST_PROSE);
    Some(Strategy { reference: reference?, title: title?, description: description? })
}

/// A reference that may be left out; `None` where it is malformed.
fn named(violations: &mut Violations, field: &str, text: &str) -> Option<Option<Reference>> {
    if text.is_empty() { Some(None) } else { parse::reference(violations, field, text).map(Some) }
}

/// A tree as the contract writes it.
pub fn write(tree: &Tree) -> message::AgendaTree {
    let Tree { display_name, problem, vision, population, results } = tree.clone();
    let results = results.into_iter().map(write_result).collect();
    message::AgendaTree { display_name, problem, vision, population, results }
}

fn write_result(result: TreeResult) -> message::AgendaResult {
    message::AgendaResult {
        reference: write_name(result.reference.as_ref()),
        title: result.title,
        description: result.description,
        measures: result.measures.iter().map(ToString::to_string).collect(),
        strategies: result.strategies.into_iter().map(write_strategy).collect(),
    }
}

fn write_strategy(strategy: Strategy) -> message::Strategy {
    let Strategy { reference, title, description } = strategy;
    message::Strategy { reference: write_name(reference.as_ref()), title, description }
}

fn write_name(reference: Option<&Reference>) -> String {
    reference.map(ToString::to_string).unwrap_or_default()
}
