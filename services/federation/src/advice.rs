//! What one does about what was found at the border, in words for somebody who looks after a node beside other work.

use crate::store::quarantine::Standing;

/// Every code, with what is to be done about what was not taken in, or gives an alarm; of an entry that the order
/// refuses, what whoever told it can do.
pub const CODES: [(&str, &str); 37] = [
    ("BACKBONE_ONLY", "ask the backbone to say it"),
    ("BAD_EVENT_ID", UPGRADE),
    ("BAD_EVENT_TYPE", STRANGE),
    ("BAD_SIGNATURE", ALTERED),
    ("BROKEN_CHAIN", STRANGE),
    ("BROKEN_ORDER", TWO_HISTORIES),
    ("CONTRADICTION", UPGRADE),
    ("DISAGREEMENT", "upgrade the older of the two nodes; if it stays, ask the backbone why it accepted that"),
    ("DUPLICATE_EVENT", "nothing: it was accepted before and counts once"),
    ("EMPTY", STRANGE),
    ("FOREIGN_KEY", "ask whoever looks after that node whether its key was changed or copied"),
    ("FORK", "find out which of the two nodes was restored from a backup; until they agree, nothing more goes there"),
    (
        "FORMER_KEY",
        "nothing, once; if it goes on, somebody may have a former key of that node, or it runs with an old copy of its keys",
    ),
    ("LOCAL_FAULT", "look at the log of this node, and mend its database or disk; then it is taken in by itself"),
    ("MALFORMED", "upgrade the older of the two nodes; if it stays, ask whoever looks after that node what runs there"),
    ("MIXED_FEEDS", STRANGE),
    ("NOT_ADMITTED", "nothing, if that node was shut out or only follows; else let it join with an invitation"),
    ("NOT_AN_EVENT", "split it into smaller parts if it was large; else upgrade the node that told it"),
    ("NOT_ERASABLE", "ask the backbone why it left something out; or upgrade this node"),
    ("NOT_ITS_HOME", "ask the node it is about, for only that one may say it: propose or request it there"),
    (
        "NOT_ITS_KEYS",
        "ask whoever looks after that node, by another way than this one, who else has a copy of its keys",
    ),
    ("NOT_ITS_SPACE", "ask the backbone who belongs to that space"),
    ("NO_EVIDENCE", "ask the backbone why it accepted that, and look at the node it came from"),
    ("OTHER_EPOCH", "ask whoever looks after that node whether it was restored from a backup"),
    ("OTHER_FORMAT", "upgrade the older of the two nodes"),
    ("OTHER_FRAME", ASK_BACKBONE),
    ("OTHER_INITIATIVE", STRANGE),
    (
        "OTHER_MAILBOX",
        "it speaks in another's name: ask whoever looks after it, and revoke it if they cannot explain it",
    ),
    ("OVERSIZE", STRANGE),
    ("ROLE_MISSING", "ask the backbone for the role, then say it again"),
    ("SPACE_FORBIDDEN", "say it in a space that is meant for it"),
    ("TOO_LARGE", "split it into smaller parts"),
    ("TOO_MANY_ENTRIES", STRANGE),
    ("UNTELLABLE", "nothing: it was never meant to leave a node"),
    ("WITHHELD", "ask the backbone, and the node it came from, for what is missing"),
    ("WRONG_BODY", ALTERED),
    ("WRONG_HEAD", ALTERED),
];

const ALTERED: &str =
    "nothing, once: it was altered or forged, and kept out; if it goes on, ask whoever looks after that node";
const ASK_BACKBONE: &str = "ask the backbone: it sent what it cannot have made so; nothing of it was applied";
const STRANGE: &str = "no version of Commonweal makes such: ask whoever looks after that node what runs there";
const TWO_HISTORIES: &str = "the backbone told two histories: compare `commonweal status` with other members' nodes";
const UPGRADE: &str = "upgrade the node that told it: no version of today makes such";

/// The same code, where this version knows it.
pub fn known(code: &str) -> Option<&'static str> {
    CODES.iter().map(|(known, _)| *known).find(|known| *known == code)
}

/// What one does about a line. `ours` says that it is about what this node itself told.
pub fn of(code: &str, standing: Standing, ours: bool) -> String {
    let words = CODES.iter().find(|(known, _)| *known == code).map(|(_, words)| *words);
    let words = match (words, standing) {
        (None, _) => "upgrade this node: a newer version knows what this means",
        // Of an entry these two mean something else than of the message around it.
        (Some(_), Standing::Refused) if code == "NOT_ADMITTED" => {
            "join with an invitation of the backbone, then say it again"
        }
        (Some(_), Standing::Refused) if code == "NOT_ITS_SPACE" => "say it in a space that the node belongs to",
        (Some(words), _) => words,
    };
    match (standing, ours) {
        (Standing::Refused, false) => format!("nothing here: its own node shows the reason, too. There: {words}"),
        _ => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_once_each_and_in_order() {
        assert!(CODES.windows(2).all(|two| two[0].0 < two[1].0));
        assert_eq!((known("FORK"), known("MADE_UP")), (Some("FORK"), None));
    }

    #[test]
    fn advice_is_for_whoever_can_follow_it() {
        assert_eq!(of("TOO_LARGE", Standing::Refused, true), "split it into smaller parts");
        assert!(of("TOO_LARGE", Standing::Refused, false).starts_with("nothing here"));
        assert_ne!(of("NOT_ADMITTED", Standing::Refused, true), of("NOT_ADMITTED", Standing::Open, true));
        assert!(of("MADE_UP", Standing::Open, false).starts_with("upgrade this node"));
    }
}
