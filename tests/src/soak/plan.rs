//! What is to go wrong, and when: a pure function of the seed, the number of nodes and the time.

use std::time::Duration;

use super::cheat::Trick;
use super::dice::Dice;
use super::meddle::Meddling;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A node is killed, and started again after a while.
    KillNode(usize),
    /// A node is asked to end, as by an operating system, and started again after a while.
    EndNode(usize),
    /// A node is started so that it crashes at a point of [`chassis::crash`], by number, and which time it comes there.
    CrashNode(usize, usize, u64),
    /// A node stands still and goes on after a while.
    FreezeNode(usize),
    /// A node runs for a while with a clock that is wrong by so many hours.
    Skew(usize, i64),
    /// A node's broker is killed, and started again after a while.
    KillBroker(usize),
    /// The same, and what it had stored is gone.
    WipeBroker(usize),
    /// A node's Postgres ends without a checkpoint, as by `pg_ctl stop -m immediate`, and is started again.
    CrashPostgres(usize),
    /// The same, and it stays away for five times as long.
    LosePostgres(usize),
    /// A node's Postgres finds no room for what it would write, as on a full disk.
    FillDisk(usize),
    /// The hub is killed, and started again after a while.
    KillHub,
    /// The same, and all its mailboxes and accounts are gone.
    WipeHub,
    /// A node's link to the hub is cut.
    Cut(usize),
    /// Nothing gets from a node to the hub.
    HoldUp(usize),
    /// Nothing gets from the hub to a node.
    HoldDown(usize),
    /// A node's link is slow both ways.
    Delay(usize),
    /// A node's link lets little through.
    Narrow(usize),
    /// Messages between a node and the backbone are dropped, repeated, turned around or delayed on the hub.
    Meddle(usize, Meddling),
    /// The partner who cheats does something.
    Cheat(Trick),
}

impl Fault {
    /// Some things take longer to show than what others of their lane last.
    pub fn lasts(&self, planned: Duration) -> Duration {
        match self {
            Self::LosePostgres(_) => planned * 5,
            Self::Skew(..) => planned + Duration::from_secs(3),
            _ => planned,
        }
    }
}

/// A fault with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// How long after the one before in its lane is over, or after the beginning.
    pub pause: Duration,
    /// What.
    pub fault: Fault,
    /// How long it lasts.
    pub lasts: Duration,
}

/// What goes wrong in one lane, one after the other; lanes go on beside each other.
pub type Lane = Vec<Planned>;

/// Everything that goes wrong: with the nodes, with the servers under them, on the links, by the one who cheats, with
/// messages on their way.
///
/// Pauses and lasting come from the plan, what starting again takes does not: so the same plan may get less far on a
/// slower machine, in the same order.
pub fn plan(seed: u64, nodes: usize, time: Duration) -> Vec<Lane> {
    let lane = |number: u64, pause: (u64, u64), lasts: (u64, u64), next: fn(&mut Dice, usize) -> Fault| {
        let mut dice = Dice::of(seed, number);
        let mut lane = Lane::new();
        let mut sum = Duration::ZERO;
        while sum < time {
            let pause = Duration::from_millis(dice.between(pause.0, pause.1));
            let lasts = Duration::from_millis(dice.between(lasts.0, lasts.1));
            lane.push(Planned { pause, fault: next(&mut dice, nodes), lasts });
            sum += pause + lasts;
        }
        lane
    };
    vec![
        lane(1, (1000, 5000), (0, 4000), of_a_node),
        lane(2, (1500, 6000), (0, 3000), of_a_server),
        lane(3, (500, 4000), (300, 5000), of_a_link),
        lane(4, (300, 2500), (0, 0), |dice, _| Fault::Cheat(Trick::any(dice))),
        lane(5, (500, 4000), (500, 4000), of_messages),
    ]
}

fn one(dice: &mut Dice, nodes: usize) -> usize {
    usize::try_from(dice.below(nodes as u64)).unwrap_or(0)
}

fn of_a_node(dice: &mut Dice, nodes: usize) -> Fault {
    let node = one(dice, nodes);
    let crash = Fault::CrashNode(node, one(dice, chassis::crash::POINTS.len()), dice.between(1, 30));
    let hours = dice.one_of(-8, &[-3, -1, 1, 3, 8]);
    let others = [crash, crash, Fault::EndNode(node), Fault::FreezeNode(node), Fault::Skew(node, hours)];
    dice.one_of(Fault::KillNode(node), &others)
}

fn of_a_server(dice: &mut Dice, nodes: usize) -> Fault {
    let node = one(dice, nodes);
    let others = [
        Fault::WipeBroker(node),
        Fault::CrashPostgres(node),
        Fault::LosePostgres(node),
        Fault::FillDisk(node),
        Fault::KillHub,
        Fault::WipeHub,
    ];
    dice.one_of(Fault::KillBroker(node), &others)
}

fn of_a_link(dice: &mut Dice, nodes: usize) -> Fault {
    let node = one(dice, nodes);
    let others = [Fault::HoldUp(node), Fault::HoldDown(node), Fault::Delay(node), Fault::Narrow(node)];
    dice.one_of(Fault::Cut(node), &others)
}

fn of_messages(dice: &mut Dice, nodes: usize) -> Fault {
    let partner = 1 + one(dice, nodes.saturating_sub(1));
    let [first, others @ ..] = Meddling::ALL;
    Fault::Meddle(partner, dice.one_of(first, &others))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const TIME: Duration = Duration::from_secs(300);

    #[test]
    fn the_same_seed_makes_the_same_plan() {
        assert_eq!(plan(7, 3, TIME), plan(7, 3, TIME));
        assert_ne!(plan(7, 3, TIME), plan(8, 3, TIME));
    }

    #[test]
    fn a_longer_run_begins_like_a_shorter_one() {
        for (long, short) in plan(7, 3, TIME).iter().zip(plan(7, 3, TIME / 5)) {
            assert!(long.starts_with(&short));
        }
    }

    #[test]
    fn a_long_run_brings_every_kind_of_fault_to_every_node() {
        let planned: Vec<Planned> = plan(1, 3, TIME * 20).into_iter().flatten().collect();
        let kind = |fault: Fault| match fault {
            Fault::CrashNode(node, point, _) => format!("CrashNode({node}, {point})"),
            other => format!("{other:?}"),
        };
        let kinds: BTreeSet<String> = planned.iter().map(|planned| kind(planned.fault)).collect();
        // Thirteen kinds, the crashes and six wrong clocks for each of three nodes, two of the hub, the tricks, and what is
        // done to messages of two partners.
        let of_nodes = (13 + 6 + chassis::crash::POINTS.len()) * 3;
        assert_eq!(kinds.len(), of_nodes + 2 + Trick::ALL.len() + Meddling::ALL.len() * 2, "{kinds:#?}");
        assert!(plan(1, 3, TIME).into_iter().flatten().count() >= 30);
    }
}
