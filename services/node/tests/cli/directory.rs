//! Directories: organisations and their offers come whole, or not at all, and once.

use std::path::{Path, PathBuf};

use proto::membership::{ListPostingsRequest, Posting, PostingKind, PostingState, Sector};

use crate::backbone::Backbone;
use crate::stage::{Said, Stage};

const OHANA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/ohana-sample-directory");

/// The sample directory in a folder of its own, where a test may change it.
fn copied(stage: &Stage, name: &str) -> PathBuf {
    let folder = stage.path(name);
    std::fs::create_dir(&folder).unwrap();
    for file in ["organizations.csv", "locations.csv", "addresses.csv", "services.csv"] {
        std::fs::copy(Path::new(OHANA).join(file), folder.join(file)).unwrap();
    }
    folder
}

fn change(folder: &Path, file: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    std::fs::write(folder.join(file), text.replace(from, to)).unwrap();
}

impl Backbone {
    async fn directory(&self, folder: &Path) -> Said {
        let folder = folder.to_str().unwrap();
        let arguments = ["import", "directory", "--register", "smc", "--sector", "institution", "--json", folder];
        self.stage.on(&self.config, &arguments).await
    }

    async fn offers(&self) -> Vec<Posting> {
        let wanted = ListPostingsRequest { initiative: self.initiative.clone(), ..ListPostingsRequest::default() };
        self.client.postings(wanted).await.unwrap()
    }
}

#[tokio::test]
async fn a_directory_becomes_organisations_and_their_offers_once() {
    let backbone = Backbone::start().await;
    let folder = copied(&backbone.stage, "directory");
    change(&folder, "organizations.csv", "Fake Org", "=1+1 @Fake Org");
    for (made, already) in [((8, 21), (0, 0)), ((0, 0), (8, 21))] {
        let said = backbone.directory(&folder).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        let told = said.json();
        let count = |what: &str, how: &str| told["sent"][what][how].as_u64().unwrap();
        assert_eq!((count("organizations", "made"), count("offers", "made")), made, "{told}");
        assert_eq!((count("organizations", "already"), count("offers", "already")), already, "{told}");
        assert_eq!(told["found"]["left_out"]["services.csv, rows that are defunct"], 1, "{told}");
        assert_eq!((backbone.organizations().await.len(), backbone.offers().await.len()), (8, 21));
    }

    let organizations = backbone.organizations().await;
    let find = |id: &str| organizations.iter().find(|one| one.identifiers[0].value == id).unwrap();
    assert_eq!(find("6").display_name, "=1+1 @Fake Org", "a name is kept as it is");
    let example = find("8");
    assert_eq!((example.sector(), example.website.as_str()), (Sector::Nonprofit, "http://example.org"));
    assert_eq!((find("3").sector(), find("3").identifiers[0].scheme.as_str()), (Sector::Institution, "smc"));
    let offers = backbone.offers().await;
    let library: Vec<&Posting> = offers.iter().filter(|one| one.organization == find("3").reference).collect();
    assert_eq!(library.len(), 5);
    let read = library.iter().find(|one| one.description.contains("Project Read")).unwrap();
    assert!(read.description.contains("\nWhere: 1044 Middlefield Road, 2nd Floor, Redwood City, CA, 94063\n"));
    assert!(read.description.ends_with("\nDirectory: smc, service 12"), "{read:?}");
    assert_eq!((read.kind(), read.state()), (PostingKind::Service, PostingState::Open));

    change(&folder, "services.csv", "Residents of San Mateo County age 55 or over", "Everybody");
    let told = backbone.directory(&folder).await.json();
    assert_eq!(told["sent"]["offers"]["different"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(backbone.offers().await, offers, "what is here already stays as it is");
    assert_eq!(backbone.served.stop().await, Some(0));
}

#[tokio::test]
async fn a_directory_with_wrong_rows_is_refused_whole_and_each_is_named() {
    let stage = Stage::set();
    let folder = copied(&stage, "directory");
    change(&folder, "organizations.csv", "Samaritan House,", ",");
    change(&folder, "locations.csv", "22,8,", "22,99,");
    let config = stage.config("none", "");
    let path = folder.display().to_string();
    let said = stage.on(&config, &["import", "directory", "--register", "smc", "--dry-run", &path]).await;
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(said.out.contains("organizations.csv, line 6, column \"name\": \"\" is no name"), "{said:?}");
    let nobody = "locations.csv, line 23, column \"organization_id\": \"99\" is no organization of this directory";
    assert!(said.out.contains(nobody), "{said:?}");
    assert!(said.out.trim_end().ends_with("2 faults: nothing was imported"), "{said:?}");
}

#[tokio::test]
async fn what_a_directory_lacks_is_asked_for() {
    let stage = Stage::set();
    let config = stage.config("none", "");
    let import =
        async |more: &[&str]| stage.on(&config, &[&["import", "directory", "--register"], more].concat()).await;
    let empty = stage.path("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = empty.display().to_string();
    let table = format!("{OHANA}/organizations.csv");
    for (arguments, complaint) in [
        (&["smc", OHANA][..], "--sector"),
        (&["smc", &empty], "there is neither organizations.csv nor organizations.jsonl"),
        (&["smc", &table], "is a file: name the folder"),
    ] {
        let said = import(arguments).await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.complaint().contains(complaint), "{said:?}");
    }
    let said = import(&["smc connect", OHANA]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    let said = import(&["smc", "--sector", "nonprofit", "--dry-run", OHANA]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.starts_with("Read 4 files: 8 organisations, 21 services."), "{said:?}");
}
