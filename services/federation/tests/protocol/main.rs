//! The protocol between nodes as a state machine without database, broker or clock: whatever is lost, comes twice,
//! overtakes, is forged or replayed, and whenever a process ends, all nodes come to the same order in the end.
#![cfg(test)]

mod mind;
mod world;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use world::{Doing, Forgery, World};

fn doing() -> impl Strategy<Value = Doing> {
    let link = || 1..=2usize;
    prop_oneof![
        4 => (0..3usize, any::<bool>()).prop_map(|(node, public)| Doing::Tell { node, public }),
        6 => (link(), any::<bool>()).prop_map(|(link, up)| Doing::Send { link, up }),
        8 => (link(), any::<bool>(), any::<Index>()).prop_map(|(link, up, which)| Doing::Deliver { link, up, which }),
        2 => (link(), any::<bool>(), any::<Index>()).prop_map(|(link, up, which)| Doing::Lose { link, up, which }),
        2 => (link(), any::<bool>(), any::<Index>()).prop_map(|(link, up, which)| Doing::Replay { link, up, which }),
        1 => link().prop_map(|link| Doing::Wipe { link }),
        1 => (0..3usize).prop_map(|node| Doing::Crash { node }),
        1 => (link(), any::<bool>()).prop_map(|(link, up)| Doing::Greet { link, up }),
        1 => Just(Doing::Admit),
        2 => (any::<Index>(), forgery()).prop_map(|(which, forgery)| Doing::Forge { which, forgery }),
    ]
}

fn forgery() -> impl Strategy<Value = Forgery> {
    prop_oneof![
        Just(Forgery::AnothersFrame),
        Just(Forgery::OwnSealUnderAnothersName),
        Just(Forgery::OtherEpoch),
        Just(Forgery::Tampered),
        Just(Forgery::TwoHistories),
        Just(Forgery::BrokenOrder),
        any::<Index>().prop_map(Forgery::FlippedBit),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_on_the_road_all_come_to_the_same_order(doings in vec(doing(), 0..60)) {
        let mut world = World::new();
        for doing in doings {
            world.act(doing);
        }
        world.heal();
        world.agrees(&[0, 1, 2]);
    }

    #[test]
    fn who_is_shut_out_says_nothing_more_and_stops_nobody(
        before in vec(doing(), 0..30),
        after in vec(doing(), 0..30),
    ) {
        let mut world = World::new();
        for doing in before {
            world.act(doing);
        }
        world.shut_out(2);
        let said = world.accepted_of(2);
        for doing in after {
            world.act(doing);
        }
        world.heal();
        world.agrees(&[0, 1]);
        prop_assert_eq!(world.accepted_of(2), said);
    }
}
