//! The domain's words are those of the contract.

use crate::domain::posting::{PostingDirection, PostingKind};
use crate::domain::{
    CircleState, InitiativeState, JoinRequestState, MembershipState, NodeState, PostingState, Role, Sector,
    WorkingGroupState,
};

/// Each under the same number, and none is missing.
macro_rules! same {
    ($word:ty, $contract:ty, $prefix:literal) => {
        for word in <$word>::ALL {
            let contract = <$contract>::try_from(word.number()).unwrap();
            let name = contract.as_str_name().trim_start_matches($prefix).replace('_', "").to_lowercase();
            assert_eq!(format!("{word:?}").to_lowercase(), name);
            assert_eq!(<$word>::try_from(word.number()), Ok(*word));
        }
        let next = i32::try_from(<$word>::ALL.len()).unwrap() + 1;
        assert!(<$contract>::try_from(next).is_err() && <$word>::try_from(next).is_err());
        assert!(<$word>::try_from(0).is_err());
    };
}

#[test]
fn the_domains_words_are_those_of_the_contract() {
    same!(InitiativeState, proto::membership::InitiativeState, "INITIATIVE_STATE_");
    same!(Sector, proto::membership::Sector, "SECTOR_");
    same!(JoinRequestState, proto::membership::JoinRequestState, "JOIN_REQUEST_STATE_");
    same!(MembershipState, proto::membership::MembershipState, "MEMBERSHIP_STATE_");
    same!(NodeState, proto::membership::NodeState, "NODE_STATE_");
    same!(Role, proto::common::Role, "ROLE_");
    same!(WorkingGroupState, proto::membership::WorkingGroupState, "WORKING_GROUP_STATE_");
    same!(CircleState, proto::membership::CircleState, "CIRCLE_STATE_");
    same!(PostingDirection, proto::membership::PostingDirection, "POSTING_DIRECTION_");
    same!(PostingKind, proto::membership::PostingKind, "POSTING_KIND_");
    same!(PostingState, proto::membership::PostingState, "POSTING_STATE_");
}
