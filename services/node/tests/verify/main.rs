//! What `commonweal verify` proves: an untouched node passes, and whatever is altered in its database is named.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends where its scene breaks"
)]

mod scene;

use scene::{Scene, scene};

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_nobody_touched_pass() {
    let scene = scene().await;
    for node in [&scene.backbone, &scene.alpha] {
        let report = node.verify().await;
        assert!(report.ok, "{}: {}", node.name, report.wrong.unwrap().words());
        let checks: Vec<_> = report.checks.iter().map(|check| check.check).collect();
        let rooms = node::house::ROOMS.iter().map(|room| room.name);
        let expected: Vec<_> = ["appointment", "chains", "order", "admission"].into_iter().chain(rooms).collect();
        assert_eq!(checks, expected);
        let count = |check: &str, of: &str| report.checks.iter().find(|one| one.check == check).unwrap().counts[of];
        assert_eq!(count("chains", "nodes"), 2);
        assert_eq!(count("chains", "entries"), count("admission", "accepted") + count("admission", "refused"));
        assert_eq!(count("admission", "refused"), 1);
        assert!(count("measurement", "rows") > 10);
        // What was taken back before alpha was there, on both.
        assert_eq!((count("chains", "entries_without_body"), count("admission", "not_judged_again")), (2, 2));
    }
    // Twice: nothing that was computed again was kept.
    assert!(scene.alpha.verify().await.ok);
    scene.stop().await;
}

/// What is done to a table of a node, and what is then said: check, place and words.
struct Case {
    node: &'static str,
    table: &'static str,
    tamper: &'static str,
    check: &'static str,
    says: &'static str,
}

const ENTRIES: &str = "federation.entries";
const STEPS: &str = "federation.acceptances";

const CASES: &[Case] = &[
    Case {
        node: "alpha",
        table: ENTRIES,
        tamper: "update federation.entries set event = set_byte(event, 60, get_byte(event, 60) # 1)
                  where origin = {backbone} and sequence = 3",
        check: "chains",
        says: "space {members}, origin {backbone}, sequence 3: the body is not the one that the header names",
    },
    Case {
        node: "backbone",
        table: ENTRIES,
        tamper: "update federation.entries set salt = null where origin = {alpha} and sequence = 1",
        check: "chains",
        says: "space {members}, origin {alpha}, sequence 1: body and salt are not erased together",
    },
    Case {
        node: "backbone",
        table: ENTRIES,
        tamper: "update federation.entries set event = null, salt = null where origin = {alpha} and sequence = 1",
        check: "chains",
        says: "space {members}, origin {alpha}, sequence 1: the body is missing, and no accepted entry after it erased it",
    },
    Case {
        node: "alpha",
        table: ENTRIES,
        tamper: "update federation.entries e set event = null, salt = null, erased_by = w.erased_by
                   from federation.entries w
                  where e.origin = {backbone} and e.event is not null and w.erased_by is not null
                    and position('MessagePosted'::bytea in e.header) > 0",
        check: "chains",
        says: "the body is missing, and no accepted entry after it erased it",
    },
    Case {
        node: "alpha",
        table: ENTRIES,
        tamper: "update federation.entries set header = set_byte(header, 30, get_byte(header, 30) # 1)
                  where origin = {backbone} and sequence = 2",
        check: "chains",
        says: "space {members}, origin {backbone}, sequence 2: the header is not the one whose digest was kept",
    },
    Case {
        node: "alpha",
        table: ENTRIES,
        // The last byte of a header belongs to the body's digest.
        tamper: "update federation.entries e set header = h, digest = sha256(h)
                   from (select set_byte(header, length(header) - 1, get_byte(header, length(header) - 1) # 1) as h
                           from federation.entries where origin = {backbone} and sequence = 2) altered
                  where origin = {backbone} and sequence = 2",
        check: "chains",
        says: "space {members}, origin {backbone}, sequence 2: the body is not the one that the header names",
    },
    Case {
        node: "alpha",
        table: ENTRIES,
        tamper: "delete from federation.entries where origin = {backbone} and sequence = 2",
        check: "chains",
        says: "space {members}, origin {backbone}, sequence 2: the entry is missing; the feed is held up to",
    },
    Case {
        node: "backbone",
        table: ENTRIES,
        tamper: "delete from federation.entries where origin = {alpha}
                    and sequence = (select max(sequence) from federation.entries where origin = {alpha})",
        check: "chains",
        says: "the entry is missing; the feed is held up to",
    },
    Case {
        node: "backbone",
        table: ENTRIES,
        tamper: "update federation.entries set refused = 'unwelcome' where origin = {alpha} and sequence = 1",
        check: "admission",
        says: "origin {alpha}, sequence 1: it counts as refused (unwelcome), and by the backbone's seal it is accepted",
    },
    Case {
        node: "alpha",
        table: ENTRIES,
        tamper: "update federation.entries set refused = null where origin = {alpha} and refused is not null",
        check: "admission",
        says: "it counts as accepted, and by the backbone's seal it is refused",
    },
    Case {
        node: "alpha",
        table: STEPS,
        tamper: "delete from federation.acceptances where position = 2",
        check: "order",
        says: "space {members}, position 2: the step is missing; the order is held up to",
    },
    Case {
        node: "alpha",
        table: STEPS,
        tamper: "update federation.acceptances set acceptance = set_byte(acceptance, 90, get_byte(acceptance, 90) # 1)
                  where position = 2",
        check: "order",
        says: "space {members}, position 2: the acceptance is not the one whose digest was kept",
    },
    Case {
        node: "alpha",
        table: STEPS,
        tamper: "update federation.acceptances set seal_signature = set_byte(seal_signature, 5, 0) where position = 2",
        check: "order",
        says: "space {members}, position 2: the backbone's seal: the signature of the seal is wrong",
    },
    Case {
        node: "alpha",
        table: STEPS,
        tamper: "update federation.acceptances set last = last + 1 where position = 2",
        check: "order",
        says: "space {members}, position 2: the row says other things than the acceptance in it",
    },
    Case {
        node: "backbone",
        table: STEPS,
        tamper: "update federation.acceptances set frame_signature = set_byte(frame_signature, 5, 0)
                  where position = (select max(position) from federation.acceptances where origin = {alpha})",
        check: "admission",
        says: "origin {alpha}: the origin's seal: the signature of the seal is wrong",
    },
    Case {
        node: "alpha",
        table: "federation.feeds",
        tamper: "update federation.feeds set judged = judged - 1 where origin = {alpha}",
        check: "order",
        says: "count as judged, and the order covers them up to",
    },
    Case {
        node: "alpha",
        table: "federation.initiatives",
        tamper: "update federation.initiatives set backbone = {alpha}",
        check: "appointment",
        says: "table federation.initiatives, row {initiative}: the root appointed {backbone}, and not {alpha}",
    },
    Case {
        node: "backbone",
        table: "federation.nodes",
        tamper: "update federation.nodes set keys = array[sha256('mine')] where node = {alpha}",
        check: "admission",
        says: "table federation.nodes, row initiative={initiative} node={alpha}",
    },
    Case {
        node: "backbone",
        table: "federation.roles",
        tamper: "update federation.roles set role = 1 where node = {alpha}",
        check: "admission",
        says: "role is 1, and by the log",
    },
    Case {
        node: "alpha",
        table: "measurement.observations",
        tamper: "update measurement.observations set value = value + 1 where code = 'P7'",
        check: "measurement",
        says: "value is 108, and by the log 107",
    },
    Case {
        node: "alpha",
        table: "measurement.observations",
        tamper: "delete from measurement.observations where code = 'P7'",
        check: "measurement",
        says: "it is missing: by the log it should be there",
    },
    Case {
        node: "alpha",
        table: "membership.organizations",
        tamper: "update membership.organizations set display_name = 'Mallory' where display_name = 'Hosted'",
        check: "membership",
        says: "display_name is Mallory, and by the log Hosted",
    },
    Case {
        node: "alpha",
        table: "membership.roles",
        tamper: "delete from membership.roles where node = {alpha}",
        check: "membership",
        says: "table membership.roles, row granted_by=",
    },
    Case {
        node: "alpha",
        table: "measurement.log",
        tamper: "update measurement.log set bytes = set_byte(bytes, 60, get_byte(bytes, 60) # 1)
                  where position = (select min(position) from measurement.log)",
        check: "measurement",
        says: "is not the one that was accepted",
    },
    Case {
        node: "alpha",
        table: "measurement.log",
        tamper: "update measurement.log set standing = 'refused'
                  where type like '%SubmissionSealed'",
        check: "measurement",
        says: "it counts as refused, and was accepted",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_altered_is_named() {
    let scene = scene().await;
    let mut missed = Vec::new();
    for case in CASES {
        let report = scene.node(case.node).tampered(case.table, &scene.filled(case.tamper, true)).await;
        let (check, words) = report.wrong.map_or(("", String::new()), |wrong| (wrong.check, wrong.words()));
        let says = scene.filled(case.says, false);
        if check != case.check || !words.contains(&says) {
            missed.push(format!("{}\n  said   {check}: {words}\n  wanted {}: {says}", case.tamper, case.check));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(scene.alpha.verify().await.ok, "every table was put back");
    assert!(scene.backbone.verify().await.ok, "every table was put back");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_works_while_it_is_verified() {
    let scene = scene().await;
    let writing = scene.report_for_ever();
    for _ in 0..3 {
        let report = scene.backbone.verify().await;
        assert!(report.ok, "{}", report.wrong.unwrap().words());
    }
    writing.stop().await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_it_and_exits_with_4() {
    let scene: Scene = scene().await;
    let (code, text) = scene.alpha.command(&["verify"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.ends_with("Everything holds.\n"), "{text}");
    sqlx::query("update measurement.observations set value = 1 where code = 'P7'")
        .execute(&scene.alpha.superuser().await)
        .await
        .unwrap();
    let (code, text) = scene.alpha.command(&["verify", "--json"]).await;
    assert_eq!(code, Some(4), "{text}");
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["ok"], &report["wrong"]["table"]), (&false.into(), &"measurement.observations".into()));
    let (code, _) = scene.alpha.command(&["verify", "--skip-folds"]).await;
    assert_eq!(code, Some(0));
    scene.stop().await;
}
