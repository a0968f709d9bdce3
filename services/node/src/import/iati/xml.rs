//! XML as a stream of elements, of which one child of the root at a time is held, within bounds.
//!
//! A document type is refused: it could define entities that grow without end. Of entities only XML's own five and
//! numbered characters are known. Depth, the size of one tag or text, and what is held of one element are bounded, so
//! that no file can fill the memory.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use quick_xml::errors::SyntaxError;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader, XmlVersion};

/// How deep elements may stand in one another; IATI needs eight.
const DEPTH: usize = 32;
/// Bytes that one tag, comment or text may have.
const PIECE: usize = 1 << 20;
/// Elements and bytes of text that may be held of one child of the root.
const ELEMENTS: usize = 200_000;
const TEXT: usize = 16 << 20;
/// Names of what was passed over that are kept apart.
const NAMES: usize = 200;

/// One element with all that stands in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    /// The line in which its opening tag ends.
    pub(super) line: u64,
    attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// Why a file cannot be read any further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) line: u64,
    pub(super) value: String,
    pub(super) reason: String,
    pub(super) expected: &'static str,
}

impl Element {
    /// An attribute; `None` where it is missing or blank.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let (_, value) = self.attributes.iter().find(|(known, _)| known == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// The children of one name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of a name.
    pub(super) fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// The elements of a document.
pub(super) struct Elements<R> {
    reader: Reader<Bounded<R>>,
    buffer: Vec<u8>,
    /// Elements that were begun and not ended.
    depth: usize,
    /// How often elements within the children of the root were passed over, by name.
    pub(super) passed: BTreeMap<String, u64>,
}

impl<R: BufRead> Elements<R> {
    pub(super) fn of(input: R) -> Self {
        let mut reader = Reader::from_reader(Bounded { input, left: PIECE, line: 1 });
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), depth: 0, passed: BTreeMap::new() }
    }

    /// The root without what stands in it.
    pub(super) fn root(&mut self) -> Result<Element, Flaw> {
        loop {
            match self.event()? {
                Piece::Began(element) => return Ok(element),
                Piece::Text(text) if text.trim().is_empty() => {}
                Piece::Text(text) => return Err(self.flaw(&text, "is no XML", "an IATI file in XML")),
                Piece::Ended | Piece::Over => return Err(self.flaw("", "is no XML", "an IATI file in XML")),
            }
        }
    }

    /// The next child of the root. Of what stands directly in it only wanted names are kept, others are counted.
    pub(super) fn next(&mut self, wanted: fn(&str) -> bool) -> Result<Option<Element>, Flaw> {
        loop {
            match self.event()? {
                Piece::Began(element) => return self.whole(element, wanted).map(Some),
                Piece::Text(_) => {}
                Piece::Ended => return Ok(None),
                Piece::Over => return Err(self.cut()),
            }
        }
    }

    fn whole(&mut self, begun: Element, wanted: fn(&str) -> bool) -> Result<Element, Flaw> {
        let (mut open, mut elements, mut bytes) = (vec![begun], 0, 0);
        // How many elements are open that are passed over.
        let mut passing = 0_usize;
        loop {
            match self.event()? {
                Piece::Began(_) if passing > 0 => passing += 1,
                Piece::Ended if passing > 0 => passing -= 1,
                Piece::Began(element) if open.len() == 1 && !wanted(&element.name) => {
                    passing = 1;
                    self.pass(element.name);
                }
                Piece::Began(element) => {
                    elements += 1;
                    bytes += element.attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
                    open.push(element);
                }
                Piece::Text(text) if passing == 0 => {
                    bytes += text.len();
                    open.iter_mut().last().into_iter().for_each(|element| element.text.push_str(&text));
                }
                Piece::Text(_) => {}
                Piece::Ended => {
                    let Some(element) = open.pop() else { return Err(self.cut()) };
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(element),
                    }
                }
                Piece::Over => return Err(self.cut()),
            }
            if elements > ELEMENTS || bytes > TEXT {
                let expected = "at most 200,000 elements and 16 MiB of text in one activity";
                return Err(self.flaw("", "has too much in one element", expected));
            }
        }
    }

    fn pass(&mut self, name: String) {
        let known = self.passed.len() < NAMES || self.passed.contains_key(&name);
        *self.passed.entry(if known { name } else { "others".to_owned() }).or_default() += 1;
    }

    fn event(&mut self) -> Result<Piece, Flaw> {
        self.buffer.clear();
        self.reader.get_mut().left = PIECE;
        let line = self.reader.get_ref().line;
        let read = self.reader.read_event_into(&mut self.buffer).map_err(|error| said(line, &error));
        let line = self.reader.get_ref().line;
        let flaw = |value: &str, reason: &str, expected| Err(Flaw::new(line, value, reason, expected));
        match read? {
            Event::Start(start) | Event::Empty(start) => {
                self.depth += 1;
                if self.depth > DEPTH {
                    return flaw(start.name().as_ref(), "stands too deep in other elements", "at most 32 levels");
                }
                Ok(Piece::Began(element(&start, line).map_err(|error| said(line, &error))?))
            }
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(Piece::Ended)
            }
            Event::Text(text) => Ok(Piece::Text(text.xml10_content().into_owned())),
            Event::CData(text) => Ok(Piece::Text(text.xml10_content().into_owned())),
            Event::GeneralRef(name) => match (name.resolve_char_ref(), resolve_predefined_entity(&name)) {
                (Ok(Some(character)), _) => Ok(Piece::Text(character.to_string())),
                (Ok(None), Some(text)) => Ok(Piece::Text(text.to_owned())),
                _ => flaw(&name, "is no entity of XML itself", "the character, or its number such as &#233;"),
            },
            Event::DocType(_) => {
                flaw("<!DOCTYPE", "defines a document type, which could hide anything", "a file without one")
            }
            Event::Decl(declared) => match declared.encoding() {
                Some(Ok(name)) if !["utf-8", "us-ascii"].contains(&name.to_ascii_lowercase().as_str()) => {
                    flaw(&name, "is the encoding it is written in", "UTF-8: save it so")
                }
                _ => Ok(Piece::Text(String::new())),
            },
            Event::Comment(_) | Event::PI(_) => Ok(Piece::Text(String::new())),
            Event::Eof => Ok(Piece::Over),
        }
    }

    fn flaw(&self, value: &str, reason: &str, expected: &'static str) -> Flaw {
        Flaw::new(self.reader.get_ref().line, value, reason, expected)
    }

    fn cut(&self) -> Flaw {
        self.flaw("", "is cut short: it ends before its last element does", "the whole file")
    }
}

impl Flaw {
    fn new(line: u64, value: &str, reason: &str, expected: &'static str) -> Self {
        Self { line, value: value.trim().chars().take(80).collect(), reason: reason.to_owned(), expected }
    }
}

enum Piece {
    Began(Element),
    Text(String),
    Ended,
    Over,
}

fn element(start: &BytesStart<'_>, line: u64) -> Result<Element, Error> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(Error::InvalidAttr)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned();
        attributes.push((attribute.key.as_ref().to_owned(), value));
    }
    let name = start.name().as_ref().to_owned();
    Ok(Element { name, line, attributes, ..Element::default() })
}

/// What the reader stumbled over, in words.
fn said(line: u64, error: &Error) -> Flaw {
    match error {
        Error::Io(error) => Flaw::new(line, "", &format!("cannot be read on: {error}"), "an IATI file in XML"),
        Error::Syntax(SyntaxError::InvalidBangMarkup) => Flaw::new(line, "<!", "is no XML", "an IATI file in XML"),
        Error::Syntax(_) => Flaw::new(line, "", "is cut short: what begins here does not end", "the whole file"),
        Error::Encoding(_) => Flaw::new(line, "", "is not written in UTF-8", "UTF-8: save it so"),
        error => Flaw::new(line, "", &format!("is no XML: {error}"), "an IATI file in XML"),
    }
}

/// Input of which one piece may only take so much, and that counts its lines.
struct Bounded<R> {
    input: R,
    left: usize,
    line: u64,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let taken = self.fill_buf()?.read(into)?;
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other("one tag, comment or text has more than 1 MiB"));
        }
        let bytes = self.input.fill_buf()?;
        Ok(bytes.get(..self.left).unwrap_or(bytes))
    }

    fn consume(&mut self, amount: usize) {
        // What was looked at is still there, so this reads nothing.
        let bytes = self.input.fill_buf().unwrap_or_default();
        let lines = bytes.iter().take(amount).filter(|byte| **byte == b'\n').count();
        self.line += u64::try_from(lines).unwrap_or_default();
        self.left = self.left.saturating_sub(amount);
        self.input.consume(amount);
    }
}
