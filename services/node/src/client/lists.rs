//! Lists of a node in whole, asked for page by page.

use proto::activities::*;
use proto::agenda::{Agenda, ListAgendasRequest};
use proto::measurement::{ListMeasuresRequest, Measure};
use proto::membership::*;
use tonic::Status;

use super::Client;
use crate::error::NodeError;

/// As many as a page may have.
const PAGE: i32 = 500;

impl Client {
    /// The initiatives that the caller may see.
    ///
    /// # Errors
    /// Where the node does not answer, or refuses.
    pub async fn initiatives(&self) -> Result<Vec<Initiative>, NodeError> {
        every(async |page_token| {
            let request = ListInitiativesRequest { page_size: PAGE, page_token };
            let page = self.membership().list_initiatives(request).await?.into_inner();
            Ok((page.initiatives, page.next_page_token))
        })
        .await
    }

    /// The organizations known in an initiative, members or not, as `wanted` narrows them down.
    ///
    /// # Errors
    /// Where the node does not answer, or refuses.
    pub async fn organizations(&self, wanted: ListOrganizationsRequest) -> Result<Vec<Organization>, NodeError> {
        every(async |page_token| {
            let request = ListOrganizationsRequest { page_size: PAGE, page_token, ..wanted.clone() };
            let page = self.membership().list_organizations(request).await?.into_inner();
            Ok((page.organizations, page.next_page_token))
        })
        .await
    }

    /// Memberships with their organizations, as `wanted` narrows them down.
    ///
    /// # Errors
    /// Where the node does not answer, or refuses.
    pub async fn members(&self, wanted: ListMembersRequest) -> Result<Vec<Member>, NodeError> {
        every(async |page_token| {
            let request = ListMembersRequest { page_size: PAGE, page_token, ..wanted.clone() };
            let page = self.membership().list_members(request).await?.into_inner();
            Ok((page.members, page.next_page_token))
        })
        .await
    }

    /// The requests for admission that stand and wait for an answer.
    ///
    /// # Errors
    /// Where the node does not answer, or refuses.
    pub async fn asking(&self, initiative: &str) -> Result<Vec<JoinRequest>, NodeError> {
        every(async |page_token| {
            let request = ListJoinRequestsRequest {
                initiative: initiative.to_owned(),
                state: JoinRequestState::Open.into(),
                unanswered: true,
                page_size: PAGE,
                page_token,
            };
            let page = self.membership().list_join_requests(request).await?.into_inner();
            Ok((page.join_requests, page.next_page_token))
        })
        .await
    }

    /// Offers and needs, as `wanted` narrows them down.
    ///
    /// # Errors
    /// Where the node does not answer, or refuses.
    pub async fn postings(&self, wanted: ListPostingsRequest) -> Result<Vec<Posting>, NodeError> {
        every(async |page_token| {
            let request = ListPostingsRequest { page_size: PAGE, page_token, ..wanted.clone() };
            let page = self.membership().list_postings(request).await?.into_inner();
            Ok((page.postings, page.next_page_token))
        })
        .await
    }

    /// Agendas, as `wanted` narrows them down.
    ///
    /// # Errors
    /// Where the node does not answer, or refuses.
    pub async fn agendas(&self, wanted: ListAgendasRequest) -> Result<Vec<Agenda>, NodeError> {
        every(async |page_token| {
            let request = ListAgendasRequest { page_size: PAGE, page_token, ..wanted.clone() };
            let page = self.agenda().list_agendas(request).await?.into_inner();
            Ok((page.agendas, page.next_page_token))
        })
        .await
    }

    /// Measures, as `wanted` narrows them down.
    ///
    /// # Errors
    /// Where the node does not answer, or refuses.
    pub async fn measures(&self, wanted: ListMeasuresRequest) -> Result<Vec<Measure>, NodeError> {
        every(async |page_token| {
            let request = ListMeasuresRequest { page_size: PAGE, page_token, ..wanted.clone() };
            let page = self.measurement().list_measures(request).await?.into_inner();
            Ok((page.measures, page.next_page_token))
        })
        .await
    }

    /// Activities, as `wanted` narrows them down.
    ///
    /// # Errors
    /// Where the node does not answer, or refuses.
    pub async fn every_activity(&self, wanted: ListActivitiesRequest) -> Result<Vec<Activity>, NodeError> {
        every(async |page_token| {
            let request = ListActivitiesRequest { page_size: PAGE, page_token, ..wanted.clone() };
            let page = self.activities().list_activities(request).await?.into_inner();
            Ok((page.activities, page.next_page_token))
        })
        .await
    }

    /// Needs, as `wanted` narrows them down.
    ///
    /// # Errors
    /// Where the node does not answer, or refuses.
    pub async fn needs(&self, wanted: ListNeedsRequest) -> Result<Vec<Need>, NodeError> {
        every(async |page_token| {
            let request = ListNeedsRequest { page_size: PAGE, page_token, ..wanted.clone() };
            let page = self.activities().list_needs(request).await?.into_inner();
            Ok((page.needs, page.next_page_token))
        })
        .await
    }

    /// Awards, as `wanted` narrows them down.
    ///
    /// # Errors
    /// Where the node does not answer, or refuses.
    pub async fn awards(&self, wanted: ListAwardsRequest) -> Result<Vec<Award>, NodeError> {
        every(async |page_token| {
            let request = ListAwardsRequest { page_size: PAGE, page_token, ..wanted.clone() };
            let page = self.activities().list_awards(request).await?.into_inner();
            Ok((page.awards, page.next_page_token))
        })
        .await
    }
}

/// Asks for page after page; each answer says where the next begins.
async fn every<T>(mut ask: impl AsyncFnMut(String) -> Result<(Vec<T>, String), Status>) -> Result<Vec<T>, NodeError> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let (items, next) = ask(page_token).await?;
        all.extend(items);
        if next.is_empty() {
            return Ok(all);
        }
        page_token = next;
    }
}
