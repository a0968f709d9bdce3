//! Who works on the strategy in which city, and where nobody does.

use proto::activities::{CoverageCell, GetCoverageRequest};

use super::{Check, everywhere};
use crate::demo::{Memory, activities};
use crate::error::NodeError;
use crate::fleet::Coalition;

pub(super) async fn matrix(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    let expected = "Bridgeport 1, Hartford 2, New Haven 1, Waterbury nobody";
    everywhere(coalition, "partners at work on ninth grade, by city", expected, async |node| {
        let request = GetCoverageRequest {
            initiative: memory.initiative.clone(),
            strategies: vec![memory.strategy.clone()],
            places: activities::places(),
            place_level: String::new(),
        };
        let cells = node.operator()?.activities().get_coverage(request).await?.into_inner().cells;
        Ok(cells.iter().map(words).collect::<Vec<_>>().join(", "))
    })
    .await
}

fn words(cell: &CoverageCell) -> String {
    let place = cell.place.as_ref().map_or("nowhere", |place| place.name.as_str());
    match cell.partners {
        0 => format!("{place} nobody"),
        partners => format!("{place} {partners}"),
    }
}
