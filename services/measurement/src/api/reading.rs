//! Calls that read submissions, series and roll-ups.

use chassis::desk::{Desk, Look};
use chassis::errors::{self, Violations};
use chassis::names::{Space, Within};
use chassis::paging::Page;
use chassis::{parse, spaces};
use futures_util::TryStreamExt;
use proto::measurement::*;
use tonic::{Request, Response, Status};

use super::Answer;
use super::measure::known;
use super::submission::found;
use crate::Measurement;
use crate::contract::observation::{write, write_amount};
use crate::contract::reading::{Group, read_periods, write_total};
use crate::contract::{measure, submission as words};
use crate::domain::rollup::{self, Rollup};
use crate::domain::{self, Definition, Period};
use crate::store::reading::{After, Current, Question, current};
use crate::store::{measure as measures, observation as cells, submission as rows};

pub(super) async fn get_submission(
    desk: &Desk<Measurement>,
    request: Request<GetSubmissionRequest>,
) -> Answer<GetSubmissionResponse> {
    let (mut look, request) = desk.look(request).await?;
    let submission = readable(&mut look, &request.submission).await?;
    Ok(Response::new(GetSubmissionResponse { submission: Some(words::write(&submission)) }))
}

pub(super) async fn list_submissions(
    desk: &Desk<Measurement>,
    request: Request<ListSubmissionsRequest>,
) -> Answer<ListSubmissionsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let within = words::read_space(&mut violations, &request.space);
    let filter = rows::Filter {
        measure: parse::optional_reference(&mut violations, "measure", &request.measure),
        organization: parse::optional_reference(&mut violations, "organization", &request.organization),
        state: match request.state {
            0 => None,
            state => parse::choice(&mut violations, "state", state),
        },
    };
    let list = ListSubmissionsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (space, page) = violations.finish(|| Some((Space::Of(initiative?, within?), page?)))?;

    spaces::may_read(&mut look, &space).await?;
    let (after, limit) = (page.after.as_deref(), page.limit());
    let submissions = rows::list(look.connection(), &space, &filter, after, limit).await;
    let mut submissions = submissions.map_err(errors::database)?;
    let next_page_token = page.cut(&mut submissions, |submission| submission.reference.to_string());
    let submissions = submissions.iter().map(words::write).collect();
    Ok(Response::new(ListSubmissionsResponse { submissions, next_page_token }))
}

pub(super) async fn list_observations(
    desk: &Desk<Measurement>,
    request: Request<ListObservationsRequest>,
) -> Answer<ListObservationsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let list = ListObservationsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let page = violations.finish(|| page)?;

    let submission = readable(&mut look, &request.submission).await?;
    // The key of an observation is how many come before it: a sealed submission never changes.
    let before: i64 = page.after.as_deref().and_then(|key| key.parse().ok()).unwrap_or(0);
    let observations = cells::list(look.connection(), &submission, before, page.limit()).await;
    let observations = observations.map_err(errors::database)?;
    let mut numbered: Vec<_> = (before + 1..).zip(observations).collect();
    let next_page_token = page.cut(&mut numbered, |(number, _)| number.to_string());
    let observations = numbered.iter().map(|(_, observation)| write(observation)).collect();
    Ok(Response::new(ListObservationsResponse { observations, next_page_token }))
}

pub(super) async fn get_series(
    desk: &Desk<Measurement>,
    request: Request<GetSeriesRequest>,
) -> Answer<GetSeriesResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let asked = Asked {
        measure: &request.measure,
        basis: request.basis,
        space: &request.space,
        periods: &request.periods,
        dimensions: &request.dimensions,
        by: &request.by,
    };
    let question = asked.read(&mut violations);
    let organization = parse::optional_reference(&mut violations, "organization", &request.organization);
    let list = GetSeriesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (pending, page) = violations.finish(|| Some((question?, page?)))?;

    let (measure, mut question) = pending.of_measure(&mut look).await?;
    question.organization = organization;
    let Geography { level, code, .. } = request.geography.unwrap_or_default();
    (question.level, question.code) = (level, code);
    let after = page.after.as_deref().and_then(After::read);
    let values = current(look.connection(), &question, after, Some(page.limit()));
    let mut values: Vec<Current> = values.try_collect().await.map_err(errors::database)?;
    let next_page_token = page.cut(&mut values, Current::place);
    let points = values.into_iter().map(|value| point(&measure.definition, value)).collect::<Result<_, Status>>()?;
    Ok(Response::new(GetSeriesResponse { points, next_page_token }))
}

pub(super) async fn get_rollup(
    desk: &Desk<Measurement>,
    request: Request<GetRollupRequest>,
) -> Answer<GetRollupResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let asked = Asked {
        measure: &request.measure,
        basis: request.basis,
        space: &request.space,
        periods: &request.periods,
        dimensions: &request.dimensions,
        by: &request.by,
    };
    let question = asked.read(&mut violations);
    let pending = violations.finish(|| question)?;

    let (measure, mut question) = pending.of_measure(&mut look).await?;
    question.level = request.geography_level;
    let mut rollup = Rollup::by(&measure.definition)?;
    let mut values = current(look.connection(), &question, None, None);
    while let Some(value) = values.try_next().await.map_err(errors::database)? {
        rollup.add(value.contribution)?;
    }
    let groups = rollup.totals()?.into_iter().map(write_total).collect();
    Ok(Response::new(GetRollupResponse { measure: Some(measure::write(&measure)), groups }))
}

/// What both readings are asked.
struct Asked<'a> {
    measure: &'a str,
    basis: i32,
    space: &'a str,
    periods: &'a [String],
    dimensions: &'a std::collections::BTreeMap<String, String>,
    by: &'a [String],
}

/// A question about a measure that nobody has looked at yet.
struct Pending {
    measure: chassis::names::Reference,
    basis: domain::Basis,
    within: Within,
    periods: Vec<Period>,
    group: Group,
}

impl Asked<'_> {
    fn read(&self, violations: &mut Violations) -> Option<Pending> {
        let measure = parse::reference(violations, "measure", self.measure);
        let basis = parse::choice(violations, "basis", self.basis);
        let within = words::read_space(violations, self.space);
        let periods = read_periods(violations, self.periods);
        let group = Group::read(violations, self.dimensions, self.by);
        Some(Pending { measure: measure?, basis: basis?, within: within?, periods: periods?, group: group? })
    }
}

impl Pending {
    /// The measure, and the question about it, once the caller is found to be allowed to ask and the measure to have
    /// such dimensions and codes.
    async fn of_measure(self, look: &mut Look) -> Result<(domain::Measure, Question), Status> {
        let measure = known(measures::load(look.connection(), &self.measure).await, &self.measure)?;
        let space = Space::Of(measure.initiative.clone(), self.within);
        spaces::may_read(look, &space).await?;
        let mut violations = Violations::default();
        self.group.check(&mut violations, &measure.definition);
        let question = violations.finish(|| {
            Some(Question {
                measure: self.measure,
                space,
                basis: self.basis,
                breakdown: self.group.names(),
                pairs: self.group.pairs(),
                periods: self.periods,
                organization: None,
                level: String::new(),
                code: String::new(),
            })
        })?;
        Ok((measure, question))
    }
}

/// A submission that the caller may read.
async fn readable(look: &mut Look, reference: &str) -> Result<domain::Submission, Status> {
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "submission", reference);
    let reference = violations.finish(|| reference)?;
    let submission = found(rows::load(look.connection(), &reference).await, &reference)?;
    spaces::may_read(look, &submission.space).await?;
    Ok(submission)
}

fn point(definition: &Definition, current: Current) -> Result<Point, Status> {
    let rollup::Contribution { geography, numerator, denominator, rate_withheld, .. } = &current.contribution;
    let rate = rollup::rate_of(definition, *numerator, *denominator, *rate_withheld)?;
    let geography = geography.clone();
    let observation = domain::Observation {
        geography,
        period: current.contribution.period,
        breakdown: domain::Breakdown::read(&current.contribution.breakdown),
        value: current.contribution.value,
        numerator: *numerator,
        denominator: *denominator,
        rate_withheld: *rate_withheld,
    };
    Ok(Point {
        organization: current.contribution.organization,
        observation: Some(write(&observation)),
        rate: write_amount(rate),
        submission: current.submission,
        revision_reason: current.revision_reason,
    })
}
