//! A partner that tells ever so much slows down itself: each link has a box, a task and transactions of its own.

use chassis::names::Reference;

use crate::coalition::Coalition;
use crate::node::{SAID, soon};

#[tokio::test]
async fn a_flood_from_one_partner_keeps_back_no_other() {
    // Many times what is taken in at once.
    const FLOOD: usize = 20_000;
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    let mine = Reference::born_on(alpha.id());
    let flood: Vec<_> = (0..FLOOD).map(|nth| alpha.event(members, &mine, SAID, format!("flood {nth}"))).collect();
    alpha.tell(members, &flood).await;
    let of = async |origin: &str| -> i64 {
        let held = "select coalesce(sum(sequence), 0)::bigint from federation.feeds where origin = $1";
        sqlx::query_scalar(held).bind(origin).fetch_one(&backbone.border.pool).await.unwrap()
    };
    soon(async || (of(alpha.id().as_str()).await > 0).then_some(())).await;
    beta.say(members, &["a word"]).await;
    soon(async || (of(beta.id().as_str()).await == 1).then_some(())).await;
    let taken = of(alpha.id().as_str()).await;
    assert!(taken < i64::try_from(FLOOD).unwrap(), "a word waited for the whole flood");
    assert!(backbone.codes().await.is_empty(), "it is slow, and not refused");
}
