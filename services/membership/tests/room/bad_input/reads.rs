//! Bad input to calls that only read.

use super::*;

#[tokio::test]
async fn reads_refuse_precisely() {
    let trial = Trial::begins().await;
    let (text, node) = ("7".to_owned(), some_node().to_string());
    assert_eq!(wrong!(trial, get_initiative(GetInitiativeRequest { initiative: text.clone() })), ["initiative"]);
    assert_eq!(
        wrong!(trial, get_organization(GetOrganizationRequest { organization: text.clone() })),
        ["organization"]
    );
    assert_eq!(wrong!(trial, get_join_request(GetJoinRequestRequest { join_request: text.clone() })), ["join_request"]);
    assert_eq!(wrong!(trial, get_membership(GetMembershipRequest { membership: String::new() })), ["membership"]);
    assert_eq!(wrong!(trial, get_posting(GetPostingRequest { posting: text.clone() })), ["posting"]);
    let request = GetWorkingGroupRequest { working_group: text.clone() };
    assert_eq!(wrong!(trial, get_working_group(request)), ["working_group"]);
    let request = GetCircleRequest { initiative: text.clone(), circle: text.clone() };
    assert_eq!(wrong!(trial, get_circle(request)), ["circle", "initiative"]);
    let request = GetNodeRequest { initiative: text.clone(), node: text.clone() };
    assert_eq!(wrong!(trial, get_node(request)), ["initiative", "node"]);
    assert_eq!(no!(trial, get_initiative(GetInitiativeRequest { initiative: trial.unknown() })), unknown());
    assert_eq!(no!(trial, get_organization(GetOrganizationRequest { organization: trial.unknown() })), unknown());
    assert_eq!(no!(trial, get_join_request(GetJoinRequestRequest { join_request: trial.unknown() })), unknown());
    assert_eq!(no!(trial, get_membership(GetMembershipRequest { membership: trial.unknown() })), unknown());
    assert_eq!(no!(trial, get_posting(GetPostingRequest { posting: trial.unknown() })), unknown());
    let request = GetWorkingGroupRequest { working_group: trial.unknown() };
    assert_eq!(no!(trial, get_working_group(request)), unknown());
    let request = GetCircleRequest { initiative: trial.initiative(), circle: trial.unknown() };
    assert_eq!(no!(trial, get_circle(request)), unknown());
    let another = trial.scene.initiative().await.reference;
    let request = GetCircleRequest { initiative: another, circle: trial.situation.circle.reference.clone() };
    assert_eq!(no!(trial, get_circle(request)), unknown());
    assert_eq!(no!(trial, get_node(GetNodeRequest { initiative: trial.initiative(), node })), unknown());
}

#[tokio::test]
async fn lists_refuse_precisely() {
    let trial = Trial::begins().await;
    let (initiative, page_token) = (trial.unknown(), "no token".to_owned());
    macro_rules! each {
        ($method:ident, $request:ident { $($filter:ident: $bad:expr => $field:literal),* }) => {
            let mut bad = $request { initiative: "7".to_owned(), page_token: page_token.clone(), ..$request::default() };
            $(bad.$filter = $bad;)*
            let mut all = vec!["initiative", "page_token", $($field),*];
            all.sort_unstable();
            assert_eq!(wrong!(trial, $method(bad)), all);
            let page_size = -1;
            let bad = $request { initiative: trial.initiative(), page_size, ..$request::default() };
            assert_eq!(wrong!(trial, $method(bad)), ["page_size"]);
            let nowhere = $request { initiative: initiative.clone(), ..$request::default() };
            assert_eq!(no!(trial, $method(nowhere)), unknown());
        };
    }
    let bad = || Some(identifier("US EIN", "7"));
    each!(list_organizations, ListOrganizationsRequest {
        sector: 99 => "sector",
        node: "7".to_owned() => "node",
        identifier: bad() => "identifier.scheme"
    });
    each!(list_join_requests, ListJoinRequestsRequest { state: 99 => "state" });
    each!(list_members, ListMembersRequest { state: 99 => "state", sector: -1 => "sector", role: 99 => "role" });
    each!(list_nodes, ListNodesRequest { state: 99 => "state" });
    let organization = || "7".to_owned();
    each!(list_working_groups, ListWorkingGroupsRequest {
        state: 99 => "state",
        organization: organization() => "organization"
    });
    each!(list_circles, ListCirclesRequest { state: 99 => "state" });
    each!(list_postings, ListPostingsRequest {
        direction: 99 => "direction",
        kind: 99 => "kind",
        state: -1 => "state",
        organization: organization() => "organization"
    });
    let initiatives = ListInitiativesRequest { page_size: 0, page_token };
    assert_eq!(wrong!(trial, list_initiatives(initiatives)), ["page_token"]);
}

#[tokio::test]
async fn a_token_of_one_list_does_not_open_another() {
    let trial = Trial::begins().await;
    let list = ListOrganizationsRequest { initiative: trial.initiative(), page_size: 1, ..Default::default() };
    let page = trial.scene.here().list_organizations(list.clone()).await.unwrap().into_inner();
    let other = ListOrganizationsRequest { page_token: page.next_page_token, sector: Sector::Business.into(), ..list };
    assert_eq!(wrong!(trial, list_organizations(other)), ["page_token"]);
}
