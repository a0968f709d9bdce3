//! One message of an archive, read: who wrote it, when, in answer to what, and what it says.

use mail_parser::decoders::html::html_to_text;
use mail_parser::{HeaderValue, Message, MessageParser, PartType};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::mbox::{MOST, Raw};
use super::privacy::{is_address, pseudonym, without_addresses};

const BYLINE: usize = 200;
/// How many parts a message may have: each may stand in another.
const PARTS: usize = 1000;

/// A message, with no more of its author than a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// Its own id; empty where it has none.
    pub(super) id: String,
    /// What it answers, the nearest first.
    pub(super) answers: Vec<String>,
    /// The thread it belongs to, where the archive says so itself.
    pub(super) thread: Option<String>,
    pub(super) written: OffsetDateTime,
    pub(super) author: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) noted: Noted,
}

/// What is said of messages in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) attachments: u64,
    pub(super) pages: u64,
    pub(super) addresses: u64,
    pub(super) pseudonyms: u64,
    pub(super) unreadable: u64,
}

/// What is wrong with a message: the field, its value, the reason and what should stand there.
pub(super) type Wrong = (&'static str, String, &'static str, &'static str);

impl Letter {
    /// What tells it from every other.
    pub(super) fn digest(&self) -> String {
        let Self { id, written, author, subject, text, .. } = self;
        let said = format!("{id}\n{written}\n{author}\n{subject}\n{text}");
        Sha256::digest(said).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Reads a message of an archive. `channel` makes its pseudonyms.
pub(super) fn read(channel: &str, raw: &Raw) -> Result<Letter, Wrong> {
    if raw.too_large {
        let reason = "is larger than a message may be: is the file an archive of mail?";
        return Err(("", String::new(), reason, "at most 32 MiB in one message"));
    }
    if parts(&raw.bytes) > PARTS {
        return Err(("Content-Type", String::new(), "stands there too often", "at most 1,000 parts in one message"));
    }
    let message = MessageParser::default().parse(&raw.bytes);
    let Some(message) = message else { return Err(("", String::new(), "has no headers", "a message of mail")) };
    let mut noted = Noted::default();
    let text = text(&message, &mut noted)?;
    let dated = message.date().filter(|date| date.is_valid()).copied().or_else(|| raw.arrived());
    let Some(written) = dated.and_then(|date| OffsetDateTime::from_unix_timestamp(date.to_timestamp()).ok()) else {
        let date = message.header_raw("Date").unwrap_or_default().trim().chars().take(80).collect();
        return Err(("Date", date, "is no date", "a date such as Mon, 05 Oct 2020 04:41:21 +0000"));
    };
    let from = message.from().and_then(|from| from.first());
    let name = from.and_then(|from| from.name()).unwrap_or_default();
    let address = from.and_then(|from| from.address()).or_else(|| raw.sender()).unwrap_or_default();
    if name.trim().is_empty() && address.is_empty() {
        return Err(("From", String::new(), "does not say who wrote it", "a name or an address"));
    }
    let author = author(channel, name, address, &mut noted);
    let mut answers = ids(message.in_reply_to());
    answers.extend(ids(message.references()).into_iter().rev());
    Ok(letter(message.message_id().unwrap_or_default(), answers, written, author, message.subject(), &text, noted))
}

/// A line of an archive in JSON: mailing lists of the R project are kept so.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    message_id: String,
    from_name: String,
    date: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    in_reply_to: Option<String>,
    body: String,
    #[serde(default)]
    thread_id: Option<String>,
}

/// Reads a message that is one line of JSON.
pub(super) fn read_json(channel: &str, line: &[u8]) -> Result<Letter, Wrong> {
    if line.len() >= MOST {
        return Err(("", String::new(), "is larger than a message may be", "at most 32 MiB in one message"));
    }
    const EXPECTED: &str = "an object with message_id, from_name, date, subject, in_reply_to and body";
    let line: Line =
        serde_json::from_slice(line).map_err(|error| ("", error.to_string(), "is no message in JSON", EXPECTED))?;
    let Ok(written) = OffsetDateTime::parse(&line.date, &Rfc3339) else {
        return Err(("date", line.date, "is no date", "a date such as 2005-11-11T11:16:11Z"));
    };
    if line.from_name.trim().is_empty() {
        return Err(("from_name", String::new(), "does not say who wrote it", "a name"));
    }
    let mut noted = Noted::default();
    let author = author(channel, &line.from_name, &line.from_name, &mut noted);
    let answers = line.in_reply_to.iter().map(|id| plain_id(id)).collect();
    let subject = line.subject.as_deref();
    let letter = letter(&plain_id(&line.message_id), answers, written, author, subject, &line.body, noted);
    Ok(Letter { thread: line.thread_id, ..letter })
}

fn letter(
    id: &str,
    answers: Vec<String>,
    written: OffsetDateTime,
    author: String,
    subject: Option<&str>,
    text: &str,
    mut noted: Noted,
) -> Letter {
    let (subject, in_subject) = without_addresses(&one_line(subject.unwrap_or_default()));
    let (text, in_text) = without_addresses(&prose(text));
    noted.addresses = in_subject + in_text;
    noted.unreadable = u64::from(text.contains(char::REPLACEMENT_CHARACTER));
    Letter { id: id.to_owned(), answers, thread: None, written, author, subject, text, noted }
}

/// What a message says: its plain text, or what is to be read on its page.
fn text(message: &Message<'_>, noted: &mut Noted) -> Result<String, Wrong> {
    let mut texts = Vec::new();
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(text) => texts.push(text.trim_end().to_owned()),
            PartType::Html(page) => {
                noted.pages += 1;
                texts.push(html_to_text(&shown(page)).trim().to_owned());
            }
            _ => {}
        }
    }
    // A message without any body counts as a problem too, which it is not.
    let broken = message.parts.iter().any(|part| {
        part.is_encoding_problem
            && matches!(&part.body, PartType::Text(text) | PartType::Html(text) if !text.is_empty())
    });
    if broken {
        let reason = "is cut short, or not encoded as it says";
        return Err(("Content-Transfer-Encoding", String::new(), reason, "the whole message"));
    }
    noted.attachments = message.attachment_count() as u64;
    Ok(texts.join("\n\n"))
}

/// A page without what stands in it and is not shown.
fn shown(page: &str) -> String {
    const HIDDEN: [(&str, &str); 3] = [("<head>", "</head>"), ("<style", "</style>"), ("<script", "</script>")];
    let mut page = page.to_owned();
    for (begin, end) in HIDDEN {
        let (lower, mut kept, mut from) = (page.to_ascii_lowercase(), String::new(), 0);
        while let Some(start) = lower.get(from..).and_then(|rest| rest.find(begin)).map(|place| from + place) {
            kept.push_str(page.get(from..start).unwrap_or_default());
            let ends = lower.get(start..).and_then(|rest| rest.find(end)).map(|place| start + place + end.len());
            from = ends.unwrap_or(page.len());
        }
        kept.push_str(page.get(from..).unwrap_or_default());
        page = kept;
    }
    page
}

fn author(channel: &str, name: &str, address: &str, noted: &mut Noted) -> String {
    let name = one_line(name);
    if name.is_empty() || is_address(&name) {
        noted.pseudonyms = 1;
        return pseudonym(channel, if address.is_empty() { &name } else { address });
    }
    name.chars().take(BYLINE).collect::<String>().trim().to_owned()
}

fn ids(header: &HeaderValue<'_>) -> Vec<String> {
    match header {
        HeaderValue::Text(id) => vec![plain_id(id)],
        HeaderValue::TextList(ids) => ids.iter().map(|id| plain_id(id)).collect(),
        _ => Vec::new(),
    }
}

fn plain_id(id: &str) -> String {
    id.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}

/// How many parts a message says it has, at the most.
fn parts(bytes: &[u8]) -> usize {
    const NAME: &[u8] = b"content-type";
    bytes.windows(NAME.len()).filter(|window| window.eq_ignore_ascii_case(NAME)).count()
}

fn one_line(text: &str) -> String {
    let blank = |character: char| character.is_whitespace() || character.is_control();
    text.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A text with the line breaks and without the control characters that a message may have.
fn prose(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars().filter(|one| !one.is_control() || "\n\t".contains(*one)).collect::<String>().trim_end().to_owned()
}
