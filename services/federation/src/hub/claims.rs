//! Who may do what on the hub: the accounts, their limits, and the permissions of their users.

use nkeys::KeyPair;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::error::HubError;
use super::jwt::{Claims, mint};
use super::outlet::MAX_MESSAGE_BYTES;

/// Inbox of a node; nothing else of its account can be listened to.
pub(super) const NODE_INBOX: &str = "_INBOX_node";
/// Inbox of the backbone's own user in a mailbox and at the enrolment desk.
pub(super) const BACKBONE_INBOX: &str = "_INBOX_backbone";
/// Inbox of the administrator in the system account.
pub(super) const ADMIN_INBOX: &str = "_INBOX_admin";
/// What an enrolment may weigh: keys, a name and a signature fit many times over.
const MAX_ENROLMENT_BYTES: i64 = 16 * 1024;
/// A node that comes back through another network while its old sockets still look alive, the
/// backbone's link and the administrator.
const MAILBOX_CONNECTIONS: i64 = 4;
/// Invited parties that knock in the same minute.
const ENROLMENT_CONNECTIONS: i64 = 64;

/// The operator's token about itself, for the server's configuration.
pub fn operator(operator: &KeyPair, system_account: &str, now: OffsetDateTime) -> Result<String, HubError> {
    let nats = json!({"type": "operator", "version": 2, "system_account": system_account});
    token("commonweal-hub", &operator.public_key(), now, None, nats, operator)
}

/// The system account, through which the hub is administered.
pub fn system_account(operator: &KeyPair, account: &str, now: OffsetDateTime) -> Result<String, HubError> {
    let nats = json!({
        "type": "account", "version": 2,
        "limits": {
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
            "wildcards": true, "conn": -1, "leaf": 0,
        },
        "default_permissions": {"pub": {}, "sub": {}},
    });
    token("SYS", account, now, None, nats, operator)
}

/// The administrator: may hand in accounts and have the server reload its certificate, no more.
pub fn system_user(account: &KeyPair, user: &str, now: OffsetDateTime) -> Result<String, HubError> {
    let nats = json!({
        "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1,
        "pub": {"allow": ["$SYS.REQ.CLAIMS.UPDATE", "$SYS.REQ.SERVER.*.RELOAD"]},
        "sub": {"allow": [format!("{ADMIN_INBOX}.>")]},
    });
    token("admin", user, now, None, nats, account)
}

/// What a mailbox account is made of.
#[derive(Debug, Clone, Copy)]
pub struct MailboxAccount<'a> {
    /// A name for server logs: the node's.
    pub name: &'a str,
    /// Public key of the account.
    pub account: &'a str,
    /// Public key that signs the node's user; `None` shuts the node out.
    pub signing_key: Option<&'a str>,
    /// Disk reserved for both streams together.
    pub disk_bytes: i64,
}

/// The account of one node's mailbox. The node's permissions stand here, in the template of the
/// signing key, so a user token cannot carry more and changing them needs no new token.
pub fn mailbox_account(
    operator: &KeyPair,
    mailbox: &MailboxAccount<'_>,
    now: OffsetDateTime,
) -> Result<String, HubError> {
    let signing_keys: Vec<Value> = mailbox.signing_key.map(node_scope).into_iter().collect();
    let nats = json!({
        "type": "account", "version": 2,
        "limits": {
            "subs": 100, "data": -1, "payload": MAX_MESSAGE_BYTES, "imports": 0, "exports": 0,
            "wildcards": true, "conn": MAILBOX_CONNECTIONS, "leaf": 0,
            "mem_storage": 0, "disk_storage": mailbox.disk_bytes, "streams": 2, "consumer": 4,
        },
        "signing_keys": signing_keys,
        "default_permissions": {"pub": {}, "sub": {}},
    });
    token(mailbox.name, mailbox.account, now, None, nats, operator)
}

fn node_scope(signing_key: &str) -> Value {
    json!({
        "kind": "user_scope", "key": signing_key, "role": "node",
        "template": {
            "pub": {"allow": [
                "up.>",
                "$JS.API.CONSUMER.MSG.NEXT.DOWN.node",
                "$JS.API.CONSUMER.INFO.DOWN.node",
                // Two forms of the same: without and with domain and account hash.
                "$JS.ACK.DOWN.node.>",
                "$JS.ACK.*.*.DOWN.node.>",
            ]},
            "sub": {"allow": [format!("{NODE_INBOX}.>")]},
            "subs": -1, "data": -1, "payload": -1,
            "allowed_connection_types": ["STANDARD", "WEBSOCKET"],
        },
    })
}

/// The node's user: no permissions of its own and no expiry, since the scope gives the first and
/// taking the signing key out of the account ends it at once.
pub fn node_user(signing: &KeyPair, account: &str, user: &str, now: OffsetDateTime) -> Result<String, HubError> {
    let nats = json!({
        "type": "user", "version": 2, "issuer_account": account, "pub": {}, "sub": {},
    });
    token("node", user, now, None, nats, signing)
}

/// The backbone's own user in a mailbox or at the enrolment desk: everything within the account.
pub fn backbone_user(account: &KeyPair, user: &str, now: OffsetDateTime) -> Result<String, HubError> {
    let nats = json!({
        "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {},
    });
    token("backbone", user, now, None, nats, account)
}

/// The account where invited parties knock. It has no streams.
pub fn enrolment_account(operator: &KeyPair, account: &str, now: OffsetDateTime) -> Result<String, HubError> {
    let nats = json!({
        "type": "account", "version": 2,
        "limits": {
            "subs": -1, "data": -1, "payload": MAX_ENROLMENT_BYTES, "imports": 0, "exports": 0,
            "wildcards": true, "conn": ENROLMENT_CONNECTIONS, "leaf": 0,
        },
        "default_permissions": {"pub": {}, "sub": {}},
    });
    token("ENROL", account, now, None, nats, operator)
}

/// The user behind one invitation: may ask under the invitation's own subject and hear the
/// answer, until it expires. Two invitations cannot hear one another.
pub fn enrolment_user(
    account: &KeyPair,
    user: &str,
    invitation: &str,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<String, HubError> {
    let nats = json!({
        "type": "user", "version": 2, "subs": 4, "data": -1, "payload": MAX_ENROLMENT_BYTES,
        "pub": {"allow": [enrolment_subject(invitation)]},
        "sub": {"allow": [format!("{}.>", enrolment_inbox(invitation))]},
        "allowed_connection_types": ["STANDARD", "WEBSOCKET"],
    });
    token("invited", user, now, Some(expires_at), nats, account)
}

/// Where the holder of an invitation asks.
pub(super) fn enrolment_subject(invitation: &str) -> String {
    format!("enrol.{invitation}")
}

/// Where the holder of an invitation hears the answer.
pub(super) fn enrolment_inbox(invitation: &str) -> String {
    format!("_INBOX_enrol_{invitation}")
}

fn token(
    name: &str,
    subject: &str,
    issued_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    nats: Value,
    issuer: &KeyPair,
) -> Result<String, HubError> {
    mint(&Claims { name, subject, issued_at, expires_at, nats }, issuer)
}
