//! Reads settings out of a TOML document and notes, with its line, whatever is wrong.
//!
//! A [`Section`] remembers which settings were asked for; [`Section::finish`] then reports those
//! in the file that nobody asked for. Reading goes on after a problem, so that all are told.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;
use super::suggestion::nearest;

/// A parsed file, and what is wrong with it so far.
pub struct Document<'t> {
    text: &'t str,
    table: Spanned<DeTable<'t>>,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Document<'t> {
    /// Fails when the text is not TOML.
    pub fn parse(text: &'t str) -> Result<Document<'t>, Problem> {
        let table = DeTable::parse(text).map_err(|error| Problem {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            setting: String::new(),
            what: error.message().to_owned(),
        })?;
        Ok(Document { text, table, problems: RefCell::default() })
    }

    /// The whole file as a section.
    pub fn root(&self) -> Section<'_> {
        Section {
            document: self,
            name: String::new(),
            table: Some(self.table.get_ref()),
            line: 1,
            asked: RefCell::default(),
        }
    }

    /// Everything that was noted, in the order of lines.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }

    fn line_of(&self, offset: usize) -> usize {
        line_of(self.text, offset)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}

/// One `[section]`, present or not.
pub struct Section<'d> {
    document: &'d Document<'d>,
    /// With the sections above, joined by dots; empty for the file itself.
    name: String,
    table: Option<&'d DeTable<'d>>,
    /// Where it begins; for a section that is missing, where it could have.
    line: usize,
    asked: RefCell<Vec<&'static str>>,
}

impl<'d> Section<'d> {
    /// A setting that must be there. None: it is not, or is wrong; either is noted.
    pub fn required<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Value<'d>) -> Result<T, String>,
    ) -> Option<T> {
        if self.absent(key) {
            self.asked.borrow_mut().push(key);
            self.note(self.line, key, "this setting is needed and is not there".to_owned());
            return None;
        }
        self.optional(key, read)
    }

    /// A setting that may be left out. None: it is, or it is wrong, which is noted.
    pub fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Value<'d>) -> Result<T, String>,
    ) -> Option<T> {
        self.asked.borrow_mut().push(key);
        let (line, value) = self.entry(key)?;
        match read(&Value(value)) {
            Ok(value) => Some(value),
            Err(what) => {
                self.note(line, key, what);
                None
            }
        }
    }

    /// True if the setting is left out.
    pub fn absent(&self, key: &str) -> bool {
        self.entry(key).is_none()
    }

    /// The section `[key]` below this one.
    pub fn section(&self, key: &'static str) -> Section<'d> {
        self.asked.borrow_mut().push(key);
        let (line, table) = match self.entry(key) {
            None => (self.line, None),
            Some((line, DeValue::Table(table))) => (line, Some(table)),
            Some((line, _)) => {
                self.note(line, key, format!("this is a section: write [{}]", self.full(key)));
                (line, None)
            }
        };
        self.below(key, line, table)
    }

    /// The sections `[[key]]` below this one, in the file's order.
    pub fn sections(&self, key: &'static str) -> Vec<Section<'d>> {
        self.asked.borrow_mut().push(key);
        match self.entry(key) {
            None => Vec::new(),
            Some((_, DeValue::Array(entries))) => entries
                .iter()
                .filter_map(|entry| {
                    let line = self.document.line_of(entry.span().start);
                    let table = entry.get_ref().as_table();
                    if table.is_none() {
                        self.note(line, key, format!("write [[{}]] for each", self.full(key)));
                    }
                    table.map(|table| self.below(key, line, Some(table)))
                })
                .collect(),
            Some((line, _)) => {
                self.note(
                    line,
                    key,
                    format!(
                        "there may be several: write [[{}]], with two brackets",
                        self.full(key)
                    ),
                );
                Vec::new()
            }
        }
    }

    /// Notes that a setting contradicts another.
    pub fn wrong(&self, key: &'static str, what: &str) {
        let line = self.entry(key).map_or(self.line, |(line, _)| line);
        self.note(line, key, what.to_owned());
    }

    /// Notes every setting in the file that was not asked for.
    pub fn finish(&self) {
        let Some(table) = self.table else { return };
        let asked = self.asked.borrow();
        for key in table.keys() {
            let name: &str = key.get_ref();
            if asked.contains(&name) {
                continue;
            }
            let what = match nearest(name, &asked) {
                Some(meant) => format!("there is no such setting; did you mean «{meant}»?"),
                None => format!("there is no such setting; there are {}", asked.join(", ")),
            };
            self.note(self.document.line_of(key.span().start), name, what);
        }
    }

    /// The line of a setting's name, and its value.
    fn entry(&self, key: &str) -> Option<(usize, &'d DeValue<'d>)> {
        let (name, value) = self.table?.iter().find(|(name, _)| name.get_ref() == key)?;
        Some((self.document.line_of(name.span().start), value.get_ref()))
    }

    fn below(&self, key: &str, line: usize, table: Option<&'d DeTable<'d>>) -> Section<'d> {
        Section {
            document: self.document,
            name: self.full(key),
            table,
            line,
            asked: RefCell::default(),
        }
    }

    fn full(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn note(&self, line: usize, key: &str, what: String) {
        self.document.problems.borrow_mut().push(Problem { line, setting: self.full(key), what });
    }
}

/// A setting's value. Each method says in its error what it would have taken.
pub struct Value<'d>(&'d DeValue<'d>);

impl Value<'_> {
    /// A whole number within `range`.
    pub fn number(&self, range: RangeInclusive<u64>) -> Result<u64, String> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let written =
            self.0.as_integer().ok_or_else(|| format!("{} is not {wanted}", self.kind()))?;
        let digits: String = written.as_str().chars().filter(|c| !matches!(c, '_' | '+')).collect();
        u64::from_str_radix(&digits, written.radix())
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("{} is not {wanted}", written.as_str()))
    }

    /// Text that is not empty.
    pub fn text(&self) -> Result<String, String> {
        match self.0.as_str() {
            Some("") => Err("it is empty".to_owned()),
            Some(text) => Ok(text.to_owned()),
            None => Err(format!("{} is not text in quotes", self.kind())),
        }
    }

    /// A path; a relative one starts at `base`.
    pub fn path(&self, base: &Path) -> Result<PathBuf, String> {
        Ok(base.join(self.text()?))
    }

    /// An address with its port.
    pub fn address(&self) -> Result<SocketAddr, String> {
        let text = self.text()?;
        let address: SocketAddr = text.parse().map_err(|_| {
            format!("«{text}» is not an address with a port, such as \"127.0.0.1:4451\" or \"[::1]:4451\"")
        })?;
        if address.port() == 0 { Err("port 0 names no port".to_owned()) } else { Ok(address) }
    }

    /// One or more addresses.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let Some(list) = self.0.as_array() else {
            return Err(format!(
                "{} is not a list of addresses: [\"127.0.0.1:4451\"]",
                self.kind()
            ));
        };
        if list.is_empty() {
            return Err(
                "the list is empty; name at least one address: [\"127.0.0.1:4451\"]".to_owned()
            );
        }
        list.iter().map(|entry| Value(entry.get_ref()).address()).collect()
    }

    /// A list of texts; one of them may be empty.
    pub fn words(&self) -> Result<Vec<String>, String> {
        let Some(list) = self.0.as_array() else {
            return Err(format!(
                "{} is not a list of words: [\"/usr/local/sbin/cut-off\", \"now\"]",
                self.kind()
            ));
        };
        let word = |entry: &DeValue<'_>| match entry.as_str() {
            Some(word) => Ok(word.to_owned()),
            None => Err(format!("this {} in the list is not text in quotes", entry.type_str())),
        };
        list.iter().map(|entry| word(entry.get_ref())).collect()
    }

    fn kind(&self) -> String {
        format!("this {}", self.0.type_str())
    }
}
