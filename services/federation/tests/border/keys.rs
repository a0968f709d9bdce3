//! Nodes that change their key: all others follow, and a former key is good for nothing from there on.
//!
//! Failures that count: somebody who has a former key, and every chain that is not the way on from the keys a node had; a
//! node that ends between any two steps of a change. Failures that do not: somebody who has the current key.

use bytes::Bytes;
use chassis::clock;
use chassis::event::{Actor, Event};
use chassis::identity::NodeKeys;
use chassis::names::{NodeId, Space};
use federation::accept::{self, Outcome};
use federation::domain::succession;
use federation::store::{entries, nodes};
use federation::wire::{self, Head, Link};
use federation::{invitation, keys};
use proto::federation::key_standing::State;
use proto::federation::{Accepted, GetKeyRequest, NodeKey};
use tempfile::TempDir;

use crate::acceptances::Pretender;
use crate::coalition::Coalition;
use crate::forge::{Forge, down, sealed, send};
use crate::joining::Knocker;
use crate::node::{Home, Node, soon};

impl Node {
    /// The key of now in a file of somebody else's.
    fn stolen(&self) -> (NodeKeys, TempDir) {
        let folder = TempDir::new().unwrap();
        std::fs::copy(self.folder().join("node.key"), folder.path().join("node.key")).unwrap();
        (NodeKeys::load(folder.path()).unwrap().unwrap(), folder)
    }

    /// Makes its next key, as an operator does, and takes it over without waiting for its turn.
    async fn rotate(&self) {
        NodeKeys::rotate(self.folder()).unwrap();
        keys::carry_on(&self.border).await.unwrap();
    }

    /// Waits until its initiatives know its key, and it has forgotten the one before.
    async fn settles(&self) {
        soon(async || {
            keys::carry_on(&self.border).await.unwrap();
            (!self.border.keys.is_changing()).then_some(())
        })
        .await;
    }

    async fn standing(&self) -> State {
        self.calls().get_key(GetKeyRequest {}).await.unwrap().into_inner().standings[0].state()
    }

    /// The keys of a partner, as this node knows them by now.
    async fn knows(&self, coalition: &Coalition, partner: &NodeId) -> Vec<Head> {
        let mut connection = self.border.pool.acquire().await.unwrap();
        let position = self.order(&coalition.members).await.position;
        let node = nodes::node_at(&mut connection, &coalition.initiative, partner, position).await.unwrap();
        node.map(|node| node.keys).unwrap_or_default()
    }

    /// With which keys the frames of a node were sealed, in the order of a space, each once.
    async fn frame_keys(&self, space: &Space, origin: &NodeId) -> Vec<Vec<u8>> {
        let keys: Vec<Vec<u8>> = sqlx::query_scalar(
            "select frame_key from federation.acceptances where space = $1 and origin = $2 order by position",
        )
        .bind(space.to_string())
        .bind(origin.as_str())
        .fetch_all(&self.border.pool)
        .await
        .unwrap();
        once(keys)
    }

    /// With which keys the steps of a space were sealed.
    async fn step_keys(&self, space: &Space) -> Vec<Vec<u8>> {
        let keys: Vec<Vec<u8>> =
            sqlx::query_scalar("select seal_key from federation.acceptances where space = $1 order by position")
                .bind(space.to_string())
                .fetch_all(&self.border.pool)
                .await
                .unwrap();
        once(keys)
    }
}

fn once(mut keys: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    keys.dedup();
    keys
}

fn publics(keys: &NodeKeys) -> Vec<Vec<u8>> {
    keys.chain().iter().map(|key| key.public_key.to_vec()).collect()
}

/// The entry with which a node tells of keys, whatever they are.
fn change(coalition: &Coalition, forge: &Forge<'_>, chain: Vec<NodeKey>) -> Link {
    let fact = succession::changed(&coalition.initiative, &forge.feed.origin, chain);
    let event = Event::told(&fact, &forge.feed.origin, &Actor::default());
    let bytes = Bytes::from(event.encode());
    wire::entry(&forge.feed, forge.next, &forge.previous, &event, bytes, [7; 16])
}

#[tokio::test]
async fn a_partner_changes_its_key_and_all_go_on_with_it() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    let public = coalition.public();
    alpha.say(members, &["before"]).await;
    alpha.say(&public, &["open before"]).await;
    coalition.all_hear(&["before"]).await;
    assert_eq!(alpha.standing().await, State::Known);

    alpha.rotate().await;
    alpha.say(&public, &["open meanwhile"]).await;
    alpha.say(members, &["meanwhile"]).await;
    alpha.settles().await;
    assert_eq!(alpha.standing().await, State::Known);
    alpha.say(members, &["after"]).await;
    alpha.say(&public, &["open after"]).await;
    coalition.all_hear(&["before", "meanwhile", "after"]).await;
    for node in coalition.nodes() {
        node.hears(&public, &["open before", "open meanwhile", "open after"]).await;
    }
    coalition.agrees().await;
    for node in coalition.nodes() {
        assert_eq!(node.codes().await, [""; 0], "an honest change leaves no line");
        assert_eq!(node.knows(&coalition, alpha.id()).await.len(), 2);
    }
    for node in [backbone, beta] {
        for space in [members, &public] {
            assert_eq!(node.frame_keys(space, alpha.id()).await, publics(&alpha.border.keys), "{space}");
        }
    }
    // Whoever comes later believes each seal at its place.
    let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    let invitation = backbone.invite(&coalition.initiative).await;
    soon(async || gamma.join(&invitation).await.ok()).await;
    gamma.hears(members, &["before", "meanwhile", "after"]).await;
    gamma.hears(&public, &["open before", "open meanwhile", "open after"]).await;
    assert_eq!(gamma.codes().await, [""; 0]);
}

#[tokio::test]
async fn a_backbone_changes_its_key_and_partners_followers_and_newcomers_go_on_with_it() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, initiative, .. } = &coalition;
    let public = coalition.public();
    let follower = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    let invitation = backbone.invite_as(initiative, true).await;
    soon(async || follower.join(&invitation).await.ok()).await;
    alpha.say(members, &["before"]).await;
    backbone.say(&public, &["open before"]).await;
    coalition.all_hear(&["before"]).await;
    follower.hears(&public, &["open before"]).await;

    backbone.rotate().await;
    backbone.settles().await;
    assert_eq!(backbone.standing().await, State::Known);
    alpha.say(members, &["after"]).await;
    backbone.say(&public, &["open after"]).await;
    alpha.say(&public, &["alpha, too"]).await;
    coalition.all_hear(&["before", "after"]).await;
    let heard = ["open before", "open after", "alpha, too"];
    for node in [backbone, alpha, beta, &follower] {
        node.hears(&public, &heard).await;
        assert_eq!(node.step_keys(&public).await, publics(&backbone.border.keys));
    }
    coalition.agrees().await;

    let newcomer = Home::new(&coalition.postgres.0, "delta", None).await.start().await;
    let invitation = backbone.invite(initiative).await;
    soon(async || newcomer.join(&invitation).await.ok()).await;
    newcomer.hears(members, &["before", "after"]).await;
    newcomer.hears(&public, &heard).await;
    let later = Home::new(&coalition.postgres.0, "epsilon", None).await.start().await;
    let invitation = backbone.invite_as(initiative, true).await;
    soon(async || later.join(&invitation).await.ok()).await;
    later.hears(&public, &heard).await;
    for node in [backbone, alpha, beta, &follower, &newcomer, &later] {
        assert_eq!(node.codes().await, [""; 0]);
    }
}

#[tokio::test]
async fn a_change_that_waits_goes_on_by_itself_whoever_ends_meanwhile() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, initiative, hub, postgres } = coalition;
    let former = alpha.border.keys.public();
    let home = backbone.stop().await;
    NodeKeys::rotate(alpha.folder()).unwrap();
    // It ended before it told anybody.
    let alpha = alpha.stop().await.start().await;
    soon(async || (alpha.standing().await == State::Told).then_some(())).await;
    alpha.say(&members, &["while it waits"]).await;
    // It ended before anybody judged.
    let alpha = alpha.stop().await.start().await;
    keys::carry_on(&alpha.border).await.unwrap();
    assert_eq!(alpha.standing().await, State::Told);
    assert!(alpha.border.keys.sign_with(&former, b"").is_some(), "it still seals with the key that is known");
    // One more, before the first one is accepted.
    alpha.rotate().await;

    let backbone = home.start().await;
    let coalition = Coalition { backbone, alpha, beta, members, initiative, hub, postgres };
    coalition.all_hear(&["while it waits"]).await;
    coalition.alpha.settles().await;
    coalition.alpha.say(&coalition.members, &["with the third"]).await;
    coalition.all_hear(&["while it waits", "with the third"]).await;
    for node in coalition.nodes() {
        assert_eq!(node.knows(&coalition, coalition.alpha.id()).await.len(), 3);
        assert_eq!(node.codes().await, [""; 0]);
    }
}

#[tokio::test]
async fn a_former_key_is_good_for_nothing_after_the_change() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    alpha.say(members, &["before"]).await;
    coalition.all_hear(&["before"]).await;
    let (stolen, _folder) = alpha.stolen();
    alpha.rotate().await;
    alpha.settles().await;
    coalition.agrees().await;

    // Through alpha's own mailbox, in whichever space.
    let mut connection = backbone.border.pool.acquire().await.unwrap();
    let known = nodes::initiative(&mut connection, initiative).await.unwrap().unwrap();
    for space in [members.clone(), coalition.public(), coalition.between(alpha)] {
        let forge = Forge::of(alpha, &space).await;
        let forged = sealed(&[forge.entry("forged")], &stolen);
        let outcome = accept::frame(&backbone.border, &mut connection, &known, alpha.id(), &forged).await.unwrap();
        assert_eq!(outcome, Outcome::Quarantined, "{space}");
    }
    drop(connection);
    assert_eq!(backbone.codes().await, ["FORMER_KEY"; 3]);
    // Nor from a backbone that is in league with the thief.
    let pretender = Pretender::of(&coalition, beta).await;
    let forge = Forge::of(alpha, members).await;
    let forged = sealed(&[forge.entry("forged")], &stolen);
    send(&backbone.link(beta, initiative), &down(pretender.accepted(&forged))).await;
    beta.refuses(&["FORMER_KEY"]).await;
    // What was sent before the change and comes once more is no fault.
    let mut connection = backbone.border.pool.acquire().await.unwrap();
    let feed = Forge::at_start(alpha, members, 1).feed;
    let early: Vec<Link> =
        entries::range(&mut connection, &feed, 1, 1).await.unwrap().into_iter().map(|entry| entry.link).collect();
    let early = sealed(&early, &stolen);
    let outcome = accept::frame(&backbone.border, &mut connection, &known, alpha.id(), &early).await.unwrap();
    assert_eq!(outcome, Outcome::Dropped);
    drop(connection);
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["before", "after"]).await;
}

#[tokio::test]
async fn a_former_key_of_the_backbone_orders_nothing_after_the_change() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, .. } = &coalition;
    let public = coalition.public();
    let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    let invitation = backbone.invite_as(initiative, true).await;
    soon(async || gamma.join(&invitation).await.ok()).await;
    let (stolen, _folder) = backbone.stolen();
    backbone.rotate().await;
    backbone.settles().await;
    alpha.say(&public, &["said"]).await;
    for node in [backbone, beta, &gamma] {
        node.hears(&public, &["said"]).await;
    }
    coalition.agrees().await;
    let forge = Forge::of(alpha, &public).await;
    let frame = forge.sealed(&[forge.entry("never accepted")]);
    for node in [beta, &gamma] {
        let pretender = Pretender::within(&coalition, node, &public).await;
        let step = pretender.step(&frame);
        let seal = wire::seal(&stolen, &wire::digest(&step.bytes));
        let chains = (alpha.border.keys.chain(), backbone.border.keys.chain());
        let forged = Accepted {
            acceptance: step.bytes,
            seal: Some(seal),
            frame: Some(frame.clone()),
            origin_keys: chains.0,
            backbone_keys: chains.1,
        };
        let held = node.order(&public).await;
        send(&backbone.link(node, initiative), &down(forged)).await;
        node.refuses(&["FORMER_KEY"]).await;
        assert_eq!(node.order(&public).await, held);
    }
}

#[tokio::test]
async fn a_follower_is_not_led_back_to_a_former_key() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, .. } = &coalition;
    let public = coalition.public();
    let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    let invitation = backbone.invite_as(initiative, true).await;
    soon(async || gamma.join(&invitation).await.ok()).await;
    alpha.say(&public, &["before"]).await;
    gamma.hears(&public, &["before"]).await;
    let (stolen, folder) = alpha.stolen();
    alpha.rotate().await;
    alpha.settles().await;
    alpha.say(&public, &["after"]).await;
    gamma.hears(&public, &["before", "after"]).await;

    let pretender = Pretender::within(&coalition, &gamma, &public).await;
    let forge = Forge::of(alpha, &public).await;
    let link = [forge.entry("forged")];
    // Neither shown the whole chain, nor a part of it, nor one that another signed.
    let whole = alpha.border.keys.chain();
    let (forged, part) = (sealed(&link, &stolen), stolen.chain());
    for keys in [whole.clone(), part, Vec::new()] {
        let forged = Accepted { origin_keys: keys, ..pretender.accepted(&forged) };
        send(&backbone.link(&gamma, initiative), &down(forged)).await;
    }
    let other = NodeKeys::rotate(folder.path()).unwrap();
    let unsigned: Vec<NodeKey> =
        [whole.clone(), vec![NodeKey { public_key: other.public().to_vec().into(), ..whole[1].clone() }]].concat();
    let grafted = Accepted { origin_keys: unsigned, ..pretender.accepted(&sealed(&link, &other)) };
    send(&backbone.link(&gamma, initiative), &down(grafted)).await;
    gamma.refuses(&["FORMER_KEY", "FORMER_KEY", "FORMER_KEY", "FOREIGN_KEY"]).await;
    alpha.say(&public, &["on"]).await;
    gamma.hears(&public, &["before", "after", "on"]).await;
}

/// Chains that are not the way on from alpha's two keys, each with a word for it.
fn forged_chains(coalition: &Coalition, former: &NodeKeys) -> Vec<(&'static str, Vec<NodeKey>)> {
    let Coalition { alpha, beta, .. } = coalition;
    let own = alpha.border.keys.chain();
    let folder = TempDir::new().unwrap();
    let stranger = NodeKeys::create(folder.path()).unwrap();
    let unsigned = NodeKey { public_key: stranger.public().to_vec().into(), signature: Bytes::new() };
    let by_itself = [wire_context(), stranger.public().as_slice()].concat();
    let by_itself = NodeKey { signature: stranger.sign(&by_itself).to_vec().into(), ..unsigned.clone() };
    // Another successor of the first key, made by whoever stole it.
    let message = [wire_context(), stranger.public().as_slice()].concat();
    let other_way = NodeKey { signature: former.sign(&message).to_vec().into(), ..unsigned.clone() };
    vec![
        ("a successor that nobody signed", [own.clone(), vec![unsigned]].concat()),
        ("a successor that signed itself", [own.clone(), vec![by_itself]].concat()),
        ("a chain without its beginning", own[1..].to_vec()),
        ("a chain without its end", own[..1].to_vec()),
        ("another's chain", beta.border.keys.chain()),
        ("the change of before once more", own.clone()),
        ("another successor of the former key", vec![own[0].clone(), other_way.clone()]),
        ("the same, and longer", vec![own[0].clone(), other_way.clone(), other_way]),
        ("no keys at all", Vec::new()),
    ]
}

fn wire_context() -> &'static [u8] {
    chassis::identity::SUCCESSION
}

#[tokio::test]
async fn no_forged_chain_changes_anybodys_key() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    let (former, _folder) = alpha.stolen();
    alpha.rotate().await;
    alpha.settles().await;
    coalition.agrees().await;
    let keys = beta.knows(&coalition, alpha.id()).await;
    assert_eq!(keys.len(), 2);

    let mut connection = backbone.border.pool.acquire().await.unwrap();
    let known = nodes::initiative(&mut connection, initiative).await.unwrap().unwrap();
    let chains = forged_chains(&coalition, &former);
    let mut forge = Forge::of(alpha, members).await;
    for (what, chain) in &chains {
        let link = change(&coalition, &forge, chain.clone());
        let frame = forge.sealed(std::slice::from_ref(&link));
        let outcome = accept::frame(&backbone.border, &mut connection, &known, alpha.id(), &frame).await.unwrap();
        assert_eq!(outcome, Outcome::Accepted, "{what}: judged and refused");
        forge = Forge { next: forge.next + 1, previous: link.digest, ..forge };
    }
    // Beta cannot speak for alpha either.
    let theirs = Forge::of(beta, members).await;
    let fact = succession::changed(initiative, alpha.id(), alpha.border.keys.chain());
    let event = Event::told(&fact, beta.id(), &Actor::default());
    let bytes = Bytes::from(event.encode());
    let link = wire::entry(&theirs.feed, theirs.next, &theirs.previous, &event, bytes, [7; 16]);
    let frame = theirs.sealed(&[link]);
    accept::frame(&backbone.border, &mut connection, &known, beta.id(), &frame).await.unwrap();
    drop(connection);
    let mut codes = vec!["NOT_ITS_KEYS"; chains.len()];
    codes.push("NOT_ITS_HOME");
    assert_eq!(backbone.codes().await, codes);
    assert_eq!(backbone.knows(&coalition, alpha.id()).await, keys);
}

#[tokio::test]
async fn a_backbone_that_lets_a_forged_chain_in_changes_nobodys_key() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    let (former, _folder) = alpha.stolen();
    alpha.rotate().await;
    alpha.settles().await;
    coalition.agrees().await;
    let keys = beta.knows(&coalition, alpha.id()).await;
    let mut forge = Forge::of(alpha, members).await;
    let mut alarms = Vec::new();
    for (what, chain) in forged_chains(&coalition, &former) {
        let pretender = Pretender::of(&coalition, beta).await;
        let link = change(&coalition, &forge, chain.clone());
        let frame = forge.sealed(std::slice::from_ref(&link));
        let position = beta.order(members).await.position;
        send(&backbone.link(beta, initiative), &down(pretender.accepted(&frame))).await;
        soon(async || (beta.order(members).await.position == position + 1).then_some(())).await;
        forge = Forge { next: forge.next + 1, previous: link.digest, ..forge };
        // What its signer cannot have said is told from what only comes at the wrong time.
        let proves_itself = chassis::identity::verify_chain(alpha.id(), &chain).is_ok();
        alarms.push(if proves_itself { "DISAGREEMENT" } else { "NO_EVIDENCE" });
        assert_eq!(beta.knows(&coalition, alpha.id()).await, keys, "{what}");
    }
    beta.refuses(&alarms).await;
    assert!(alarms.contains(&"DISAGREEMENT") && alarms.contains(&"NO_EVIDENCE"));
}

#[tokio::test]
async fn of_two_changes_in_one_frame_the_second_goes_on_from_the_first_or_is_void() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, members, .. } = &coalition;
    let (thief, folder) = alpha.stolen();
    let one = thief.chain();
    let two = NodeKeys::rotate(folder.path()).unwrap().chain();
    let three = NodeKeys::rotate(folder.path()).unwrap().chain();
    let forge = Forge::of(alpha, members).await;
    let mut links = Vec::new();
    let (mut next, mut previous) = (forge.next, forge.previous);
    let other = NodeKeys::rotate(alpha.folder()).unwrap().chain();
    for chain in [two, three.clone(), other] {
        let forge = Forge { node: alpha, feed: forge.feed.clone(), next, previous };
        let link = change(&coalition, &forge, chain);
        (next, previous) = (next + 1, link.digest);
        links.push(link);
    }
    let mut connection = backbone.border.pool.acquire().await.unwrap();
    let known = nodes::initiative(&mut connection, initiative).await.unwrap().unwrap();
    let frame = sealed(&links, &thief);
    let outcome = accept::frame(&backbone.border, &mut connection, &known, alpha.id(), &frame).await.unwrap();
    drop(connection);
    assert_eq!((outcome, one.len()), (Outcome::Accepted, 1));
    let keys: Vec<Vec<u8>> = backbone.knows(&coalition, alpha.id()).await.iter().map(|key| key.to_vec()).collect();
    assert_eq!(keys, three.iter().map(|key| key.public_key.to_vec()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_node_with_an_older_copy_of_its_keys_says_so() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, members, .. } = coalition;
    let copy = alpha.stolen().1;
    alpha.rotate().await;
    alpha.settles().await;
    std::fs::copy(copy.path().join("node.key"), alpha.folder().join("node.key")).unwrap();
    let error = keys::carry_on(&alpha.border).await.unwrap_err().to_string();
    assert!(error.contains("holds other keys than this node runs with"), "{error}");

    let alpha = alpha.stop().await.start().await;
    assert_eq!(alpha.standing().await, State::Lost);
    let error = keys::carry_on(&alpha.border).await.unwrap_err().to_string();
    assert!(error.contains("put the newest copy of node.key"), "{error}");
    alpha.say(&members, &["with the former key"]).await;
    soon(async || backbone.codes().await.contains(&"FORMER_KEY".to_owned()).then_some(())).await;
}

#[tokio::test]
async fn a_former_key_opens_no_door() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, .. } = &coalition;
    let (stolen, folder) = alpha.stolen();
    alpha.rotate().await;
    alpha.settles().await;
    let line = invitation::read(&backbone.invite(initiative).await, clock::now()).unwrap();
    let coalition_hub = coalition.hub.side.reach.clone();
    let thief = Knocker { keys: stolen, invitation: line.clone(), coalition_hub, _folder: folder };
    let reply = thief.knock(&thief.request(&line)).await;
    assert!(reply.refusal.contains("could not prove its keys"), "{reply:?}");
    // The node itself may come with it, and gets new credentials for its connection.
    soon(async || alpha.join(&invitation::write(&line)).await.ok()).await;
}
