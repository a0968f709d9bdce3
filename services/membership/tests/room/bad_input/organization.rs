//! Bad input to calls about organizations.

use super::*;

#[tokio::test]
async fn register_organization_refuses_precisely() {
    let trial = Trial::begins().await;
    let request = |initiative: &str, organization| RegisterOrganizationRequest {
        initiative: initiative.to_owned(),
        organization,
        request_id: new_id(),
    };
    assert_eq!(wrong!(trial, register_organization(request("", None))), ["initiative", "organization"]);
    let bad = Organization {
        sector: 99,
        identifiers: vec![
            identifier("US EIN", "1"),
            identifier("US-EIN", ""),
            identifier("US-EIN", "7"),
            identifier("US-EIN", "7"),
            identifier("US-EIN", &"7".repeat(101)),
        ],
        website: "javascript:alert(1)".to_owned(),
        ..Organization::default()
    };
    let all = [
        "organization.display_name",
        "organization.identifiers[0].scheme",
        "organization.identifiers[1].value",
        "organization.identifiers[3]",
        "organization.identifiers[4].value",
        "organization.sector",
        "organization.website",
    ];
    assert_eq!(wrong!(trial, register_organization(request(&trial.initiative(), Some(bad)))), all);
    for website in
        ["https://", "http://user@example.org", "https://exa mple.org", &format!("https://{}", "x".repeat(500))]
    {
        let organization = Organization { website: website.to_owned(), ..district("A") };
        let request = request(&trial.initiative(), Some(organization));
        assert_eq!(wrong!(trial, register_organization(request)), ["organization.website"], "{website}");
    }
    let many = (0..21).map(|number| identifier("US-EIN", &number.to_string())).collect();
    let many = Organization { identifiers: many, sector: 0, ..district("A") };
    let all = ["organization.identifiers", "organization.sector"];
    assert_eq!(wrong!(trial, register_organization(request(&trial.initiative(), Some(many)))), all);
    assert_eq!(no!(trial, register_organization(request(&trial.unknown(), Some(district("A"))))), unknown());

    let known = Organization { identifiers: vec![identifier("US-EIN", "7")], ..district("A") };
    let first = request(&trial.initiative(), Some(known.clone()));
    trial.scene.here().register_organization(first).await.unwrap();
    let second = request(&trial.initiative(), Some(known));
    assert_eq!(no!(trial, register_organization(second)), refused("ALREADY_REGISTERED"));
}

#[tokio::test]
async fn update_organization_refuses_precisely() {
    let trial = Trial::begins().await;
    let request = |organization, paths| UpdateOrganizationRequest {
        organization: Some(organization),
        update_mask: mask(paths),
        request_id: new_id(),
    };
    let nothing = UpdateOrganizationRequest { request_id: new_id(), ..UpdateOrganizationRequest::default() };
    assert_eq!(wrong!(trial, update_organization(nothing)), ["organization", "update_mask"]);
    let organization = trial.situation.stranger.clone();
    let bad = Organization {
        reference: trial.initiative().to_uppercase(),
        etag: "-1".to_owned(),
        display_name: " ".to_owned(),
        sector: -1,
        website: "example.org".to_owned(),
        ..Organization::default()
    };
    let all = [
        "organization.display_name",
        "organization.etag",
        "organization.reference",
        "organization.sector",
        "organization.website",
    ];
    assert_eq!(wrong!(trial, update_organization(request(bad, &["*"]))), all);
    let old = Organization { etag: "7".to_owned(), ..organization.clone() };
    assert_eq!(no!(trial, update_organization(request(old, &["website"]))), stale());
    let nowhere = Organization { reference: trial.unknown(), ..organization.clone() };
    assert_eq!(no!(trial, update_organization(request(nowhere, &["website"]))), unknown());

    let first = Organization { identifiers: vec![identifier("US-EIN", "7")], ..organization };
    trial.scene.here().update_organization(request(first, &["identifiers"])).await.unwrap();
    let second = Organization { identifiers: vec![identifier("US-EIN", "7")], ..trial.situation.asking.clone() };
    assert_eq!(no!(trial, update_organization(request(second, &["identifiers"]))), refused("ALREADY_REGISTERED"));
}
