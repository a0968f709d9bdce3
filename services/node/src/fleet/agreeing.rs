//! How a coalition agrees on what it measures.

use proto::measurement::{GetMeasureRequest, ListMeasuresRequest, MeasureDefinition};

use super::{Coalition, Founded, until};
use crate::error::NodeError;
use crate::load;

impl Founded {
    /// Defines measures at the backbone, and waits until every node knows them; their references, in order.
    ///
    /// # Errors
    /// What the nodes say.
    pub async fn define(
        &self,
        coalition: &Coalition,
        definitions: &[MeasureDefinition],
    ) -> Result<Vec<String>, NodeError> {
        // The measuring service hears of the staff's role a moment after it was granted.
        until("the backbone's staff to be known", async || {
            let request = ListMeasuresRequest { initiative: self.initiative.clone(), ..ListMeasuresRequest::default() };
            Ok(self.staff.measurement().list_measures(request).await.ok())
        })
        .await?;
        let mut made = Vec::new();
        for definition in definitions {
            made.push(load::define(&self.staff, &self.initiative, definition.clone()).await?.reference);
        }
        for node in &coalition.nodes {
            let operator = node.operator()?;
            for measure in &made {
                until(format!("{} to know the measures", node.sketch.name), async || {
                    let request = GetMeasureRequest { measure: measure.clone() };
                    Ok(operator.measurement().get_measure(request).await.ok())
                })
                .await?;
            }
        }
        Ok(made)
    }
}
