//! Bodies with variables in them.

use std::fmt::Write as _;

use serde::de::IgnoredAny;

use super::variable::{Facts, Value, Variable};

/// The names of variables begin with one of these. Those of the method request also do without the dollar sign.
const STARTS: [&str; 6] = [
    "$context.",
    "$stageVariables.",
    "$method.request.",
    "method.request.header.",
    "method.request.path.",
    "method.request.querystring.",
];

/// The namespaces of XHTML and SVG.
const PAGES: [&str; 2] = ["www.w3.org/1999/xhtml", "www.w3.org/2000/svg"];

/// A template, read when the layer is configured. It is not VTL: variables are replaced, and that is all.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pieces: Vec<Piece>,
    language: Language,
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(Box<str>),
    /// `quoted`: it stands inside of a JSON string.
    Variable {
        variable: Variable,
        quoted: bool,
    },
}

/// What the body is written in, and with that how a value is kept from being more than a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Language {
    /// Values are escaped; outside of a string they are written as one.
    Json,
    /// Values are escaped, and none of them comes from the request.
    Html,
    /// Nobody runs it, and nothing in it has a meaning.
    Plain,
    /// Values are escaped.
    Xml,
    /// Anything else. What to escape is not known, so no value comes from the request.
    Other,
}

impl Language {
    /// `essence` is a media type in lower case, without parameters; `text` is the template. XML with something of a page in it
    /// is one to a browser, which runs what stands in it, escapes undone.
    fn of(essence: &str, text: &str) -> Self {
        let is_page = || PAGES.iter().any(|namespace| text.contains(namespace));
        match essence {
            "application/json" => Self::Json,
            "text/html" | "application/xhtml+xml" | "image/svg+xml" => Self::Html,
            "text/plain" => Self::Plain,
            _ if essence.ends_with("+json") => Self::Json,
            _ if essence.ends_with("/xml") || essence.ends_with("+xml") => {
                if is_page() {
                    Self::Html
                } else {
                    Self::Xml
                }
            }
            _ => Self::Other,
        }
    }
}

impl Template {
    /// Reads a template for bodies of that media type.
    pub(super) fn parse(essence: &str, text: &str) -> Result<Self, String> {
        let language = Language::of(essence, text);
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut string = JsonString::default();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some(start) = STARTS.into_iter().find(|start| rest.starts_with(start)) {
                let name = name_at(rest, start);
                let variable = Variable::parse(name.trim_start_matches('$'))?;
                if variable.is_of_request() && matches!(language, Language::Html | Language::Other) {
                    return Err(format!(
                        "`{name}` is up to the client, and does not go into `{essence}`: use JSON, XML or plain text"
                    ));
                }
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal).into()));
                }
                pieces.push(Piece::Variable { variable, quoted: string.is_open });
                rest = rest.get(name.len()..).unwrap_or_default();
                continue;
            }
            string.pass(character);
            literal.push(character);
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
        let template = Self { pieces, language };
        template.check_json()?;
        Ok(template)
    }

    /// Where a value stands can be told only in a text that is JSON.
    fn check_json(&self) -> Result<(), String> {
        if self.language != Language::Json {
            return Ok(());
        }
        let probe: String = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text,
                Piece::Variable { quoted: true, .. } => "x",
                Piece::Variable { quoted: false, .. } => "null",
            })
            .collect();
        match serde_json::from_str::<IgnoredAny>(&probe) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("it is not JSON ({error}): write values as strings or bare variables")),
        }
    }

    pub(super) fn render(&self, facts: &Facts<'_>) -> String {
        let mut body = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => body.push_str(text),
                Piece::Variable { variable, quoted } => {
                    self.push(variable.value(facts), *quoted, &mut body);
                }
            }
        }
        body
    }

    fn push(&self, value: Value<'_>, quoted: bool, body: &mut String) {
        match (self.language, quoted, value) {
            (Language::Json, false, Value::Absent) => body.push_str("null"),
            (_, _, Value::Absent) => {}
            (Language::Json, false, Value::Json(json)) => body.push_str(&json),
            (Language::Json, false, Value::Text(text)) => body.push_str(&json_string(&text)),
            (Language::Json, true, Value::Json(text) | Value::Text(text)) => {
                let string = json_string(&text);
                body.push_str(string.get(1..string.len().saturating_sub(1)).unwrap_or_default());
            }
            (Language::Html | Language::Xml, _, Value::Json(text) | Value::Text(text)) => {
                push_markup(&text, body);
            }
            (Language::Plain | Language::Other, _, Value::Json(text) | Value::Text(text)) => {
                body.push_str(&text);
            }
        }
    }
}

/// The variable at the front of `text`, which begins with `start`. A full stop or a hyphen behind it is text.
fn name_at<'t>(text: &'t str, start: &str) -> &'t str {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let tail = text.get(start.len()..).unwrap_or_default();
    let end = tail.bytes().position(|b| !is_part(b)).unwrap_or(tail.len());
    text.get(..start.len() + end).unwrap_or_default().trim_end_matches(['.', '-'])
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn push_markup(text: &str, body: &mut String) {
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a string does not fail.
                let _ = write!(body, "&#{};", u32::from(character));
            }
            // XML has no way to write them.
            control if control.is_control() && !matches!(control, '\t' | '\n' | '\r') => {
                body.push('\u{FFFD}');
            }
            other => body.push(other),
        }
    }
}

/// Whether a JSON text, read up to here, is inside of a string.
#[derive(Default)]
struct JsonString {
    is_open: bool,
    escaped: bool,
}

impl JsonString {
    fn pass(&mut self, character: char) {
        match character {
            _ if self.escaped => self.escaped = false,
            '\\' if self.is_open => self.escaped = true,
            '"' => self.is_open = !self.is_open,
            _ => {}
        }
    }
}
