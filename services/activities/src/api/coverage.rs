//! The call for the coverage matrix.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::Space;
use chassis::parse;
use proto::activities::*;
use tonic::{Request, Response, Status};

use crate::Activities;
use crate::contract::coverage as words;
use crate::domain::coverage::Coverage;
use crate::store::coverage;

pub(super) async fn get_coverage(
    desk: &Desk<Activities>,
    request: Request<GetCoverageRequest>,
) -> Result<Response<GetCoverageResponse>, Status> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let question = words::read_question(&mut violations, &request);
    let initiative = violations.finish(|| initiative)?;

    look.authorise(Some(&initiative), None).await?;
    let mut matrix = Coverage::of(question);
    let space = Space::members(&initiative);
    coverage::count(look.connection(), &space, &mut matrix).await.map_err(errors::database)?;
    let cells = matrix.cells()?.iter().map(words::write).collect();
    Ok(Response::new(GetCoverageResponse { cells }))
}
