//! What was refused, in words for somebody who looks after a node beside other work.

use super::{Dropped, Line, Listed, Retried};
use crate::words;

/// When, from whom, and why.
pub(in crate::cli) fn happened(line: &Line) -> String {
    let who = if line.name.is_empty() { "another node".to_owned() } else { format!("\"{}\"", line.name) };
    let what = match line.standing {
        "REFUSED" if line.ours => "the backbone refused what this node told".to_owned(),
        "REFUSED" => format!("what {who} told was refused"),
        "HELD" => format!("what {who} sent waits"),
        "ALARM" => format!("ALARM about what {who} accepted"),
        _ => format!("what {who} sent was not taken in"),
    };
    // Names for ids, as far as they are known here.
    let reason = match line.ours {
        true => line.reason.replace(&line.origin, "this node"),
        false => line.reason.replace(&line.node, &who),
    };
    format!("{}{what}: {reason}", ago(line))
}

/// What one does now.
pub(in crate::cli) fn to_do(line: &Line) -> String {
    format!("to do: {}", line.to_do)
}

fn ago(line: &Line) -> String {
    line.seconds_ago.map(|seconds| format!("{} ago, ", words::duration(seconds))).unwrap_or_default()
}

pub(super) fn listed(listed: &Listed) -> String {
    let mut said: Vec<String> =
        listed.lines.iter().map(|line| format!("{:>6}  {:<16} {}", line.number, line.code, happened(line))).collect();
    for waiting in &listed.waiting {
        let held = words::count(waiting.held, "event", "events");
        said.push(format!("The service {} holds {held}: `commonweal status` says why.", waiting.service));
    }
    if said.is_empty() {
        return "Nothing was refused, and nothing waits.".to_owned();
    }
    said.push("\n`commonweal quarantine show NUMBER` says what to do about a line.".to_owned());
    said.join("\n")
}

pub(super) fn shown(line: &Line) -> String {
    let unknown = |text: &str| if text.is_empty() { "not known".to_owned() } else { text.to_owned() };
    let sequence = if line.sequence == 0 { "not known".to_owned() } else { line.sequence.to_string() };
    let after = match line.standing {
        "REFUSED" => "Nothing of it was applied, on any node: that is final.",
        "HELD" => {
            "It is taken in by itself once what stands in its way is gone; `commonweal quarantine retry` asks at once."
        }
        "ALARM" => "The backbone's verdict is followed nevertheless: that is final.",
        _ => "Nothing of it was applied, and there is no verdict on it: the right one may still come.",
    };
    format!(
        "{}: {}\n  {}\n\n  number        {}\n  through       {} {}\n  claimed space {}\n  by            {}\n  number there  {}\n\n{after}",
        line.code,
        happened(line),
        to_do(line),
        line.number,
        line.name,
        line.node,
        unknown(&line.space),
        unknown(&line.origin),
        sequence,
    )
}

pub(super) fn retried(retried: &Retried) -> String {
    let lines = words::count(retried.lines.into(), "line", "lines");
    let services = match retried.services {
        0 => String::new(),
        services => {
            format!(", and {} asked to try what they hold", words::count(services.into(), "service", "services"))
        }
    };
    format!("{lines} asked for again{services}. `commonweal status` shows how it went.")
}

pub(super) fn dropped(dropped: &Dropped) -> String {
    let count = u64::try_from(dropped.dropped).unwrap_or(u64::MAX);
    format!("{} taken away. What was refused stays refused.", words::count(count, "line", "lines"))
}
